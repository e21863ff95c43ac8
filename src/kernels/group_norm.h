/* group_norm of x (N, groups, channels, inner), contiguous: each row of channels * inner numbers is normalized, each
   channel has a weight and a bias.  Parameters, their gradients and statistics are reals: float32 for float16 and
   bfloat16. */
#ifndef WICK_KERNELS_GROUP_NORM_H
#define WICK_KERNELS_GROUP_NORM_H

#include <stdint.h>

typedef struct wk_group_norm_shape {
    int64_t N, groups, channels, inner; // channels of one group
} wk_group_norm_shape;

/* y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(variance + eps) */
typedef struct wk_group_norm_work {
    wk_group_norm_shape shape;
    const void *x;             // (N, groups, channels, inner)
    const void *weight, *bias; // (groups, channels) reals, or NULL
    void *y;                   // as x
    void *mean, *rstd;         // (N, groups) reals
    double eps;
} wk_group_norm_work;

/* with xhat = (x - mean) * rstd, g = dy * weight, means over a row:
   dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = sum over N and inner of dy * xhat, dbias = sum of dy */
typedef struct wk_group_norm_backward_work {
    wk_group_norm_shape shape;
    const void *dy, *x;      // (N, groups, channels, inner)
    const void *mean, *rstd; // (N, groups) reals
    const void *weight;      // (groups, channels) reals, or NULL
    void *dx;                // as x; NULL: not asked for
    void *dweight, *dbias;   // (groups, channels) reals; NULL: not asked for
} wk_group_norm_backward_work;

#endif
