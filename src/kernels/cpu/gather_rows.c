/* What rows of bytes need, of any dtype: gathering them by index, and looking at the indices first. */
#include "cpu.h"

void KERNEL_NAME(gather_rows)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_rows_work *w = work;
    for (int64_t row = begin; row < end; row++)
        memcpy((char *)w->y + row * w->bytes, (const char *)w->x + w->index[row] * w->bytes, (size_t)w->bytes);
}

/* any one of the offenders is reported; *bad stays what it was where there is none */
void KERNEL_NAME(index_check)(const void *work, int64_t begin, int64_t end)
{
    const wk_index_check_work *w = work;
    for (int64_t i = begin; i < end; i++)
        if ((w->index[i] < w->low || w->index[i] >= w->high) && w->index[i] != w->ignore)
            __atomic_store_n(w->bad, w->index[i], __ATOMIC_RELAXED);
}
