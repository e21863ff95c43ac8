/* Reductions of floats beyond a plain sum: var, std, norm, logsumexp, cumsum. */
#include <math.h>

#include "ops.h"
#include "reduction.h"
#include "core/run.h"

#define SLOT(name) offsetof(wk_kernels, name)
#define SHAPES(x, plan) .shape = wk_shape_of((x)->ndim, (x)->shape), .shape2 = (plan).kept

/* the dims that were reduced, of x: those with size 1 in the kept shape (dims of size 1 more do no harm) */
static wk_shape reduced_dims(const wk_node *node)
{
    wk_shape dims = {0};
    for (int dim = 0; dim < node->shape.ndim; dim++)
        if (node->shape2.sizes[dim] == 1)
            dims.sizes[dims.ndim++] = dim;
    return dims;
}

/* ---------------------------------------------------------------- var: dx = dy * 2 (x - mean) / (n - correction) */

static void var_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0);
    wk_tensor *mean = wk_mean_with((wk_reduce_args){.x = x, .dims = reduced_dims(node), .keepdim = true});
    wk_tensor *scaled = wk_mul(wk_keep_dims(node, dy), 2 / node->number);
    wk_accumulate(node, 0, wk_mul(scaled, wk_sub(x, mean)));
}

wk_tensor *wk_var_with(wk_reduce_args args)
{
    WK_REQUIRE("var", args.x);
    wk_tensor *x = args.x;
    if (!wk_dtype_is_floating(x->dtype))
        return wk_fail("var", "x: expected a floating dtype, got %s\nhint: wk_to(x, wk_float32)",
                       wk_dtype_name(x->dtype));
    if (wk_is_half(x->dtype)) {
        args.x = wk_to(x, wk_float32);
        return wk_to(args.x ? wk_var_with(args) : NULL, x->dtype);
    }
    wk_reduction plan;
    if (!wk_plan_reduction("var", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *y = wk_tensor_new("var", plan.result.ndim, plan.result.sizes, x->dtype, x->device);
    wk_tensor *mean = y ? wk_empty_like(y) : NULL;
    if (!mean)
        return NULL;
    const double divisor = fmax(0, (double)plan.n - args.correction);
    if (plan.n == 0)
        wk_fill_(y, (double)NAN);
    else if (y->numel > 0)
        wk_run_range(x, variance, y->numel, 2 * plan.n, .x = wk_data(plan.source), .mean = wk_data(mean),
               .variance = wk_data(y), .n = plan.n, .inner = plan.inner, .divisor = divisor);
    return wk_record(y, var_backward, WK_INPUTS(x), WK_SAVED(x), SHAPES(x, plan), .number = divisor);
}

/* of y = sqrt(var): dvar = dy / (2 y), 0 where y is */
static void std_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *y = wk_saved(node, 0);
    wk_accumulate(node, 0, wk_masked_fill(wk_div(dy, wk_mul(y, 2)), wk_eq(y, 0), 0));
}

wk_tensor *wk_std_with(wk_reduce_args args)
{
    WK_REQUIRE("std", args.x);
    if (wk_is_half(args.x->dtype)) {
        const wk_dtype dtype = args.x->dtype;
        args.x = wk_to(args.x, wk_float32);
        return wk_to(args.x ? wk_std_with(args) : NULL, dtype);
    }
    wk_tensor *var = wk_var_with(args), *y = NULL;
    wk_no_grad y = wk_sqrt(var);
    return wk_record(y, std_backward, WK_INPUTS(var), WK_SAVED(y));
}

bool wk_var_mean_with(wk_reduce_args args, wk_places places)
{
    if (places.count != 2)
        return wk_fail("var_mean", "places: expected (&var, &mean), got %lld", (long long)places.count);
    wk_tensor *var = wk_var_with(args), *mean = var ? wk_mean_with(args) : NULL;
    if (places.items[0])
        *places.items[0] = mean ? var : NULL;
    if (places.items[1])
        *places.items[1] = mean;
    return mean != NULL;
}

/* ---------------------------------------------------------------- norm: (sum |x|^p)^(1/p) */

/* dx = dy * x |x|^(p - 2) / y^(p - 1), 0 where y is; of infinite p: dy sign(x), shared among those that attain y */
static void norm_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(node, wk_saved(node, 1)), *dx = NULL;
    const double p = node->number;
    dy = wk_keep_dims(node, dy);
    if (p == 0) {
        dx = wk_mul(x, 0);
    } else if (isinf(p)) {
        wk_tensor *attains = wk_eq(wk_abs(x), y);
        wk_tensor *share = wk_div(dy, wk_sum_to_size(wk_to(attains, dy ? dy->dtype : wk_float32), node->shape2));
        dx = wk_mul(wk_sign(x), wk_where(attains, share, 0));
    } else if (p == 1) {
        dx = wk_mul(wk_sign(x), dy);
    } else if (p == 2) {
        dx = wk_mul(x, wk_masked_fill(wk_div(dy, y), wk_eq(y, 0), 0));
    } else {
        wk_tensor *scale = wk_masked_fill(wk_div(dy, wk_pow(y, p - 1)), wk_eq(y, 0), 0);
        wk_tensor *powers = wk_masked_fill(wk_pow(wk_abs(x), p - 1), wk_eq(x, 0), 0);
        dx = wk_mul(wk_mul(wk_sign(x), powers), scale);
    }
    wk_accumulate(node, 0, dx);
}

static wk_tensor *norm_of(wk_tensor *x, double p, wk_shape dims, bool keepdim)
{
    const wk_reduce_args args = {.x = x, .dims = dims, .keepdim = keepdim};
#define REDUCED(function, terms) wk_##function##_with((wk_reduce_args){.x = terms, .dims = dims, .keepdim = keepdim})
    if (p == 0)
        return REDUCED(sum, wk_to(wk_ne(x, 0), x->dtype));
    if (isinf(p))
        return p > 0 ? REDUCED(amax, wk_abs(x)) : REDUCED(amin, wk_abs(x));
    if (p == 1)
        return REDUCED(sum, wk_abs(x));
    if (p != 2)
        return wk_pow(REDUCED(sum, wk_pow(wk_abs(x), p)), 1 / p);
#undef REDUCED
    wk_reduction plan;
    if (!wk_plan_reduction("norm", x, &args.dims, keepdim, &plan))
        return NULL;
    return wk_sqrt_(wk_fold("norm", SLOT(sum_squares), &plan));
}

wk_tensor *wk_norm_with(wk_reduce_args args)
{
    WK_REQUIRE("norm", args.x);
    const wk_dtype dtype = args.dtype ? args.dtype : args.x->dtype;
    if (!wk_dtype_is_floating(dtype))
        return wk_fail("norm", "x: expected a floating dtype, got %s\nhint: wk_to(x, wk_float32)",
                       wk_dtype_name(dtype));
    if (wk_is_half(dtype)) {
        args.dtype = wk_float32;
        return wk_to(wk_norm_with(args), dtype);
    }
    wk_tensor *x = wk_to(args.x, dtype), *y = NULL;
    wk_reduction plan;
    if (!x || !wk_plan_reduction("norm", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_no_grad y = norm_of(x, args.p, args.dims, args.keepdim);
    return wk_record(y, norm_backward, WK_INPUTS(x), WK_SAVED(x, y), SHAPES(x, plan), .number = args.p);
}

/* ---------------------------------------------------------------- logsumexp: dx = dy exp(x - y) */

static void logsumexp_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(node, wk_saved(node, 1));
    wk_accumulate(node, 0, wk_mul(wk_keep_dims(node, dy), wk_exp(wk_sub(x, y))));
}

/* y saved as a result of the node has a history of its own, so that exp(x - y) is differentiated in full */
wk_tensor *wk_logsumexp_with(wk_reduce_args args)
{
    WK_REQUIRE("logsumexp", args.x);
    wk_tensor *x = wk_to(args.x, wk_float_type(args.x->dtype)), *y = NULL;
    if (!x || !wk_check_floating("logsumexp", x))
        return NULL;
    if (wk_is_half(x->dtype)) {
        args.x = wk_to(x, wk_float32);
        return wk_to(args.x ? wk_logsumexp_with(args) : NULL, x->dtype);
    }
    wk_reduction plan;
    if (!wk_plan_reduction("logsumexp", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_no_grad
    {
        if (plan.n == 0) {
            y = wk_tensor_new("logsumexp", plan.result.ndim, plan.result.sizes, x->dtype, x->device);
            y = y ? wk_fill_(y, (double)-INFINITY) : NULL;
        } else {
            args.x = x;
            args.keepdim = true;
            wk_tensor *max = wk_amax_with(args);
            max = wk_where(wk_isfinite(max), max, 0); // of infinite maxima the sum is right as it is
            args.x = wk_exp(wk_sub(x, max));
            y = wk_reshape_with(wk_add(wk_log(wk_sum_with(args)), max), plan.result);
        }
    }
    return wk_record(y, logsumexp_backward, WK_INPUTS(x), WK_SAVED(x, y), SHAPES(x, plan));
}

/* ---------------------------------------------------------------- cumsum: dx = cumsum of dy from the end */

static wk_tensor *cumsum(wk_tensor *x, int dim, bool reverse);

static void cumsum_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, dy ? cumsum(dy, (int)node->dim, !node->flag) : NULL);
}

static wk_tensor *cumsum(wk_tensor *x, int dim, bool reverse)
{
    wk_reduction plan;
    const wk_shape dims = {.ndim = 1, .sizes = {dim}};
    wk_tensor *dense = wk_dense(x), *y = dense ? wk_empty_like(dense) : NULL;
    if (!y || !wk_plan_reduction("cumsum", dense, &dims, true, &plan))
        return NULL;
    if (y->numel > 0)
        wk_run_range(y, cumsum, plan.outer * plan.inner, plan.n, .x = wk_data(dense), .y = wk_data(y), .n = plan.n,
               .inner = plan.inner, .reverse = reverse);
    return wk_record(y, cumsum_backward, WK_INPUTS(x), .dim = dim, .flag = reverse);
}

wk_tensor *wk_cumsum_with(wk_dim_args args)
{
    WK_REQUIRE("cumsum", args.x);
    const wk_dtype own = args.x->dtype;
    const wk_dtype dtype = args.dtype ? args.dtype : wk_dtype_is_integral(own) ? wk_int64 : own;
    const int dim = wk_check_dim("cumsum", args.x->ndim, args.dim);
    if (dim < 0)
        return NULL;
    if (wk_dtype_is_complex(dtype))
        return wk_fail("cumsum", "is not defined for %s", wk_dtype_name(dtype));
    if (wk_is_half(dtype)) {
        args.dtype = wk_float32;
        return wk_to(wk_cumsum_with(args), dtype);
    }
    wk_tensor *x = wk_to(args.x, dtype);
    return x ? cumsum(x, dim, false) : NULL;
}
