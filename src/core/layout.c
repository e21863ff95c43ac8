/* The order of dims in memory. */
#include "layout.h"

#include <string.h>

/* whether `outer` belongs inside of `inner` (1), is outside of it (-1), or no operand tells (0) */
static int misplaced(const int64_t *shape, int operands, const int64_t *const *strides, int outer, int inner)
{
    for (int i = 0; i < operands; i++) {
        const int64_t stride = strides[i][outer], following = strides[i][inner];
        if (stride == 0 || following == 0) // an expanded dim has no place of its own
            continue;
        if (stride != following)
            return stride < following ? 1 : -1;
        if (shape[outer] < shape[inner])
            return 1;
    }
    return 0;
}

void wk_order_dims(int ndim, const int64_t *shape, int operands, const int64_t *const *strides, int *order)
{
    for (int dim = 0; dim < ndim; dim++)
        order[dim] = dim;
    for (int start = ndim - 2; start >= 0; start--)
        for (int place = start, i = start + 1; i < ndim; i++) {
            const int found = misplaced(shape, operands, strides, order[place], order[i]);
            if (found < 0)
                break;
            if (found == 0)
                continue;
            const int outer = order[place];
            order[place] = order[i];
            order[i] = outer;
            place = i;
        }
}

wk_tensor *wk_tensor_new_like(const char *op, const wk_tensor *x, wk_dtype dtype, wk_device device)
{
    if (device.type == WK_DEVICE_DEFAULT)
        device = x->device;
    if (wk_is_contiguous(x))
        return wk_tensor_new(op, x->ndim, x->shape, dtype, device);
    if (wk_is_dense(x)) {
        wk_tensor *y = wk_tensor_new(op, x->ndim, x->shape, dtype, device);
        if (y)
            memcpy(y->strides, x->strides, sizeof y->strides);
        return y;
    }
    int order[WK_MAX_DIMS];
    wk_order_dims(x->ndim, x->shape, 1, (const int64_t *const[]){x->strides}, order);
    return wk_tensor_new_ordered(op, x->ndim, x->shape, order, dtype, device);
}
