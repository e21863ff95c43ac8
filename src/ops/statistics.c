/* Reductions of floats beyond a plain sum: var, std, norm, logsumexp. */
#include <math.h>

#include "kernels/variance.h"
#include "ops.h"
#include "reduction.h"

/* ---------------------------------------------------------------- var: dx = dy * 2 (x - mean) / (n - correction) */

typedef struct var_kept {
    wk_reduced reduced;
    double divisor; // n - correction, at least 0
} var_kept;

static void var_gradient(wk_node *node, wk_tensor *x, wk_tensor *dy)
{
    const var_kept *kept = node->kept;
    const wk_dtype dtype = x && wk_is_half(x->dtype) ? wk_float32 : wk_dtype_default;
    wk_tensor *mean = wk_mean_with(
        (wk_reduce_args){.x = x, .dims = wk_reduced_dims(&kept->reduced), .keepdim = true, .dtype = dtype});
    wk_tensor *scaled = wk_mul(wk_keep_dims(&kept->reduced, wk_wide(dy)), 2 / kept->divisor);
    wk_accumulate(node, 0, wk_mul(scaled, wk_sub(x, mean)));
}

static void var_backward(wk_node *node, wk_tensor *dy) { var_gradient(node, wk_saved(node, 0), dy); }

/* of y = sqrt(var): dvar = dy / (2 y), 0 where y is */
static void std_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *y = wk_saved(node, 1);
    var_gradient(node, wk_saved(node, 0), wk_masked_fill(wk_div(wk_wide(dy), wk_mul(wk_wide(y), 2)), wk_eq(y, 0), 0));
}

static wk_tensor *variance(const char *op, wk_reduce_args args, bool root)
{
    if (!wk_read_dims(op, &args))
        return NULL;
    wk_tensor *x = args.x;
    wk_reduction plan;
    WK_REQUIRE(op, x);
    if (!wk_check_floating(op, x) || !wk_plan_reduction(op, x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *y = wk_tensor_new(op, plan.result.ndim, plan.result.sizes, x->dtype, x->device);
    const double divisor = fmax(0, (double)plan.n - args.correction);
    if (!y || !wk_run(op, y, variance, .x = wk_data(plan.source), .y = wk_data(y), .outer = plan.outer, .n = plan.n,
                      .inner = plan.inner, .divisor = divisor, .root = root))
        return NULL;
    return wk_record(y, root ? std_backward : var_backward, .name = root ? "std_backward" : "var_backward",
                     WK_INPUTS(x), WK_SAVED(x, root ? y : NULL),
                     WK_KEPT(var_kept, {wk_shape_of(x->ndim, x->shape), plan.kept}, divisor));
}

wk_tensor *wk_var_with(wk_reduce_args args) { return variance("var", args, false); }
wk_tensor *wk_std_with(wk_reduce_args args) { return variance("std", args, true); }

bool wk_var_mean_with(wk_reduce_args args, wk_places places)
{
    WK_NAMES_ERRORS("var_mean");
    if (places.count != 2)
        return wk_fail("var_mean", "places: expected (&var, &mean), got %lld", (long long)places.count);
    wk_tensor *var = wk_var_with(args), *mean = var ? wk_mean_with(args) : NULL;
    if (places.items[0])
        *places.items[0] = mean ? var : NULL;
    if (places.items[1])
        *places.items[1] = mean;
    return mean != NULL;
}

/* ---------------------------------------------------------------- nanmean: dx = dy / how many, 0 where x is NaN */

static void nanmean_backward(wk_node *node, wk_tensor *dy)
{
    const wk_reduced *reduced = node->kept;
    wk_tensor *share = wk_keep_dims(reduced, wk_div(dy, wk_saved(node, 1)));
    wk_accumulate(node, 0, wk_where(wk_isnan(wk_saved(node, 0)), 0, share));
}

wk_tensor *wk_nanmean_with(wk_reduce_args args)
{
    WK_NAMES_ERRORS("nanmean");
    if (!wk_read_dims("nanmean", &args))
        return NULL;
    WK_REQUIRE("nanmean", args.x);
    wk_tensor *x = args.dtype ? wk_to(args.x, args.dtype) : args.x;
    wk_reduction plan;
    if (!x || !wk_check_floating("nanmean", x) || !wk_plan_reduction("nanmean", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *sum = wk_reduce("nanmean", nansum, &plan, x->dtype);
    wk_tensor *count = wk_reduce("nanmean", non_nan, &plan, wk_is_half(x->dtype) ? wk_float32 : x->dtype);
    wk_tensor *y = NULL;
    wk_no_grad y = wk_to(wk_div(sum, count), x->dtype);
    return wk_record(y, nanmean_backward, WK_INPUTS(x), WK_SAVED(x, count), WK_KEPT_REDUCED(x, plan));
}

/* ---------------------------------------------------------------- norm: (sum |x|^p)^(1/p) */

typedef struct norm_kept {
    wk_reduced reduced;
    double p;
} norm_kept;

/* dx = dy * x |x|^(p - 2) / y^(p - 1), 0 where y is; of infinite p: dy sign(x), shared among those that attain y */
static void norm_backward(wk_node *node, wk_tensor *dy)
{
    const norm_kept *kept = node->kept;
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(&kept->reduced, wk_saved(node, 1)), *dx = NULL;
    const double p = kept->p;
    dy = wk_keep_dims(&kept->reduced, dy);
    if (p == 0) {
        dx = wk_mul(x, 0);
    } else if (isinf(p)) {
        wk_tensor *attains = wk_eq(wk_abs(x), y);
        wk_tensor *share = wk_div(dy, wk_sum_to_size(wk_to(attains, dy ? dy->dtype : wk_float32), kept->reduced.kept));
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

static wk_tensor *norm_of(wk_tensor *x, double p, const wk_reduce_args *args, const wk_reduction *plan)
{
#define REDUCED(function, terms)                                                                                       \
    wk_##function##_with((wk_reduce_args){.x = terms, .dims = args->dims, .keepdim = args->keepdim})
    if (p == 2)
        return wk_reduce("norm", norm, plan, x->dtype);
    if (p == 0)
        return REDUCED(sum, wk_to(wk_ne(x, 0), x->dtype));
    if (isinf(p))
        return p > 0 ? REDUCED(amax, wk_abs(x)) : REDUCED(amin, wk_abs(x));
    if (p == 1)
        return REDUCED(sum, wk_abs(x));
    return wk_pow(REDUCED(sum, wk_pow(wk_abs(x), p)), 1 / p);
#undef REDUCED
}

wk_tensor *wk_norm_with(wk_reduce_args args)
{
    if (!wk_read_dims("norm", &args))
        return NULL;
    WK_REQUIRE("norm", args.x);
    if (wk_same_nan(args.p, WK_FRO))
        args.p = 2;
    wk_tensor *x = wk_to(args.x, args.dtype ? args.dtype : args.x->dtype);
    x = x && wk_dtype_is_complex(x->dtype) ? wk_abs(x) : x;
    if (!x || !wk_check_inexact("norm", x))
        return NULL;
    if (wk_is_half(x->dtype) && args.p != 2) { // powers of halves would be rounded, and soon infinite
        args.x = wk_to(x, wk_float32);
        args.dtype = wk_dtype_default;
        return wk_to(wk_norm_with(args), x->dtype);
    }
    wk_reduction plan;
    if (!wk_plan_reduction("norm", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *y = WK_WITHOUT_GRAD(norm_of(x, args.p, &args, &plan));
    return wk_record(y, norm_backward, WK_INPUTS(x), WK_SAVED(x, y),
                     WK_KEPT(norm_kept, {wk_shape_of(x->ndim, x->shape), plan.kept}, args.p));
}

/* ---------------------------------------------------------------- logsumexp: dx = dy exp(x - y) */

static void logsumexp_backward(wk_node *node, wk_tensor *dy)
{
    const wk_reduced *reduced = node->kept;
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(reduced, wk_saved(node, 1));
    wk_accumulate(node, 0, wk_mul(wk_keep_dims(reduced, dy), wk_exp(wk_sub(x, y))));
}

static wk_tensor *logsumexp_of(wk_tensor *x, wk_reduce_args args, const wk_reduction *plan)
{
    if (plan->n == 0)
        return wk_fill_(wk_reduce("logsumexp", sum, plan, x->dtype), (double)-INFINITY);
    args.x = x;
    args.keepdim = true;
    wk_tensor *max = wk_amax_with(args);
    max = wk_where(wk_isfinite(max), max, 0); // of infinite maxima the sum is right as it is
    args.x = wk_exp(wk_sub(x, max));
    return wk_reshape_with(wk_add(wk_log(wk_sum_with(args)), max), plan->result);
}

/* y saved as a result of the node has a history of its own, so that exp(x - y) is differentiated in full */
wk_tensor *wk_logsumexp_with(wk_reduce_args args)
{
    if (!wk_read_dims("logsumexp", &args))
        return NULL;
    WK_REQUIRE("logsumexp", args.x);
    wk_tensor *x = wk_to(args.x, wk_float_type(args.x->dtype));
    if (!x || !wk_check_floating("logsumexp", x))
        return NULL;
    if (wk_is_half(x->dtype)) { // rounded once
        args.x = wk_to(x, wk_float32);
        return wk_to(wk_logsumexp_with(args), x->dtype);
    }
    wk_reduction plan;
    if (!wk_plan_reduction("logsumexp", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *y = WK_WITHOUT_GRAD(logsumexp_of(x, args, &plan));
    return wk_record(y, logsumexp_backward, WK_INPUTS(x), WK_SAVED(x, y), WK_KEPT_REDUCED(x, plan));
}
