/* search_sorted: a binary search for each value. */
// compiled for: float half integer
#include "../search_sorted.h"
#include "cpu.h"
#include "parallel.h"

static void search_range(const void *work, int64_t begin, int64_t end)
{
    const wk_search_sorted_work *w = work;
    const elem *values = w->values;
    for (int64_t i = begin; i < end; i++) {
        const elem *row = (const elem *)w->sequence + i / w->m * w->n;
        const real value = LOAD(values[i]);
        int64_t low = 0, high = w->n;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            const real at = LOAD(row[middle]);
            const bool before = w->right ? !(at > value) : !(at >= value);
            low = before ? middle + 1 : low;
            high = before ? high : middle;
        }
        w->y[i] = low;
    }
}

WK_KERNEL(search_sorted, wk_search_sorted_work) { wk_parallel(search_range, w, w->rows * w->m, 32); }
