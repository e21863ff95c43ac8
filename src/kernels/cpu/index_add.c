/* index_add: y[outer, index[i], :] += source[outer, i, :] for i in 0..count, rows of `width` numbers.  An item is a
   stretch of 64 columns, which goes through all the rows in order: repeated indices add up the same on any number of
   threads.  Rows whose index is `ignore` are passed over.  The backward of embedding and of index_select. */
// compiled for: float integer
#include "../kernels.h"
#include "cpu.h"

/* columns first to last of one outer */
static void add_columns(const wk_index_add_work *w, int64_t outer, int64_t first, int64_t last)
{
    const real *sources = (const real *)w->source + outer * w->count * w->width;
    real *rows = (real *)w->y + outer * w->n * w->width;
    for (int64_t i = 0; i < w->count; i++) {
        if (w->index[i] == w->ignore)
            continue;
        const real *source = sources + i * w->width;
        real *y = rows + w->index[i] * w->width;
#pragma omp simd
        for (int64_t j = first; j < last; j++)
            y[j] = (real)(y[j] + source[j]);
    }
}

void KERNEL_NAME(index_add)(const void *work, int64_t begin, int64_t end)
{
    const wk_index_add_work *w = work;
    const int64_t blocks = (w->width + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK;
    while (begin < end) {
        const int64_t outer = begin / blocks, stop = (outer + 1) * blocks < end ? (outer + 1) * blocks : end;
        const int64_t last = (stop - outer * blocks) * WK_INDEX_BLOCK;
        add_columns(w, outer, (begin - outer * blocks) * WK_INDEX_BLOCK, last < w->width ? last : w->width);
        begin = stop;
    }
}
