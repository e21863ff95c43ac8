/* Looking at indices before they are used. */
// compiled for: bytes
#include "../kernels.h"
#include "cpu.h"

/* any one of the offenders is reported; *bad stays what it was where there is none */
void KERNEL_NAME(index_check)(const void *work, int64_t begin, int64_t end)
{
    const wk_index_check_work *w = work;
    for (int64_t i = begin; i < end; i++)
        if ((w->index[i] < w->low || w->index[i] >= w->high) && w->index[i] != w->ignore)
            __atomic_store_n(w->bad, w->index[i], __ATOMIC_RELAXED);
}
