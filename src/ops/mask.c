/* Where a tensor is not zero: nonzero, masked_select. */
#include "index.h"

#include <string.h>

wk_tensor *wk_nonzero_positions(const char *op, wk_tensor *x)
{
    wk_tensor *mask = NULL;
    wk_no_grad mask = wk_dense(wk_to(x, wk_bool));
    if (!mask)
        return NULL;
    const bool *holds = wk_data(mask);
    int64_t count = 0;
#pragma omp simd reduction(+ : count)
    for (int64_t i = 0; i < mask->numel; i++)
        count += holds[i];
    wk_tensor *positions = wk_tensor_new(op, 1, &count, wk_int64, x->device);
    int64_t *to = positions ? wk_data(positions) : NULL;
    /* written whether it holds or not, and kept where it does: no branch to guess */
    for (int64_t i = 0, at = 0; to && at < count; i++) {
        to[at] = i;
        at += holds[i];
    }
    return positions;
}

wk_tensor *wk_nonzero(wk_tensor *x)
{
    WK_REQUIRE("nonzero", x);
    wk_tensor *positions = wk_nonzero_positions("nonzero", x);
    if (!positions)
        return NULL;
    const int64_t shape[2] = {positions->numel, x->ndim};
    wk_tensor *y = wk_tensor_new("nonzero", 2, shape, wk_int64, x->device);
    if (!y)
        return NULL;
    const int64_t *from = wk_data(positions);
    int64_t *to = wk_data(y);
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
    return y;
}

/* index_select of x as one row of elements, which has the gradient */
wk_tensor *wk_masked_select(wk_tensor *x, wk_tensor *mask)
{
    WK_REQUIRE("masked_select", x);
    WK_REQUIRE("masked_select", mask);
    if (mask->dtype != wk_bool)
        return wk_fail("masked_select", "mask: expected bool, got %s", wk_dtype_name(mask->dtype));
    wk_shape both = {0};
    if (!wk_broadcast_shapes("masked_select", x->ndim, x->shape, mask->ndim, mask->shape, &both.ndim, both.sizes))
        return NULL;
    wk_tensor *from = wk_expand_with(x, both, NULL), *where = wk_expand_with(mask, both, NULL);
    wk_tensor *positions = where ? wk_nonzero_positions("masked_select", where) : NULL;
    from = from ? wk_reshape(from, (-1)) : NULL;
    return from && positions ? wk_index_select(from, 0, positions) : NULL;
}
