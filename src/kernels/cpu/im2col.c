/* im2col and fold: a row of columns is one tap of one channel.  Sums of halves are rounded once. */
// compiled for: float half
#include "../im2col.h"
#include "columns_of_images.h"
#include "reals.h"

typedef struct tap_reach {
    wk_reach depth, height, width;
} tap_reach;

static tap_reach reach_of_tap(const wk_spatial_shape *s, int64_t tap)
{
    const int64_t *kernel = s->kernel;
    return (tap_reach){wk_reach_of(s, 0, tap / kernel[2] / kernel[1]), wk_reach_of(s, 1, tap / kernel[2] % kernel[1]),
                       wk_reach_of(s, 2, tap % kernel[2])};
}

/* an item is a tap of a plane */
static void fill_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_im2col_work *w = work;
    const wk_spatial_shape *s = &w->shape;
    const int64_t taps = wk_spatial_size(s->kernel), places = wk_spatial_size(s->out);
    for (int64_t item = begin; item < end; item++) {
        const tap_reach r = reach_of_tap(s, item % taps);
        wk_columns_fill(s, item / taps, &r.depth, &r.height, &r.width, w->x, (elem *)w->columns + item * places);
    }
}

WK_KERNEL(im2col, wk_im2col_work)
{
    const wk_spatial_shape *s = &w->shape;
    wk_parallel(fill_rows, w, s->N * s->C * wk_spatial_size(s->kernel), wk_spatial_size(s->out));
}

typedef struct fold_plan {
    const wk_im2col_work *w;
    real *memory; // of half: each thread's plane, then row
} fold_plan;

/* an item is a plane */
static void fold_planes(const void *plan, int64_t begin, int64_t end)
{
    const fold_plan *p = plan;
    const wk_spatial_shape *s = &p->w->shape;
    const int64_t taps = wk_spatial_size(s->kernel), places = wk_spatial_size(s->out), size = wk_spatial_size(s->in);
    for (int64_t plane = begin; plane < end; plane++) {
        elem *x = (elem *)p->w->x + plane * size;
        real *sums = p->memory ? p->memory + wk_parallel_thread() * (size + places) : (real *)x, *row = sums + size;
        memset(sums, 0, (size_t)size * sizeof *sums);
        for (int64_t tap = 0; tap < taps; tap++) {
            const tap_reach r = reach_of_tap(s, tap);
            const elem *column = (const elem *)p->w->columns + (plane * taps + tap) * places;
            wk_columns_add_back(s, 0, &r.depth, &r.height, &r.width, wk_reals_in(column, row, places), sums);
        }
        if (p->memory)
            wk_reals_store(x, sums, size);
    }
}

WK_KERNEL(fold, wk_im2col_work)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t size = wk_spatial_size(s->in), places = wk_spatial_size(s->out);
    fold_plan p = {w, NULL};
    if (s->N * s->C * size == 0)
        return;
    if (sizeof(elem) < sizeof(real)) {
        p.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * (size + places)) * sizeof *p.memory);
        if (!p.memory)
            return;
    }
    wk_parallel(fold_planes, &p, s->N * s->C, size + places * wk_spatial_size(s->kernel));
}
