/* softmax along contiguous rows of n */
#ifndef WICK_KERNELS_SOFTMAX_H
#define WICK_KERNELS_SOFTMAX_H

#include <stdint.h>

/* y = exp(x - max) / sum */
typedef struct wk_softmax_work {
    const void *x; // (rows, n)
    void *y;       // (rows, n)
    int64_t rows, n;
} wk_softmax_work;

/* dx = y * (dy - sum(dy * y)) */
typedef struct wk_softmax_backward_work {
    const void *dy, *y; // (rows, n)
    void *dx;           // (rows, n)
    int64_t rows, n;
} wk_softmax_backward_work;

#endif
