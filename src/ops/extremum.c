/* max and min along a dim, with their places; argmax, argmin.  (max and min of everything are amax and amin:
 * reduction.c.) */
#include <string.h>

#include "ops.h"
#include "reduction.h"
#include "core/run.h"

/* dx = dy where the index says, 0 elsewhere */
static void max_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *indices = wk_saved(node, 0), *positions = NULL;
    wk_no_grad
    {
        wk_shape along = {.ndim = node->shape.ndim};
        for (int dim = 0; dim < along.ndim; dim++)
            along.sizes[dim] = dim == node->dim ? -1 : 1;
        positions = wk_reshape_with(wk_arange(node->shape.ndim ? node->shape.sizes[node->dim] : 1), along);
    }
    wk_tensor *chosen = wk_eq(positions, wk_reshape_with(indices, node->shape2));
    wk_accumulate(node, 0, wk_where(chosen, wk_keep_dims(node, dy), 0));
}

/* over one dim, or (dim < 0) over all: values (or not) and indices, without history; false after an error */
static bool arg_reduce(const char *op, bool largest, wk_tensor *x, int dim, bool keepdim, wk_reduction *plan,
                       wk_tensor **values, wk_tensor **indices)
{
    if (wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "is not defined for %s", wk_dtype_name(x->dtype));
    const wk_shape dims = {.ndim = dim >= 0, .sizes = {dim}};
    wk_tensor *wide = x;
    wk_no_grad wide = wk_is_half(x->dtype) ? wk_to(x, wk_float32) : x;
    if (!wide || !wk_plan_reduction(op, wide, &dims, keepdim, plan))
        return false;
    if (plan->n == 0 && (plan->outer * plan->inner > 0 || dim < 0))
        return wk_fail(op, "x: nothing has no largest or smallest; got %s\nhint: reduce over a dim that is not 0",
                       wk_shape_string(x));
    *indices = wk_tensor_new(op, plan->result.ndim, plan->result.sizes, wk_int64, x->device);
    wk_tensor *best = values ? wk_tensor_new(op, plan->result.ndim, plan->result.sizes, wide->dtype, x->device) : NULL;
    if (!*indices || (values && !best))
        return false;
    const int64_t count = (*indices)->numel;
    void *into = best ? wk_data(best) : NULL;
    if (count > 0 && largest)
        wk_run_range(wide, argmax, count, plan->n, .x = wk_data(plan->source), .values = into,
                     .indices = wk_data(*indices), .n = plan->n, .inner = plan->inner);
    else if (count > 0)
        wk_run_range(wide, argmin, count, plan->n, .x = wk_data(plan->source), .values = into,
                     .indices = wk_data(*indices), .n = plan->n, .inner = plan->inner);
    if (values)
        wk_no_grad *values = wk_to(best, x->dtype);
    return !values || *values;
}

static wk_tensor *extremum_dim(const char *op, bool largest, wk_extremum_args *args)
{
    wk_tensor *x = args->x, *values = NULL, *indices = NULL;
    for (int64_t i = 0; i < args->places.count; i++)
        if (args->places.items[i])
            *args->places.items[i] = NULL;
    WK_REQUIRE(op, x);
    if (args->places.count != 2)
        return wk_fail(op, "places: expected (&values, &indices), got %lld", (long long)args->places.count);
    wk_reduction plan;
    const int dim = wk_check_dim(op, x->ndim, args->dim);
    if (dim < 0 || !arg_reduce(op, largest, x, dim, args->keepdim, &plan, &values, &indices))
        return NULL;
    values = wk_record_one(values, &(wk_record_args){.name = largest ? "max_backward" : "min_backward",
                                                     .backward = max_backward,
                                                     WK_INPUTS(x),
                                                     WK_SAVED(indices),
                                                     .dim = dim,
                                                     .shape = wk_shape_of(x->ndim, x->shape),
                                                     .shape2 = plan.kept});
    if (args->places.items[0])
        *args->places.items[0] = values;
    if (args->places.items[1])
        *args->places.items[1] = values ? indices : NULL;
    return values;
}

wk_tensor *wk_max_dim_with(wk_extremum_args args) { return extremum_dim("max", true, &args); }
wk_tensor *wk_min_dim_with(wk_extremum_args args) { return extremum_dim("min", false, &args); }

static wk_tensor *arg_extremum(const char *op, bool largest, const wk_dim_args *args)
{
    WK_REQUIRE(op, args->x);
    wk_tensor *indices = NULL;
    wk_reduction plan;
    int dim = -1;
    if (args->dim != WK_NO_DIM && (dim = wk_check_dim(op, args->x->ndim, args->dim)) < 0)
        return NULL;
    return arg_reduce(op, largest, args->x, args->x->ndim > 0 ? dim : -1, args->keepdim, &plan, NULL, &indices)
               ? indices
               : NULL;
}

wk_tensor *wk_argmax_with(wk_dim_args args) { return arg_extremum("argmax", true, &args); }
wk_tensor *wk_argmin_with(wk_dim_args args) { return arg_extremum("argmin", false, &args); }
