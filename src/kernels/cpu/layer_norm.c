/* layer_norm and its backward along contiguous rows of n: y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(var +
   eps) with the biased variance; weight and bias (n) may be NULL.  mean and rstd, one a row, are kept for the backward.

   The mean and then the deviations are summed, two passes over a row in cache: one pass over sums of squares would lose
   the variance where the mean is large. */
// compiled for: float half
#include "../layer_norm.h"
#include "parts.h"

static void layer_norm_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_layer_norm_work *w = rows->work;
    const real *weight = w->weight, *bias = w->bias;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const real mean = wk_row_sum(wk_value, x, NULL, 0, n) / (real)n;
        const real variance = wk_row_sum(wk_deviation, x, NULL, mean, n) / (real)n;
        const real rstd = 1 / SQRT(variance + (real)w->eps);
        ((real *)w->mean)[row] = mean;
        ((real *)w->rstd)[row] = rstd;
        if (weight && bias) {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
        } else {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = (x[i] - mean) * rstd;
            for (int64_t i = 0; weight && i < n; i++)
                y[i] *= weight[i];
            for (int64_t i = 0; bias && i < n; i++)
                y[i] += bias[i];
        }
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(layer_norm, wk_layer_norm_work)
{
    wk_rows_run(layer_norm_rows, queue, w, 1, w->rows, w->n, 2 * w->n);
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

/* An item is a chunk of rows, in cache for both sums: over the row, to dx, and over the rows, to the item's part of
   dweight and dbias. */
typedef struct layer_norm_chunks {
    const wk_layer_norm_backward_work *w;
    real *dweight, *dbias; // (chunks, n), or NULL
    int64_t chunk;         // rows in an item
} layer_norm_chunks;

static void layer_norm_backward_chunks(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const layer_norm_chunks *c = rows->work;
    const wk_layer_norm_backward_work *w = c->w;
    const int64_t n = w->n;
    for (int64_t item = begin; item < end; item++) {
        real *dweight = c->dweight ? c->dweight + item * n : NULL;
        real *dbias = c->dbias ? c->dbias + item * n : NULL;
        if (dweight)
            memset(dweight, 0, (size_t)n * sizeof(real));
        if (dbias)
            memset(dbias, 0, (size_t)n * sizeof(real));
        const int64_t last = (item + 1) * c->chunk < w->rows ? (item + 1) * c->chunk : w->rows;
        for (int64_t row = item * c->chunk; row < last; row++) {
            const real *x = wk_row_in(rows, 0, w->x, row, n), *dy = wk_row_in(rows, 1, w->dy, row, n);
            const real mean = ((const real *)w->mean)[row], rstd = ((const real *)w->rstd)[row];
            row_sums(dy, x, mean, rstd, dweight, dbias, n);
            if (!w->dx)
                continue;
            real *dx = wk_row_out(rows, 1, w->dx, row, n);
            row_backward(dy, x, w->weight, mean, rstd, dx, n);
            wk_row_store(dx, w->dx, row, n);
        }
    }
}

WK_KERNEL(layer_norm_backward, wk_layer_norm_backward_work)
{
    const int64_t n = w->n, chunk = n < 256 ? 16384 / (n > 0 ? n : 1) : 64, chunks = (w->rows + chunk - 1) / chunk;
    layer_norm_chunks c = {w, w->dweight, w->dbias, chunk}; // of one chunk, the part is the whole
    if (chunks != 1) {
        const size_t bytes = (size_t)(chunks * n) * sizeof(real);
        c.dweight = w->dweight ? queue->scratch(queue, bytes) : NULL;
        c.dbias = w->dbias ? queue->scratch(queue, bytes) : NULL;
        if ((w->dweight && !c.dweight) || (w->dbias && !c.dbias))
            return;
    }
    wk_rows_run(layer_norm_backward_chunks, queue, &c, 2, chunks, n, 4 * chunk * n);
    if (chunks != 1 && w->dweight)
        wk_sum_parts(c.dweight, chunks, n, w->dweight);
    if (chunks != 1 && w->dbias)
        wk_sum_parts(c.dbias, chunks, n, w->dbias);
}
