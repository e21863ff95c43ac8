/* The maximum of each window, and its place. */
// compiled for: float half integer
#include "windows.h"

#if WK_IS_FLOATING
#define LEAST (-INFINITY)
#else // the sign's bit alone, where there is one
#define LEAST ((real)((real)-1 < 0 ? (uint64_t)1 << (sizeof(real) * 8 - 1) : 0))
#endif

/* a NaN takes the place of any number, and is kept */
WK_INLINE bool takes(real x, real best) { return x > best || x != x; }

/* windows first to end of a line, one after the other */
static void one_by_one(const wk_max_pool_work *w, const wk_window_line *l, int64_t first, int64_t end, const elem *x,
                       elem *y, int64_t *indices)
{
    const int64_t *in = w->shape.in;
    for (int64_t o = first; o < end; o++) {
        const wk_sight width = wk_sight_of(&w->shape, w->adaptive, 2, o);
        int64_t place = (l->depth.first * in[1] + l->height.first) * in[2] + width.first;
        real best = LEAST;
        for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
            for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
                for (int64_t i = width.first; i < width.end; i += width.step) {
                    const int64_t at = (d * in[1] + h) * in[2] + i;
                    const real value = LOAD(x[at]);
                    if (takes(value, best)) {
                        best = value;
                        place = at;
                    }
                }
        y[o] = STORE(best);
        if (indices)
            indices[o] = place;
    }
}

/* one tap of n windows, which see x[0], x[stride], ..., at places first, first + step, ... of the plane */
WK_INLINE void see(const elem *x, int64_t stride, int32_t first, int32_t step, real *best, int32_t *place, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real value = LOAD(x[i * stride]);
        const bool better = takes(value, best[i]);
        best[i] = better ? value : best[i];
        if (place)
            place[i] = better ? first + (int32_t)i * step : place[i];
    }
}

/* windows first to first + n of a line, side by side; they see all taps along width */
static void side_by_side(const wk_max_pool_work *w, const wk_window_line *l, int64_t first, int64_t n, const elem *x,
                         elem *y, int64_t *indices)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t stride = s->stride[2], begin = first * stride - s->before[2];
    const int64_t start = (l->depth.first * s->in[1] + l->height.first) * s->in[2] + begin;
    real best[WK_WINDOWS];
    int32_t place[WK_WINDOWS];
    for (int64_t i = 0; i < n; i++) {
        best[i] = LEAST;
        place[i] = (int32_t)(start + i * stride);
    }
    for (int64_t d = l->depth.first; d < l->depth.end; d += l->depth.step)
        for (int64_t h = l->height.first; h < l->height.end; h += l->height.step)
            for (int64_t k = 0; k < s->kernel[2]; k++) {
                const int64_t at = (d * s->in[1] + h) * s->in[2] + begin + k * s->dilation[2];
#define SEE(stride) see(x + at, stride, (int32_t)at, (int32_t)(stride), best, place, n)
#define SEE_VALUES(stride) see(x + at, stride, 0, 0, best, NULL, n)
                if (indices)
                    WK_BY_STRIDE(stride, SEE);
                else
                    WK_BY_STRIDE(stride, SEE_VALUES);
            }
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[first + i] = STORE(best[i]);
    for (int64_t i = 0; indices && i < n; i++)
        indices[first + i] = place[i];
}

/* an item is a line of windows */
static void max_pool_lines(const void *work, int64_t begin, int64_t end)
{
    const wk_max_pool_work *w = work;
    const wk_spatial_shape *s = &w->shape;
    const wk_middle middle = wk_middle_of(s, w->adaptive);
    for (int64_t line = begin; line < end; line++) {
        const wk_window_line l = wk_window_line_at(s, w->adaptive, line);
        const elem *x = (const elem *)w->x + l.plane * wk_spatial_size(s->in);
        elem *y = (elem *)w->y + line * s->out[2];
        int64_t *indices = w->indices ? w->indices + line * s->out[2] : NULL;
        one_by_one(w, &l, 0, middle.first, x, y, indices);
        for (int64_t o = middle.first; o < middle.end; o += WK_WINDOWS)
            side_by_side(w, &l, o, middle.end - o < WK_WINDOWS ? middle.end - o : WK_WINDOWS, x, y, indices);
        one_by_one(w, &l, middle.end, s->out[2], x, y, indices);
    }
}

/* an item is a window, of all channels */
static void max_pool_places(const void *work, int64_t begin, int64_t end)
{
    const wk_max_pool_work *w = work;
    const wk_spatial_shape *s = &w->shape;
    for (int64_t item = begin; item < end; item++) {
        const wk_window_place p = wk_window_place_at(s, w->adaptive, item);
        const int64_t first = (p.sight[0].first * s->in[1] + p.sight[1].first) * s->in[2] + p.sight[2].first;
        for (int64_t c = 0, n; c < s->C; c += n) {
            const elem *x = (const elem *)w->x + p.n * wk_spatial_size(s->in) * s->C + c;
            real best[WK_WINDOWS];
            int32_t place[WK_WINDOWS];
            n = s->C - c < WK_WINDOWS ? s->C - c : WK_WINDOWS;
            for (int64_t i = 0; i < n; i++) {
                best[i] = LEAST;
                place[i] = (int32_t)first;
            }
            WK_EACH_TAP(&p, s, at)
            {
                if (w->indices)
                    see(x + at * s->C, 1, (int32_t)at, 0, best, place, n);
                else
                    see(x + at * s->C, 1, 0, 0, best, NULL, n);
            }
            elem *y = (elem *)w->y + item * s->C + c;
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = STORE(best[i]);
            for (int64_t i = 0; w->indices && i < n; i++)
                w->indices[item * s->C + c + i] = place[i];
        }
    }
}

WK_KERNEL(max_pool, wk_max_pool_work)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t lines = s->N * s->C * s->out[0] * s->out[1];
    const int64_t taps =
        w->adaptive ? wk_spatial_size(s->in) / (wk_spatial_size(s->out) + 1) + 1 : wk_spatial_size(s->kernel);
    if (lines * s->out[2] == 0)
        return;
    if (w->channels_last)
        wk_parallel(max_pool_places, w, s->N * wk_spatial_size(s->out), s->C * (taps + 4) / 2);
    else
        wk_parallel(max_pool_lines, w, lines, s->out[2] * (taps + 4));
}
