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

bool wk_check_format(const char *op, int ndim, const int64_t *shape, wk_memory_format format)
{
    const int dims = format == wk_channels_last ? 4 : format == wk_channels_last_3d ? 5 : ndim;
    if (format <= wk_preserve_format || format > wk_channels_last_3d)
        return wk_fail(op, "memory_format: expected wk_contiguous_format, wk_channels_last or wk_channels_last_3d");
    if (ndim != dims)
        return wk_fail(op, "memory_format: %s is for %d dims, got %s",
                       format == wk_channels_last ? "wk_channels_last" : "wk_channels_last_3d", dims,
                       wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}));
    return true;
}

wk_tensor *wk_tensor_new_format(const char *op, int ndim, const int64_t *shape, wk_memory_format format, wk_dtype dtype,
                                wk_device device)
{
    static const int ORDERS[2][5] = {{0, 2, 3, 1}, {0, 2, 3, 4, 1}};
    if (format < wk_channels_last)
        return wk_tensor_new(op, ndim, shape, dtype, device);
    return wk_tensor_new_ordered(op, ndim, shape, ORDERS[ndim - 4], dtype, device);
}

/* as PyTorch's is_channels_last_strides */
wk_memory_format wk_format_of(const wk_tensor *x)
{
    if ((x->ndim != 4 && x->ndim != 5) || x->strides[1] == 0)
        return wk_contiguous_format;
    int64_t least = 0;
    for (int i = 0; i < x->ndim; i++) { // from memory's last dim on: channels, width, height, ...
        const int dim = i == 0 ? 1 : i == x->ndim - 1 ? 0 : x->ndim - i;
        if (x->shape[dim] == 0 || x->strides[dim] < least || (dim == 0 && least == x->strides[1]))
            return wk_contiguous_format;
        least = x->strides[dim] * (x->shape[dim] > 1 ? x->shape[dim] : 1);
    }
    return x->ndim == 4 ? wk_channels_last : wk_channels_last_3d;
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
