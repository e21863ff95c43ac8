/* Reductions over one or several dims: the plan, and sum, mean, prod, amax, amin, all, any.

   A large n is cut into chunks of fixed size, reduced side by side, and the chunks' results once more: the same bits on
   any number of threads.  float16 and bfloat16 are reduced in float32. */
#include "reduction.h"

#include <string.h>

#include "ops.h"
#include "core/run.h"

#define SLOT(name) offsetof(wk_kernels, name)

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
        wk_no_grad plan->source = wk_dense(wk_permute_with(x, order));
    return plan->source != NULL;
}

/* elements that one item of a first stage goes through */
#define CHUNK 16384

static void fold_into(const wk_reduction *plan, size_t kernel, const wk_tensor *x, int64_t n, int64_t chunk,
                      wk_tensor *y)
{
    const wk_sum_work work = {.x = wk_data(x), .y = wk_data(y), .n = n, .inner = plan->inner, .chunk = chunk};
    wk_kernel *run = *(wk_kernel *const *)((const char *)wk_kernels_of(y->device, y->dtype) + kernel);
    wk_parallel(run, &work, y->numel, chunk);
}

wk_tensor *wk_fold(const char *op, size_t kernel, const wk_reduction *plan)
{
    wk_tensor *x = plan->source;
    wk_tensor *y = wk_tensor_new(op, plan->result.ndim, plan->result.sizes, x->dtype, x->device);
    if (!y || y->numel == 0)
        return y;
    if (plan->n == 0) {
        const bool is_prod = kernel == SLOT(prod) || kernel == SLOT(amin); // amin: all of no bools
        return wk_fill_(y, is_prod);
    }
    int64_t chunk = CHUNK / plan->inner;
    chunk = chunk < 64 ? 64 : chunk;
    if (plan->n < 2 * chunk) {
        fold_into(plan, kernel, x, plan->n, plan->n, y);
        return y;
    }
    const int64_t chunks = (plan->n + chunk - 1) / chunk;
    const int64_t size = y->numel * chunks;
    wk_tensor *parts = wk_tensor_new(op, 1, &size, x->dtype, x->device);
    if (!parts)
        return NULL;
    fold_into(plan, kernel, x, plan->n, chunk, parts);
    fold_into(plan, kernel == SLOT(sum_squares) ? SLOT(sum) : kernel, parts, chunks, chunks, y);
    return y;
}

wk_tensor *wk_keep_dims(wk_node *node, wk_tensor *dy) { return wk_reshape_with(dy, node->shape2); }

#define SHAPES(x, plan) .shape = wk_shape_of((x)->ndim, (x)->shape), .shape2 = (plan).kept

/* ---------------------------------------------------------------- sum: dx = dy, repeated over what was summed */

static void sum_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_expand_with(wk_keep_dims(node, dy), node->shape, NULL));
}

static wk_dtype summed_dtype(const wk_reduce_args *args)
{
    return args->dtype ? args->dtype : wk_dtype_is_integral(args->x->dtype) ? wk_int64 : args->x->dtype;
}

wk_tensor *wk_sum_with(wk_reduce_args args)
{
    WK_REQUIRE("sum", args.x);
    const wk_dtype dtype = summed_dtype(&args);
    if (wk_is_half(dtype)) {
        args.dtype = wk_float32;
        return wk_to(wk_sum_with(args), dtype);
    }
    wk_tensor *x = wk_to(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("sum", x, &args.dims, args.keepdim, &plan))
        return NULL;
    if (wk_kernels_of(x->device, dtype)->sum == wk_kernel_absent)
        return wk_fail("sum", "is not defined for %s", wk_dtype_name(dtype));
    return wk_record(wk_fold("sum", SLOT(sum), &plan), sum_backward, WK_INPUTS(x), SHAPES(x, plan));
}

/* ---------------------------------------------------------------- mean: dx = dy / n, repeated */

static void mean_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *share = wk_div(wk_keep_dims(node, dy), node->number);
    wk_accumulate(node, 0, wk_expand_with(share, node->shape, NULL));
}

wk_tensor *wk_mean_with(wk_reduce_args args)
{
    WK_REQUIRE("mean", args.x);
    const wk_dtype dtype = args.dtype ? args.dtype : args.x->dtype;
    if (!wk_dtype_is_floating(dtype))
        return wk_fail("mean", "x: expected a floating dtype, got %s\nhint: wk_mean(x, (), .dtype = wk_float32)",
                       wk_dtype_name(dtype));
    if (wk_is_half(dtype)) {
        args.dtype = wk_float32;
        return wk_to(wk_mean_with(args), dtype);
    }
    wk_tensor *x = wk_to(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("mean", x, &args.dims, args.keepdim, &plan))
        return NULL;
    wk_tensor *y = wk_fold("mean", SLOT(sum), &plan);
    if (y)
        y = wk_div_(y, (double)plan.n);
    return wk_record(y, mean_backward, WK_INPUTS(x), SHAPES(x, plan), .number = (double)plan.n);
}

/* ---------------------------------------------------------------- prod: dx = dy * the product of the others */

/* Without zeros the product of the others is y / x.  With one zero among the n it is, at the zero, the product of the
   rest, and 0 elsewhere; with two it is 0. */
static void prod_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *zero = wk_eq(x, 0);
    wk_tensor *rest = wk_masked_fill(x, zero, 1); // zeros left out
    wk_shape dims = {0};                          // a dim of size 1 more does no harm
    for (int dim = 0; x && dim < x->ndim; dim++)
        if (node->shape2.sizes[dim] == 1)
            dims.sizes[dims.ndim++] = dim;
    wk_tensor *zeros = wk_sum_with((wk_reduce_args){.x = zero, .dims = dims, .keepdim = true});
    wk_tensor *product = wk_prod_with((wk_reduce_args){.x = rest, .dims = dims, .keepdim = true});
    wk_tensor *alone = wk_logical_and(zero, wk_eq(zeros, 1));
    wk_tensor *keeps = wk_logical_or(wk_eq(zeros, 0), alone);
    wk_tensor *others = wk_where(keeps, wk_div(product, rest), 0);
    wk_accumulate(node, 0, wk_mul(wk_keep_dims(node, dy), others));
}

wk_tensor *wk_prod_with(wk_reduce_args args)
{
    WK_REQUIRE("prod", args.x);
    const wk_dtype dtype = summed_dtype(&args);
    if (wk_is_half(dtype)) {
        args.dtype = wk_float32;
        return wk_to(wk_prod_with(args), dtype);
    }
    wk_tensor *x = wk_to(args.x, dtype);
    wk_reduction plan;
    if (!x || !wk_plan_reduction("prod", x, &args.dims, args.keepdim, &plan))
        return NULL;
    if (wk_kernels_of(x->device, dtype)->prod == wk_kernel_absent)
        return wk_fail("prod", "is not defined for %s", wk_dtype_name(dtype));
    return wk_record(wk_fold("prod", SLOT(prod), &plan), prod_backward, WK_INPUTS(x), WK_SAVED(x), SHAPES(x, plan));
}

/* ---------------------------------------------------------------- amax, amin: dx = dy, shared among those that attain
 * y */

/* max and min of everything: a NaN that won gets its share too */
static void max_all_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_saved(node, 1);
    wk_tensor *attains = wk_logical_or(wk_eq(x, y), wk_logical_and(wk_isnan(x), wk_isnan(y)));
    wk_accumulate(node, 0, wk_where(attains, wk_div(dy, wk_sum(attains)), 0));
}

static void amax_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_keep_dims(node, wk_saved(node, 1));
    wk_tensor *attains = wk_to(wk_eq(x, y), dy->dtype); // nowhere, if y is NaN: dx is 0 / 0 there
    wk_tensor *share = wk_div(wk_keep_dims(node, dy), wk_sum_to_size(attains, node->shape2));
    wk_accumulate(node, 0, wk_mul(attains, share));
}

static wk_tensor *extremum(const char *op, size_t kernel, wk_reduce_args *args)
{
    wk_tensor *x = args->x;
    wk_reduction plan;
    if (!x)
        return wk_null_input(op, "x");
    if (wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "is not defined for %s", wk_dtype_name(x->dtype));
    if (wk_is_half(x->dtype)) {
        wk_reduce_args wide = *args;
        wide.x = wk_to(x, wk_float32);
        return wk_to(wide.x ? extremum(op, kernel, &wide) : NULL, x->dtype);
    }
    if (!wk_plan_reduction(op, x, &args->dims, args->keepdim, &plan))
        return NULL;
    if (plan.n == 0 && (plan.outer * plan.inner > 0 || args->dims.ndim == 0))
        return wk_fail(op, "x: nothing has no largest or smallest; got %s\nhint: reduce over a dim that is not 0",
                       wk_shape_string(x));
    wk_tensor *y = wk_fold(op, kernel, &plan);
    const bool is_max = kernel == SLOT(amax), all = strlen(op) == 3;
    const char *name = all ? (is_max ? "max_backward" : "min_backward") : is_max ? "amax_backward" : "amin_backward";
    return wk_record_one(y, &(wk_record_args){.name = name,
                                              .backward = all ? max_all_backward : amax_backward,
                                              WK_INPUTS(x),
                                              WK_SAVED(x, y),
                                              SHAPES(x, plan)});
}

wk_tensor *wk_amax_with(wk_reduce_args args) { return extremum("amax", SLOT(amax), &args); }
wk_tensor *wk_amin_with(wk_reduce_args args) { return extremum("amin", SLOT(amin), &args); }
wk_tensor *wk_max_all(wk_tensor *x) { return extremum("max", SLOT(amax), &(wk_reduce_args){.x = x}); }
wk_tensor *wk_min_all(wk_tensor *x) { return extremum("min", SLOT(amin), &(wk_reduce_args){.x = x}); }

/* ---------------------------------------------------------------- all, any: the smallest, the largest of x != 0 */

static wk_tensor *truth(const char *op, size_t kernel, const wk_reduce_args *args)
{
    WK_REQUIRE(op, args->x);
    wk_reduction plan;
    wk_tensor *x = NULL, *y = NULL;
    wk_no_grad
    {
        x = wk_to(args->x, wk_bool);
        if (x && wk_plan_reduction(op, x, &args->dims, args->keepdim, &plan))
            y = wk_fold(op, kernel, &plan);
        if (y && args->x->dtype == wk_uint8)
            y = wk_to(y, wk_uint8);
    }
    return y;
}

wk_tensor *wk_all_with(wk_reduce_args args) { return truth("all", SLOT(amin), &args); }
wk_tensor *wk_any_with(wk_reduce_args args) { return truth("any", SLOT(amax), &args); }

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
