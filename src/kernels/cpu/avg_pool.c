/* The average of each window, and how a gradient of averages is spread over x. */
// compiled for: float half
#include "windows.h"

/* what a window's sum is divided by; along depth and height it is that of its line */
static int64_t counted(const wk_avg_pool_work *w, int dim, int64_t o, wk_sight seen)
{
    const wk_spatial_shape *s = &w->shape;
    if (w->adaptive || !w->count_include_pad)
        return seen.end - seen.first;
    const int64_t start = o * s->stride[dim] - s->before[dim], end = start + s->kernel[dim];
    const int64_t padded = s->in[dim] + s->after[dim];
    return (end < padded ? end : padded) - start;
}

static int64_t counted_in_line(const wk_avg_pool_work *w, const wk_window_line *l)
{
    return counted(w, 0, l->od, l->depth) * counted(w, 1, l->oh, l->height);
}

WK_INLINE real divisor_of(const wk_avg_pool_work *w, int64_t count) { return (real)(w->divisor ? w->divisor : count); }

/* ---------------------------------------------------------------- averages */

static void average_one_by_one(const wk_avg_pool_work *w, const wk_window_line *l, int64_t first, int64_t end,
                               const elem *x, elem *y)
{
    const int64_t *in = w->shape.in, counts = counted_in_line(w, l);
    for (int64_t o = first; o < end; o++) {
        const wk_sight width = wk_sight_of(&w->shape, w->adaptive, 2, o);
        real sum = 0;
        for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
            for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
                for (int64_t i = width.first; i < width.end; i += width.step)
                    sum += LOAD(x[(d * in[1] + h) * in[2] + i]);
        y[o] = STORE(sum / divisor_of(w, counts * counted(w, 2, o, width)));
    }
}

WK_INLINE void add_tap(const elem *x, int64_t stride, real *sum, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        sum[i] += LOAD(x[i * stride]);
}

/* windows that see all taps along width */
static void average_side_by_side(const wk_avg_pool_work *w, const wk_window_line *l, int64_t first, int64_t n,
                                 const elem *x, elem *y)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t stride = s->stride[2], begin = first * stride - s->before[2];
    const real divisor = divisor_of(w, counted_in_line(w, l) * s->kernel[2]);
    real sum[WK_WINDOWS] = {0};
    for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
        for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
            for (int64_t k = 0; k < s->kernel[2]; k++) {
                const elem *seen = x + (d * s->in[1] + h) * s->in[2] + begin + k;
#define ADD_TAP(stride) add_tap(seen, stride, sum, n)
                WK_BY_STRIDE(stride, ADD_TAP);
            }
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[first + i] = STORE(sum[i] / divisor);
}

/* an item is a line of windows */
static void average_lines(const void *work, int64_t begin, int64_t end)
{
    const wk_avg_pool_work *w = work;
    const wk_spatial_shape *s = &w->shape;
    const wk_middle middle = wk_middle_of(s, w->adaptive);
    for (int64_t line = begin; line < end; line++) {
        const wk_window_line l = wk_window_line_at(s, w->adaptive, line);
        const elem *x = (const elem *)w->x + l.plane * wk_spatial_size(s->in);
        elem *y = (elem *)w->y + line * s->out[2];
        average_one_by_one(w, &l, 0, middle.first, x, y);
        for (int64_t o = middle.first; o < middle.end; o += WK_WINDOWS)
            average_side_by_side(w, &l, o, middle.end - o < WK_WINDOWS ? middle.end - o : WK_WINDOWS, x, y);
        average_one_by_one(w, &l, middle.end, s->out[2], x, y);
    }
}

/* of a window, of all channels */
static real divisor_at(const wk_avg_pool_work *w, const wk_window_place *p)
{
    int64_t count = 1;
    for (int dim = 0; dim < 3; dim++)
        count *= counted(w, dim, p->o[dim], p->sight[dim]);
    return divisor_of(w, count);
}

/* an item is a window, of all channels */
static void average_places(const void *work, int64_t begin, int64_t end)
{
    const wk_avg_pool_work *w = work;
    const wk_spatial_shape *s = &w->shape;
    for (int64_t item = begin; item < end; item++) {
        const wk_window_place p = wk_window_place_at(s, w->adaptive, item);
        const real divisor = divisor_at(w, &p);
        for (int64_t c = 0, n; c < s->C; c += n) {
            const elem *x = (const elem *)w->x + p.n * wk_spatial_size(s->in) * s->C + c;
            elem *y = (elem *)w->y + item * s->C + c;
            real sum[WK_WINDOWS] = {0};
            n = s->C - c < WK_WINDOWS ? s->C - c : WK_WINDOWS;
            WK_EACH_TAP(&p, s, at) { add_tap(x + at * s->C, 1, sum, n); }
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = STORE(sum[i] / divisor);
        }
    }
}

static int64_t taps_of(const wk_avg_pool_work *w)
{
    const wk_spatial_shape *s = &w->shape;
    return w->adaptive ? wk_spatial_size(s->in) / (wk_spatial_size(s->out) + 1) + 1 : wk_spatial_size(s->kernel);
}

WK_KERNEL(avg_pool, wk_avg_pool_work)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t lines = s->N * s->C * s->out[0] * s->out[1];
    if (lines * s->out[2] == 0)
        return;
    if (w->channels_last)
        wk_parallel(average_places, w, s->N * wk_spatial_size(s->out), s->C * (taps_of(w) + 4) / 2);
    else
        wk_parallel(average_lines, w, lines, s->out[2] * (taps_of(w) + 4));
}

/* ---------------------------------------------------------------- spread */

static void spread_one_by_one(const wk_avg_pool_work *w, const wk_window_line *l, int64_t first, int64_t end,
                              const elem *dy, real *dx)
{
    const int64_t *in = w->shape.in, counts = counted_in_line(w, l);
    for (int64_t o = first; o < end; o++) {
        const wk_sight width = wk_sight_of(&w->shape, w->adaptive, 2, o);
        const real part = LOAD(dy[o]) / divisor_of(w, counts * counted(w, 2, o, width));
        for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
            for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
                for (int64_t i = width.first; i < width.end; i += width.step)
                    dx[(d * in[1] + h) * in[2] + i] += part;
    }
}

WK_INLINE void spread_tap(const real *part, int64_t stride, real *dx, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        dx[i * stride] += part[i];
}

static void spread_side_by_side(const wk_avg_pool_work *w, const wk_window_line *l, int64_t first, int64_t n,
                                const elem *dy, real *dx)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t stride = s->stride[2], begin = first * stride - s->before[2];
    const real divisor = divisor_of(w, counted_in_line(w, l) * s->kernel[2]);
    real part[WK_WINDOWS];
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        part[i] = LOAD(dy[first + i]) / divisor;
    for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
        for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
            for (int64_t k = 0; k < s->kernel[2]; k++) {
                real *seen = dx + (d * s->in[1] + h) * s->in[2] + begin + k;
#define SPREAD_TAP(stride) spread_tap(part, stride, seen, n)
                WK_BY_STRIDE(stride, SPREAD_TAP);
            }
}

typedef struct spread_plan {
    const wk_avg_pool_work *w;
    wk_middle middle;
    real *sums; // of half: a plane for each thread, rounded once
} spread_plan;

/* an item is a plane */
static void spread_planes(const void *plan, int64_t begin, int64_t end)
{
    const spread_plan *p = plan;
    const wk_avg_pool_work *w = p->w;
    const wk_spatial_shape *s = &w->shape;
    const int64_t size = wk_spatial_size(s->in), lines = s->out[0] * s->out[1];
    for (int64_t plane = begin; plane < end; plane++) {
        elem *to = (elem *)w->x + plane * size;
        real *dx = p->sums ? p->sums + wk_parallel_thread() * size : (real *)to;
        memset(dx, 0, (size_t)size * sizeof *dx);
        for (int64_t line = plane * lines; line < (plane + 1) * lines; line++) {
            const wk_window_line l = wk_window_line_at(s, w->adaptive, line);
            const elem *dy = (const elem *)w->y + line * s->out[2];
            spread_one_by_one(w, &l, 0, p->middle.first, dy, dx);
            for (int64_t o = p->middle.first; o < p->middle.end; o += WK_WINDOWS)
                spread_side_by_side(w, &l, o, p->middle.end - o < WK_WINDOWS ? p->middle.end - o : WK_WINDOWS, dy, dx);
            spread_one_by_one(w, &l, p->middle.end, s->out[2], dy, dx);
        }
#pragma omp simd
        for (int64_t i = 0; i < (p->sums ? size : 0); i++)
            to[i] = STORE(dx[i]);
    }
}

enum { CHANNELS = 64 }; // of an item, channels last

/* an item is some channels of an image */
static void spread_channels(const void *plan, int64_t begin, int64_t end)
{
    const spread_plan *p = plan;
    const wk_avg_pool_work *w = p->w;
    const wk_spatial_shape *s = &w->shape;
    const int64_t items = (s->C + CHANNELS - 1) / CHANNELS, size = wk_spatial_size(s->in);
    const int64_t places = wk_spatial_size(s->out);
    for (int64_t item = begin; item < end; item++) {
        const int64_t image = item / items, c = item % items * CHANNELS;
        const int64_t n = s->C - c < CHANNELS ? s->C - c : CHANNELS, width = p->sums ? n : s->C; // of a place of dx
        elem *to = (elem *)w->x + image * size * s->C + c;
        real *dx = p->sums ? p->sums + wk_parallel_thread() * size * CHANNELS : (real *)to;
        for (int64_t place = 0; place < size; place++)
            memset(dx + place * width, 0, (size_t)n * sizeof *dx);
        for (int64_t place = image * places; place < (image + 1) * places; place++) {
            const wk_window_place window = wk_window_place_at(s, w->adaptive, place);
            const elem *dy = (const elem *)w->y + place * s->C + c;
            const real divisor = divisor_at(w, &window);
            real part[CHANNELS];
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                part[i] = LOAD(dy[i]) / divisor;
            WK_EACH_TAP(&window, s, at) { spread_tap(part, 1, dx + at * width, n); }
        }
        for (int64_t place = 0; p->sums && place < size; place++)
            for (int64_t i = 0; i < n; i++)
                to[place * s->C + i] = STORE(dx[place * n + i]);
    }
}

WK_KERNEL(avg_pool_backward, wk_avg_pool_work)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t planes = s->N * s->C, size = wk_spatial_size(s->in),
                  cost = size + wk_spatial_size(s->out) * (taps_of(w) + 4);
    spread_plan p = {w, wk_middle_of(s, w->adaptive), NULL};
    if (planes * size == 0)
        return;
    if (sizeof(elem) < sizeof(real)) {
        p.sums = queue->scratch(queue, (size_t)(wk_parallel_threads() * size * (w->channels_last ? CHANNELS : 1)) *
                                           sizeof *p.sums);
        if (!p.sums)
            return;
    }
    if (w->channels_last)
        wk_parallel(spread_channels, &p, s->N * ((s->C + CHANNELS - 1) / CHANNELS), CHANNELS / 2 * cost);
    else
        wk_parallel(spread_planes, &p, planes, cost);
}
