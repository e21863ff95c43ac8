/* Reductions over one or several dims: the plan, and sum, mean, prod, amax, amin, all, any. */
#include "reduction.h"

#include <string.h>

#include <wick/join.h>

#include "autocast.h"
#include "ops.h"

/* which dims are reduced: those given, or all; false after an error */
static bool chosen_dims(const char *op, const wk_tensor *x, const wk_shape *dims, bool chosen[WK_MAX_DIMS])
{
    memset(chosen, dims->ndim == 0, WK_MAX_DIMS * sizeof *chosen);
    for (int i = 0; i < dims->ndim; i++) {
        const int dim = wk_check_dim(op, x->ndim, dims->sizes[i]);
        if (dim < 0)
            return false;
        if (chosen[dim])
            return wk_fail(op, "dim: %d comes twice", dim);
        chosen[dim] = true;
    }
    return true;
}

/* whether no kept dim stands between reduced ones, sizes of 1 aside */
static bool neighbours(const wk_tensor *x, const bool *chosen)
{
    int changes = 0;
    bool before = false;
    for (int dim = 0; dim < x->ndim; dim++) {
        if (x->shape[dim] == 1)
            continue;
        changes += chosen[dim] && !before;
        before = chosen[dim];
    }
    return changes <= 1;
}

bool wk_plan_reduction(const char *op, wk_tensor *x, const wk_shape *dims, bool keepdim, wk_reduction *plan)
{
    bool chosen[WK_MAX_DIMS];
    if (!chosen_dims(op, x, dims, chosen))
        return false;
    *plan = (wk_reduction){.outer = 1, .n = 1, .inner = 1, .kept = {.ndim = x->ndim}};
    wk_shape order = {.ndim = x->ndim};
    int at = 0;
    bool seen = false;
    const bool in_place = wk_is_contiguous(x) && neighbours(x, chosen);
    for (int dim = 0; dim < x->ndim; dim++) {
        const int64_t size = x->shape[dim];
        seen = seen || (chosen[dim] && size != 1);
        *(chosen[dim] ? &plan->n : in_place && seen ? &plan->inner : &plan->outer) *= size;
        plan->kept.sizes[dim] = chosen[dim] ? 1 : size;
        if (!chosen[dim])
            order.sizes[at++] = dim;
        if (!chosen[dim] || keepdim)
            plan->result.sizes[plan->result.ndim++] = plan->kept.sizes[dim];
    }
    for (int dim = 0; dim < x->ndim; dim++)
        if (chosen[dim])
            order.sizes[at++] = dim;
    plan->source = x;
    if (!in_place)
        plan->source = WK_WITHOUT_GRAD(wk_dense(wk_permute_with(x, order)));
    return plan->source != NULL;
}

wk_tensor *wk_keep_dims(const wk_reduced *reduced, wk_tensor *dy) { return wk_reshape_with(dy, reduced->kept); }

wk_tensor *wk_repeat_reduced(const wk_reduced *reduced, wk_tensor *dy)
{
    return wk_expand_with(wk_keep_dims(reduced, dy), reduced->shape, NULL);
}

wk_shape wk_reduced_dims(const wk_reduced *reduced)
{
    wk_shape dims = {0};
    for (int dim = 0; dim < reduced->shape.ndim; dim++)
        if (reduced->kept.sizes[dim] == 1)
            dims.sizes[dims.ndim++] = dim;
    return dims;
}

wk_tensor *wk_wide(wk_tensor *x) { return x && wk_is_half(x->dtype) ? wk_to(x, wk_float32) : x; }

/* ---------------------------------------------------------------- sum: dx = dy, repeated over what was summed */

static void sum_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, wk_repeat_reduced(node->kept, dy)); }

static wk_dtype summed_dtype(const wk_reduce_args *args)
{
    return args->dtype ? args->dtype : wk_dtype_is_integral(args->x->dtype) ? wk_int64 : args->x->dtype;
}

/* x in dtype; halves are converted to float32 by kernels */
static wk_tensor *cast(wk_tensor *x, wk_dtype dtype)
{
    return wk_is_half(x->dtype) && dtype == wk_float32 ? x : wk_to(x, dtype);
}

wk_tensor *wk_sum_with(wk_reduce_args args)
{
    if (!wk_read_dims("sum", &args))
        return NULL;
    WK_REQUIRE("sum", args.x);
    const wk_dtype dtype = summed_dtype(&args);
    wk_tensor *x = cast(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("sum", x, &args.dims, args.keepdim, &plan))
        return NULL;
    return wk_record(wk_reduce("sum", sum, &plan, dtype), sum_backward, WK_INPUTS(x), WK_KEPT_REDUCED(x, plan));
}

/* ---------------------------------------------------------------- mean: dx = dy / n, repeated */

typedef struct mean_kept {
    wk_reduced reduced;
    double n;
} mean_kept;

static void mean_backward(wk_node *node, wk_tensor *dy)
{
    const mean_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_repeat_reduced(&kept->reduced, wk_div(dy, kept->n)));
}

wk_tensor *wk_mean_with(wk_reduce_args args)
{
    if (!wk_read_dims("mean", &args))
        return NULL;
    WK_REQUIRE("mean", args.x);
    const wk_dtype dtype = args.dtype ? args.dtype : args.x->dtype;
    if (wk_dtype_is_integral(dtype))
        return wk_fail("mean", "x: expected a floating or complex dtype, got %s\n"
                               "hint: wk_mean(x, (), .dtype = wk_float32)", wk_dtype_name(dtype));
    wk_tensor *x = cast(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("mean", x, &args.dims, args.keepdim, &plan))
        return NULL;
    return wk_record(wk_reduce("mean", mean, &plan, dtype), mean_backward, WK_INPUTS(x),
                     WK_KEPT(mean_kept, {wk_shape_of(x->ndim, x->shape), plan.kept}, (double)plan.n));
}

/* ---------------------------------------------------------------- prod: dx = dy * conj(the product of the others) */

/* Without zeros the product of the others is y / x.  With one zero among the n it is, at the zero, the product of the
   rest, and 0 elsewhere; with two it is 0. */
static void prod_backward(wk_node *node, wk_tensor *dy)
{
    const wk_reduced *reduced = node->kept;
    const wk_shape dims = wk_reduced_dims(reduced);
    wk_tensor *x = wk_wide(wk_saved(node, 0)), *zero = wk_eq(x, 0);
    wk_tensor *rest = wk_masked_fill(x, zero, 1); // zeros left out
    wk_tensor *zeros = wk_sum_with((wk_reduce_args){.x = zero, .dims = dims, .keepdim = true});
    wk_tensor *product = wk_prod_with((wk_reduce_args){.x = rest, .dims = dims, .keepdim = true});
    wk_tensor *alone = wk_logical_and(zero, wk_eq(zeros, 1));
    wk_tensor *keeps = wk_logical_or(wk_eq(zeros, 0), alone);
    wk_tensor *others = wk_where(keeps, wk_div(product, rest), 0);
    wk_accumulate(node, 0, wk_mul(wk_keep_dims(reduced, dy), wk_conj(others)));
}

/* The product of the others along dim, for derivatives of any order: multiplications alone, since a mask knows nothing
   of what becomes of a zero that moves.  Of two halves a and b it is, for an element of a, its other one in b times the
   product of the other pairs. */
static wk_tensor *product_of_others(wk_tensor *x, int dim)
{
    if (!x || x->shape[dim] < 2)
        return wk_ones_like(x);
    const int64_t half = x->shape[dim] / 2, rest = x->shape[dim] % 2;
    wk_tensor *a = wk_narrow(x, dim, 0, half), *b = wk_narrow(x, dim, half, half);
    wk_tensor *pairs = wk_cat((wk_mul(a, b), wk_narrow(x, dim, 2 * half, rest)), dim);
    wk_tensor *others = product_of_others(pairs, dim), *other_pairs = wk_narrow(others, dim, 0, half);
    return wk_cat((wk_mul(other_pairs, b), wk_mul(other_pairs, a), wk_narrow(others, dim, half, rest)), dim);
}

static void prod_in_ops(wk_node *node, wk_tensor *dy)
{
    const wk_reduced *reduced = node->kept;
    wk_tensor *x = wk_wide(wk_saved(node, 0)), *dx = wk_keep_dims(reduced, dy);
    for (int dim = 0, before = -1; x && dim < reduced->shape.ndim; dim++) {
        if (reduced->kept.sizes[dim] == reduced->shape.sizes[dim])
            continue;
        if (before >= 0)
            x = wk_prod(x, before, .keepdim = true);
        dx = wk_mul(dx, wk_conj(product_of_others(x, dim)));
        before = dim;
    }
    wk_accumulate(node, 0, dx);
}

wk_tensor *wk_prod_with(wk_reduce_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x);
    if (!wk_read_dims("prod", &args))
        return NULL;
    WK_REQUIRE("prod", args.x);
    const wk_dtype dtype = summed_dtype(&args);
    wk_tensor *x = cast(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("prod", x, &args.dims, args.keepdim, &plan))
        return NULL;
    return wk_record(wk_reduce("prod", prod, &plan, dtype), prod_backward, WK_INPUTS(x), WK_SAVED(x),
                     WK_KEPT_REDUCED(x, plan), .composed = prod_in_ops);
}

/* ------------------------------------------------ amax, amin: dx = dy, shared among those that attain y */

/* max and min of everything: a NaN that won gets its share too */
static void max_all_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_saved(node, 1);
    wk_tensor *attains = wk_logical_or(wk_eq(x, y), wk_logical_and(wk_isnan(x), wk_isnan(y)));
    wk_accumulate(node, 0, wk_where(attains, wk_div(dy, wk_sum(attains)), 0));
}

static void amax_backward(wk_node *node, wk_tensor *dy)
{
    const wk_reduced *reduced = node->kept;
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(reduced, wk_saved(node, 1));
    const wk_dtype counted = dy && !wk_is_half(dy->dtype) ? dy->dtype : wk_float32;
    wk_tensor *attains = wk_to(wk_eq(x, y), counted); // nowhere, if y is NaN: dx is 0 / 0 there
    wk_tensor *share = wk_div(wk_keep_dims(reduced, dy), wk_sum_to_size(attains, reduced->kept));
    wk_accumulate(node, 0, wk_mul(attains, share));
}

bool wk_check_has_extremum(const char *op, const wk_tensor *x, const wk_reduction *plan, bool all)
{
    if (plan->n == 0 && (plan->outer * plan->inner > 0 || all))
        return wk_fail(op, "x: nothing has no largest or smallest; got %s\nhint: reduce over a dim that is not 0",
                       wk_shape_string(x));
    return true;
}

static wk_tensor *extremum(const char *op, bool largest, wk_reduce_args args, const char *name,
                           wk_backward_function *backward)
{
    if (!wk_read_dims(op, &args))
        return NULL;
    wk_tensor *x = args.x;
    wk_reduction plan;
    WK_REQUIRE(op, x);
    if (!wk_plan_reduction(op, x, &args.dims, args.keepdim, &plan) ||
        !wk_check_has_extremum(op, x, &plan, args.dims.ndim == 0))
        return NULL;
    wk_tensor *y = largest ? wk_reduce(op, amax, &plan, x->dtype) : wk_reduce(op, amin, &plan, x->dtype);
    return wk_record(y, backward, .name = name, WK_INPUTS(x), WK_SAVED(x, y), WK_KEPT_REDUCED(x, plan));
}

wk_tensor *wk_amax_with(wk_reduce_args args) { return extremum("amax", true, args, "amax_backward", amax_backward); }
wk_tensor *wk_amin_with(wk_reduce_args args) { return extremum("amin", false, args, "amin_backward", amax_backward); }
wk_tensor *wk_max_all(wk_tensor *x)
{
    return extremum("max", true, (wk_reduce_args){.x = x}, "max_backward", max_all_backward);
}
wk_tensor *wk_min_all(wk_tensor *x)
{
    return extremum("min", false, (wk_reduce_args){.x = x}, "min_backward", max_all_backward);
}

/* ---------------------------------------------------------------- all, any: the smallest, the largest of x != 0 */

static wk_tensor *truth(const char *op, bool all, wk_reduce_args *args)
{
    if (!wk_read_dims(op, args))
        return NULL;
    WK_REQUIRE(op, args->x);
    wk_tensor *x = WK_WITHOUT_GRAD(wk_to(args->x, wk_bool));
    wk_reduction plan;
    if (!x || !wk_plan_reduction(op, x, &args->dims, args->keepdim, &plan))
        return NULL;
    wk_tensor *y = all ? wk_reduce(op, amin, &plan, x->dtype) : wk_reduce(op, amax, &plan, x->dtype);
    return args->x->dtype == wk_uint8 ? wk_to(y, wk_uint8) : y;
}

wk_tensor *wk_all_with(wk_reduce_args args) { return truth("all", true, &args); }
wk_tensor *wk_any_with(wk_reduce_args args) { return truth("any", false, &args); }

/* ---------------------------------------------------------------- sum_to_size: what broadcasting repeated is summed */

wk_tensor *wk_sum_to_size(wk_tensor *x, wk_shape size)
{
    WK_REQUIRE("sum_to_size", x);
    wk_shape dims = {0};
    const int lead = x->ndim - size.ndim;
    for (int dim = 0; dim < x->ndim; dim++)
        if (dim < lead || (size.sizes[dim - lead] == 1 && x->shape[dim] != 1))
            dims.sizes[dims.ndim++] = dim;
    bool fits = lead >= 0;
    for (int dim = 0; fits && dim < size.ndim; dim++)
        fits = size.sizes[dim] == 1 || size.sizes[dim] == x->shape[dim + lead];
    if (!fits)
        return wk_fail("sum_to_size", "size: %s does not broadcast to x's shape %s",
                       wk_shape_text(size.ndim, size.sizes, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(x));
    if (dims.ndim == 0)
        return wk_reshape_with(x, size);
    return wk_reshape_with(wk_sum_with((wk_reduce_args){.x = x, .dims = dims, .keepdim = true}), size);
}
