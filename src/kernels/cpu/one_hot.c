/* one_hot: rows of 0s with a 1 each. */
// compiled for: bytes
#include "../one_hot.h"
#include "index.h"

static void one_hot_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_one_hot_work *w = work;
    memset(w->y + begin * w->classes, 0, (size_t)((end - begin) * w->classes) * sizeof *w->y);
    for (int64_t row = begin; row < end; row++)
        w->y[row * w->classes + w->x[row]] = 1;
}

WK_KERNEL(one_hot, wk_one_hot_work)
{
    const int64_t bad = wk_index_first_outside(w->x, w->count, 0, w->classes);
    if (bad < 0)
        wk_parallel(one_hot_rows, w, w->count, w->classes);
    else
        wk_queue_fault(queue, &(wk_fault){.kind = WK_FAULT_CLASS, .name = "x", .value = w->x[bad], .high = w->classes});
}
