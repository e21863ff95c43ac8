/* A row of layer_norm, or of group_norm where a channel is one number, and its backward. */
#ifndef WICK_NORM_ROWS_H
#define WICK_NORM_ROWS_H

#include "rows.h"

typedef struct wk_norm_moments {
    real mean, rstd;
} wk_norm_moments;

/* rstd = 1 / sqrt(var + eps), the biased variance.  The mean and then the deviations are summed, two passes over a row
   in cache: one pass over sums of squares would lose the variance where the mean is large. */
WK_INLINE wk_norm_moments wk_norm_moments_of(const real *x, int64_t n, real eps)
{
    const real mean = wk_row_sum(wk_value, x, NULL, 0, n) / (real)n;
    const real variance = wk_row_sum(wk_deviation, x, NULL, mean, n) / (real)n;
    return (wk_norm_moments){mean, 1 / SQRT(variance + eps)};
}

/* y = (x - mean) * rstd * weight + bias; weight, bias may be NULL; y may be x */
WK_INLINE void wk_norm_row(const real *x, const real *weight, const real *bias, wk_norm_moments moments, real *y,
                           int64_t n)
{
    const real mean = moments.mean, rstd = moments.rstd;
    if (weight && bias) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
        return;
    }
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * rstd;
    for (int64_t i = 0; weight && i < n; i++)
        y[i] *= weight[i];
    for (int64_t i = 0; bias && i < n; i++)
        y[i] += bias[i];
}

/* with g = dy * weight and xhat = (x - mean) * rstd:  dx = rstd * (g - mean(g) - xhat * mean(g * xhat)); g is held in
   dx */
WK_INLINE void wk_norm_row_backward(const real *dy, const real *x, const real *weight, wk_norm_moments moments,
                                    real *dx, int64_t n)
{
    const real mean = moments.mean, rstd = moments.rstd;
    const real *g = dy;
    if (weight) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = dy[i] * weight[i];
        g = dx;
    }
    const real sum = wk_row_sum(wk_value, g, NULL, 0, n);
    const real product = wk_row_sum(wk_product_centered, g, x, mean, n); // sum of g * (x - mean)
    const real slope = -rstd * rstd * rstd * product / (real)n;
    const real offset = -rstd * sum / (real)n;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        dx[i] = rstd * g[i] + slope * (x[i] - mean) + offset;
}

#endif
