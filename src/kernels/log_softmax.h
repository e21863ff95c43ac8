/* log_softmax along contiguous rows of n */
#ifndef WICK_KERNELS_LOG_SOFTMAX_H
#define WICK_KERNELS_LOG_SOFTMAX_H

#include <stdint.h>

/* y = x - max - log(sum(exp(x - max))) */
typedef struct wk_log_softmax_work {
    const void *x; // (rows, n)
    void *y;       // (rows, n)
    int64_t rows, n;
} wk_log_softmax_work;

/* dx = dy - exp(y) * sum(dy) */
typedef struct wk_log_softmax_backward_work {
    const void *dy, *y; // (rows, n)
    void *dx;           // (rows, n)
    int64_t rows, n;
} wk_log_softmax_backward_work;

#endif
