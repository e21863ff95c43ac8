/* index_add: y[index[i], :] += source[i, :] for i in 0..count, rows of `width` numbers.  An item is a stretch of 64 columns,
   which goes through all the rows in order: repeated indices add up the same on any number of threads.  Rows whose index
   is `ignore` are passed over.  The backward of embedding and of index_select. */
#include "cpu.h"

void KERNEL_NAME(index_add)(const void *work, int64_t begin, int64_t end)
{
    const wk_index_add_work *w = work;
    const int64_t first = begin * 64, last = end * 64 < w->width ? end * 64 : w->width;
    for (int64_t i = 0; i < w->count; i++) {
        if (w->index[i] == w->ignore)
            continue;
        const real *source = (const real *)w->source + i * w->width;
        real *y = (real *)w->y + w->index[i] * w->width;
#pragma omp simd
        for (int64_t j = first; j < last; j++)
            y[j] = (real)(y[j] + source[j]);
    }
}
