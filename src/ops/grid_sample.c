/* grid_sample: x at the coordinates of a grid.  Halves are computed in float32. */
#include <wick/resize.h>

#include <string.h>

#include <wick/index.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/grid_sample.h"
#include "ops.h"
#include "spatial.h"

static const char OP[] = "grid_sample";

typedef struct grid_sample_kept {
    wk_grid_sample_shape shape;
} grid_sample_kept;

/* ---------------------------------------------------------------- the same in ops, for gradients of gradients */

/* taps along a dim: index (int64), inside (whether it is in x), weight, each (N, 1, places) */
typedef struct taps {
    wk_tensor *index[4], *inside[4], *weight[4];
    int count;
} taps;

/* at, in places, kept inside; its gradient is 0 where it is moved; NaN is 0 */
static wk_tensor *clipped(wk_tensor *at, int64_t size)
{
    const double last = (double)(size - 1);
    wk_tensor *inside = wk_logical_and(wk_gt(at, 0), wk_lt(at, last));
    return wk_where(inside, at, wk_mul(wk_to(wk_ge(at, last), at ? at->dtype : wk_float32), last));
}

static wk_tensor *padded(const wk_grid_sample_shape *s, wk_tensor *at, int64_t size)
{
    const double low = s->align_corners ? 0 : -0.5, span = (double)(s->align_corners ? size - 1 : size);
    if (s->padding == WK_SAMPLE_ZEROS)
        return at;
    if (s->padding == WK_SAMPLE_REFLECTION && span == 0)
        return wk_zeros_like(at);
    if (s->padding == WK_SAMPLE_REFLECTION) {
        wk_tensor *distance = wk_where(wk_lt(at, low), wk_sub(low, at), wk_sub(at, low));
        wk_tensor *extra = wk_fmod(distance, span);
        wk_tensor *even = WK_WITHOUT_GRAD(wk_eq(wk_fmod(wk_floor(wk_div(distance, span)), 2), 0));
        at = wk_where(even, wk_add(extra, low), wk_sub(low + span, extra));
    }
    return clipped(at, size);
}

/* Keys' cubic of a = -3/4 at distance x: in 0 to 1, 1 to 2 */
static wk_tensor *near(wk_tensor *x) { return wk_add(wk_mul(wk_sub(wk_mul(x, 1.25), 2.25), wk_square(x)), 1); }
static wk_tensor *far(wk_tensor *x)
{
    return wk_add(wk_sub(wk_mul(wk_add(wk_mul(x, -0.75), 3.75), wk_square(x)), wk_mul(x, 6)), 3);
}

static void add_tap(taps *t, wk_tensor *at, int64_t size, wk_tensor *weight)
{
    wk_tensor *inside = wk_logical_and(wk_ge(at, 0), wk_lt(at, (double)size));
    t->index[t->count] = wk_to(wk_where(inside, at, 0), wk_int64);
    t->inside[t->count] = inside;
    t->weight[t->count++] = weight;
}

/* coordinate (N, 1, places) */
static taps taps_along(const wk_grid_sample_shape *s, wk_tensor *coordinate, int64_t size)
{
    taps t = {.count = 0};
    wk_tensor *at = s->align_corners ? wk_mul(wk_add(coordinate, 1), (double)(size - 1) / 2)
                                     : wk_div(wk_sub(wk_mul(wk_add(coordinate, 1), (double)size), 1), 2);
    if (s->mode != WK_SAMPLE_CUBIC)
        at = padded(s, at, size);
    if (s->mode == WK_SAMPLE_NEAREST) {
        add_tap(&t, WK_WITHOUT_GRAD(wk_round(at)), size, wk_ones_like(at));
        return t;
    }
    wk_tensor *first = WK_WITHOUT_GRAD(wk_floor(at)), *beyond = wk_sub(at, first), *rest = wk_sub(1, beyond);
    if (s->mode == WK_SAMPLE_LINEAR) {
        add_tap(&t, first, size, rest);
        add_tap(&t, wk_add(first, 1), size, beyond);
        return t;
    }
    wk_tensor *weights[] = {far(wk_add(beyond, 1)), near(beyond), near(rest), far(wk_add(rest, 1))};
    for (int k = 0; k < 4; k++)
        add_tap(&t, WK_WITHOUT_GRAD(padded(s, wk_add(first, k - 1), size)), size, weights[k]);
    return t;
}

static wk_tensor *sample_in_ops(wk_tensor *x, wk_tensor *grid, const wk_grid_sample_shape *s)
{
    wk_tensor *planes = wk_reshape(x, (s->N, s->C, s->in[0] * s->in[1] * s->in[2])), *y = NULL;
    wk_tensor *coordinates = wk_reshape(grid, (s->N, 1, s->places, s->dims));
    taps t[3] = {{.count = 1}, {.count = 1}, {.count = 1}};
    for (int dim = 3 - s->dims; dim < 3; dim++)
        t[dim] = taps_along(s, wk_select(coordinates, -1, 2 - dim), s->in[dim]);
    for (int tap = 0; tap < t[0].count * t[1].count * t[2].count; tap++) {
        const int k[] = {tap / t[2].count / t[1].count, tap / t[2].count % t[1].count, tap % t[2].count};
        wk_tensor *index = NULL, *inside = NULL, *weight = NULL;
        for (int dim = 3 - s->dims; dim < 3; dim++) {
            const taps *along = &t[dim];
            const bool first = dim == 3 - s->dims;
            index = first ? along->index[k[dim]] : wk_add(wk_mul(index, s->in[dim]), along->index[k[dim]]);
            inside = first ? along->inside[k[dim]] : wk_logical_and(inside, along->inside[k[dim]]);
            weight = first ? along->weight[k[dim]] : wk_mul(weight, along->weight[k[dim]]);
        }
        wk_tensor *seen = wk_gather(planes, -1, wk_expand(index, (s->N, s->C, s->places)));
        wk_tensor *part = wk_mul(wk_where(inside, seen, 0), weight);
        y = tap == 0 ? part : wk_add(y, part);
    }
    return y;
}

/* the gradient of that, recorded */
static void grid_sample_in_ops(wk_node *node, wk_tensor *dy)
{
    const wk_grid_sample_shape *s = &((const grid_sample_kept *)node->kept)->shape;
    wk_tensor *inputs[2], *gradients[2] = {NULL, NULL}, **places[2];
    int asked[2], count = 0;
    for (int i = 0; i < 2; i++)
        if (wk_needs(node, i)) {
            inputs[count] = wk_saved(node, i);
            places[count] = &gradients[i];
            asked[count++] = i;
        }
    wk_tensor *y = sample_in_ops(wk_saved(node, 0), wk_saved(node, 1), s);
    wk_tensor *flat = wk_reshape(dy, (s->N, s->C, s->places));
    if (y && !y->requires_grad) { // "nearest", of the grid alone: zeros, with a history
        wk_tensor *grid = wk_saved(node, 1);
        wk_accumulate(node, 1, wk_masked_fill(grid, wk_ones_like(grid, .dtype = wk_bool), 0));
        return;
    }
    if (!y || !flat ||
        !wk_autograd_grad_with((wk_autograd_grad_args){.outputs = {1, &y},
                                                       .inputs = {count, inputs},
                                                       .results = {count, places},
                                                       .grad_outputs = {1, &flat},
                                                       .create_graph = true,
                                                       .allow_unused = true}))
        return;
    for (int i = 0; i < count; i++)
        if (gradients[asked[i]])
            wk_accumulate(node, asked[i], gradients[asked[i]]);
}

/* ---------------------------------------------------------------- grid_sample */

static void grid_sample_backward(wk_node *node, wk_tensor *dy)
{
    const wk_grid_sample_shape *s = &((const grid_sample_kept *)node->kept)->shape;
    wk_tensor *x = wk_dense(wk_saved(node, 0)), *grid = wk_dense(wk_saved(node, 1)), *dense = wk_dense(dy);
    wk_tensor *dx = wk_needs(node, 0) ? wk_empty_like(x) : NULL;
    wk_tensor *dgrid = wk_needs(node, 1) ? wk_empty_like(grid) : NULL;
    if (!x || !grid || !dense || (wk_needs(node, 0) && !dx) || (wk_needs(node, 1) && !dgrid) ||
        !wk_run("grid_sample_backward", x, grid_sample_backward, .shape = *s, .x = wk_data(x), .grid = wk_data(grid),
                .y = wk_data(dense), .dx = wk_data(dx), .dgrid = wk_data(dgrid)))
        return;
    if (dx)
        wk_accumulate(node, 0, dx);
    if (dgrid)
        wk_accumulate(node, 1, dgrid);
}

static wk_tensor *grid_sample(wk_tensor *x, wk_tensor *grid, const wk_grid_sample_shape *s)
{
    int64_t sizes[5] = {s->N, s->C};
    WK_REQUIRE(OP, x);
    WK_REQUIRE(OP, grid);
    memcpy(&sizes[2], &grid->shape[1], (size_t)s->dims * sizeof *sizes);
    wk_tensor *x_dense = wk_dense(x), *grid_dense = wk_dense(grid);
    wk_tensor *y = wk_tensor_new(OP, s->dims + 2, sizes, x->dtype, x->device);
    if (!x_dense || !grid_dense || !y ||
        !wk_run(OP, y, grid_sample, .shape = *s, .x = wk_data(x_dense), .grid = wk_data(grid_dense), .y = wk_data(y)))
        return NULL;
    return wk_record(y, grid_sample_backward,
                     .name = s->dims == 2 ? "grid_sampler2D_backward" : "grid_sampler3D_backward", WK_INPUTS(x, grid),
                     WK_SAVED(x, grid), WK_KEPT(grid_sample_kept, *s), .composed = grid_sample_in_ops);
}

/* which of the names; -1 after an error */
static int find_name(const char *argument, const char *name, const char *const names[3])
{
    for (int i = 0; name && i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    wk_fail(OP, "%s: expected \"%s\", \"%s\" or \"%s\", got \"%s\"", argument, names[0], names[1], names[2],
            name ? name : "NULL");
    return -1;
}

static bool check(const wk_tensor *x, const wk_tensor *grid)
{
    if (x->ndim != 4 && x->ndim != 5)
        return wk_fail(OP, "x: expected shape (N, C, H, W) or (N, C, D, H, W), got %s", wk_shape_string(x));
    const int dims = x->ndim - 2;
    if (grid->ndim != x->ndim || grid->shape[0] != x->shape[0] || grid->shape[dims + 1] != dims)
        return wk_fail(OP, "grid: expected shape (%lld, %sH, W, %d), a coordinate for each dim of x %s, got %s",
                       (long long)x->shape[0], dims == 3 ? "D, " : "", dims, wk_shape_string(x), wk_shape_string(grid));
    for (int dim = 2; dim < x->ndim; dim++)
        if (x->shape[dim] == 0)
            return wk_fail(OP, "x: expected sizes of at least 1 behind C, got %s", wk_shape_string(x));
    if (wk_shape_numel(dims, &x->shape[2]) > INT32_MAX)
        return wk_fail(OP, "x: expected at most %d places of a channel, got %s", INT32_MAX, wk_shape_string(x));
    if (!wk_check_floating(OP, x) || !wk_check_same_device(OP, "x", x, "grid", grid))
        return false;
    if (grid->dtype != x->dtype)
        return wk_fail(OP, "grid: expected x's dtype %s, got %s\nhint: wk_to(grid, x->dtype)", wk_dtype_name(x->dtype),
                       wk_dtype_name(grid->dtype));
    return true;
}

wk_tensor *wk_grid_sample_with(wk_grid_sample_args args)
{
    static const char *const MODES[] = {"nearest", "bilinear", "bicubic"};
    static const char *const PADDINGS[] = {"zeros", "border", "reflection"};
    wk_tensor *x = args.x, *grid = args.grid;
    WK_AUTOCAST(FLOAT32, &x, &grid);
    WK_REQUIRE(OP, x);
    WK_REQUIRE(OP, grid);
    const int mode = find_name("mode", args.mode, MODES);
    const int padding = mode < 0 ? -1 : find_name("padding_mode", args.padding_mode, PADDINGS);
    if (padding < 0 || !check(x, grid))
        return NULL;
    const int dims = x->ndim - 2;
    wk_grid_sample_shape shape = {.dims = dims,
                                  .N = x->shape[0],
                                  .C = x->shape[1],
                                  .in = {1, 1, 1},
                                  .places = wk_shape_numel(dims, &grid->shape[1]),
                                  .mode = (wk_sampling)mode,
                                  .padding = (wk_sampling_padding)padding,
                                  .align_corners = args.align_corners};
    memcpy(&shape.in[3 - dims], &x->shape[2], (size_t)dims * sizeof *shape.in);
    return wk_is_half(x->dtype) ? wk_to(grid_sample(wk_to(x, wk_float32), wk_to(grid, wk_float32), &shape), x->dtype)
                                : grid_sample(x, grid, &shape);
}
