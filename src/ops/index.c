/* Rows along one dim: index_select, index_add, index_copy, index_fill.  x is seen as (outer, N, inner).

   Their gradients are each other: what index_select reads, index_add adds back into zeros. */
#include "index.h"

#include <string.h>

#include "core/run.h"
#include "kernels/index_add.h"

wk_tensor *wk_index_dense(const char *op, wk_tensor *index, const wk_tensor *x)
{
    if (index->dtype != wk_int64 && index->dtype != wk_int32)
        return wk_fail(op, "index: expected int64 or int32, got %s", wk_dtype_name(index->dtype));
    if (!wk_check_same_device(op, "x", x, "index", index))
        return NULL;
    return wk_dense(index->dtype == wk_int64 ? index : wk_to(index, wk_int64));
}

wk_indexed wk_index_along(const wk_tensor *x, int dim)
{
    wk_indexed along = {.size = x->ndim > 0 ? x->shape[dim] : 1, .dim = dim, .ndim = x->ndim};
    memcpy(along.shape, x->shape, sizeof along.shape);
    return along;
}

/* x as (outer, N, inner) along dim */
typedef struct rows {
    int64_t outer, inner;
} rows;

static rows rows_of(const wk_tensor *x, int dim)
{
    rows r = {1, 1};
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

/* what the gradients of all of them need */
typedef struct rows_kept {
    int dim;
    double alpha;
    wk_shape shape; // of x in index_select, of source in the others
} rows_kept;

static wk_shape shape_of(const wk_tensor *x) { return wk_shape_of(x->ndim, x->shape); }

/* ---------------------------------------------------------------- index_select: dx = dy added into zeros at index */

static void index_select_backward(wk_node *node, wk_tensor *dy)
{
    const rows_kept *kept = node->kept;
    wk_tensor *zeros = wk_gradient_zeros(kept->shape.ndim, kept->shape.sizes, dy->dtype, dy->device);
    wk_accumulate(node, 0, wk_index_add(zeros, kept->dim, wk_saved(node, 0), dy));
}

wk_tensor *(wk_index_select)(wk_tensor *x, int64_t dim, wk_tensor *index)
{
    return wk_select_rows("index_select", x, dim, index);
}

wk_tensor *wk_select_rows(const char *op, wk_tensor *x, int64_t dim_, wk_tensor *index)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, index);
    const int dim = wk_check_dim(op, x->ndim, dim_);
    if (dim < 0 || !check_index(op, index))
        return NULL;
    if (x->ndim == 0 && index->numel != 1)
        return wk_fail(op, "index: expected one element for a 0-d x, got %s", wk_shape_string(index));
    const rows r = rows_of(x, dim);
    wk_shape shape = shape_of(x);
    shape.sizes[dim] = index->numel;
    wk_tensor *dense = wk_index_dense(op, index, x), *from = wk_dense(x);
    wk_tensor *y = dense && from ? wk_tensor_new(op, x->ndim, shape.sizes, x->dtype, x->device) : NULL;
    if (!y)
        return NULL;
    if (index->numel > 0 && !wk_run(op, y, gather_rows, .x = wk_data(from), .index = wk_data(dense), .y = wk_data(y),
                                    .outer = r.outer, .m = index->numel, .inner = r.inner,
                                    .size = (int64_t)wk_dtype_size(x->dtype), .along = wk_index_along(x, dim)))
        return NULL;
    return wk_record(y, index_select_backward, WK_INPUTS(x), WK_SAVED(dense),
                     WK_KEPT(rows_kept, .dim = dim, .shape = shape_of(x)));
}

/* ---------------------------------------------------------------- what writes rows: one shape of arguments */

/* x of any layout, source (.., M, ..) */
typedef struct row_write {
    const char *op;
    wk_tensor *x, *index, *source;
    int dim;
    bool adds;
    double alpha;
} row_write;

/* false after an error; index becomes dense */
static bool check_write(row_write *w, int64_t dim)
{
    wk_tensor *const x = w->x, *const index = w->index, *const source = w->source;
    WK_REQUIRE(w->op, x);
    WK_REQUIRE(w->op, index);
    WK_REQUIRE(w->op, source);
    w->dim = wk_check_dim(w->op, w->x->ndim, dim);
    if (w->dim < 0 || !check_index(w->op, w->index) || !wk_check_same_device(w->op, "x", w->x, "source", w->source))
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
    w->index = wk_index_dense(w->op, w->index, w->x);
    return w->index;
}

/* writes into y, which is dense and holds x's values; y itself, or NULL after an error */
static wk_tensor *write_rows(const row_write *w, wk_tensor *y)
{
    wk_tensor *source = wk_dense(w->source);
    if (!source || !y || w->index->numel == 0)
        return source ? y : NULL;
    const rows r = rows_of(y, w->dim);
    const wk_indexed along = wk_index_along(y, w->dim);
    const bool fine =
        w->adds ? wk_run(w->op, y, index_add, .source = wk_data(source), .index = wk_data(w->index), .y = wk_data(y),
                         .outer = r.outer, .m = w->index->numel, .inner = r.inner, .alpha = w->alpha, .along = along)
                : wk_run(w->op, y, scatter_rows, .x = wk_data(source), .index = wk_data(w->index), .y = wk_data(y),
                         .outer = r.outer, .m = w->index->numel, .inner = r.inner,
                         .size = (int64_t)wk_dtype_size(y->dtype), .along = along);
    return fine ? y : NULL;
}

static wk_tensor *fresh_copy(wk_tensor *x) { return WK_WITHOUT_GRAD(wk_clone_contiguous(x)); }

/* without a record, in x's memory */
static wk_tensor *write_in_place(const row_write *w)
{
    if (!write_rows(w, w->x))
        return NULL;
    wk_count_write(w->x);
    return w->x;
}

/* whether writing straight into x would be wrong: it shares memory with what is read, has gaps, or must be recorded */
static bool needs_copy(const row_write *w, wk_tensor *recorded)
{
    return w->source->storage == w->x->storage || w->index->storage == w->x->storage || !wk_is_contiguous(w->x) ||
           wk_would_record((wk_tensors){2, (wk_tensor *[]){w->x, recorded}});
}

/* ---------------------------------------------------------------- index_add: dx = dy, dsource = alpha dy[index] */

/* dy[index] in source's shape */
static wk_tensor *rows_at(wk_node *node, wk_tensor *dy)
{
    const rows_kept *kept = node->kept;
    return wk_reshape_with(wk_index_select(dy, kept->dim, wk_saved(node, 0)), kept->shape);
}

static void index_add_backward(wk_node *node, wk_tensor *dy)
{
    const rows_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dy);
    if (wk_needs(node, 1)) {
        wk_tensor *dsource = rows_at(node, dy);
        wk_accumulate(node, 1, kept->alpha == 1 ? dsource : wk_mul(dsource, kept->alpha));
    }
}

static wk_tensor *index_add(const row_write *w)
{
    return wk_record(write_rows(w, fresh_copy(w->x)), index_add_backward, WK_INPUTS(w->x, w->source),
                     WK_SAVED(w->index), WK_KEPT(rows_kept, w->dim, w->alpha, shape_of(w->source)));
}

wk_tensor *wk_index_add_with(wk_index_add_args args)
{
    row_write w = {
        .op = "index_add", .x = args.x, .index = args.index, .source = args.source, .adds = true, .alpha = args.alpha};
    return check_write(&w, args.dim) ? index_add(&w) : NULL;
}

wk_tensor *wk_index_add_in_place_with(wk_index_add_args args)
{
    row_write w = {
        .op = "index_add_", .x = args.x, .index = args.index, .source = args.source, .adds = true, .alpha = args.alpha};
    if (!check_write(&w, args.dim) || !wk_check_writable(w.op, w.x))
        return NULL;
    return needs_copy(&w, w.source) ? wk_write(w.op, w.x, index_add(&w)) : write_in_place(&w);
}

/* ---------------------------------------------------------------- index_copy: dx = dy, 0 at index; dsource =
   dy[index] */

static void index_copy_backward(wk_node *node, wk_tensor *dy)
{
    const rows_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_index_fill(dy, kept->dim, wk_saved(node, 0), 0));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, rows_at(node, dy));
}

static wk_tensor *index_copy(const row_write *w)
{
    return wk_record(write_rows(w, fresh_copy(w->x)), index_copy_backward, WK_INPUTS(w->x, w->source),
                     WK_SAVED(w->index), WK_KEPT(rows_kept, .dim = w->dim, .shape = shape_of(w->source)));
}

wk_tensor *(wk_index_copy)(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    row_write w = {.op = "index_copy", .x = x, .index = index, .source = source};
    return check_write(&w, dim) ? index_copy(&w) : NULL;
}

wk_tensor *(wk_index_copy_)(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    row_write w = {.op = "index_copy_", .x = x, .index = index, .source = source};
    if (!check_write(&w, dim) || !wk_check_writable(w.op, w.x))
        return NULL;
    return needs_copy(&w, w.source) ? wk_write(w.op, w.x, index_copy(&w)) : write_in_place(&w);
}

/* ---------------------------------------------------------------- index_fill: dx = dy, 0 at index; dvalue = sum of dy
   at index, once for each row that index names, however often it does */

static void index_fill_backward(wk_node *node, wk_tensor *dy)
{
    const rows_kept *kept = node->kept;
    wk_tensor *index = wk_saved(node, 0);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_index_fill(dy, kept->dim, index, 0));
    if (wk_needs(node, 1)) { // wk_accumulate sums
        wk_shape along = {dy->ndim, {1, 1, 1, 1, 1, 1, 1, 1}};
        if (dy->ndim > 0)
            along.sizes[kept->dim] = dy->shape[kept->dim];
        wk_tensor *none = wk_full_with(
            (wk_factory_args){.size = along, .fill = WK_NUMBER(false), .dtype = wk_bool, .device = dy->device});
        wk_accumulate(node, 1, wk_where(wk_index_fill(none, kept->dim, index, true), dy, 0));
    }
}

/* the value, expanded to what index names, is what is written; false after an error */
static bool check_fill(row_write *w, int64_t dim, wk_operand value)
{
    wk_tensor *const x = w->x, *const index = w->index;
    WK_REQUIRE(w->op, x);
    WK_REQUIRE(w->op, index);
    WK_REQUIRE_OPERAND(w->op, value);
    w->dim = wk_check_dim(w->op, w->x->ndim, dim);
    if (w->dim < 0 || !check_index(w->op, w->index))
        return false;
    if (value.tensor && value.tensor->ndim > 0)
        return wk_fail(w->op, "value: expected a number or a 0-d tensor, got %s", wk_shape_string(value.tensor));
    if (!wk_check_value(w->op, "value", value, w->x->dtype))
        return false;
    wk_shape shape = shape_of(w->x);
    if (w->x->ndim > 0)
        shape.sizes[w->dim] = w->index->numel;
    wk_tensor *one =
        value.tensor
            ? wk_type_as(value.tensor, w->x)
            : wk_full_with((wk_factory_args){.fill = value.number, .dtype = w->x->dtype, .device = w->x->device});
    w->source = wk_expand_with(one, shape, NULL);
    return w->source && check_write(w, dim);
}

static wk_tensor *index_fill(const row_write *w, wk_tensor *value)
{
    return wk_record(write_rows(w, fresh_copy(w->x)), index_fill_backward, WK_INPUTS(w->x, value), WK_SAVED(w->index),
                     WK_KEPT(rows_kept, .dim = w->dim));
}

wk_tensor *wk_index_fill_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value)
{
    row_write w = {.op = "index_fill", .x = x, .index = index};
    const bool fine = WK_WITHOUT_GRAD(check_fill(&w, dim, value));
    return fine ? index_fill(&w, value.tensor) : NULL;
}

wk_tensor *wk_index_fill_in_place_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value)
{
    row_write w = {.op = "index_fill_", .x = x, .index = index};
    const bool fine = WK_WITHOUT_GRAD(check_fill(&w, dim, value));
    if (!fine || !wk_check_writable(w.op, x))
        return NULL;
    return needs_copy(&w, value.tensor) ? wk_write(w.op, x, index_fill(&w, value.tensor)) : write_in_place(&w);
}
