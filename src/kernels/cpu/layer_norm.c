/* layer_norm and its backward along contiguous rows of n: y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(var +
   eps) with the biased variance; weight and bias (n) may be NULL.  mean and rstd, one a row, are kept for the backward.
 */
// compiled for: float half
#include "../layer_norm.h"
#include "norm_rows.h"
#include "parts.h"

static void layer_norm_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_layer_norm_work *w = rows->work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const wk_norm_moments moments = wk_norm_moments_of(x, n, (real)w->eps);
        ((real *)w->mean)[row] = moments.mean;
        ((real *)w->rstd)[row] = moments.rstd;
        wk_norm_row(x, w->weight, w->bias, moments, y, n);
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(layer_norm, wk_layer_norm_work)
{
    wk_rows_run(layer_norm_rows, queue, w, 1, w->rows, w->n, 2 * w->n);
}

/* dweight += dy * xhat, dbias += dy */
static void row_sums(const real *dy, const real *x, wk_norm_moments moments, real *dweight, real *dbias, int64_t n)
{
    const real mean = moments.mean, rstd = moments.rstd;
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
            const wk_norm_moments moments = {((const real *)w->mean)[row], ((const real *)w->rstd)[row]};
            row_sums(dy, x, moments, dweight, dbias, n);
            if (!w->dx)
                continue;
            real *dx = wk_row_out(rows, 1, w->dx, row, n);
            wk_norm_row_backward(dy, x, w->weight, moments, dx, n);
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
