/* rms_norm and its backward along contiguous rows of n: y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + eps); weight
   (n) may be NULL.  rstd, one a row, is kept for the backward. */
// compiled for: float
#include "../kernels.h"
#include "rows.h"

void KERNEL_NAME(rms_norm)(const void *work, int64_t begin, int64_t end)
{
    const wk_rms_norm_work *w = work;
    const real *weight = w->weight;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *y = (real *)w->y + row * n;
        const real rstd = 1 / SQRT(wk_row_sum(wk_product, x, x, 0, n) / (real)n + (real)w->eps);
        ((real *)w->rstd)[row] = rstd;
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] * rstd;
        for (int64_t i = 0; weight && i < n; i++)
            y[i] *= weight[i];
    }
}

/* with g = dy * weight:  dx = rstd * g - x * rstd^3 * mean(g * x) */
void KERNEL_NAME(rms_norm_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_rms_norm_backward_work *w = work;
    const real *weight = w->weight;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n, *dy = (const real *)w->dy + row * n;
        const real rstd = ((const real *)w->rstd)[row];
        real *dx = (real *)w->dx + row * n;
        const real *g = dy;
        if (weight) {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                dx[i] = dy[i] * weight[i];
            g = dx;
        }
        const real slope = rstd * rstd * rstd * (wk_row_sum(wk_product, g, x, 0, n) / (real)n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = rstd * g[i] - slope * x[i];
    }
}
