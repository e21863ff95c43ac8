/* What rows of bytes need, of any dtype: gathering them by index, and looking at the indices first. */
// compiled for: bytes
#include "../kernels.h"
#include "cpu.h"

void KERNEL_NAME(gather_rows)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_rows_work *w = work;
    const char *x = w->x;
    char *y = w->y;
    const int64_t m = w->m > 0 ? w->m : INT64_MAX;
    int64_t outer = begin / m, j = begin % m;
    for (int64_t row = begin; row < end; row++) {
        const char *from = x + (outer * w->n + w->index[j]) * w->bytes;
        if (w->bytes == 4)
            memcpy(y + row * 4, from, 4);
        else if (w->bytes == 8)
            memcpy(y + row * 8, from, 8);
        else
            memcpy(y + row * w->bytes, from, (size_t)w->bytes);
        if (++j == m) {
            j = 0;
            outer++;
        }
    }
}

/* any one of the offenders is reported; *bad stays what it was where there is none */
void KERNEL_NAME(index_check)(const void *work, int64_t begin, int64_t end)
{
    const wk_index_check_work *w = work;
    for (int64_t i = begin; i < end; i++)
        if ((w->index[i] < w->low || w->index[i] >= w->high) && w->index[i] != w->ignore)
            __atomic_store_n(w->bad, w->index[i], __ATOMIC_RELAXED);
}
