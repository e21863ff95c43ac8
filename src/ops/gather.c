/* Elements along one dim, each with an index of its own: gather, scatter, scatter_add, take_along_dim.  Their gradients
   are each other. */
#include "index.h"

#include <string.h>

#include "core/run.h"

typedef struct elements_kept {
    int dim;
    wk_shape shape; // of x in gather, of source in the others
    bool wraps;     // take_along_dim: any index means an element
} elements_kept;

static wk_shape shape_of(const wk_tensor *x) { return wk_shape_of(x->ndim, x->shape); }

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

/* along the columns of index, which is dense, `from` is read and `to` written; of which of the two, `chosen`, an index
   names elements */
static wk_gather_work work_of(const wk_tensor *index, const wk_tensor *from, const wk_tensor *to, int dim,
                              const wk_tensor *chosen, bool wraps)
{
    wk_gather_work w = {.x = wk_data(from),
                        .index = wk_data(index),
                        .y = wk_data(to),
                        .m = 1,
                        .size = (int64_t)wk_dtype_size(to->dtype),
                        .along = wk_index_along(chosen, dim),
                        .wraps = wraps};
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
    }
    return w;
}

/* ---------------------------------------------------------------- gather: dx = dy added into zeros at index */

static wk_tensor *scatter_add(const char *op, wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source,
                              bool wraps);

static void gather_backward(wk_node *node, wk_tensor *dy)
{
    const elements_kept *kept = node->kept;
    wk_tensor *zeros = wk_gradient_zeros(kept->shape.ndim, kept->shape.sizes, dy->dtype, dy->device);
    wk_accumulate(node, 0, scatter_add(node->name, zeros, kept->dim, wk_saved(node, 0), dy, kept->wraps));
}

static wk_tensor *gather(const char *op, wk_tensor *x, int64_t dim_, wk_tensor *index, bool wraps)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, index);
    const int dim = wk_check_dim(op, x->ndim, dim_);
    if (dim < 0 || !check_sizes(op, x, index, dim, NULL))
        return NULL;
    wk_tensor *dense = wk_index_dense(op, index, x);
    wk_tensor *y = dense ? wk_tensor_new(op, index->ndim, index->shape, x->dtype, x->device) : NULL;
    if (!y)
        return NULL;
    const wk_gather_work work = work_of(dense, x, y, dim, x, wraps);
    if (y->numel > 0 && !wk_run_work(op, y, gather, &work))
        return NULL;
    return wk_record(y, gather_backward, WK_INPUTS(x), WK_SAVED(dense),
                     WK_KEPT(elements_kept, dim, shape_of(x), wraps));
}

wk_tensor *(wk_gather)(wk_tensor *x, int64_t dim, wk_tensor *index) { return gather("gather", x, dim, index, false); }

/* ---------------------------------------------------------------- scatter, scatter_add */

typedef struct element_write {
    const char *op;
    wk_tensor *x, *index, *source;
    int dim;
    bool adds, multiplies, wraps; // multiplies: in place of adding
} element_write;

static bool check_write(element_write *w, int64_t dim)
{
    wk_tensor *const x = w->x, *const index = w->index, *const source = w->source;
    WK_REQUIRE(w->op, x);
    WK_REQUIRE(w->op, index);
    WK_REQUIRE(w->op, source);
    w->dim = wk_check_dim(w->op, w->x->ndim, dim);
    if (w->dim < 0 || !check_sizes(w->op, w->x, w->index, w->dim, w->source) ||
        !wk_check_same_device(w->op, "x", w->x, "source", w->source))
        return false;
    if (w->source->dtype != w->x->dtype)
        return wk_fail(w->op, "source: expected x's dtype %s, got %s", wk_dtype_name(w->x->dtype),
                       wk_dtype_name(w->source->dtype));
    w->index = wk_index_dense(w->op, w->index, w->x);
    return w->index;
}

/* writes into y, which holds x's values; y itself, or NULL after an error */
static wk_tensor *write_elements(const element_write *w, wk_tensor *y)
{
    if (!y || w->index->numel == 0)
        return y;
    wk_gather_work work = work_of(w->index, w->source, y, w->dim, y, w->wraps);
    work.multiplies = w->multiplies;
    const bool fine = w->adds ? wk_run_work(w->op, y, scatter_add, &work) : wk_run_work(w->op, y, scatter, &work);
    return fine ? y : NULL;
}

/* dy gathered at index, in index's part of source */
static void accumulate_source(wk_node *node, wk_tensor *dy)
{
    const elements_kept *kept = node->kept;
    wk_tensor *part = gather(node->name, dy, kept->dim, wk_saved(node, 0), kept->wraps);
    for (int own = 0; part && own < part->ndim; own++)
        if (part->shape[own] != kept->shape.sizes[own]) {
            wk_shape larger = shape_of(part);
            larger.sizes[own] = kept->shape.sizes[own];
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
    const elements_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_scatter(dy, kept->dim, wk_saved(node, 0), 0));
    if (wk_needs(node, 1))
        accumulate_source(node, dy);
}

/* as in PyTorch */
static void scatter_multiply_backward(wk_node *node, wk_tensor *dy)
{
    (void)node;
    (void)dy;
    wk_fail("scatter", "reduce: \"multiply\" is not differentiable");
}

static wk_tensor *written(const element_write *w)
{
    wk_tensor *y = write_elements(w, WK_WITHOUT_GRAD(wk_clone_contiguous(w->x)));
    if (w->multiplies)
        return wk_record(y, scatter_multiply_backward, WK_INPUTS(w->x, w->source));
    return w->adds ? wk_record(y, scatter_add_backward, WK_INPUTS(w->x, w->source), WK_SAVED(w->index),
                               WK_KEPT(elements_kept, w->dim, shape_of(w->source), w->wraps))
                   : wk_record(y, scatter_backward, WK_INPUTS(w->x, w->source), WK_SAVED(w->index),
                               WK_KEPT(elements_kept, .dim = w->dim, .shape = shape_of(w->source)));
}

static wk_tensor *written_in_place(const element_write *w)
{
    const bool overlaps = w->source->storage == w->x->storage || w->index->storage == w->x->storage;
    if (overlaps || wk_would_record((wk_tensors){2, (wk_tensor *[]){w->x, w->source}}))
        return wk_write(w->op, w->x, written(w));
    if (!write_elements(w, w->x))
        return NULL;
    wk_count_write(w->x);
    return w->x;
}

/* source as a tensor: a number is expanded to index's shape */
static wk_tensor *source_of(const char *op, wk_tensor *x, wk_tensor *index, wk_operand source)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, index);
    WK_REQUIRE_OPERAND(op, source);
    if (source.tensor)
        return source.tensor;
    if (!wk_check_value(op, "source", source, x->dtype))
        return NULL;
    wk_tensor *one = wk_full_with((wk_factory_args){.fill = source.number, .dtype = x->dtype, .device = x->device});
    return wk_expand_with(one, shape_of(index), NULL);
}

static bool check_scatter(element_write *w, const wk_scatter_args *args)
{
    const char *const how = args->reduce ? args->reduce : "";
    w->source = source_of(w->op, args->x, args->index, args->source);
    w->multiplies = strcmp(how, "multiply") == 0;
    w->adds = w->multiplies || strcmp(how, "add") == 0;
    if (*how && !w->adds)
        return wk_fail(w->op, "reduce: expected \"add\" or \"multiply\", got \"%s\"", how);
    return check_write(w, args->dim);
}

wk_tensor *wk_scatter_with(wk_scatter_args args)
{
    element_write w = {.op = "scatter", .x = args.x, .index = args.index};
    return check_scatter(&w, &args) ? written(&w) : NULL;
}

wk_tensor *wk_scatter_in_place_with(wk_scatter_args args)
{
    element_write w = {.op = "scatter_", .x = args.x, .index = args.index};
    return check_scatter(&w, &args) && wk_check_writable(w.op, args.x) ? written_in_place(&w) : NULL;
}

static wk_tensor *scatter_add(const char *op, wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source,
                              bool wraps)
{
    element_write w = {.op = op, .x = x, .index = index, .source = source, .adds = true, .wraps = wraps};
    return check_write(&w, dim) ? written(&w) : NULL;
}

wk_tensor *(wk_scatter_add)(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    return scatter_add("scatter_add", x, dim, index, source, false);
}

wk_tensor *(wk_scatter_add_)(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source)
{
    element_write w = {.op = "scatter_add_", .x = x, .index = index, .source = source, .adds = true};
    return check_write(&w, dim) && wk_check_writable(w.op, x) ? written_in_place(&w) : NULL;
}

/* ---------------------------------------------------------------- take_along_dim: gather of what is broadcast */

wk_tensor *(wk_take_along_dim)(wk_tensor *x, wk_tensor *index, int64_t dim_)
{
    static const char OP[] = "take_along_dim";
    WK_REQUIRE(OP, x);
    WK_REQUIRE(OP, index);
    const int dim = wk_check_dim(OP, x->ndim, dim_);
    if (dim < 0)
        return NULL;
    if (x->ndim != index->ndim)
        return wk_fail(OP, "index: expected as many dims as x has, %d, got %s", x->ndim, wk_shape_string(index));
    wk_shape x_size = shape_of(x), index_size = shape_of(index);
    int ndim;
    int64_t both[WK_MAX_DIMS];
    if (x->ndim > 0)
        x_size.sizes[dim] = index_size.sizes[dim] = 1;
    if (!wk_broadcast_shapes(OP, x->ndim, x_size.sizes, x->ndim, index_size.sizes, &ndim, both))
        return NULL;
    memcpy(x_size.sizes, both, sizeof both);
    memcpy(index_size.sizes, both, sizeof both);
    if (x->ndim > 0) {
        x_size.sizes[dim] = x->shape[dim];
        index_size.sizes[dim] = index->shape[dim];
    }
    /* as in PyTorch, which gathers at the remainders */
    return gather(OP, wk_expand_with(x, x_size, NULL), dim, wk_expand_with(index, index_size, NULL), true);
}
