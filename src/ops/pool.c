/* max_pool, avg_pool, adaptive_avg_pool, adaptive_max_pool, of 1 to 3 dims.

   Adaptive windows that are all of one size are those of plain pooling; else the kernels are told. */
#include <wick/pooling.h>

#include <string.h>

#include <wick/creation.h>
#include <wick/index.h>
#include <wick/rearrange.h>
#include <wick/reduction.h>

#include "autocast.h"
#include "core/layout.h"
#include "core/run.h"
#include "kernels/pool.h"
#include "ops.h"
#include "spatial.h"

/* the format of x, (N, C, ...), that its result will have */
static wk_memory_format format_of(const wk_tensor *x, int dims)
{
    return dims > 1 && x->ndim == dims + 2 ? wk_format_of(x) : wk_contiguous_format;
}

/* x as a kernel reads it */
static wk_tensor *dense_in(wk_tensor *x, wk_memory_format format)
{
    return format >= wk_channels_last ? wk_kept_format(x, format) : wk_dense(x);
}

/* x's shape with the last dims of these sizes, uninitialised */
static wk_tensor *new_like(const char *op, const wk_tensor *x, const wk_spatial_shape *shape, const int64_t size[3],
                           wk_memory_format format, wk_dtype dtype)
{
    int64_t sizes[WK_MAX_DIMS];
    memcpy(sizes, x->shape, sizeof sizes);
    memcpy(&sizes[x->ndim - shape->dims], &size[3 - shape->dims], (size_t)shape->dims * sizeof *sizes);
    return wk_tensor_new_format(op, x->ndim, sizes, format, dtype, x->device);
}

/* ---------------------------------------------------------------- windows */

typedef struct pool_options {
    wk_per_dim kernel_size, stride, padding, dilation;
    bool ceil_mode;
} pool_options;

/* false after an error: dim `first` of x or one behind it has no elements */
static bool check_sizes(const char *op, const wk_tensor *x, int first)
{
    for (int dim = first; dim < x->ndim; dim++)
        if (x->shape[dim] == 0)
            return wk_fail(op, "x: expected sizes of at least 1 %s, got %s", first > 1 ? "behind C" : "behind N",
                           wk_shape_string(x));
    return true;
}

/* how many windows there are along a dim; false after an error */
static bool count_windows(const char *op, const wk_tensor *x, bool ceil_mode, int dim, wk_spatial_shape *s)
{
    const int64_t in = s->in[dim], stride = s->stride[dim], before = s->before[dim], step = s->dilation[dim];
    const int64_t window = step * (s->kernel[dim] - 1) + 1, rest = in + 2 * before - window;
    if (before > s->kernel[dim] / 2)
        return wk_fail(op, "padding: expected at most half of kernel_size %lld, got %lld along dim %d",
                       (long long)s->kernel[dim], (long long)before, dim - 3);
    s->after[dim] = before;
    s->out[dim] = rest < 0 && !ceil_mode ? 0 : (rest + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (s->out[dim] - 1) * stride >= in + before)
        s->out[dim]--;
    if (s->out[dim] < 1 || rest + (ceil_mode ? stride - 1 : 0) < 0)
        return wk_fail(op,
                       "kernel_size: expected windows no larger than the padded input, got %lld (dilation included) of "
                       "%lld along dim %d of x %s",
                       (long long)window, (long long)(in + 2 * before), dim - 3, wk_shape_string(x));
    for (int64_t start = -before; start < 0 && start < s->out[dim] * stride - before; start += stride) {
        const int64_t first = (start + before) % stride == 0 ? start + (step - 1 - start) / step * step : 0;
        if (first >= in || first >= start + window)
            return wk_fail(op, "dilation: a window of dilation %lld would see only padding along dim %d of x %s",
                           (long long)step, dim - 3, wk_shape_string(x));
    }
    return true;
}

static bool find_windows(const char *op, const wk_tensor *x, int dims, const pool_options *options,
                         wk_spatial_shape *shape)
{
    const wk_per_dim stride = options->stride == WK_NO_STRIDE ? options->kernel_size : options->stride;
    if (!wk_spatial_input(op, x, dims, shape) || !check_sizes(op, x, x->ndim == dims + 2) ||
        !wk_per_dim_read(op, "kernel_size", options->kernel_size, dims, 1, shape->kernel) ||
        !wk_per_dim_read(op, "stride", stride, dims, 1, shape->stride) ||
        !wk_per_dim_read(op, "padding", options->padding, dims, 0, shape->before) ||
        !wk_per_dim_read(op, "dilation", options->dilation, dims, 1, shape->dilation))
        return false;
    for (int dim = 3 - dims; dim < 3; dim++)
        if (!count_windows(op, x, options->ceil_mode, dim, shape))
            return false;
    return true;
}

/* *adaptive: whether their sizes differ */
static bool find_adaptive_windows(const char *op, const wk_tensor *x, int dims, wk_per_dim output_size,
                                  wk_spatial_shape *shape, bool *adaptive)
{
    if (!wk_spatial_input(op, x, dims, shape) ||
        !wk_per_dim_read(op, "output_size", output_size, dims, WK_KEEP, shape->out))
        return false;
    *adaptive = false;
    for (int dim = 3 - dims; dim < 3; dim++) {
        if (shape->out[dim] == WK_KEEP)
            shape->out[dim] = shape->in[dim];
        *adaptive |= shape->out[dim] > 0 && shape->in[dim] % shape->out[dim] != 0;
    }
    for (int dim = 3 - dims; dim < 3 && !*adaptive; dim++)
        shape->kernel[dim] = shape->stride[dim] = shape->out[dim] > 0 ? shape->in[dim] / shape->out[dim] : 1;
    return true;
}

/* ---------------------------------------------------------------- maximum: dx = dy added to zeros at indices */

typedef struct max_kept {
    wk_spatial_shape shape;
    wk_memory_format format; // of x
} max_kept;

/* (..., in) -> (planes, places, 1); channels last: -> (N, places, C).  Places are along dim 1. */
static wk_tensor *flat(wk_tensor *x, const max_kept *kept)
{
    const int dims = kept->shape.dims;
    if (kept->format < wk_channels_last)
        return wk_unsqueeze(wk_flatten(wk_flatten(x, x ? x->ndim - dims : 0, -1), 0, -2), -1);
    return wk_flatten(wk_movedim(x, 1, -1), 1, -2);
}

static void max_pool_backward(wk_node *node, wk_tensor *dy)
{
    const max_kept *kept = node->kept;
    const wk_spatial_shape *shape = &kept->shape;
    const bool last = kept->format >= wk_channels_last;
    wk_tensor *indices = flat(wk_saved(node, 0), kept);
    wk_shape like = wk_shape_of(dy->ndim, dy->shape);
    memcpy(&like.sizes[last ? 1 : like.ndim - shape->dims], &shape->in[3 - shape->dims],
           (size_t)shape->dims * sizeof *like.sizes);
    if (last)
        like.sizes[like.ndim - 1] = shape->C;
    const int64_t zeros[] = {last ? shape->N : shape->N * shape->C, wk_spatial_size(shape->in), last ? shape->C : 1};
    wk_tensor *dx = wk_reshape_with(
        wk_scatter_add(wk_gradient_zeros(3, zeros, dy->dtype, dy->device), 1, indices, flat(dy, kept)), like);
    wk_accumulate(node, 0, last ? wk_movedim(dx, -1, 1) : dx);
}

static wk_tensor *maximum(const char *op, const char *backward, wk_tensor *x, const wk_spatial_shape *shape,
                          bool adaptive, wk_tensor **return_indices)
{
    if (x->dtype == wk_bool || wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "x: expected floats or integers, got %s", wk_dtype_name(x->dtype));
    if (wk_spatial_size(shape->in) > INT32_MAX)
        return wk_fail(op, "x: expected at most %d places of a channel, got %s", INT32_MAX, wk_shape_string(x));
    const bool places = return_indices || wk_would_record(WK_TENSORS(x));
    const wk_memory_format format = format_of(x, shape->dims);
    wk_tensor *dense = dense_in(x, format), *y = new_like(op, x, shape, shape->out, format, x->dtype), *indices = NULL;
    if (!dense || !y || (places && !(indices = new_like(op, x, shape, shape->out, format, wk_int64))) ||
        !wk_run(op, y, max_pool, .shape = *shape, .adaptive = adaptive, .channels_last = format >= wk_channels_last,
                .x = wk_data(dense), .y = wk_data(y), .indices = wk_data(indices)))
        return NULL;
    y = wk_record(y, max_pool_backward, .name = backward, WK_INPUTS(x), WK_SAVED(indices),
                  WK_KEPT(max_kept, *shape, format));
    if (return_indices)
        *return_indices = y ? indices : NULL;
    return y;
}

static wk_tensor *max_pool(const char *op, const char *backward, int dims, const wk_max_pool_args *args)
{
    const pool_options options = {args->kernel_size, args->stride, args->padding, args->dilation, args->ceil_mode};
    wk_spatial_shape shape;
    if (args->return_indices)
        *args->return_indices = NULL;
    WK_REQUIRE(op, args->x);
    return find_windows(op, args->x, dims, &options, &shape)
               ? maximum(op, backward, args->x, &shape, false, args->return_indices)
               : NULL;
}

wk_tensor *wk_max_pool1d_with(wk_max_pool_args args)
{
    return max_pool("max_pool1d", "max_pool2D_with_indices_backward", 1, &args);
}
wk_tensor *wk_max_pool2d_with(wk_max_pool_args args)
{
    return max_pool("max_pool2d", "max_pool2D_with_indices_backward", 2, &args);
}
wk_tensor *wk_max_pool3d_with(wk_max_pool_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x);
    return max_pool("max_pool3d", "max_pool3D_with_indices_backward", 3, &args);
}

static wk_tensor *adaptive_max_pool(const char *op, int dims, const wk_adaptive_pool_args *args)
{
    wk_spatial_shape shape;
    bool adaptive;
    if (args->return_indices)
        *args->return_indices = NULL;
    WK_REQUIRE(op, args->x);
    return find_adaptive_windows(op, args->x, dims, args->output_size, &shape, &adaptive) &&
                   check_sizes(op, args->x, 1) && wk_check_floating(op, args->x)
               ? maximum(op, "adaptive_max_pool2D_backward", args->x, &shape, adaptive, args->return_indices)
               : NULL;
}

wk_tensor *wk_adaptive_max_pool1d_with(wk_adaptive_pool_args args)
{
    return adaptive_max_pool("adaptive_max_pool1d", 1, &args);
}
wk_tensor *wk_adaptive_max_pool2d_with(wk_adaptive_pool_args args)
{
    return adaptive_max_pool("adaptive_max_pool2d", 2, &args);
}

/* ---------------------------------------------------------------- average and its gradient: each other's */

typedef struct avg_kept {
    const char *op, *backward;
    wk_spatial_shape shape;
    bool adaptive, count_include_pad;
    int64_t divisor;
    wk_memory_format format; // of x
} avg_kept;

static wk_tensor *average(wk_tensor *x, const avg_kept *kept);

static void spread_backward(wk_node *node, wk_tensor *g) { wk_accumulate(node, 0, average(g, node->kept)); }

static wk_tensor *spread(wk_tensor *dy, const avg_kept *kept)
{
    WK_REQUIRE(kept->op, dy);
    wk_tensor *dense = dense_in(dy, kept->format);
    wk_tensor *dx = new_like(kept->op, dy, &kept->shape, kept->shape.in, kept->format, dy->dtype);
    if (!dense || !dx ||
        !wk_run(kept->op, dx, avg_pool_backward, .shape = kept->shape, .adaptive = kept->adaptive,
                .channels_last = kept->format >= wk_channels_last, .count_include_pad = kept->count_include_pad,
                .divisor = kept->divisor, .x = wk_data(dx), .y = wk_data(dense)))
        return NULL;
    return wk_record(dx, spread_backward, .name = kept->backward, WK_INPUTS(dy), .kept = kept,
                     .kept_bytes = sizeof *kept);
}

static void avg_pool_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, spread(dy, node->kept)); }

static wk_tensor *average(wk_tensor *x, const avg_kept *kept)
{
    WK_REQUIRE(kept->op, x);
    wk_tensor *dense = dense_in(x, kept->format);
    wk_tensor *y = new_like(kept->op, x, &kept->shape, kept->shape.out, kept->format, x->dtype);
    if (!dense || !y ||
        !wk_run(kept->op, y, avg_pool, .shape = kept->shape, .adaptive = kept->adaptive,
                .channels_last = kept->format >= wk_channels_last, .count_include_pad = kept->count_include_pad,
                .divisor = kept->divisor, .x = wk_data(dense), .y = wk_data(y)))
        return NULL;
    return wk_record(y, avg_pool_backward, .name = kept->backward, WK_INPUTS(x), .kept = kept,
                     .kept_bytes = sizeof *kept);
}

/* pictures keep their format; volumes do not, as in PyTorch */
static wk_tensor *average_in_format(wk_tensor *x, avg_kept *kept)
{
    kept->format = kept->shape.dims == 2 ? format_of(x, 2) : wk_contiguous_format;
    return average(x, kept);
}

/* the sums over windows of what is padded so that the last of them ends with it */
static wk_tensor *sums_of_windows(wk_tensor *x, int dims, const wk_spatial_shape *s)
{
    wk_shape window = {dims, {-1, -2, -3}};
    for (int dim = 3 - dims; dim < 3; dim++)
        x = wk_unfold(x, dim - 3 - (dim - (3 - dims)), s->kernel[dim], s->stride[dim]);
    return wk_sum_with((wk_reduce_args){.x = x, .dims = window});
}

/* int64, which PyTorch divides as C does */
static wk_tensor *average_integers(wk_tensor *x, int dims, const avg_kept *kept)
{
    const wk_spatial_shape *s = &kept->shape;
    wk_shape plane = {dims, {0}};
    int64_t inner[6] = {0}, outer[6] = {0}; // two for each dim, the last dim first
    for (int dim = 3 - dims; dim < 3; dim++) {
        int64_t *const in = &inner[2 * (2 - dim)], *const out = &outer[2 * (2 - dim)];
        in[0] = s->before[dim];
        in[1] = s->after[dim];
        out[1] = (s->out[dim] - 1) * s->stride[dim] + s->kernel[dim] - s->before[dim] - s->in[dim] - s->after[dim];
        plane.sizes[dim - (3 - dims)] = s->in[dim];
    }
    const wk_sizes padding = {2 * dims, inner}, rest = {2 * dims, outer};
    wk_tensor *counts = wk_full_with((wk_factory_args){.size = plane, .fill = wk_number_int(1), .device = x->device});
    counts = wk_pad_with((wk_pad_args){counts, padding, "constant", kept->count_include_pad});
    counts = sums_of_windows(wk_pad_with((wk_pad_args){counts, rest, "constant", 0}), dims, s);
    x = wk_pad_with((wk_pad_args){wk_pad_with((wk_pad_args){x, padding, "constant", 0}), rest, "constant", 0});
    const wk_operand by = kept->divisor ? WK_OPERAND(kept->divisor) : WK_OPERAND(counts);
    return wk_div_with((wk_div_args){WK_OPERAND(sums_of_windows(x, dims, s)), by, "trunc"});
}

static wk_tensor *avg_pool(const char *op, const char *backward, int dims, const wk_avg_pool_args *args)
{
    WK_NAMES_ERRORS(op);
    const pool_options options = {args->kernel_size, args->stride, args->padding, 1, args->ceil_mode};
    avg_kept kept = {.op = op,
                     .backward = backward,
                     .count_include_pad = args->count_include_pad,
                     .divisor = args->divisor_override};
    WK_REQUIRE(op, args->x);
    if (args->x->dtype != wk_int64 && !wk_check_floating(op, args->x))
        return NULL;
    if (!find_windows(op, args->x, dims, &options, &kept.shape))
        return NULL;
    return args->x->dtype == wk_int64 ? average_integers(args->x, dims, &kept) : average_in_format(args->x, &kept);
}

wk_tensor *wk_avg_pool1d_with(wk_avg_pool_args args) { return avg_pool("avg_pool1d", "avg_pool2D_backward", 1, &args); }
wk_tensor *wk_avg_pool2d_with(wk_avg_pool_args args) { return avg_pool("avg_pool2d", "avg_pool2D_backward", 2, &args); }
wk_tensor *wk_avg_pool3d_with(wk_avg_pool_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x);
    return avg_pool("avg_pool3d", "avg_pool3D_backward", 3, &args);
}

static wk_tensor *adaptive_avg_pool(const char *op, const char *backward, int dims, const wk_adaptive_pool_args *args)
{
    wk_tensor *x = args->x;
    avg_kept kept = {.op = op, .backward = backward};
    WK_NAMES_ERRORS(op);
    WK_REQUIRE(op, x);
    if (!wk_check_floating(op, x) ||
        !find_adaptive_windows(op, x, dims, args->output_size, &kept.shape, &kept.adaptive))
        return NULL;
    if (wk_spatial_size(kept.shape.out) == 1) { // as PyTorch: the mean of nothing is NaN, not an error
        const wk_shape last = {.ndim = dims, .sizes = {-1, -2, -3}};
        return wk_mean_with((wk_reduce_args){.x = x, .dims = last, .keepdim = true});
    }
    return check_sizes(op, x, dims == 3 ? 1 : x->ndim - dims) ? average_in_format(x, &kept) : NULL;
}

wk_tensor *wk_adaptive_avg_pool1d_with(wk_adaptive_pool_args args)
{
    return adaptive_avg_pool("adaptive_avg_pool1d", "adaptive_avg_pool2D_backward", 1, &args);
}
wk_tensor *wk_adaptive_avg_pool2d_with(wk_adaptive_pool_args args)
{
    return adaptive_avg_pool("adaptive_avg_pool2d", "adaptive_avg_pool2D_backward", 2, &args);
}
wk_tensor *wk_adaptive_avg_pool3d_with(wk_adaptive_pool_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x);
    return adaptive_avg_pool("adaptive_avg_pool3d", "adaptive_avg_pool3D_backward", 3, &args);
}
