/* The choice among copies: a long row, rows, tiles of a transposed plane, or element by element.

   Order does not matter to a copy, so the region's dims are first sorted by y's strides, then merged where both sides
   step through them as one.  y is then written front to back. */
#include "copy.h"
#include "core/run.h"

#include <stdlib.h>
#include <string.h>

typedef wk_copy_strided_work region;

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

/* dim `from` becomes the last but `behind` */
static void move_dim(region *w, int from, int behind)
{
    const int to = w->ndim - 1 - behind;
    const int64_t size = w->shape[from], x_stride = w->x_strides[from], y_stride = w->y_strides[from];
    for (int dim = from; dim < to; dim++) {
        w->shape[dim] = w->shape[dim + 1];
        w->x_strides[dim] = w->x_strides[dim + 1];
        w->y_strides[dim] = w->y_strides[dim + 1];
    }
    w->shape[to] = size;
    w->x_strides[to] = x_stride;
    w->y_strides[to] = y_stride;
}

/* A plane to transpose: the dim along which x is contiguous is moved next to the last, along which y is.  False where
   there is none, or one so narrow (channels of an image) that a loop along its long side is faster: that side is then
   last. */
static bool transposed_plane(region *w)
{
    const int last = w->ndim - 1;
    int across = -1;
    for (int dim = 0; dim < last; dim++)
        if (w->x_strides[dim] == 1)
            across = dim;
    if (across < 0 || w->y_strides[last] != 1 || w->x_strides[last] == 0)
        return false;
    const int64_t narrow = 32 / w->size;
    const bool plane = w->shape[across] >= narrow && w->shape[last] >= narrow;
    if (plane || w->shape[last] < w->shape[across])
        move_dim(w, across, plane ? 1 : 0);
    return plane;
}

static void copy_bytes(const wk_tensor *like, region *w)
{
    int64_t count = 1;
    for (int dim = 0; dim < w->ndim; dim++)
        count *= w->shape[dim];
    if (w->x_strides[w->ndim - 1] != 1 && transposed_plane(w)) {
        const int64_t line = 64 / w->size, rows = w->shape[w->ndim - 2], columns = w->shape[w->ndim - 1];
        const int64_t tiles = (rows + line - 1) / line * ((columns + line - 1) / line);
        wk_run_range(like, copy_transposed, count / rows / columns * tiles, line * line, .region = *w);
        return;
    }
    wk_parallel(wk_kernels_of(like->device, like->dtype)->copy_strided, w, count, 1);
}

static void copy_converted(const wk_tensor *x, const wk_tensor *y, const region *w)
{
    int64_t count = 1;
    wk_pointwise_work work = {.inputs = 1, .ndim = w->ndim};
    work.in[0] = (wk_pointwise_operand){.data = (void *)(uintptr_t)w->x, .dtype = x->dtype};
    work.out = (wk_pointwise_operand){.data = w->y, .dtype = y->dtype};
    for (int dim = 0; dim < w->ndim; dim++) {
        work.shape[dim] = w->shape[dim];
        work.in[0].strides[dim] = w->x_strides[dim];
        work.out.strides[dim] = w->y_strides[dim];
        count *= w->shape[dim];
    }
    work.count = count;
    wk_queue *queue = wk_queue_of(y->device);
    wk_kernels_of(y->device, y->dtype)->pointwise[WK_ROW_copy](queue, &work);
}

void wk_copy_region(int ndim, const int64_t *shape, const wk_copy_side *x, const wk_copy_side *y)
{
    region w = {.size = (int64_t)wk_dtype_size(y->tensor->dtype)};
    w.x = (char *)wk_data(x->tensor) + x->offset * (int64_t)wk_dtype_size(x->tensor->dtype);
    w.y = (char *)wk_data(y->tensor) + y->offset * w.size;
    if (!order_dims(&w, ndim, shape, x->strides, y->strides))
        return;
    merge_dims(&w);
    if (x->tensor->dtype == y->tensor->dtype)
        copy_bytes(y->tensor, &w);
    else
        copy_converted(x->tensor, y->tensor, &w);
}

void wk_copy_values(wk_tensor *x, wk_tensor *y)
{
    wk_copy_side from = {.tensor = x}, to = {.tensor = y};
    for (int dim = 0; dim < y->ndim; dim++) {
        const int own = dim - (y->ndim - x->ndim);
        from.strides[dim] = own < 0 || x->shape[own] == 1 ? 0 : x->strides[own];
        to.strides[dim] = y->strides[dim];
    }
    wk_copy_region(y->ndim, y->shape, &from, &to);
}
