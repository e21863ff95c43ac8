/* What the windows of pooling see, for the kernels that walk them.

   Channels last, a window is done for all channels, tap after tap.

   Windows are done a line (of width) at a time.  Those in its middle that see all taps along width are done side by
   side, tap after tap, which vectorizes; the others, and adaptive ones, one after the other. */
#ifndef WICK_WINDOWS_H
#define WICK_WINDOWS_H

#include "../pool.h"
#include "cpu.h"

/* along a dim: places first, first + step, ... before end; none where end <= first */
typedef struct wk_sight {
    int64_t first, end, step;
} wk_sight;

WK_INLINE wk_sight wk_sight_of(const wk_spatial_shape *s, bool adaptive, int dim, int64_t o)
{
    const int64_t in = s->in[dim], out = s->out[dim];
    if (adaptive)
        return (wk_sight){o * in / out, ((o + 1) * in + out - 1) / out, 1};
    const int64_t step = s->dilation[dim], start = o * s->stride[dim] - s->before[dim];
    const int64_t end = start + (s->kernel[dim] - 1) * step + 1;
    return (wk_sight){start < 0 ? start + (step - 1 - start) / step * step : start, end < in ? end : in, step};
}

/* a line of windows: (plane, od, oh, any) */
typedef struct wk_window_line {
    wk_sight depth, height;
    int64_t plane, od, oh;
} wk_window_line;

WK_INLINE wk_window_line wk_window_line_at(const wk_spatial_shape *s, bool adaptive, int64_t line)
{
    wk_window_line l = {.oh = line % s->out[1], .od = line / s->out[1] % s->out[0]};
    l.plane = line / s->out[1] / s->out[0];
    l.depth = wk_sight_of(s, adaptive, 0, l.od);
    l.height = wk_sight_of(s, adaptive, 1, l.oh);
    return l;
}

/* a window, of all channels: (n, od, oh, ow) */
typedef struct wk_window_place {
    wk_sight sight[3];
    int64_t n, o[3];
} wk_window_place;

WK_INLINE wk_window_place wk_window_place_at(const wk_spatial_shape *s, bool adaptive, int64_t place)
{
    wk_window_place p;
    for (int dim = 2; dim >= 0; dim--, place /= s->out[dim + 1]) {
        p.o[dim] = place % s->out[dim];
        p.sight[dim] = wk_sight_of(s, adaptive, dim, p.o[dim]);
    }
    p.n = place;
    return p;
}

/* the taps of a window, in order: WK_EACH_TAP(p, shape, at) { x at place `at` of the image } */
#define WK_EACH_TAP(p, s, at)                                                                                          \
    for (int64_t d_ = (p)->sight[0].first; d_ < (p)->sight[0].end; d_ += (p)->sight[0].step)                           \
        for (int64_t h_ = (p)->sight[1].first; h_ < (p)->sight[1].end; h_ += (p)->sight[1].step)                       \
            for (int64_t i_ = (p)->sight[2].first, at = (d_ * (s)->in[1] + h_) * (s)->in[2] + i_;                      \
                 i_ < (p)->sight[2].end; i_ += (p)->sight[2].step, at += (p)->sight[2].step)

/* the windows of a line that see all taps along width: first to end */
typedef struct wk_middle {
    int64_t first, end;
} wk_middle;

WK_INLINE wk_middle wk_middle_of(const wk_spatial_shape *s, bool adaptive)
{
    const int64_t stride = s->stride[2], before = s->before[2], out = s->out[2];
    const int64_t rest =
        s->in[2] + before - (s->kernel[2] - 1) * s->dilation[2] - 1; // where the last of them may start
    if (adaptive || rest < 0)
        return (wk_middle){out, out};
    const int64_t first = (before + stride - 1) / stride, end = rest / stride + 1 < out ? rest / stride + 1 : out;
    return first < end ? (wk_middle){first, end} : (wk_middle){out, out};
}

#define WK_WINDOWS 256 // side by side, at most

/* CALL(stride) with a stride that the compiler knows, where it is a usual one */
#define WK_BY_STRIDE(stride, CALL)                                                                                     \
    do {                                                                                                               \
        if ((stride) == 1)                                                                                             \
            CALL(1);                                                                                                   \
        else if ((stride) == 2)                                                                                        \
            CALL(2);                                                                                                   \
        else                                                                                                           \
            CALL(stride);                                                                                              \
    } while (0)

#endif
