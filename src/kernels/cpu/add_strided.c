/* y += x, element by element and in order, since elements of y may lie over each other. */
// compiled for: float half integer complex
#include "../copy.h"
#include "cpu.h"

WK_KERNEL(add_strided, wk_add_strided_work)
{
    const elem *x = w->x;
    elem *y = w->y;
    int64_t coordinate[WK_KERNEL_MAX_DIMS] = {0}, at = 0;
    for (int64_t i = 0; i < w->count; i++) {
        y[at] = STORE((real)(LOAD(y[at]) + LOAD(x[i])));
        for (int dim = w->ndim - 1; dim >= 0; dim--) {
            at += w->strides[dim];
            if (++coordinate[dim] < w->shape[dim])
                break;
            at -= coordinate[dim] * w->strides[dim];
            coordinate[dim] = 0;
        }
    }
}
