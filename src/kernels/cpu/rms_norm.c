/* rms_norm and its backward along contiguous rows of n: y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + eps); weight
   (n) may be NULL.  rstd, one a row, is kept for the backward. */
// compiled for: float half
#include "../rms_norm.h"
#include "rows.h"

static void rms_norm_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_rms_norm_work *w = rows->work;
    const real *weight = w->weight;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const real rstd = 1 / SQRT(wk_row_sum(wk_product, x, x, 0, n) / (real)n + (real)w->eps);
        ((real *)w->rstd)[row] = rstd;
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] * rstd;
        for (int64_t i = 0; weight && i < n; i++)
            y[i] *= weight[i];
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(rms_norm, wk_rms_norm_work)
{
    wk_rows_run(rms_norm_rows, queue, w, 1, w->rows, w->n, 2 * w->n);
}

/* with g = dy * weight:  dx = rstd * g - x * rstd^3 * mean(g * x); g is held in dx */
static void rms_norm_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_rms_norm_backward_work *w = rows->work;
    const real *weight = w->weight;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n), *dy = wk_row_in(rows, 1, w->dy, row, n);
        const real rstd = ((const real *)w->rstd)[row];
        real *dx = wk_row_out(rows, 1, w->dx, row, n);
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
        wk_row_store(dx, w->dx, row, n);
    }
}

WK_KERNEL(rms_norm_backward, wk_rms_norm_backward_work)
{
    wk_rows_run(rms_norm_backward_rows, queue, w, 2, w->rows, w->n, 2 * w->n);
}
