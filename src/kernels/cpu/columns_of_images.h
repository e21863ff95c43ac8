/* The columns of an image: what a kernel sees at each place, tap by tap, and columns added back to an image.  Of
   convolutions, and of im2col and fold. */
#ifndef WICK_COLUMNS_OF_IMAGES_H
#define WICK_COLUMNS_OF_IMAGES_H

#include "../spatial.h"
#include "cpu.h"

/* Along a dim: the places first to end at which a tap falls inside the image, and where it falls at place 0. */
typedef struct wk_reach {
    int64_t first, end, from;
} wk_reach;

WK_INLINE wk_reach wk_reach_of(const wk_spatial_shape *s, int dim, int64_t tap)
{
    const int64_t stride = s->stride[dim], places = s->out[dim];
    wk_reach r = {.from = tap * s->dilation[dim] - s->before[dim]};
    const int64_t before = r.from < 0 ? -r.from : 0, seen = s->in[dim] - r.from; // at stride 1
    r.first = stride == 1 ? before : (before + stride - 1) / stride; // a division takes as long as a short line
    r.end = seen <= 0 ? 0 : stride == 1 ? seen : (seen + stride - 1) / stride;
    r.first = r.first < places ? r.first : places;
    r.end = r.end < r.first ? r.first : r.end < places ? r.end : places;
    return r;
}

/* the element of an image that is seen from places (od, h's first, 0), which may lie before its line */
WK_INLINE int64_t wk_seen_from(const wk_spatial_shape *s, int64_t c, const wk_reach *d, const wk_reach *h,
                               const wk_reach *w, int64_t od)
{
    const int64_t plane = od * s->stride[0] + d->from, line = h->first * s->stride[1] + h->from;
    return ((c * s->in[0] + plane) * s->in[1] + line) * s->in[2] + w->from;
}

/* one tap's row of columns */
WK_INLINE void wk_columns_fill(const wk_spatial_shape *s, int64_t c, const wk_reach *d, const wk_reach *h,
                               const wk_reach *w, const elem *x, elem *row)
{
    const int64_t stride = s->stride[2], step = s->stride[1] * s->in[2], *out = s->out;
    if (d->first > 0 || h->first > 0 || w->first > 0 || d->end < out[0] || h->end < out[1] || w->end < out[2])
        memset(row, 0, (size_t)wk_spatial_size(out) * sizeof *row);
    for (int64_t od = d->first; od < d->end; od++) {
        elem *line = row + (od * out[1] + h->first) * out[2];
        const elem *seen = x + wk_seen_from(s, c, d, h, w, od);
        for (int64_t oh = h->first; oh < h->end; oh++, line += out[2], seen += step)
            for (int64_t ow = w->first; ow < w->end; ow++)
                line[ow] = seen[ow * stride];
    }
}

WK_INLINE void wk_columns_add_back(const wk_spatial_shape *s, int64_t c, const wk_reach *d, const wk_reach *h,
                                   const wk_reach *w, const real *row, real *dx)
{
    const int64_t stride = s->stride[2], step = s->stride[1] * s->in[2], *out = s->out;
    for (int64_t od = d->first; od < d->end; od++) {
        const real *line = row + (od * out[1] + h->first) * out[2];
        real *seen = dx + wk_seen_from(s, c, d, h, w, od);
        for (int64_t oh = h->first; oh < h->end; oh++, line += out[2], seen += step)
            for (int64_t ow = w->first; ow < w->end; ow++)
                seen[ow * stride] += line[ow];
    }
}

#endif
