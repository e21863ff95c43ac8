/* rms_norm along contiguous rows of n.  weight and rstd are reals: float32 for float16 and bfloat16. */
#ifndef WICK_KERNELS_RMS_NORM_H
#define WICK_KERNELS_RMS_NORM_H

#include <stdint.h>

/* y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + eps) */
typedef struct wk_rms_norm_work {
    const void *x;      // (rows, n)
    const void *weight; // (n) reals, or NULL
    void *y;            // (rows, n)
    void *rstd;         // (rows) reals
    int64_t rows, n;
    double eps;
} wk_rms_norm_work;

/* with g = dy * weight:  dx = rstd * g - x * rstd^3 * mean(g * x) */
typedef struct wk_rms_norm_backward_work {
    const void *dy, *x; // (rows, n)
    const void *rstd;   // (rows) reals
    const void *weight; // (n) reals, or NULL
    void *dx;           // (rows, n)
    int64_t rows, n;
} wk_rms_norm_backward_work;

#endif
