/* layer_norm along contiguous rows of n.  Parameters, their gradients and statistics are reals: float32 for float16 and
   bfloat16. */
#ifndef WICK_KERNELS_LAYER_NORM_H
#define WICK_KERNELS_LAYER_NORM_H

#include <stdint.h>

/* y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(variance + eps) */
typedef struct wk_layer_norm_work {
    const void *x;             // (rows, n)
    const void *weight, *bias; // (n) reals, or NULL
    void *y;                   // (rows, n)
    void *mean, *rstd;         // (rows) reals
    int64_t rows, n;
    double eps;
} wk_layer_norm_work;

/* with xhat = (x - mean) * rstd, g = dy * weight:
   dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = sum over rows of dy * xhat, dbias = sum of dy */
typedef struct wk_layer_norm_backward_work {
    const void *dy, *x;      // (rows, n)
    const void *mean, *rstd; // (rows) reals
    const void *weight;      // (n) reals, or NULL
    void *dx;                // (rows, n); NULL: not asked for
    void *dweight, *dbias;   // (n) reals; NULL: not asked for
    int64_t rows, n;
} wk_layer_norm_backward_work;

#endif
