/* Reductions over one or several dims. */
#include <wick/reduction.h>

#include <string.h>

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
            return wk_fail(op, "dims: %d comes twice", dim);
        chosen[dim] = true;
    }
    return true;
}

/* dx = dy, repeated over what was summed */
static void sum_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *kept = wk_reshape_with(dy, node->shape2);
    wk_accumulate(node, 0, wk_expand_with(kept, node->shape, NULL));
}

wk_tensor *wk_sum_with(wk_reduce_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("sum", x);
    bool chosen[WK_MAX_DIMS];
    if (!chosen_dims("sum", x, &args.dims, chosen))
        return NULL;
    const wk_dtype dtype = args.dtype ? args.dtype : wk_dtype_is_integral(x->dtype) ? wk_int64 : x->dtype;
    if (x->dtype != dtype)
        x = wk_to(x, dtype);
    if (x && wk_is_half(dtype)) {
        args.x = wk_to(x, wk_float32);
        args.dtype = wk_float32;
        return wk_to(wk_sum_with(args), dtype);
    }
    /* kept dims first, summed dims last and dense: rows */
    wk_shape order = {0}, kept = {0}, result = {0};
    int64_t n = 1;
    if (!x)
        return NULL;
    order.ndim = kept.ndim = x->ndim;
    int at = 0;
    for (int dim = 0; dim < x->ndim; dim++)
        if (!chosen[dim])
            order.sizes[at++] = dim;
    for (int dim = 0; dim < x->ndim; dim++) {
        kept.sizes[dim] = chosen[dim] ? 1 : x->shape[dim];
        if (chosen[dim]) {
            order.sizes[at++] = dim;
            n *= x->shape[dim];
        }
        if (!chosen[dim] || args.keepdim)
            result.sizes[result.ndim++] = kept.sizes[dim];
    }
    wk_tensor *rows = NULL, *y = wk_tensor_new("sum", result.ndim, result.sizes, dtype, x->device);
    wk_no_grad rows = wk_dense(wk_permute_with(x, order));
    if (!rows || !y)
        return NULL;
    wk_run(x, sum, y->numel, n, .x = wk_data(rows), .y = wk_data(y), .n = n, .inner = 1,
           .chunk = n > 0 ? n : 1);
    return wk_record(y, sum_backward, WK_INPUTS(x), .shape = wk_shape_of(x->ndim, x->shape), .shape2 = kept);
}

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
