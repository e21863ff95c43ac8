/* batch_norm and its backward: two sums of each channel, then a pass over all elements.

   The forward sums x - c and its square in one pass, in double, c the channel's first number: next to it, no variance
   is lost where the mean is large.  The backward sums dy and dy * (x - mean).  Items are a channel (or, where channels
   are the last dim, a block of them) and a chunk of the N images; the chunks' sums are added in their order. */
// compiled for: float half
#include "../batch_norm.h"
#include "cpu.h"

enum { COLUMNS = 64, ITEMS = 32 };

typedef struct channel_sums {
    double first, second;
} channel_sums;

/* what both directions go through */
typedef struct channel_pass {
    wk_batch_norm_shape shape;
    const elem *x, *dy;                // dy: NULL in the forward
    const real *mean;                  // c above, in the forward
    channel_sums *sums;                // (chunks, C)
    int64_t chunks;                    // of N
    const real *scale, *slope, *shift; // of the second pass; slope: NULL without
    elem *y;
} channel_pass;

/* ---------------------------------------------------------------- the sums */

WK_INLINE void add_row(const elem *x, const elem *dy, real mean, int64_t n, channel_sums *sums)
{
    double first = 0, second = 0;
#pragma omp simd reduction(+ : first, second)
    for (int64_t i = 0; i < n; i++) {
        const double centered = (double)(LOAD(x[i]) - mean), factor = dy ? (double)LOAD(dy[i]) : centered;
        first += factor;
        second += factor * centered;
    }
    sums->first += first;
    sums->second += second;
}

WK_INLINE void sum_channel(const channel_pass *p, const elem *dy, int64_t c, int64_t begin, int64_t end,
                           channel_sums *sums)
{
    const wk_batch_norm_shape s = p->shape;
    channel_sums total = {0, 0};
    for (int64_t n = begin; n < end; n++) {
        const int64_t at = (n * s.C + c) * s.inner;
        add_row(p->x + at, dy ? dy + at : NULL, p->mean[c], s.inner, &total);
    }
    *sums = total;
}

WK_INLINE void sum_columns(const channel_pass *p, const elem *dy, int64_t c, int64_t begin, int64_t end,
                           channel_sums *sums)
{
    const int64_t C = p->shape.C, width = C - c < COLUMNS ? C - c : COLUMNS;
    double first[COLUMNS] = {0}, second[COLUMNS] = {0};
    for (int64_t n = begin; n < end; n++) {
        const elem *x = p->x + n * C + c, *row = dy ? dy + n * C + c : NULL;
        const real *mean = p->mean + c;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            const double centered = (double)(LOAD(x[j]) - mean[j]), factor = row ? (double)LOAD(row[j]) : centered;
            first[j] += factor;
            second[j] += factor * centered;
        }
    }
    for (int64_t j = 0; j < width; j++)
        sums[j] = (channel_sums){first[j], second[j]};
}

static int64_t block_width(const wk_batch_norm_shape *s) { return s->inner == 1 ? COLUMNS : 1; }

static void sum_items(const void *work, int64_t begin, int64_t end)
{
    const channel_pass *p = work;
    const wk_batch_norm_shape s = p->shape;
    const int64_t blocks = (s.C + block_width(&s) - 1) / block_width(&s);
    for (int64_t item = begin; item < end; item++) {
        const int64_t chunk = item / blocks, c = item % blocks * block_width(&s);
        const int64_t first = s.N * chunk / p->chunks, last = s.N * (chunk + 1) / p->chunks;
        channel_sums *sums = p->sums + chunk * s.C + c;
        if (s.inner == 1 && p->dy)
            sum_columns(p, p->dy, c, first, last, sums);
        else if (s.inner == 1)
            sum_columns(p, NULL, c, first, last, sums);
        else if (p->dy)
            sum_channel(p, p->dy, c, first, last, sums);
        else
            sum_channel(p, NULL, c, first, last, sums);
    }
}

/* into p->sums[c], which has room for all chunks; false after a fault */
static bool sum_channels(wk_queue *queue, channel_pass *p)
{
    const wk_batch_norm_shape s = p->shape;
    const int64_t width = block_width(&s), blocks = (s.C + width - 1) / width;
    p->chunks = blocks >= ITEMS || blocks == 0 ? 1 : ITEMS / blocks;
    if (p->chunks > s.N)
        p->chunks = s.N > 0 ? s.N : 1;
    p->sums = queue->scratch(queue, (size_t)(p->chunks * s.C) * sizeof *p->sums);
    if (!p->sums)
        return false;
    wk_parallel(sum_items, p, blocks * p->chunks, 2 * s.N / p->chunks * width * s.inner);
    for (int64_t i = s.C; i < p->chunks * s.C; i++) {
        p->sums[i % s.C].first += p->sums[i].first;
        p->sums[i % s.C].second += p->sums[i].second;
    }
    return true;
}

/* ---------------------------------------------------------------- forward */

/* rows (n, c), or rows n where channels are the last dim */
static void forward_rows(const void *work, int64_t begin, int64_t end)
{
    const channel_pass *p = work;
    const wk_batch_norm_shape s = p->shape;
    for (int64_t row = begin; row < end; row++) {
        if (s.inner == 1) {
            const elem *x = p->x + row * s.C;
            elem *y = p->y + row * s.C;
#pragma omp simd
            for (int64_t c = 0; c < s.C; c++)
                y[c] = STORE((LOAD(x[c]) - p->mean[c]) * p->scale[c] + p->shift[c]);
            continue;
        }
        const elem *x = p->x + row * s.inner;
        elem *y = p->y + row * s.inner;
        const real mean = p->mean[row % s.C], scale = p->scale[row % s.C], shift = p->shift[row % s.C];
#pragma omp simd
        for (int64_t i = 0; i < s.inner; i++)
            y[i] = STORE((LOAD(x[i]) - mean) * scale + shift);
    }
}

/* from the sums of x - mean[c] and of its square: mean, rstd and the running ones; no number at all has no mean */
static void take_moments(const wk_batch_norm_work *w, const channel_sums *sums)
{
    const int64_t n = w->shape.N * w->shape.inner;
    const double momentum = w->momentum;
    real *mean = w->mean, *rstd = w->rstd, *running_mean = w->running_mean, *running_var = w->running_var;
    for (int64_t c = 0; c < w->shape.C; c++) {
        const double offset = sums[c].first / (double)n;
        double squares = sums[c].second - sums[c].first * offset;
        squares = squares < 0 ? 0 : squares;
        const double m = (double)mean[c] + offset, variance = squares / (double)n;
        mean[c] = (real)m;
        rstd[c] = (real)(1 / sqrt(variance + w->eps));
        if (running_mean) {
            running_mean[c] = (real)(momentum * m + (1 - momentum) * (double)running_mean[c]);
            running_var[c] = (real)(momentum * squares / (double)(n - 1) + (1 - momentum) * (double)running_var[c]);
        }
    }
}

WK_KERNEL(batch_norm, wk_batch_norm_work)
{
    const wk_batch_norm_shape s = w->shape;
    real *mean = w->mean, *rstd = w->rstd;
    const real *weight = w->weight, *bias = w->bias;
    channel_pass pass = {.shape = s, .x = w->x, .mean = mean, .y = w->y};
    if (w->by_batch) {
        for (int64_t c = 0; c < s.C; c++) {
            const real first = s.N > 0 ? LOAD(pass.x[c * s.inner]) : 0;
            mean[c] = isfinite(first) ? first : 0;
        }
        if (!sum_channels(queue, &pass))
            return;
        take_moments(w, pass.sums);
    } else {
        for (int64_t c = 0; c < s.C; c++) {
            mean[c] = ((const real *)w->running_mean)[c];
            rstd[c] = (real)(1 / sqrt((double)((const real *)w->running_var)[c] + w->eps));
        }
    }
    real *scale = queue->scratch(queue, (size_t)(2 * s.C) * sizeof(real)), *shift = scale + s.C;
    if (!scale)
        return;
    for (int64_t c = 0; c < s.C; c++) {
        scale[c] = weight ? rstd[c] * weight[c] : rstd[c];
        shift[c] = bias ? bias[c] : 0;
    }
    pass.scale = scale;
    pass.shift = shift;
    if (s.inner == 1)
        wk_parallel(forward_rows, &pass, s.N, s.C);
    else
        wk_parallel(forward_rows, &pass, s.N * s.C, s.inner);
}

/* ---------------------------------------------------------------- backward */

static void backward_rows(const void *work, int64_t begin, int64_t end)
{
    const channel_pass *p = work;
    const wk_batch_norm_shape s = p->shape;
    const real *mean = p->mean, *scale = p->scale, *slope = p->slope, *shift = p->shift;
    for (int64_t row = begin; row < end; row++) {
        const int64_t n = s.inner == 1 ? s.C : s.inner, c = row % s.C;
        const elem *x = p->x + row * n, *dy = p->dy + row * n;
        elem *dx = p->y + row * n;
        if (s.inner == 1 && slope) {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                dx[i] = STORE(scale[i] * LOAD(dy[i]) + slope[i] * (LOAD(x[i]) - mean[i]) + shift[i]);
        } else if (s.inner == 1) {
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                dx[i] = STORE(scale[i] * LOAD(dy[i]));
        } else if (slope) {
            const real m = mean[c], a = scale[c], b = slope[c], d = shift[c];
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                dx[i] = STORE(a * LOAD(dy[i]) + b * (LOAD(x[i]) - m) + d);
        } else {
            const real a = scale[c];
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                dx[i] = STORE(a * LOAD(dy[i]));
        }
    }
}

WK_KERNEL(batch_norm_backward, wk_batch_norm_backward_work)
{
    const wk_batch_norm_shape s = w->shape;
    const double n = (double)(s.N * s.inner);
    const real *rstd = w->rstd, *weight = w->weight;
    real *dweight = w->dweight, *dbias = w->dbias;
    channel_pass pass = {.shape = s, .x = w->x, .dy = w->dy, .mean = w->mean, .y = w->dx};
    if ((w->by_batch || dweight || dbias) && !sum_channels(queue, &pass))
        return;
    for (int64_t c = 0; c < s.C; c++) {
        if (dweight)
            dweight[c] = (real)(pass.sums[c].second * (double)rstd[c]);
        if (dbias)
            dbias[c] = (real)pass.sums[c].first;
    }
    real *scale = w->dx ? queue->scratch(queue, (size_t)(3 * s.C) * sizeof(real)) : NULL;
    if (!scale)
        return;
    real *slope = scale + s.C, *shift = slope + s.C;
    for (int64_t c = 0; c < s.C; c++) {
        scale[c] = weight ? rstd[c] * weight[c] : rstd[c];
        if (w->by_batch) {
            slope[c] = (real)(-(double)scale[c] * (double)(rstd[c] * rstd[c]) * pass.sums[c].second / n);
            shift[c] = (real)(-(double)scale[c] * pass.sums[c].first / n);
        }
    }
    pass.scale = scale;
    pass.slope = w->by_batch ? slope : NULL;
    pass.shift = shift;
    if (s.inner == 1)
        wk_parallel(backward_rows, &pass, s.N, 2 * s.C);
    else
        wk_parallel(backward_rows, &pass, s.N * s.C, 2 * s.inner);
}
