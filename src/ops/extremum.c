/* max and min along a dim, with their places; argmax, argmin.  (max and min of everything are amax and amin:
   reduction.c.) */
#include "kernels/extremum.h"
#include "ops.h"
#include "reduction.h"

typedef struct max_kept {
    wk_reduced reduced;
    int dim;
} max_kept;

/* dx = dy where the index says, 0 elsewhere */
static void max_backward(wk_node *node, wk_tensor *dy)
{
    const max_kept *kept = node->kept;
    wk_tensor *indices = wk_saved(node, 0);
    if (!indices)
        return;
    wk_shape along = {.ndim = kept->reduced.shape.ndim};
    for (int dim = 0; dim < along.ndim; dim++)
        along.sizes[dim] = dim == kept->dim ? -1 : 1;
    const int64_t n = along.ndim > 0 ? kept->reduced.shape.sizes[kept->dim] : 1;
    wk_tensor *positions =
        wk_arange_with(WK_NUMBER(0), WK_NUMBER(n), WK_NUMBER(1), (wk_range_args){.device = indices->device});
    wk_tensor *chosen = wk_eq(wk_reshape_with(positions, along), wk_keep_dims(&kept->reduced, indices));
    wk_accumulate(node, 0, wk_where(chosen, wk_keep_dims(&kept->reduced, dy), 0));
}

/* over one dim, or (dim < 0) over all: values (or not) and indices, without history; false after an error */
static bool arg_reduce(const char *op, bool largest, wk_tensor *x, int dim, bool keepdim, wk_reduction *plan,
                       wk_tensor **values, wk_tensor **indices)
{
    const wk_shape dims = {.ndim = dim >= 0, .sizes = {dim}};
    if (!wk_plan_reduction(op, x, &dims, keepdim, plan) || !wk_check_has_extremum(op, x, plan, dim < 0))
        return false;
    const wk_shape *result = &plan->result;
    *indices = wk_tensor_new(op, result->ndim, result->sizes, wk_int64, x->device);
    if (values)
        *values = wk_tensor_new(op, result->ndim, result->sizes, x->dtype, x->device);
    if (!*indices || (values && !*values))
        return false;
    return wk_run(op, x, extremum, .x = wk_data(plan->source), .values = values ? wk_data(*values) : NULL,
                  .indices = wk_data(*indices), .outer = plan->outer, .n = plan->n, .inner = plan->inner,
                  .largest = largest);
}

static wk_tensor *extremum_dim(const char *op, bool largest, wk_extremum_args *args)
{
    wk_tensor *x = args->x, *values = NULL, *indices = NULL;
    for (int64_t i = 0; i < args->places.count; i++)
        if (args->places.items[i])
            *args->places.items[i] = NULL;
    WK_REQUIRE(op, x);
    if (args->places.count != 2 && args->places.count != 0)
        return wk_fail(op, "places: expected (&values, &indices), got %lld", (long long)args->places.count);
    wk_reduction plan;
    const int dim = wk_check_dim(op, x->ndim, args->dim);
    if (dim < 0 || !arg_reduce(op, largest, x, dim, args->keepdim, &plan, &values, &indices))
        return NULL;
    const wk_reduced reduced = {wk_shape_of(x->ndim, x->shape), plan.kept};
    values = wk_record(values, max_backward, .name = largest ? "max_backward" : "min_backward", WK_INPUTS(x),
                       WK_SAVED(indices), WK_KEPT(max_kept, reduced, dim));
    if (args->places.count && args->places.items[0])
        *args->places.items[0] = values;
    if (args->places.count && args->places.items[1])
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
