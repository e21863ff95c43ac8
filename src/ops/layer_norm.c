/* layer_norm over the last dims.

   The kernels see rows of n numbers.  Under create_graph the gradient is composed of ops instead, which have gradients
   of their own. */
#include <wick/normalization.h>

#include <string.h>

#include "ops.h"
#include "core/run.h"

/* shape is that of x's last dims, and of weight and bias; false after an error */
static bool check(const wk_tensor *x, const wk_shape *shape, const wk_tensor *weight, const wk_tensor *bias)
{
    const char *op = "layer_norm";
    const int lead = x->ndim - shape->ndim;
    const wk_tensor *given[2] = {weight, bias};
    char text[WK_SHAPE_TEXT];
    wk_shape_text(shape->ndim, shape->sizes, text);
    if (!wk_check_floating(op, x))
        return false;
    if (shape->ndim < 1)
        return wk_fail(op, "normalized_shape: expected one size or more, got ()");
    if (lead < 0 || memcmp(x->shape + lead, shape->sizes, (size_t)shape->ndim * sizeof *shape->sizes) != 0)
        return wk_fail(op, "x: expected %s to be its last sizes (normalized_shape), got %s", text, wk_shape_string(x));
    for (int i = 0; i < 2; i++)
        if (given[i] && (given[i]->ndim != shape->ndim ||
                         memcmp(given[i]->shape, shape->sizes, (size_t)shape->ndim * sizeof *shape->sizes) != 0))
            return wk_fail(op, "%s: expected shape %s (normalized_shape), got %s", i == 0 ? "weight" : "bias", text,
                           wk_shape_string(given[i]));
    return true;
}

/* the last count dims */
static wk_shape last_dims(const wk_tensor *x, int count)
{
    wk_shape dims = {.ndim = count};
    for (int i = 0; i < count; i++)
        dims.sizes[i] = x->ndim - count + i;
    return dims;
}

static wk_tensor *mean_over(wk_tensor *x, wk_shape dims)
{
    return wk_mean_with((wk_reduce_args){.x = x, .dims = dims, .keepdim = true});
}

/* ---------------------------------------------------------------- layer_norm */

/* with xhat = (x - mean) * rstd, g = dy * weight:
   dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = sum(dy * xhat), dbias = sum(dy) */
static void composed_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *weight = wk_saved(node, 1);
    const wk_shape dims = last_dims(dy, (int)node->n);
    wk_tensor *centered = wk_sub(x, mean_over(x, dims));
    wk_tensor *rstd = wk_rsqrt(wk_add(mean_over(wk_square(centered), dims), node->number));
    wk_tensor *xhat = wk_mul(centered, rstd), *g = weight ? wk_mul(dy, weight) : dy;
    if (wk_needs(node, 0)) {
        wk_tensor *inner = wk_sub(wk_sub(g, mean_over(g, dims)), wk_mul(xhat, mean_over(wk_mul(g, xhat), dims)));
        wk_accumulate(node, 0, wk_mul(rstd, inner));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, xhat)); // summed over the rows there
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, dy);
}

/* the sum of parts (count, n) over its rows, in the shape of like */
static wk_tensor *sum_parts(wk_tensor *parts, int64_t count, wk_shape shape)
{
    wk_tensor *y =
        parts ? wk_tensor_new("layer_norm_backward", shape.ndim, shape.sizes, parts->dtype, parts->device) : NULL;
    if (y && y->numel > 0)
        wk_run_range(y, sum, y->numel, count, .x = wk_data(parts), .y = wk_data(y), .n = count, .inner = y->numel,
               .chunk = count > 0 ? count : 1);
    return y;
}

static void layer_norm_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_is_grad_enabled()) {
        composed_backward(node, dy);
        return;
    }
    wk_tensor *x = wk_dense(wk_saved(node, 0)), *weight = wk_dense(wk_saved(node, 1));
    wk_tensor *mean = wk_saved(node, 2), *rstd = wk_saved(node, 3);
    dy = wk_dense(dy);
    if (!x || !mean || !rstd || !dy)
        return;
    const int64_t n = node->shape.ndim ? wk_shape_numel(node->shape.ndim, node->shape.sizes) : 1, rows = mean->numel;
    const int64_t chunk = n < 256 ? 16384 / (n > 0 ? n : 1) : 64, chunks = (rows + chunk - 1) / chunk;
    const int64_t size = chunks * n;
    wk_tensor *dx = wk_needs(node, 0) ? wk_empty_like(x) : NULL, *dweight = NULL, *dbias = NULL;
    if (wk_needs(node, 1))
        dweight = wk_tensor_new("layer_norm_backward", 1, &size, x->dtype, x->device);
    if (wk_needs(node, 2))
        dbias = wk_tensor_new("layer_norm_backward", 1, &size, x->dtype, x->device);
    if (wk_failing())
        return;
    if (x->numel > 0)
        wk_run_range(x, layer_norm_backward, chunks, 4 * chunk * n, .dy = wk_data(dy), .x = wk_data(x),
                     .mean = wk_data(mean), .rstd = wk_data(rstd), .weight = weight ? wk_data(weight) : NULL,
                     .dx = dx ? wk_data(dx) : NULL, .dweight = dweight ? wk_data(dweight) : NULL,
                     .dbias = dbias ? wk_data(dbias) : NULL, .rows = rows, .n = n, .chunk = chunk);
    if (dx)
        wk_accumulate(node, 0, dx);
    if (dweight)
        wk_accumulate(node, 1, sum_parts(dweight, chunks, node->shape));
    if (dbias)
        wk_accumulate(node, 2, sum_parts(dbias, chunks, node->shape));
}

wk_tensor *wk_layer_norm_with(wk_layer_norm_args args)
{
    WK_REQUIRE("layer_norm", args.x);
    const wk_shape shape = args.normalized_shape;
    if (!check(args.x, &shape, args.weight, args.bias))
        return NULL;
    const wk_dtype dtype = args.x->dtype, compute = wk_is_half(dtype) ? wk_float32 : dtype;
    wk_tensor *given = wk_to(args.x, compute);
    wk_tensor *weight = args.weight ? wk_to(args.weight, compute) : NULL;
    wk_tensor *bias = args.bias ? wk_to(args.bias, compute) : NULL;
    wk_tensor *x = wk_dense(given), *dense_weight = wk_dense(weight), *dense_bias = wk_dense(bias);
    const int64_t n = wk_shape_numel(shape.ndim, shape.sizes);
    const int64_t rows = wk_shape_numel(args.x->ndim - shape.ndim, args.x->shape);
    wk_tensor *y = x ? wk_empty_like(x) : NULL;
    wk_tensor *mean = y ? wk_tensor_new("layer_norm", 1, &rows, compute, x->device) : NULL;
    wk_tensor *rstd = mean ? wk_tensor_new("layer_norm", 1, &rows, compute, x->device) : NULL;
    if (!rstd || (args.weight && !dense_weight) || (args.bias && !dense_bias))
        return NULL;
    if (y->numel > 0)
        wk_run_range(x, layer_norm, rows, 2 * n, .x = wk_data(x), .weight = weight ? wk_data(dense_weight) : NULL,
               .bias = bias ? wk_data(dense_bias) : NULL, .y = wk_data(y), .mean = wk_data(mean), .rstd = wk_data(rstd),
               .n = n, .eps = args.eps);
    y = wk_record(y, layer_norm_backward, WK_INPUTS(given, weight, bias), WK_SAVED(given, weight, mean, rstd),
                  .shape = shape, .n = shape.ndim, .number = args.eps);
    return y ? wk_to(y, dtype) : NULL;
}
