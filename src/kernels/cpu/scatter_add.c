/* y[.., index[.., j, ..], ..] += x[.., j, ..]: every element of y belongs to one column, whose additions come in the
   order of the indices: the same bits on any number of threads. */
// compiled for: float integer
#include "../kernels.h"
#include "index.h"

static void scatter_add(const wk_index_block *b, const int64_t *index, const real *x, real *y)
{
    WK_INDEX_LOOP(b, index, y[c] = (real)(y[c] + x[p]))
}

void KERNEL_NAME(scatter_add)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, false);
        scatter_add(&b, w->index, w->x, w->y);
    }
}
