/* group_norm and its backward: rows of a group's channels, each with `inner` numbers.

   A row is normalized as in layer_norm.c.  Its backward needs two sums of the row, dweight and dbias two of each
   channel: all come from the channels' sums of dy and of dy * (x - mean).  Channels of one number are too short for
   loops of their own: the row is then one of layer_norm's, with its group's part of the weights. */
// compiled for: float half
#include "../group_norm.h"
#include "norm_rows.h"
#include "parts.h"

static void group_norm_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_group_norm_work *w = rows->work;
    const wk_group_norm_shape s = w->shape;
    const int64_t n = s.channels * s.inner;
    for (int64_t row = begin; row < end; row++) {
        const int64_t first = row % s.groups * s.channels;
        const real *weight = w->weight ? (const real *)w->weight + first : NULL;
        const real *bias = w->bias ? (const real *)w->bias + first : NULL;
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const wk_norm_moments moments = wk_norm_moments_of(x, n, (real)w->eps);
        ((real *)w->mean)[row] = moments.mean;
        ((real *)w->rstd)[row] = moments.rstd;
        if (s.inner == 1)
            wk_norm_row(x, weight, bias, moments, y, n);
        for (int64_t c = 0; s.inner > 1 && c < s.channels; c++) {
            const real scale = weight ? moments.rstd * weight[c] : moments.rstd, shift = bias ? bias[c] : 0;
#pragma omp simd
            for (int64_t i = c * s.inner; i < (c + 1) * s.inner; i++)
                y[i] = (x[i] - moments.mean) * scale + shift;
        }
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(group_norm, wk_group_norm_work)
{
    const int64_t n = w->shape.channels * w->shape.inner;
    wk_rows_run(group_norm_rows, queue, w, 1, w->shape.N * w->shape.groups, n, 2 * n);
}

typedef struct channel_sums {
    real dy, product; // of dy, and of dy * (x - mean)
} channel_sums;

static channel_sums channel_sums_of(const real *dy, const real *x, real mean, int64_t n)
{
    if (n >= WK_STEP)
        return (channel_sums){wk_row_sum(wk_value, dy, NULL, 0, n), wk_row_sum(wk_product_centered, dy, x, mean, n)};
    channel_sums sums = {0, 0};
    for (int64_t i = 0; i < n; i++) {
        sums.dy += dy[i];
        sums.product += dy[i] * (x[i] - mean);
    }
    return sums;
}

/* dweight, dbias (channels), dx (channels, inner), or NULL; dx may be dy */
static void group_norm_row_backward(const real *dy, const real *x, const real *weight, wk_norm_moments moments,
                                    const wk_group_norm_shape *s, real *dweight, real *dbias, real *dx)
{
    const real mean = moments.mean, rstd = moments.rstd, n = (real)(s->channels * s->inner);
    real sum = 0, product = 0; // of g, and of g * (x - mean), over the row
    for (int64_t c = 0; c < s->channels; c++) {
        const channel_sums sums = channel_sums_of(dy + c * s->inner, x + c * s->inner, mean, s->inner);
        sum += weight ? weight[c] * sums.dy : sums.dy;
        product += weight ? weight[c] * sums.product : sums.product;
        if (dweight)
            dweight[c] = sums.product * rstd;
        if (dbias)
            dbias[c] = sums.dy;
    }
    const real slope = -rstd * rstd * rstd * product / n, offset = -rstd * sum / n;
    for (int64_t c = 0; dx && c < s->channels; c++) {
        const real scale = weight ? rstd * weight[c] : rstd;
#pragma omp simd
        for (int64_t i = c * s->inner; i < (c + 1) * s->inner; i++)
            dx[i] = scale * dy[i] + slope * (x[i] - mean) + offset;
    }
}

typedef struct group_norm_backward_call {
    const wk_group_norm_backward_work *w;
    real *dweight, *dbias; // (N, groups, channels), or NULL
} group_norm_backward_call;

static void group_norm_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const group_norm_backward_call *call = rows->work;
    const wk_group_norm_backward_work *w = call->w;
    const wk_group_norm_shape s = w->shape;
    const int64_t n = s.channels * s.inner;
    for (int64_t row = begin; row < end; row++) {
        const real *weight = w->weight ? (const real *)w->weight + row % s.groups * s.channels : NULL;
        const real *x = wk_row_in(rows, 0, w->x, row, n), *dy = wk_row_in(rows, 1, w->dy, row, n);
        const wk_norm_moments moments = {((const real *)w->mean)[row], ((const real *)w->rstd)[row]};
        real *dweight = call->dweight ? call->dweight + row * s.channels : NULL;
        real *dbias = call->dbias ? call->dbias + row * s.channels : NULL;
        real *dx = w->dx ? wk_row_out(rows, 1, w->dx, row, n) : NULL;
        if (s.inner > 1) {
            group_norm_row_backward(dy, x, weight, moments, &s, dweight, dbias, dx);
        } else {
            for (int64_t c = 0; dweight && c < n; c++)
                dweight[c] = dy[c] * ((x[c] - moments.mean) * moments.rstd);
            if (dbias)
                memcpy(dbias, dy, (size_t)n * sizeof(real));
            if (dx)
                wk_norm_row_backward(dy, x, weight, moments, dx, n);
        }
        if (dx)
            wk_row_store(dx, w->dx, row, n);
    }
}

WK_KERNEL(group_norm_backward, wk_group_norm_backward_work)
{
    const wk_group_norm_shape s = w->shape;
    const int64_t n = s.channels * s.inner, all = s.groups * s.channels;
    group_norm_backward_call call = {w, w->dweight, w->dbias}; // of one image, its part is the whole
    if (s.N != 1) {
        const size_t bytes = (size_t)(s.N * all) * sizeof(real);
        call.dweight = w->dweight ? queue->scratch(queue, bytes) : NULL;
        call.dbias = w->dbias ? queue->scratch(queue, bytes) : NULL;
        if ((w->dweight && !call.dweight) || (w->dbias && !call.dbias))
            return;
    }
    wk_rows_run(group_norm_backward_rows, queue, &call, 2, s.N * s.groups, n, 4 * n);
    if (s.N != 1 && w->dweight)
        wk_sum_parts(call.dweight, s.N, all, w->dweight);
    if (s.N != 1 && w->dbias)
        wk_sum_parts(call.dbias, s.N, all, w->dbias);
}
