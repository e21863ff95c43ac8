/* batch_norm of x (N, C, inner), contiguous: each channel is normalized over N and inner.  Parameters, their gradients
   and statistics are reals: float32 for float16 and bfloat16. */
#ifndef WICK_KERNELS_BATCH_NORM_H
#define WICK_KERNELS_BATCH_NORM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_batch_norm_shape {
    int64_t N, C, inner;
} wk_batch_norm_shape;

/* y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(variance + eps), the biased variance.  By the batch: mean and
   variance are those of x, and the running ones move to them by momentum, the variance to the unbiased one.  Else they
   are the running ones. */
typedef struct wk_batch_norm_work {
    wk_batch_norm_shape shape;
    const void *x;                    // (N, C, inner)
    const void *weight, *bias;        // (C) reals, or NULL
    void *running_mean, *running_var; // (C) reals, or NULL
    void *y;                          // as x
    void *mean, *rstd;                // (C) reals: what x was normalized by
    double eps, momentum;
    bool by_batch;
} wk_batch_norm_work;

/* with xhat = (x - mean) * rstd, g = dy * weight, means over N and inner:
   dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), or rstd * g where not by the batch;
   dweight = sum of dy * xhat, dbias = sum of dy */
typedef struct wk_batch_norm_backward_work {
    wk_batch_norm_shape shape;
    const void *dy, *x;      // (N, C, inner)
    const void *mean, *rstd; // (C) reals
    const void *weight;      // (C) reals, or NULL
    void *dx;                // as x; NULL: not asked for
    void *dweight, *dbias;   // (C) reals; NULL: not asked for
    bool by_batch;
} wk_batch_norm_backward_work;

#endif
