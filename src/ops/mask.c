/* Where a tensor is not zero: nonzero, masked_select.  How large the result is depends on values: the host waits for
   them, and looks at them on the CPU. */
#include <wick/join.h>

#include "index.h"

#include "core/host.h"

/* row-major positions where x is not 0, on the CPU */
static wk_tensor *positions_on_cpu(const char *op, wk_tensor *x)
{
    wk_tensor *mask = wk_to(wk_dense(WK_WITHOUT_GRAD(wk_to(x, wk_bool))), wk_cpu);
    const bool *holds = mask ? wk_host(op, mask) : NULL;
    if (!holds)
        return NULL;
    int64_t count = 0;
#pragma omp simd reduction(+ : count)
    for (int64_t i = 0; i < mask->numel; i++)
        count += holds[i];
    wk_tensor *positions = wk_tensor_new(op, 1, &count, wk_int64, wk_cpu);
    int64_t *to = positions ? wk_host(op, positions) : NULL;
    /* written whether it holds or not, and kept where it does: no branch to guess */
    for (int64_t i = 0, at = 0; to && at < count; i++) {
        to[at] = i;
        at += holds[i];
    }
    return positions;
}

wk_tensor *wk_nonzero_positions(const char *op, wk_tensor *x)
{
    WK_REQUIRE(op, x);
    return wk_to(positions_on_cpu(op, x), x->device);
}

wk_tensor *(wk_nonzero)(wk_tensor *x)
{
    static const char OP[] = "nonzero";
    WK_REQUIRE(OP, x);
    wk_tensor *positions = positions_on_cpu(OP, x);
    if (!positions)
        return NULL;
    const int64_t shape[2] = {positions->numel, x->ndim};
    wk_tensor *y = wk_tensor_new(OP, 2, shape, wk_int64, wk_cpu);
    if (!y)
        return NULL;
    const int64_t *from = wk_host(OP, positions);
    int64_t *to = wk_host(OP, y);
    const int last = x->ndim - 1;
    int64_t coordinate[WK_MAX_DIMS] = {0}, row = 0; // where the row begins that coordinate is in
    for (int64_t i = 0; last >= 0 && i < positions->numel; i++, to += x->ndim) {
        if (from[i] - row >= x->shape[last]) {
            int64_t rest = from[i] / x->shape[last];
            row = rest * x->shape[last];
            for (int dim = last - 1; dim >= 0; dim--) {
                coordinate[dim] = rest % x->shape[dim];
                rest /= x->shape[dim];
            }
        }
        coordinate[last] = from[i] - row;
        for (int dim = 0; dim <= last; dim++)
            to[dim] = coordinate[dim];
    }
    return wk_to(y, x->device);
}

/* a row for each dim of x, one where it has none */
static wk_tensor *columns_of(wk_tensor *y, const wk_tensor *x)
{
    return y && x->ndim == 0 ? wk_new_zeros(y, (1, y->shape[0])) : wk_contiguous(y ? wk_t(y) : y);
}

wk_tensors wk_where_true(wk_tensor *cond)
{
    WK_NAMES_ERRORS("where");
    wk_tensor *y = (wk_nonzero)(cond);
    return wk_unbind_with((wk_split_args){.x = columns_of(y, cond)});
}

wk_tensor *wk_nonzero_with(wk_nonzero_args args)
{
    WK_NAMES_ERRORS("nonzero");
    wk_tensor *y = (wk_nonzero)(args.x);
    if (!args.places.items)
        return y;
    return wk_unbind_with((wk_split_args){.x = columns_of(y, args.x), .places = args.places}).count > 0 ? y : NULL;
}

/* index_select of x as one row of elements, which has the gradient */
wk_tensor *wk_masked_select(wk_tensor *x, wk_tensor *mask)
{
    static const char OP[] = "masked_select";
    WK_REQUIRE(OP, x);
    WK_REQUIRE(OP, mask);
    if (mask->dtype != wk_bool)
        return wk_fail(OP, "mask: expected bool, got %s", wk_dtype_name(mask->dtype));
    wk_shape both = {0};
    if (!wk_check_same_device(OP, "x", x, "mask", mask) ||
        !wk_broadcast_shapes(OP, x->ndim, x->shape, mask->ndim, mask->shape, &both.ndim, both.sizes))
        return NULL;
    wk_tensor *positions = wk_nonzero_positions(OP, wk_expand_with(mask, both, NULL));
    return wk_index_select(wk_reshape(wk_expand_with(x, both, NULL), (-1)), 0, positions);
}
