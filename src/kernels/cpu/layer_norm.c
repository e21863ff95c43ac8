/* layer_norm and its backward along contiguous rows of n: y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(var +
   eps) with the biased variance; weight and bias (n) may be NULL.  mean and rstd, one a row, are kept for the backward.

   The mean and then the deviations are summed, two passes over a row in cache: one pass over sums of squares would lose
   the variance where the mean is large. */
// compiled for: float
#include "../kernels.h"
#include "rows.h"

void KERNEL_NAME(layer_norm)(const void *work, int64_t begin, int64_t end)
{
    const wk_layer_norm_work *w = work;
    const real *weight = w->weight, *bias = w->bias;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *y = (real *)w->y + row * n;
        const real mean = wk_row_sum(wk_value, x, NULL, 0, n) / (real)n;
        const real variance = wk_row_sum(wk_deviation, x, NULL, mean, n) / (real)n;
        const real rstd = 1 / SQRT(variance + (real)w->eps);
        ((real *)w->mean)[row] = mean;
        ((real *)w->rstd)[row] = rstd;
        if (weight && bias) {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
            continue;
        }
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * rstd;
        for (int64_t i = 0; weight && i < n; i++)
            y[i] *= weight[i];
        for (int64_t i = 0; bias && i < n; i++)
            y[i] += bias[i];
    }
}

/* with g = dy * weight and xhat = (x - mean) * rstd:  dx = rstd * (g - mean(g) - xhat * mean(g * xhat)); g is held in
   dx */
static void row_backward(const real *dy, const real *x, const real *weight, real mean, real rstd, real *dx, int64_t n)
{
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

/* dweight += dy * xhat, dbias += dy */
static void row_sums(const real *dy, const real *x, real mean, real rstd, real *dweight, real *dbias, int64_t n)
{
    if (dweight && dbias) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            dweight[i] += dy[i] * ((x[i] - mean) * rstd);
            dbias[i] += dy[i];
        }
        return;
    }
    for (int64_t i = 0; dweight && i < n; i++)
        dweight[i] += dy[i] * ((x[i] - mean) * rstd);
    for (int64_t i = 0; dbias && i < n; i++)
        dbias[i] += dy[i];
}

/* An item is a chunk of rows, in cache for both sums: over the row, to dx, and over the rows, to row `item` of the
   parts dweight and dbias (chunks, n), which the kernel `sum` adds up. */
void KERNEL_NAME(layer_norm_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_layer_norm_backward_work *w = work;
    const int64_t n = w->n;
    for (int64_t item = begin; item < end; item++) {
        real *dweight = w->dweight ? (real *)w->dweight + item * n : NULL;
        real *dbias = w->dbias ? (real *)w->dbias + item * n : NULL;
        if (dweight)
            memset(dweight, 0, (size_t)n * sizeof(real));
        if (dbias)
            memset(dbias, 0, (size_t)n * sizeof(real));
        const int64_t last = (item + 1) * w->chunk < w->rows ? (item + 1) * w->chunk : w->rows;
        for (int64_t row = item * w->chunk; row < last; row++) {
            const real *x = (const real *)w->x + row * n, *dy = (const real *)w->dy + row * n;
            const real mean = ((const real *)w->mean)[row], rstd = ((const real *)w->rstd)[row];
            if (w->dx)
                row_backward(dy, x, w->weight, mean, rstd, (real *)w->dx + row * n, n);
            row_sums(dy, x, mean, rstd, dweight, dbias, n);
        }
    }
}
