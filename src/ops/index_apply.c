/* x[...] and x[...] = value, of an index that was read (index_string.c).

   Parts that are no tensors give a view, part by part.  Tensors of indices, and masks, are then turned into one list of
   flat positions in the dims that they index, merged into one: index_select reads it, index_copy and index_add write
   it, and bring their gradients. */
#include "index.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/run.h"

/* ---------------------------------------------------------------- applying what is no tensor: views */

/* the view, and the tensors that index it: tensors[dim] covers span[dim] dims of it, from dim on, which are x's from
   of[dim] on */
typedef struct applied {
    wk_tensor *view;
    const wk_index_part *tensors[WK_MAX_DIMS];
    int span[WK_MAX_DIMS], of[WK_MAX_DIMS];
    bool advanced;
} applied;

static bool is_mask(const wk_tensor *x) { return x->dtype == wk_bool || x->dtype == wk_uint8; }

/* a tensor of integers without dims is an integer too */
static bool is_integer(const wk_index_part *part)
{
    return part->kind == WK_INDEX_INTEGER || (part->kind == WK_INDEX_TENSOR && part->tensor->ndim == 0 &&
                                              wk_dtype_is_integral(part->tensor->dtype) && !is_mask(part->tensor));
}

/* how many of x's dims a part takes */
static int dims_taken(const wk_index_part *part)
{
    if (part->kind == WK_INDEX_TENSOR && is_mask(part->tensor))
        return part->tensor->ndim;
    return part->kind == WK_INDEX_INTEGER || part->kind == WK_INDEX_SLICE || part->kind == WK_INDEX_TENSOR;
}

static bool fail_part(const wk_index_key *key, const wk_index_part *part, const wk_tensor *x, const char *problem)
{
    char text[400];
    snprintf(text, sizeof text, "%s, in x of shape %s", problem, wk_shape_string(x));
    return wk_index_complain(key, part->column, text);
}

static bool apply_integer(const wk_index_key *key, const wk_index_part *part, wk_tensor *x, applied *a, int dim)
{
    int64_t index = part->start;
    if (part->kind == WK_INDEX_TENSOR && !wk_tolist(part->tensor, &index))
        return false;
    const int64_t size = a->view->shape[dim];
    if (index < -size || index >= size) {
        char problem[160];
        snprintf(problem, sizeof problem, "index %" PRId64 " is out of range for a dim of size %" PRId64, index, size);
        return fail_part(key, part, x, problem);
    }
    a->view = wk_select(a->view, dim, index);
    return a->view;
}

/* a tensor of the index: checked against the dims it covers */
static bool apply_tensor(const wk_index_key *key, const wk_index_part *part, wk_tensor *x, applied *a, int dim)
{
    const wk_tensor *t = part->tensor;
    const int span = is_mask(t) ? t->ndim : 1;
    if (!is_mask(t) && t->dtype != wk_int64 && t->dtype != wk_int32)
        return fail_part(key, part, x, "tensors of an index are int64, int32 or bool");
    for (int i = 0; is_mask(t) && i < span; i++)
        if (t->shape[i] != a->view->shape[dim + i]) {
            char problem[300];
            snprintf(problem, sizeof problem,
                     "the mask of shape %s does not have the size %" PRId64 " of the dim it indexes",
                     wk_shape_string(t), a->view->shape[dim + i]);
            return fail_part(key, part, x, problem);
        }
    a->tensors[dim] = part;
    a->span[dim] = span;
    a->advanced = true;
    return true;
}

static bool apply(const wk_index_key *key, wk_tensor *x, applied *a)
{
    *a = (applied){.view = x};
    int taken = 0, ellipses = 0, added = 0;
    for (int i = 0; i < key->count; i++) {
        taken += dims_taken(&key->parts[i]);
        ellipses += key->parts[i].kind == WK_INDEX_ELLIPSIS;
        added += key->parts[i].kind == WK_INDEX_NONE || key->parts[i].kind == WK_INDEX_BOOL;
        if (taken > x->ndim)
            return fail_part(key, &key->parts[i], x, "too many indices");
        if (ellipses > 1)
            return fail_part(key, &key->parts[i], x, "there is a second ellipsis");
    }
    if (x->ndim + added > WK_MAX_DIMS)
        return wk_fail("index", "more than %d dims come out", WK_MAX_DIMS);
    int dim = 0, own = 0; // of the view, and of x
    for (int i = 0; i < key->count; own += dims_taken(&key->parts[i++])) {
        const wk_index_part *part = &key->parts[i];
        if (is_integer(part)) {
            if (!apply_integer(key, part, x, a, dim))
                return false;
            continue;
        }
        switch (part->kind) {
        case WK_INDEX_ELLIPSIS:
            dim += x->ndim - taken;
            own += x->ndim - taken;
            break;
        case WK_INDEX_SLICE:
            if (part->has_start || part->has_stop || part->step != 1)
                a->view = wk_slice(a->view, dim, part->has_start ? part->start : 0,
                                   part->has_stop ? part->stop : INT64_MAX, part->step);
            if (!a->view)
                return false;
            dim++;
            break;
        case WK_INDEX_NONE:
            a->view = wk_unsqueeze(a->view, dim++);
            if (!a->view)
                return false;
            break;
        default: // a tensor; a mask without dims, and True and False, index a new dim of size 1
            if (part->kind == WK_INDEX_BOOL || (part->tensor->ndim == 0 && is_mask(part->tensor))) {
                a->view = wk_unsqueeze(a->view, dim);
                if (!a->view)
                    return false;
                a->tensors[dim] = part;
                a->span[dim] = 1;
                a->advanced = true;
            } else if (!apply_tensor(key, part, x, a, dim)) {
                return false;
            }
            a->of[dim] = own;
            dim += a->span[dim];
        }
    }
    if (a->view == x && x->ndim > 0 && !a->advanced) // at least a view of all
        a->view = wk_slice(x, 0, 0, INT64_MAX, 1);
    return a->view;
}

/* ---------------------------------------------------------------- tensors of indices: flat positions */

/* The view with the indexed dims side by side from `first` on, and where in them, merged into one, the elements lie. */
typedef struct places {
    wk_tensor *view;
    int first, dims;     // the indexed dims of view
    int64_t merged;      // their sizes multiplied
    wk_shape shape;      // of the tensors of indices, broadcast together
    wk_tensor *position; // (shape's numel) int64
} places;

/* the positions that one part means, in the dims it covers, as an int64 tensor on x's device */
static wk_tensor *part_positions(const wk_index_part *part, const wk_tensor *x)
{
    if (part->kind == WK_INDEX_BOOL) {
        const int64_t count = part->start;
        return wk_full_with(
            (wk_factory_args){.size = {1, {count}}, .fill = WK_NUMBER(0), .dtype = wk_int64, .device = x->device});
    }
    wk_tensor *positions = is_mask(part->tensor) ? wk_nonzero_positions("index", part->tensor) : part->tensor;
    return wk_to(wk_to(positions, x->device), wk_int64);
}

/* flat = flat * size + index, or index where flat is not begun; negative indices count from the end */
static bool fold_in(const places *p, wk_tensor *index, bool begun, const wk_indexed *along)
{
    wk_tensor *dense = wk_dense(wk_expand_with(index, p->shape, p->position));
    return wk_run("index", dense, linear_index, .index = wk_data(dense), .before = begun ? wk_data(p->position) : NULL,
                  .y = wk_data(p->position), .count = dense->numel, .along = *along);
}

/* indexed dims to the front where something stands between them */
static wk_tensor *bring_together(const applied *a, places *p)
{
    wk_shape order = {a->view->ndim, {0}};
    int runs = 0, at = 0;
    bool inside = false, indexed[WK_MAX_DIMS] = {0};
    p->first = -1;
    for (int dim = 0; dim < a->view->ndim; dim++) {
        for (int i = 0; a->tensors[dim] && i < a->span[dim]; i++)
            indexed[dim + i] = true;
        runs += indexed[dim] && !inside;
        inside = indexed[dim];
        p->first = p->first < 0 && inside ? dim : p->first;
        p->dims += inside;
    }
    if (runs == 1)
        return a->view;
    p->first = 0;
    for (int dim = 0; dim < a->view->ndim; dim++)
        if (indexed[dim])
            order.sizes[at++] = dim;
    for (int dim = 0; dim < a->view->ndim; dim++)
        if (!indexed[dim])
            order.sizes[at++] = dim;
    return wk_permute_with(a->view, order);
}

static bool find_places(const wk_tensor *x, const applied *a, places *p)
{
    *p = (places){.merged = 1};
    wk_tensor *positions[WK_MAX_DIMS] = {0};
    for (int dim = 0; dim < a->view->ndim; dim++) {
        if (!a->tensors[dim])
            continue;
        positions[dim] = part_positions(a->tensors[dim], x);
        if (!positions[dim])
            return false;
        int64_t both[WK_MAX_DIMS];
        if (!wk_broadcast_shapes("index", p->shape.ndim, p->shape.sizes, positions[dim]->ndim, positions[dim]->shape,
                                 &p->shape.ndim, both))
            return false;
        memcpy(p->shape.sizes, both, sizeof both);
    }
    p->view = bring_together(a, p);
    p->position = p->view ? wk_tensor_new("index", p->shape.ndim, p->shape.sizes, wk_int64, x->device) : NULL;
    if (!p->position)
        return false;
    bool begun = false;
    for (int dim = 0; dim < a->view->ndim; dim++) {
        if (!a->tensors[dim])
            continue;
        wk_indexed along = wk_index_along(x, a->of[dim]);
        along.size = 1;
        for (int i = 0; i < a->span[dim]; i++)
            along.size *= a->view->shape[dim + i];
        p->merged *= along.size;
        if (!fold_in(p, positions[dim], begun, &along))
            return false;
        begun = true;
    }
    p->position = wk_reshape(p->position, (-1));
    return p->position;
}

/* view's shape with its indexed dims replaced */
static wk_shape replaced(const places *p, int ndim, const int64_t *sizes)
{
    wk_shape shape = {p->view->ndim - p->dims + ndim, {0}};
    if (shape.ndim > WK_MAX_DIMS)
        return shape;
    memcpy(shape.sizes, p->view->shape, (size_t)p->first * sizeof *sizes);
    memcpy(shape.sizes + p->first, sizes, (size_t)ndim * sizeof *sizes);
    memcpy(shape.sizes + p->first + ndim, p->view->shape + p->first + p->dims,
           (size_t)(p->view->ndim - p->first - p->dims) * sizeof *sizes);
    return shape;
}

static bool result_shape(const places *p, wk_shape *shape)
{
    *shape = replaced(p, p->shape.ndim, p->shape.sizes);
    if (shape->ndim > WK_MAX_DIMS)
        return wk_fail("index", "%d dims come out, more than %d", shape->ndim, WK_MAX_DIMS);
    return true;
}

/* ---------------------------------------------------------------- x[...] */

wk_tensor *wk_index(wk_tensor *x, const char *index, ...)
{
    WK_REQUIRE("index", x);
    wk_index_key key;
    va_list values;
    va_start(values, index);
    wk_index_read(&key, index, &values);
    va_end(values);
    applied a;
    places p;
    wk_shape shape;
    if (key.failed || !apply(&key, x, &a))
        return NULL;
    if (!a.advanced)
        return a.view;
    if (!find_places(x, &a, &p) || !result_shape(&p, &shape))
        return NULL;
    wk_tensor *merged = wk_reshape_with(p.view, replaced(&p, 1, &p.merged));
    return wk_reshape_with(wk_index_select(merged, p.first, p.position), shape);
}

/* ---------------------------------------------------------------- x[...] = value */

/* value as a tensor of x's dtype, without dims of size 1 in front beyond ndim */
static wk_tensor *value_tensor(wk_operand value, wk_tensor *x, int ndim)
{
    wk_tensor *v =
        value.tensor && value.tensor->ndim == 0 ? wk_type_as(value.tensor, x) // also from another device, as a number
        : value.tensor                          ? wk_to(value.tensor, x->dtype)
                       : wk_full_with((wk_factory_args){.fill = value.number, .dtype = x->dtype, .device = x->device});
    while (v && v->ndim > ndim && v->shape[0] == 1)
        v = wk_squeeze(v, 0);
    return v;
}

static wk_tensor *put_basic(wk_tensor *view, wk_operand value, bool accumulate)
{
    wk_tensor *v = value_tensor(value, view, view->ndim);
    if (!v)
        return NULL;
    return accumulate ? wk_add_(view, v) : wk_copy_(view, v);
}

static wk_tensor *put_at(const places *p, wk_operand value, bool accumulate)
{
    wk_shape shape;
    if (!result_shape(p, &shape))
        return NULL;
    const wk_shape flat = replaced(p, 1, (int64_t[]){p->position->numel});
    wk_tensor *v = wk_reshape_with(wk_expand_with(value_tensor(value, p->view, shape.ndim), shape, NULL), flat);
    wk_tensor *merged = wk_reshape_with(p->view, replaced(p, 1, &p->merged));
    if (!v || !merged)
        return NULL;
    wk_tensor *y =
        accumulate ? wk_index_add_(merged, p->first, p->position, v) : wk_index_copy_(merged, p->first, p->position, v);
    if (!y || merged->storage == p->view->storage)
        return y;
    /* the dims could not be merged without a copy: back to where it came from */
    return wk_copy_(p->view, wk_reshape_with(y, wk_shape_of(p->view->ndim, p->view->shape)));
}

wk_tensor *wk_index_put_in_place_with(wk_index_put_args args)
{
    WK_NAMES_ERRORS("index_put_");
    WK_REQUIRE("index_put_", args.x);
    applied a;
    places p;
    if (args.key.failed)
        return NULL;
    WK_REQUIRE_OPERAND("index_put_", args.value);
    if (!args.value.tensor && !wk_is_half(args.x->dtype) && // halves become infinite, as in PyTorch
        !wk_check_value("index_put_", "value", args.value, args.x->dtype))
        return NULL;
    if (args.accumulate && !wk_check_operands_device("index_put_", "x", args.x, "value", args.value.tensor))
        return NULL;
    const wk_dtype sum = wk_result_type((wk_operand[]){WK_OPERAND(args.x), args.value}, 2);
    if (args.accumulate && !wk_check_holds("index_put_", args.x, sum))
        return NULL;
    if (!wk_check_writable("index_put_", args.x) || !apply(&args.key, args.x, &a))
        return NULL;
    if (!a.advanced)
        return put_basic(a.view, args.value, args.accumulate) ? args.x : NULL;
    return find_places(args.x, &a, &p) && put_at(&p, args.value, args.accumulate) ? args.x : NULL;
}
