/* A copy as kernels see it: a region of few dims, in y's order of memory.

   Order does not matter to a copy, so the region's dims are first sorted by y's strides, then merged where both sides
   step through them as one.  y is then written front to back. */
#include "copy.h"

#include <stdlib.h>
#include <string.h>

#include "core/run.h"
#include "kernels/copy.h"
#include "kernels/pointwise.h"

typedef wk_copy_work region;

static const char OP[] = "copy";

/* larger strides of y outside; false where there is nothing to copy */
static bool order_dims(region *w, int ndim, const int64_t *shape, const int64_t *x_strides, const int64_t *y_strides)
{
    for (int dim = 0; dim < ndim; dim++) {
        if (shape[dim] == 0)
            return false;
        if (shape[dim] == 1)
            continue;
        int at = w->ndim++;
        for (; at > 0 && llabs(w->y_strides[at - 1]) < llabs(y_strides[dim]); at--) {
            w->shape[at] = w->shape[at - 1];
            w->x_strides[at] = w->x_strides[at - 1];
            w->y_strides[at] = w->y_strides[at - 1];
        }
        w->shape[at] = shape[dim];
        w->x_strides[at] = x_strides[dim];
        w->y_strides[at] = y_strides[dim];
    }
    return true;
}

static void merge_dims(region *w)
{
    int kept = 0;
    for (int dim = 0; dim < w->ndim; dim++) {
        const bool merges = kept > 0 && w->x_strides[kept - 1] == w->x_strides[dim] * w->shape[dim] &&
                            w->y_strides[kept - 1] == w->y_strides[dim] * w->shape[dim];
        const int to = merges ? kept - 1 : kept++;
        w->shape[to] = merges ? w->shape[to] * w->shape[dim] : w->shape[dim];
        w->x_strides[to] = w->x_strides[dim];
        w->y_strides[to] = w->y_strides[dim];
    }
    w->ndim = kept;
    if (kept == 0) { // one element
        w->ndim = 1;
        w->shape[0] = w->x_strides[0] = w->y_strides[0] = 1;
    }
}

static bool copy_converted(const wk_tensor *x, const wk_tensor *y, const region *w)
{
    wk_pointwise_work work = {.inputs = 1, .ndim = w->ndim, .count = 1};
    work.in[0] = (wk_pointwise_operand){.data = (void *)(uintptr_t)w->x, .dtype = x->dtype};
    work.out = (wk_pointwise_operand){.data = w->y, .dtype = y->dtype};
    for (int dim = 0; dim < w->ndim; dim++) {
        work.shape[dim] = w->shape[dim];
        work.in[0].strides[dim] = w->x_strides[dim];
        work.out.strides[dim] = w->y_strides[dim];
        work.count *= w->shape[dim];
    }
    return wk_run_row(OP, y->device, y->dtype, WK_ROW(copy), &work);
}

bool wk_copy_region(int ndim, const int64_t *shape, const wk_copy_side *x, const wk_copy_side *y)
{
    if (!wk_check_same_device(OP, "x", x->tensor, "the result", y->tensor))
        return false;
    region w = {.size = (int64_t)wk_dtype_size(y->tensor->dtype)};
    w.x = (char *)wk_data(x->tensor) + x->offset * (int64_t)wk_dtype_size(x->tensor->dtype);
    w.y = (char *)wk_data(y->tensor) + y->offset * w.size;
    if (!order_dims(&w, ndim, shape, x->strides, y->strides))
        return true;
    merge_dims(&w);
    if (x->tensor->dtype != y->tensor->dtype)
        return copy_converted(x->tensor, y->tensor, &w);
    return wk_run_work(OP, y->tensor, copy, &w);
}

bool wk_copy_values(wk_tensor *x, wk_tensor *y)
{
    wk_copy_side from = {.tensor = x}, to = {.tensor = y};
    for (int dim = 0; dim < y->ndim; dim++) {
        const int own = dim - (y->ndim - x->ndim);
        from.strides[dim] = own < 0 || x->shape[own] == 1 ? 0 : x->strides[own];
        to.strides[dim] = y->strides[dim];
    }
    return wk_copy_region(y->ndim, y->shape, &from, &to);
}
