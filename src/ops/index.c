/* Rows along one dim: index_select, index_add, index_copy, index_fill.  x is seen as (outer, N, inner).

   Their gradients are each other: what index_select reads, index_add adds back into zeros. */
#include "index.h"
#include "core/run.h"

#include <string.h>

wk_tensor *wk_index_checked(const char *op, wk_tensor *index, int64_t size, int dim, const wk_tensor *x)
{
    if (index->dtype != wk_int64 && index->dtype != wk_int32)
        return wk_fail(op, "index: expected int64 or int32, got %s", wk_dtype_name(index->dtype));
    wk_tensor *dense = NULL;
    wk_no_grad dense = wk_dense(wk_to(index, wk_int64));
    if (!dense || dense->numel == 0)
        return dense;
    int64_t bad = 0; // inside, unless there is none
    if (size > 0)
        wk_run_range(dense, index_check, dense->numel, 1, .index = wk_data(dense), .low = 0, .high = size, .ignore = 0,
               .bad = &bad);
    else
        bad = *(int64_t *)wk_data(dense);
    if (size == 0 || bad != 0)
        return wk_fail(op, "index: %lld is out of range for dim %d of %s, which has size %lld", (long long)bad, dim,
                       wk_shape_string(x), (long long)size);
    return dense;
}

/* x as (outer, n, inner) along dim; a 0-d tensor is one row of one */
typedef struct rows {
    int64_t outer, n, inner;
} rows;

static rows rows_of(const wk_tensor *x, int dim)
{
    rows r = {1, x->ndim > 0 ? x->shape[dim] : 1, 1};
    for (int own = 0; own < x->ndim; own++)
        if (own != dim)
            *(own < dim ? &r.outer : &r.inner) *= x->shape[own];
    return r;
}

static bool check_index(const char *op, const wk_tensor *index)
{
    if (index->ndim > 1)
        return wk_fail(op, "index: expected a 1-D tensor, got %s\nhint: wk_index(x, \"%%p\", index) takes any shape",
                       wk_shape_string(index));
    return true;
}

/* ---------------------------------------------------------------- index_select: dx = dy added into zeros at index */

static void index_select_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *zeros = wk_gradient_zeros(node->shape.ndim, node->shape.sizes, dy->dtype, dy->device);
    wk_accumulate(node, 0, zeros ? wk_index_add(zeros, node->dim, wk_saved(node, 0), dy) : NULL);
}

wk_tensor *wk_index_select(wk_tensor *x, int64_t dim_, wk_tensor *index)
{
    WK_REQUIRE("index_select", x);
    WK_REQUIRE("index_select", index);
    const int dim = wk_check_dim("index_select", x->ndim, dim_);
    if (dim < 0 || !check_index("index_select", index))
        return NULL;
    const rows r = rows_of(x, dim);
    wk_tensor *checked = wk_index_checked("index_select", index, r.n, dim, x), *from = wk_dense(x);
    int64_t shape[WK_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    shape[dim] = index->numel;
    if (x->ndim == 0 && index->numel != 1)
        return wk_fail("index_select", "index: expected one element for a 0-d x, got %s", wk_shape_string(index));
    wk_tensor *y = checked && from ? wk_tensor_new("index_select", x->ndim, shape, x->dtype, x->device) : NULL;
    if (!y)
        return NULL;
    if (y->numel > 0)
        wk_run_range(y, gather_rows, r.outer * index->numel, r.inner, .x = wk_data(from), .index = wk_data(checked),
               .y = wk_data(y), .bytes = r.inner * (int64_t)wk_dtype_size(x->dtype), .m = index->numel, .n = r.n);
    return wk_record(y, index_select_backward, WK_INPUTS(x), WK_SAVED(checked), .dim = dim,
                     .shape = wk_shape_of(x->ndim, x->shape));
}

/* ---------------------------------------------------------------- index_add, index_copy: one shape of arguments */

/* what the two have in common: x of any layout, source (.., M, ..) */
typedef struct row_write {
    const char *op;
    wk_tensor *x, *index, *source;
    int dim;
    bool adds;
} row_write;

/* false after an error; index becomes dense and in range */
static bool check_write(row_write *w, int64_t dim)
{
    if (!w->x || !w->index || !w->source)
        return wk_null_input(w->op, !w->x ? "x" : !w->index ? "index" : "source");
    w->dim = wk_check_dim(w->op, w->x->ndim, dim);
    if (w->dim < 0 || !check_index(w->op, w->index))
        return false;
    if (w->source->dtype != w->x->dtype)
        return wk_fail(w->op, "source: expected x's dtype %s, got %s", wk_dtype_name(w->x->dtype),
                       wk_dtype_name(w->source->dtype));
    bool fits = w->source->ndim == w->x->ndim || (w->source->ndim == 0 && w->index->numel == 1 && w->x->ndim == 1) ||
                (w->x->ndim == 0 && w->source->numel == 1);
    for (int own = 0; fits && own < w->x->ndim && w->source->ndim > 0; own++)
        fits = w->source->shape[own] == (own == w->dim ? w->index->numel : w->x->shape[own]);
    if (!fits)
        return wk_fail(w->op, "source: expected x's shape %s with %lld along dim %d, got %s", wk_shape_string(w->x),
                       (long long)w->index->numel, w->dim, wk_shape_string(w->source));
    w->index = wk_index_checked(w->op, w->index, w->x->ndim > 0 ? w->x->shape[w->dim] : 1, w->dim, w->x);
    return w->index;
}

/* writes into y, which is dense and holds x's values; y itself, or NULL after an error */
static wk_tensor *write_rows(const row_write *w, wk_tensor *y)
{
    const rows r = rows_of(y, w->dim);
    wk_tensor *source = wk_dense(w->source);
    if (!source || source->numel == 0)
        return source ? y : NULL;
    const int64_t m = w->index->numel, items = r.outer * ((r.inner + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK);
    const int64_t cost = m * (r.inner < WK_INDEX_BLOCK ? r.inner : WK_INDEX_BLOCK);
    if (!w->adds)
        wk_run_range(y, scatter_rows, items, cost, .x = wk_data(source), .index = wk_data(w->index), .y = wk_data(y),
               .n = r.n, .m = m, .inner = r.inner, .size = (int64_t)wk_dtype_size(y->dtype));
    else if (wk_dtype_is_complex(y->dtype)) // pairs of real numbers
        wk_parallel_ranges(wk_kernels_of(y->device, wk_dtype_to_real(y->dtype))->index_add,
                    &(wk_index_add_work){.source = wk_data(source),
                                         .index = wk_data(w->index),
                                         .y = wk_data(y),
                                         .count = m,
                                         .width = 2 * r.inner,
                                         .ignore = -1,
                                         .n = r.n},
                    r.outer * ((2 * r.inner + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK), cost);
    else
        wk_run_range(y, index_add, items, cost, .source = wk_data(source), .index = wk_data(w->index), .y = wk_data(y),
               .count = m, .width = r.inner, .ignore = -1, .n = r.n);
    return y;
}

/* dx = dy, dsource = alpha dy[index] */
static void index_add_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dy);
    if (wk_needs(node, 1)) {
        wk_tensor *dsource = wk_index_select(dy, node->dim, wk_saved(node, 0));
        dsource = dsource ? wk_reshape_with(dsource, node->shape) : NULL;
        wk_accumulate(node, 1, node->number == 1 ? dsource : wk_mul(dsource, node->number));
    }
}

/* dx = dy, 0 at index; dsource = dy[index] */
static void index_copy_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_index_fill(dy, node->dim, wk_saved(node, 0), 0));
    if (wk_needs(node, 1)) {
        wk_tensor *dsource = wk_index_select(dy, node->dim, wk_saved(node, 0));
        wk_accumulate(node, 1, dsource ? wk_reshape_with(dsource, node->shape) : NULL);
    }
}

static wk_tensor *fresh_copy(wk_tensor *x)
{
    wk_tensor *copy = NULL;
    wk_no_grad copy = wk_clone(x);
    return copy;
}

static wk_tensor *written(row_write w, wk_tensor *source, double alpha)
{
    const wk_shape shape = wk_shape_of(w.source->ndim, w.source->shape);
    wk_tensor *y = fresh_copy(w.x);
    y = y ? write_rows(&w, y) : NULL;
    return w.adds ? wk_record(y, index_add_backward, WK_INPUTS(w.x, source), WK_SAVED(w.index), .dim = w.dim,
                              .number = alpha, .shape = shape)
                  : wk_record(y, index_copy_backward, WK_INPUTS(w.x, source), WK_SAVED(w.index), .dim = w.dim,
                              .shape = shape);
}

static wk_tensor *written_in_place(row_write w, wk_tensor *source, double alpha)
{
    if (!wk_check_writable(w.op, w.x))
        return NULL;
    const bool overlaps = source->storage == w.x->storage || w.index->storage == w.x->storage;
    if (overlaps || !wk_is_contiguous(w.x) || wk_would_record((wk_tensors){2, (wk_tensor *[]){w.x, source}}))
        return wk_write(w.op, w.x, written(w, source, alpha));
    if (!write_rows(&w, w.x))
        return NULL;
    w.x->storage->version++;
    return w.x;
}

static wk_tensor *index_add_any(const char *op, wk_index_add_args args, bool in_place)
{
    row_write w = {.op = op, .x = args.x, .index = args.index, .source = args.source, .adds = true};
    if (!check_write(&w, args.dim))
        return NULL;
    if (wk_is_half(args.x->dtype)) { // summed in float32
        wk_index_add_args wide = args;
        wide.x = wk_to(args.x, wk_float32);
        wide.source = wk_to(args.source, wk_float32);
        wk_tensor *y = wk_to(wk_index_add_with(wide), args.x->dtype);
        return in_place ? (wk_check_writable(op, args.x) ? wk_write(op, args.x, y) : NULL) : y;
    }
    if (args.alpha != 1) {
        wk_no_grad w.source = wk_dtype_is_integral(w.x->dtype) ? wk_mul(args.source, (int64_t)args.alpha)
                                                               : wk_mul(args.source, args.alpha);
        if (!w.source)
            return NULL;
    }
    return in_place ? written_in_place(w, args.source, args.alpha) : written(w, args.source, args.alpha);
}

wk_tensor *wk_index_add_with(wk_index_add_args args) { return index_add_any("index_add", args, false); }
wk_tensor *wk_index_add_in_place_with(wk_index_add_args args) { return index_add_any("index_add_", args, true); }

wk_tensor *wk_index_copy(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    row_write w = {.op = "index_copy", .x = x, .index = index, .source = source};
    return check_write(&w, dim) ? written(w, source, 1) : NULL;
}

wk_tensor *wk_index_copy_(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    row_write w = {.op = "index_copy_", .x = x, .index = index, .source = source};
    return check_write(&w, dim) ? written_in_place(w, source, 1) : NULL;
}

/* ---------------------------------------------------------------- index_fill: index_copy of a value expanded */

static wk_tensor *expanded_value(const char *op, wk_tensor *x, int64_t dim_, wk_tensor *index, wk_operand value)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, index);
    const int dim = wk_check_dim(op, x->ndim, dim_);
    if (dim < 0 || !check_index(op, index))
        return NULL;
    if (value.tensor && value.tensor->ndim > 0)
        return wk_fail(op, "value: expected a number or a 0-d tensor, got %s", wk_shape_string(value.tensor));
    if (!value.tensor && !value.number.kind)
        return wk_null_input(op, "value");
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    if (x->ndim > 0)
        shape.sizes[dim] = index->numel;
    wk_tensor *one =
        value.tensor ? wk_to(value.tensor, x->dtype)
                     : wk_full_with((wk_factory_args){.fill = value.number, .dtype = x->dtype, .device = x->device});
    return one ? wk_expand_with(one, shape, NULL) : NULL;
}

wk_tensor *wk_index_fill_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value)
{
    wk_tensor *source = expanded_value("index_fill", x, dim, index, value);
    return source ? wk_index_copy(x, dim, index, source) : NULL;
}

wk_tensor *wk_index_fill_in_place_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value)
{
    wk_tensor *source = expanded_value("index_fill_", x, dim, index, value);
    return source ? wk_index_copy_(x, dim, index, source) : NULL;
}
