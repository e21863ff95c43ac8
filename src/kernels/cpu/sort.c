/* sort and topk along contiguous rows of n, with the indices that the values had.  NaN counts as the greatest.

   sort: merges from below, stable both ways, over runs of 16 sorted by insertion.
   topk: the best k so far stand sorted; a number that beats the last of them is inserted.  Most numbers do not, and 64
   at a time are passed over by comparisons that vectorize.  For large k a row is sorted. */
// compiled for: float half integer
#include "../sort.h"
#include "reals.h"
#include "rows.h"

#define RUN 16

WK_INLINE bool less(real a, real b) { return a < b || (b != b && a == a); }
/* whether a stands before b */
WK_INLINE bool before(real a, real b, bool descending) { return descending ? less(b, a) : less(a, b); }

static void insertion_sort(real *values, int64_t *indices, int64_t n, bool descending)
{
    for (int64_t i = 1; i < n; i++) {
        const real value = values[i];
        const int64_t index = indices[i];
        int64_t at = i;
        for (; at > 0 && before(value, values[at - 1], descending); at--) {
            values[at] = values[at - 1];
            indices[at] = indices[at - 1];
        }
        values[at] = value;
        indices[at] = index;
    }
}

/* two neighbouring sorted runs, begin..middle and middle..end, into one; the left goes first among equals */
static void merge(const real *values, const int64_t *indices, real *to_values, int64_t *to_indices, int64_t begin,
                  int64_t middle, int64_t end, bool descending)
{
    int64_t left = begin, right = middle;
    for (int64_t i = begin; i < end; i++) {
        const bool take_right = right < end && (left >= middle || before(values[right], values[left], descending));
        const int64_t from = take_right ? right++ : left++;
        to_values[i] = values[from];
        to_indices[i] = indices[from];
    }
}

/* rows, of which the k first of the order are wanted; each is sorted between two places of its own */
typedef struct sorting {
    const elem *x;    // (rows, n)
    elem *values;     // (rows, k)
    int64_t *indices; // (rows, k)
    int64_t rows, n, k;
    bool descending;
    real *scratch_values;     // (places, 2, n), a place for each row or for each thread
    int64_t *scratch_indices; // the same
    int64_t places;
} sorting;

static void sort_range(const void *work, int64_t begin, int64_t end)
{
    const sorting *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const int64_t place = w->places == w->rows ? row : wk_parallel_thread();
        real *values = w->scratch_values + place * 2 * n, *other_values = values + n;
        int64_t *indices = w->scratch_indices + place * 2 * n, *other_indices = indices + n;
        for (int64_t i = 0; i < n; i++) {
            values[i] = LOAD(w->x[row * n + i]);
            indices[i] = i;
        }
        for (int64_t start = 0; start < n; start += RUN)
            insertion_sort(values + start, indices + start, n - start < RUN ? n - start : RUN, w->descending);
        for (int64_t run = RUN; run < n; run *= 2) {
            for (int64_t start = 0; start < n; start += 2 * run) {
                const int64_t middle = start + run < n ? start + run : n, stop = middle + run < n ? middle + run : n;
                merge(values, indices, other_values, other_indices, start, middle, stop, w->descending);
            }
            real *swap_values = values;
            values = other_values, other_values = swap_values;
            int64_t *swap_indices = indices;
            indices = other_indices, other_indices = swap_indices;
        }
        for (int64_t i = 0; i < w->k; i++)
            w->values[row * w->k + i] = STORE(values[i]);
        memcpy(w->indices + row * w->k, indices, (size_t)w->k * sizeof *indices);
    }
}

static void sort_rows(wk_queue *queue, sorting w)
{
    w.places = w.rows < wk_parallel_threads() ? w.rows : wk_parallel_threads();
    w.scratch_values = queue->scratch(queue, (size_t)(w.places * 2 * w.n) * sizeof(real));
    w.scratch_indices = queue->scratch(queue, (size_t)(w.places * 2 * w.n) * sizeof(int64_t));
    if (w.scratch_values && w.scratch_indices)
        wk_parallel(sort_range, &w, w.rows, 16 * w.n);
}

WK_KERNEL(sort, wk_sort_work)
{
    sort_rows(queue, (sorting){.x = w->x, .values = w->values, .indices = w->indices, .rows = w->rows, .n = w->n,
                               .k = w->n, .descending = w->descending});
}

/* ---------------------------------------------------------------- topk */

/* puts x, number i, where it belongs among the best `count` of at most k */
static void insert(real *values, int64_t *indices, int64_t count, int64_t k, real x, int64_t i, bool largest)
{
    int64_t at = count < k ? count : k - 1;
    for (; at > 0 && before(x, values[at - 1], largest); at--) {
        values[at] = values[at - 1];
        indices[at] = indices[at - 1];
    }
    values[at] = x;
    indices[at] = i;
}

static void topk_range(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_topk_work *w = rows->work;
    const int64_t n = w->n, k = w->k;
    const bool largest = w->largest;
    wk_window window;
    wk_window_of(&window, w->x, w->rows * n);
    for (int64_t row = begin; row < end; row++) {
        real *values = wk_row_out(rows, 0, w->values, row, k);
        int64_t *indices = w->indices + row * k;
        for (int64_t i = 0; i < k; i++)
            insert(values, indices, i, k, *wk_window_at(&window, row * n + i, 1), i, largest);
        for (int64_t start = k; start < n; start += 64) {
            const int64_t count = n - start < 64 ? n - start : 64;
            const real *x = wk_window_at(&window, row * n + start, count), last = values[k - 1];
            int found = 0;
#pragma omp simd reduction(| : found)
            for (int64_t i = 0; i < count; i++)
                found |= before(x[i], last, largest);
            for (int64_t i = 0; found && i < count; i++)
                if (before(x[i], values[k - 1], largest))
                    insert(values, indices, k, k, x[i], start + i, largest);
        }
        wk_row_store(values, w->values, row, k);
    }
}

WK_KERNEL(topk, wk_topk_work)
{
    if (w->k == 0)
        return;
    if (w->k > 64 && w->k > w->n / 64)
        sort_rows(queue, (sorting){.x = w->x, .values = w->values, .indices = w->indices, .rows = w->rows, .n = w->n,
                                   .k = w->k, .descending = w->largest});
    else
        wk_rows_run(topk_range, queue, w, 1, w->rows, w->k, 2 * w->n);
}
