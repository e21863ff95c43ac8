/* grid_sample and its gradients.

   What a place of the result sees is the product of what it sees along each dim: a few taps, of an index and a weight.
   Places are done in blocks: their taps are found once and serve all channels. */
// compiled for: float
#include "../grid_sample.h"
#include "cpu.h"

enum { PLACES = 32, TAPS = 4, ALL_TAPS = TAPS * TAPS * TAPS };

/* what a block of places sees along a dim; index -1: outside */
typedef struct along {
    int32_t index[TAPS][PLACES];
    real weight[TAPS][PLACES], slope[TAPS][PLACES]; // slope: of the weight, by the grid's coordinate
} along;

/* and altogether; index: in a plane */
typedef struct block {
    along dim[3];
    int taps[3], all; // of each dim, of their product
    int64_t count;    // places
    int32_t index[ALL_TAPS][PLACES];
    real weight[ALL_TAPS][PLACES];
} block;

/* ---------------------------------------------------------------- coordinates, as PyTorch computes them */

/* where a coordinate is, times its slope */
typedef struct position {
    real at, slope;
} position;

static position in_places(const wk_grid_sample_shape *s, real x, int64_t size)
{
    if (s->align_corners)
        return (position){(x + 1) / 2 * (real)(size - 1), (real)(size - 1) / 2};
    return (position){((x + 1) * (real)size - 1) / 2, (real)size / 2};
}

static position clipped(position p, int64_t size)
{
    const real last = (real)(size - 1);
    if (p.at > 0 && p.at < last)
        return p;
    return (position){p.at >= last ? last : 0, 0}; // NaN: 0
}

static position reflected(position p, bool align_corners, int64_t size)
{
    const real low = align_corners ? 0 : (real)-0.5, span = (real)(align_corners ? size - 1 : size);
    if (span == 0)
        return (position){0, 0};
    const real sign = p.at < low ? -1 : 1, distance = sign * (p.at - low);
    const real extra = FMOD(distance, span), flips = FLOOR(distance / span);
    if (FMOD(flips, 2) == 0)
        return (position){low + extra, sign * p.slope};
    return (position){low + span - extra, -sign * p.slope};
}

static position padded(const wk_grid_sample_shape *s, position p, int64_t size)
{
    if (s->padding == WK_SAMPLE_ZEROS)
        return p;
    return clipped(s->padding == WK_SAMPLE_REFLECTION ? reflected(p, s->align_corners, size) : p, size);
}

static int32_t index_of(real at, int64_t size) { return at >= 0 && at < (real)size ? (int32_t)at : -1; }

/* ---------------------------------------------------------------- taps */

/* Keys' cubic of a = -3/4 at distance x, and its slope: x in 0 to 1, 1 to 2 */
#define NEAR(x) ((((real)1.25 * (x)) - (real)2.25) * (x) * (x) + 1)
#define NEAR_SLOPE(x) (((real)3.75 * (x) - (real)4.5) * (x))
#define FAR(x) (((real)-0.75 * (x) + (real)3.75) * (x) * (x)-6 * (x) + 3)
#define FAR_SLOPE(x) (((real)-2.25 * (x) + (real)7.5) * (x)-6)

static int taps_along(const wk_grid_sample_shape *s, real coordinate, int64_t size, along *a, int64_t p)
{
    position at = in_places(s, coordinate, size);
    if (s->mode == WK_SAMPLE_CUBIC) { // each tap is padded by itself
        const real first = FLOOR(at.at), t = at.at - first;
        const real weight[] = {FAR(t + 1), NEAR(t), NEAR(1 - t), FAR(2 - t)};
        const real slope[] = {FAR_SLOPE(t + 1), NEAR_SLOPE(t), -NEAR_SLOPE(1 - t), -FAR_SLOPE(2 - t)};
        for (int k = 0; k < 4; k++) {
            const position tap = padded(s, (position){first + (real)(k - 1), 0}, size);
            a->index[k][p] = index_of(tap.at, size);
            a->weight[k][p] = weight[k];
            a->slope[k][p] = slope[k] * at.slope;
        }
        return 4;
    }
    at = padded(s, at, size);
    if (s->mode == WK_SAMPLE_NEAREST) {
        a->index[0][p] = index_of(ROUND(at.at), size);
        a->weight[0][p] = 1;
        a->slope[0][p] = 0;
        return 1;
    }
    const real first = FLOOR(at.at);
    a->index[0][p] = index_of(first, size);
    a->index[1][p] = index_of(first + 1, size);
    a->weight[0][p] = first + 1 - at.at;
    a->weight[1][p] = at.at - first;
    a->slope[0][p] = -at.slope;
    a->slope[1][p] = at.slope;
    return 2;
}

/* the places first to first + count of image n */
static void see_block(const wk_grid_sample_work *w, int64_t n, int64_t first, int64_t count, block *b)
{
    const wk_grid_sample_shape *s = &w->shape;
    const real *grid = (const real *)w->grid + (n * s->places + first) * s->dims;
    b->count = count;
    for (int dim = 0; dim < 3; dim++) {
        b->taps[dim] = 1;
        for (int64_t p = 0; p < count; p++)
            if (dim >= 3 - s->dims)
                b->taps[dim] = taps_along(s, grid[p * s->dims + 2 - dim], s->in[dim], &b->dim[dim], p);
            else {
                b->dim[dim].index[0][p] = 0;
                b->dim[dim].weight[0][p] = 1;
                b->dim[dim].slope[0][p] = 0;
            }
    }
    b->all = b->taps[0] * b->taps[1] * b->taps[2];
    for (int tap = 0; tap < b->all; tap++) {
        const int k[] = {tap / b->taps[2] / b->taps[1], tap / b->taps[2] % b->taps[1], tap % b->taps[2]};
        for (int64_t p = 0; p < count; p++) {
            const int32_t d = b->dim[0].index[k[0]][p], h = b->dim[1].index[k[1]][p], i = b->dim[2].index[k[2]][p];
            const bool inside = d >= 0 && h >= 0 && i >= 0;
            b->index[tap][p] = inside ? (int32_t)((d * s->in[1] + h) * s->in[2] + i) : -1;
            b->weight[tap][p] = b->dim[0].weight[k[0]][p] * b->dim[1].weight[k[1]][p] * b->dim[2].weight[k[2]][p];
        }
    }
}

/* sum[p] += x at each tap * weight[tap][p] */
static void sample(const block *b, const real *x, real *y)
{
    real sum[PLACES] = {0};
    for (int tap = 0; tap < b->all; tap++) {
        const int32_t *index = b->index[tap];
        const real *weight = b->weight[tap];
#pragma omp simd
        for (int64_t p = 0; p < b->count; p++)
            sum[p] += (index[p] < 0 ? 0 : x[index[p]]) * weight[p];
    }
    for (int64_t p = 0; p < b->count; p++)
        y[p] = sum[p];
}

static int64_t blocks_of(const wk_grid_sample_shape *s) { return (s->places + PLACES - 1) / PLACES; }
static int64_t places_of(const wk_grid_sample_shape *s, int64_t first)
{
    return s->places - first < PLACES ? s->places - first : PLACES;
}

/* an item is a block of an image */
static void sample_blocks(const void *work, int64_t begin, int64_t end)
{
    const wk_grid_sample_work *w = work;
    const wk_grid_sample_shape *s = &w->shape;
    const int64_t size = s->in[0] * s->in[1] * s->in[2], blocks = blocks_of(s);
    for (int64_t item = begin; item < end; item++) {
        const int64_t n = item / blocks, first = item % blocks * PLACES;
        block b;
        see_block(w, n, first, places_of(s, first), &b);
        for (int64_t c = n * s->C; c < (n + 1) * s->C; c++)
            sample(&b, (const real *)w->x + c * size, (real *)w->y + c * s->places + first);
    }
}

static int64_t taps_of(const wk_grid_sample_shape *s)
{
    const int64_t each = s->mode == WK_SAMPLE_CUBIC ? 4 : s->mode == WK_SAMPLE_LINEAR ? 2 : 1;
    return s->dims == 3 ? each * each * each : each * each;
}

WK_KERNEL(grid_sample, wk_grid_sample_work)
{
    const wk_grid_sample_shape *s = &w->shape;
    wk_parallel(sample_blocks, w, s->N * blocks_of(s), PLACES * taps_of(s) * (s->C + 8));
}

/* ---------------------------------------------------------------- gradients */

/* dgrid of a block, of which each tap's value times its gradient, over all channels, is known */
static void slopes_of_block(const wk_grid_sample_shape *s, const block *b, real (*products)[PLACES], real *dgrid)
{
    for (int64_t i = 0; i < b->count * s->dims; i++)
        dgrid[i] = 0;
    for (int tap = 0; tap < b->all; tap++) {
        const int k[] = {tap / b->taps[2] / b->taps[1], tap / b->taps[2] % b->taps[1], tap % b->taps[2]};
        for (int64_t p = 0; p < b->count; p++)
            for (int dim = 3 - s->dims; dim < 3; dim++) {
                real slope = b->dim[dim].slope[k[dim]][p];
                for (int other = 3 - s->dims; other < 3; other++)
                    slope *= other == dim ? 1 : b->dim[other].weight[k[other]][p];
                dgrid[p * s->dims + 2 - dim] += slope * products[tap][p];
            }
    }
}

/* an item is an image */
static void gradients_of_images(const void *work, int64_t begin, int64_t end)
{
    const wk_grid_sample_work *w = work;
    const wk_grid_sample_shape *s = &w->shape;
    const int64_t size = s->in[0] * s->in[1] * s->in[2];
    for (int64_t n = begin; n < end; n++) {
        if (w->dx)
            memset((real *)w->dx + n * s->C * size, 0, (size_t)(s->C * size) * sizeof(real));
        for (int64_t first = 0; first < s->places; first += PLACES) {
            block b;
            real products[ALL_TAPS][PLACES];
            see_block(w, n, first, places_of(s, first), &b);
            for (int tap = 0; tap < b.all; tap++)
                memset(products[tap], 0, sizeof products[tap]);
            for (int64_t c = n * s->C; c < (n + 1) * s->C; c++) {
                const real *x = (const real *)w->x + c * size, *dy = (const real *)w->y + c * s->places + first;
                real *dx = w->dx ? (real *)w->dx + c * size : NULL;
                for (int tap = 0; tap < b.all; tap++) {
                    const int32_t *index = b.index[tap];
                    for (int64_t p = 0; dx && p < b.count; p++)
                        if (index[p] >= 0)
                            dx[index[p]] += dy[p] * b.weight[tap][p];
                    if (w->dgrid)
#pragma omp simd
                        for (int64_t p = 0; p < b.count; p++)
                            products[tap][p] += (index[p] < 0 ? 0 : x[index[p]]) * dy[p];
                }
            }
            if (w->dgrid)
                slopes_of_block(s, &b, products, (real *)w->dgrid + (n * s->places + first) * s->dims);
        }
    }
}

WK_KERNEL(grid_sample_backward, wk_grid_sample_work)
{
    const wk_grid_sample_shape *s = &w->shape;
    const int64_t size = s->in[0] * s->in[1] * s->in[2];
    wk_parallel(gradients_of_images, w, s->N, s->C * (size + 2 * s->places * taps_of(s)) + s->places);
}
