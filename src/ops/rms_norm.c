/* rms_norm over the last dims: x is seen as rows of n = their product. */
#include <wick/normalization.h>

#include <float.h>
#include <string.h>

#include "ops.h"
#include "core/run.h"

/* With g = dy * weight and rstd = 1 / sqrt(mean(x^2) + eps), means over a row:
       dx = rstd * g - x * rstd^3 * mean(g * x)        dweight = sum over rows of dy * x * rstd
   A gradient that must itself remember is the same formula in ops, which have gradients. */
static wk_tensor *rms_norm_dx(wk_node *node, wk_tensor *dy, wk_tensor *x, wk_tensor *rstd, wk_tensor *weight)
{
    if (wk_would_record(WK_TENSORS(dy, x, weight))) {
        wk_tensor *g = weight ? wk_mul(dy, weight) : dy;
        wk_tensor *mean_gx = wk_mean_with((wk_reduce_args){wk_mul(g, x), node->shape, .keepdim = true});
        return wk_sub(wk_mul(rstd, g), wk_mul(wk_mul(x, wk_pow(rstd, 3)), mean_gx));
    }
    wk_tensor *dy_rows = wk_dense(dy), *x_rows = wk_dense(x), *weight_row = weight ? wk_dense(weight) : NULL;
    wk_tensor *dx = x_rows ? wk_empty_like(x_rows) : NULL;
    if (!dy_rows || !dx || (weight && !weight_row))
        return NULL;
    if (dx->numel > 0)
        wk_run_range(dx, rms_norm_backward, dx->numel / node->n, 2 * node->n, .dy = wk_data(dy_rows),
                     .x = wk_data(x_rows), .rstd = wk_data(rstd), .weight = weight ? wk_data(weight_row) : NULL,
                     .dx = wk_data(dx), .n = node->n);
    return dx;
}

static void rms_norm_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *rstd = wk_saved(node, 1), *weight = wk_saved(node, 2);
    if (!x || !rstd || (wk_needs(node, 1) && !weight))
        return;
    if (wk_would_record((wk_tensors){1, &x})) {
        wk_tensor *mean = wk_mean_with((wk_reduce_args){wk_square(x), node->shape, .keepdim = true});
        rstd = wk_rsqrt(wk_add(mean, node->number));
    }
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, rms_norm_dx(node, dy, x, rstd, weight));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, wk_mul(x, rstd))); // summed over rows on the way
}

wk_tensor *wk_rms_norm_with(wk_rms_norm_args args)
{
    wk_tensor *x = args.x, *weight = args.weight;
    WK_REQUIRE("rms_norm", x);
    if (!wk_check_floating("rms_norm", x))
        return NULL;
    const wk_shape tail = args.normalized_shape;
    const int first = x->ndim - tail.ndim;
    if (tail.ndim == 0 || first < 0 || memcmp(tail.sizes, x->shape + first, (size_t)tail.ndim * sizeof(int64_t)) != 0)
        return wk_fail("rms_norm", "normalized_shape: expected the last sizes of x, which has shape %s, got %s",
                       wk_shape_string(x), wk_shape_text(tail.ndim, tail.sizes, (char[WK_SHAPE_TEXT]){0}));
    if (weight &&
        (weight->ndim != tail.ndim || memcmp(weight->shape, tail.sizes, (size_t)tail.ndim * sizeof(int64_t)) != 0))
        return wk_fail("rms_norm", "weight: expected normalized_shape %s, got shape %s",
                       wk_shape_text(tail.ndim, tail.sizes, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(weight));
    const bool wide = x->dtype == wk_float64;
    if (args.eps < 0)
        args.eps = wide ? DBL_EPSILON : FLT_EPSILON;
    const wk_dtype compute = wide ? wk_float64 : wk_float32;
    if (x->dtype != compute || (weight && weight->dtype != compute)) { // computed in float32, weight cast to x's dtype
        args.x = wk_to(x, compute);
        args.weight = weight ? wk_to(weight, compute) : NULL;
        return args.x && (!weight || args.weight) ? wk_to(wk_rms_norm_with(args), x->dtype) : NULL;
    }

    int64_t n = 1;
    wk_shape shape = wk_shape_of(x->ndim, x->shape), dims = {.ndim = tail.ndim};
    for (int dim = first; dim < x->ndim; dim++) {
        n *= x->shape[dim];
        shape.sizes[dim] = 1;
        dims.sizes[dim - first] = dim;
    }
    wk_tensor *rows = wk_dense(x), *weight_row = weight ? wk_dense(weight) : NULL;
    wk_tensor *rstd = wk_tensor_new("rms_norm", shape.ndim, shape.sizes, compute, x->device); // (..., 1)
    wk_tensor *y = rows ? wk_empty_like(rows) : NULL;
    if (!y || !rstd || (weight && !weight_row))
        return NULL;
    if (y->numel > 0)
        wk_run_range(x, rms_norm, x->numel / n, 2 * n, .x = wk_data(rows),
                     .weight = weight ? wk_data(weight_row) : NULL, .y = wk_data(y), .rstd = wk_data(rstd), .n = n,
                     .eps = args.eps);
    return wk_record(y, rms_norm_backward, WK_INPUTS(x, weight), WK_SAVED(x, rstd, weight), .n = n, .number = args.eps,
                     .shape = dims);
}
