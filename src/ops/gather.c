/* Elements along one dim, each with an index of its own: gather, scatter, scatter_add, take_along_dim.  Their gradients
   are each other.

   An item of the kernels is a column along the dim: whatever elements of it share an index are met in order. */
#include "index.h"
#include "core/run.h"

#include <string.h>

/* false after an error: index has other dims than x, or is larger than x somewhere but along dim (or than `whole`
   anywhere) */
static bool check_sizes(const char *op, const wk_tensor *x, const wk_tensor *index, int dim, const wk_tensor *whole)
{
    if (index->numel == 0)
        return true;
    const int ndim = x->ndim > 0 ? x->ndim : 1, index_ndim = index->ndim > 0 ? index->ndim : 1;
    bool fits = index_ndim == ndim && (!whole || (whole->ndim > 0 ? whole->ndim : 1) == ndim);
    for (int own = 0; fits && own < index->ndim; own++)
        fits = (own == dim || x->ndim == 0 || index->shape[own] <= x->shape[own]) &&
               (!whole || whole->ndim == 0 || index->shape[own] <= whole->shape[own]);
    if (!fits)
        return wk_fail(op, "index: expected %d dims, none larger than x's %s but for dim %d%s%s, got %s", x->ndim,
                       wk_shape_string(x), dim, whole ? ", nor than source's " : "",
                       whole ? wk_shape_string(whole) : "", wk_shape_string(index));
    return true;
}

/* the columns of index, along which `from` is read and `to` written; step: of which of the two indices choose places */
static wk_gather_work columns_of(const wk_tensor *index, wk_tensor *from, wk_tensor *to, int dim, int64_t *count)
{
    wk_gather_work w = {.x = wk_data(from),
                        .index = wk_data(index),
                        .y = wk_data(to),
                        .m = 1,
                        .size = (int64_t)wk_dtype_size(to->dtype)};
    *count = 1;
    for (int own = 0; own < index->ndim; own++) {
        const int64_t from_stride = from->ndim > 0 ? from->strides[own] : 0,
                      to_stride = to->ndim > 0 ? to->strides[own] : 0;
        if (own == dim) {
            w.m = index->shape[own];
            w.index_step = index->strides[own];
            w.x_step = from_stride;
            w.y_step = to_stride;
            continue;
        }
        w.shape[w.ndim] = index->shape[own];
        w.index_strides[w.ndim] = index->strides[own];
        w.x_strides[w.ndim] = from_stride;
        w.y_strides[w.ndim++] = to_stride;
        *count *= index->shape[own];
    }
    if (w.ndim > 0) { // an item is a block of columns
        const int64_t columns = w.shape[w.ndim - 1];
        *count = columns > 0 ? *count / columns * ((columns + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK) : 0;
    }
    return w;
}

static int64_t cost_of(const wk_gather_work *w)
{
    const int64_t columns = w->ndim > 0 ? w->shape[w->ndim - 1] : 1;
    return 2 * w->m * (columns < WK_INDEX_BLOCK ? columns : WK_INDEX_BLOCK);
}

static int64_t size_of(const wk_tensor *x, int dim) { return x->ndim > 0 ? x->shape[dim] : 1; }

/* ---------------------------------------------------------------- gather: dx = dy added into zeros at index */

static void gather_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *zeros = wk_gradient_zeros(node->shape.ndim, node->shape.sizes, dy->dtype, dy->device);
    wk_accumulate(node, 0, zeros ? wk_scatter_add(zeros, node->dim, wk_saved(node, 0), dy) : NULL);
}

wk_tensor *wk_gather(wk_tensor *x, int64_t dim_, wk_tensor *index)
{
    WK_REQUIRE("gather", x);
    WK_REQUIRE("gather", index);
    const int dim = wk_check_dim("gather", x->ndim, dim_);
    if (dim < 0 || !check_sizes("gather", x, index, dim, NULL))
        return NULL;
    wk_tensor *checked = wk_index_checked("gather", index, size_of(x, dim), dim, x);
    wk_tensor *y = checked ? wk_tensor_new("gather", index->ndim, index->shape, x->dtype, x->device) : NULL;
    if (!y)
        return NULL;
    int64_t count;
    const wk_gather_work w = columns_of(checked, x, y, dim, &count);
    if (y->numel > 0)
        wk_parallel(wk_kernels_of(y->device, y->dtype)->gather, &w, count, cost_of(&w));
    return wk_record(y, gather_backward, WK_INPUTS(x), WK_SAVED(checked), .dim = dim,
                     .shape = wk_shape_of(x->ndim, x->shape));
}

/* ---------------------------------------------------------------- scatter, scatter_add */

typedef struct element_write {
    const char *op;
    wk_tensor *x, *index, *source;
    int dim;
    bool adds;
} element_write;

static bool check_write(element_write *w, int64_t dim)
{
    if (!w->x || !w->index || !w->source)
        return wk_null_input(w->op, !w->x ? "x" : !w->index ? "index" : "source");
    w->dim = wk_check_dim(w->op, w->x->ndim, dim);
    if (w->dim < 0 || !check_sizes(w->op, w->x, w->index, w->dim, w->source))
        return false;
    if (w->source->dtype != w->x->dtype)
        return wk_fail(w->op, "source: expected x's dtype %s, got %s", wk_dtype_name(w->x->dtype),
                       wk_dtype_name(w->source->dtype));
    w->index = wk_index_checked(w->op, w->index, size_of(w->x, w->dim), w->dim, w->x);
    return w->index;
}

/* writes into y, which holds x's values */
static void write_elements(const element_write *w, wk_tensor *y)
{
    int64_t count;
    if (w->index->numel == 0)
        return;
    wk_gather_work columns = columns_of(w->index, w->source, y, w->dim, &count);
    const wk_kernels *kernels = wk_kernels_of(y->device, y->dtype);
    if (w->adds && wk_dtype_is_complex(y->dtype)) { // real parts, then imaginary ones
        for (int own = 0; own < columns.ndim; own++)
            columns.x_strides[own] *= 2, columns.y_strides[own] *= 2;
        columns.x_step *= 2, columns.y_step *= 2;
        kernels = wk_kernels_of(y->device, wk_dtype_to_real(y->dtype));
        wk_parallel(kernels->scatter_add, &columns, count, cost_of(&columns));
        columns.x = (const char *)columns.x + wk_dtype_size(y->dtype) / 2;
        columns.y = (char *)columns.y + wk_dtype_size(y->dtype) / 2;
    }
    wk_parallel(w->adds ? kernels->scatter_add : kernels->scatter, &columns, count, cost_of(&columns));
}

/* dy gathered at index, in index's part of source */
static void accumulate_source(wk_node *node, wk_tensor *dy)
{
    wk_tensor *part = wk_gather(dy, node->dim, wk_saved(node, 0));
    for (int own = 0; part && own < part->ndim; own++)
        if (part->shape[own] != node->shape.sizes[own]) {
            wk_shape larger = wk_shape_of(part->ndim, part->shape);
            larger.sizes[own] = node->shape.sizes[own];
            part = wk_slice_backward(part, larger, own, 0, 1, false);
        }
    wk_accumulate(node, 1, part);
}

/* dx = dy */
static void scatter_add_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dy);
    if (wk_needs(node, 1))
        accumulate_source(node, dy);
}

/* dx = dy, 0 at index */
static void scatter_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_scatter(dy, node->dim, wk_saved(node, 0), 0));
    if (wk_needs(node, 1))
        accumulate_source(node, dy);
}

static wk_tensor *written(const element_write *w, wk_tensor *source)
{
    wk_tensor *y = NULL;
    wk_no_grad y = wk_clone(w->x);
    if (!y)
        return NULL;
    write_elements(w, y);
    const wk_shape shape = wk_shape_of(source->ndim, source->shape);
    return w->adds ? wk_record(y, scatter_add_backward, WK_INPUTS(w->x, source), WK_SAVED(w->index), .dim = w->dim,
                               .shape = shape)
                   : wk_record(y, scatter_backward, WK_INPUTS(w->x, source), WK_SAVED(w->index), .dim = w->dim,
                               .shape = shape);
}

static wk_tensor *scattered(const char *op, wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source, bool adds,
                            bool in_place)
{
    element_write w = {.op = op, .x = x, .index = index, .source = source, .adds = adds};
    if (!check_write(&w, dim) || (in_place && !wk_check_writable(op, x)))
        return NULL;
    if (adds && wk_is_half(x->dtype)) { // summed in float32
        wk_tensor *y = wk_to(wk_scatter_add(wk_to(x, wk_float32), dim, index, wk_to(source, wk_float32)), x->dtype);
        return in_place ? wk_write(op, x, y) : y;
    }
    if (!in_place)
        return written(&w, source);
    const bool overlaps = source->storage == x->storage || w.index->storage == x->storage;
    if (overlaps || wk_would_record((wk_tensors){2, (wk_tensor *[]){x, source}}))
        return wk_write(op, x, written(&w, source));
    write_elements(&w, x);
    x->storage->version++;
    return x;
}

/* source as a tensor: a number is expanded to index's shape */
static wk_tensor *source_of(const char *op, wk_tensor *x, wk_tensor *index, wk_operand source)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, index);
    if (source.tensor || !source.number.kind)
        return source.tensor ? source.tensor : wk_null_input(op, "source");
    wk_tensor *one = wk_full_with((wk_factory_args){.fill = source.number, .dtype = x->dtype, .device = x->device});
    return one ? wk_expand_with(one, wk_shape_of(index->ndim, index->shape), NULL) : NULL;
}

wk_tensor *wk_scatter_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand source)
{
    wk_tensor *values = source_of("scatter", x, index, source);
    return values ? scattered("scatter", x, dim, index, values, false, false) : NULL;
}

wk_tensor *wk_scatter_in_place_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand source)
{
    wk_tensor *values = source_of("scatter_", x, index, source);
    return values ? scattered("scatter_", x, dim, index, values, false, true) : NULL;
}

wk_tensor *wk_scatter_add(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    return scattered("scatter_add", x, dim, index, source, true, false);
}

wk_tensor *wk_scatter_add_(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    return scattered("scatter_add_", x, dim, index, source, true, true);
}

/* ---------------------------------------------------------------- take_along_dim */

wk_tensor *wk_take_along_dim(wk_tensor *x, wk_tensor *index, int64_t dim_)
{
    WK_REQUIRE("take_along_dim", x);
    WK_REQUIRE("take_along_dim", index);
    const int dim = wk_check_dim("take_along_dim", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    if (x->ndim != index->ndim)
        return wk_fail("take_along_dim", "index: expected as many dims as x has, %d, got %s", x->ndim,
                       wk_shape_string(index));
    wk_shape x_size = wk_shape_of(x->ndim, x->shape), index_size = wk_shape_of(x->ndim, index->shape);
    int ndim;
    int64_t both[WK_MAX_DIMS];
    if (x->ndim > 0)
        x_size.sizes[dim] = index_size.sizes[dim] = 1;
    if (!wk_broadcast_shapes("take_along_dim", x->ndim, x_size.sizes, x->ndim, index_size.sizes, &ndim, both))
        return NULL;
    memcpy(x_size.sizes, both, sizeof both);
    memcpy(index_size.sizes, both, sizeof both);
    if (x->ndim > 0) {
        x_size.sizes[dim] = x->shape[dim];
        index_size.sizes[dim] = index->shape[dim];
    }
    wk_tensor *from = wk_expand_with(x, x_size, NULL), *at = wk_expand_with(index, index_size, NULL);
    return from && at ? wk_gather(from, dim, at) : NULL;
}
