/* cat and stack, and their like.  One op joins: each tensor is copied, cast where dtypes differ, into its part of an
   uninitialised result.  The gradient of a part is the same part of dy, a view. */
#include <wick/join.h>

#include <string.h>

#include "copy.h"
#include "core/layout.h"
#include "ops.h"
#include "tensors.h"

typedef struct cat_kept {
    int64_t dim;
    int64_t sizes[]; // of each tensor along dim; -1: a skipped empty one
} cat_kept;

static void cat_backward(wk_node *node, wk_tensor *dy)
{
    const cat_kept *kept = node->kept;
    int64_t start = 0;
    for (int i = 0; i < node->inputs; i++) {
        const int64_t size = kept->sizes[i];
        if (wk_needs(node, i))
            wk_accumulate(node, i, size < 0 ? wk_new_zeros(dy, (0)) : wk_narrow(dy, kept->dim, start, size));
        start += size < 0 ? 0 : size;
    }
}

typedef struct stack_kept {
    int dim;
} stack_kept;

static void stack_backward(wk_node *node, wk_tensor *dy)
{
    const stack_kept *kept = node->kept;
    for (int i = 0; i < node->inputs; i++)
        if (wk_needs(node, i))
            wk_accumulate(node, i, wk_select(dy, kept->dim, i));
}

static bool is_skipped(const wk_tensor *x) { return x->ndim == 1 && x->shape[0] == 0; }

/* the promoted dtype of all; 0 after an error: none, a NULL, or several devices */
static wk_dtype common_dtype(const char *op, wk_tensors tensors)
{
    if (tensors.count <= 0) {
        wk_fail(op, "tensors: expected at least one tensor, got none");
        return 0;
    }
    wk_dtype with_dims = 0, without_dims = 0;
    for (int64_t i = 0; i < tensors.count; i++) {
        const wk_tensor *x = tensors.items[i];
        if (!wk_is_tensor(x)) {
            wk_not_a_tensor(op, "tensors", x);
            return 0;
        }
        if (!wk_device_equal(x->device, tensors.items[0]->device)) {
            wk_fail(op, "tensors: expected all on one device, got %s and %s\nhint: wk_to(x, device)",
                    wk_device_name(tensors.items[0]->device), wk_device_name(x->device));
            return 0;
        }
        wk_dtype *kind = x->ndim > 0 ? &with_dims : &without_dims;
        *kind = *kind ? wk_promote_types(*kind, x->dtype) : x->dtype;
    }
    return with_dims ? with_dims : without_dims;
}

/* copies x into y's part that begins at index start of dim, through the strides of x's dims in y; false after an
   error */
static bool place_part(wk_tensor *x, wk_tensor *y, int64_t start, int dim, bool new_dim)
{
    wk_copy_side from = {.tensor = x}, to = {.tensor = y, .offset = start * y->strides[dim]};
    for (int own = 0; own < x->ndim; own++) {
        from.strides[own] = x->strides[own];
        to.strides[own] = y->strides[own + (new_dim && own >= dim)];
    }
    return wk_copy_region(x->ndim, x->shape, &from, &to);
}

wk_tensor *wk_cat_with(wk_join_args args)
{
    const wk_tensors tensors = args.tensors;
    const wk_dtype dtype = common_dtype("cat", tensors);
    if (!dtype)
        return NULL;
    const wk_tensor *first = NULL; // the one whose shape the others are held to
    for (int64_t i = 0; i < tensors.count && !first; i++)
        first = is_skipped(tensors.items[i]) ? NULL : tensors.items[i];
    first = first ? first : tensors.items[0];
    const int dim = wk_check_dim("cat", first->ndim, args.dim);
    if (dim < 0)
        return NULL;
    int64_t shape[WK_MAX_DIMS], total = 0;
    memcpy(shape, first->shape, sizeof shape);
    for (int64_t i = 0; i < tensors.count; i++) {
        const wk_tensor *x = tensors.items[i];
        if (x->ndim == 0)
            return wk_fail("cat",
                           "tensors: number %lld is a 0-d tensor, which has no dim to join along\n"
                           "hint: wk_stack joins 0-d tensors",
                           (long long)i);
        if (is_skipped(x))
            continue;
        bool fits = x->ndim == first->ndim;
        for (int own = 0; fits && own < x->ndim; own++)
            fits = own == dim || x->shape[own] == first->shape[own];
        if (!fits)
            return wk_fail("cat", "tensors: sizes must be equal but for dim %d, got %s and, number %lld, %s%s", dim,
                           wk_shape_string(first), (long long)i, wk_shape_string(x),
                           x->ndim == first->ndim ? "" : "\nhint: wk_unsqueeze gives the one of fewer dims another");
        if (__builtin_add_overflow(total, x->shape[dim], &total))
            return wk_fail("cat", "tensors: are longer together along dim %d than can be counted", dim);
    }
    shape[dim] = total;
    wk_memory_format format = wk_format_of(first);
    for (int64_t i = 0; i < tensors.count; i++) // theirs, where they are of one
        if (!is_skipped(tensors.items[i]) && wk_format_of(tensors.items[i]) != format)
            format = wk_contiguous_format;
    wk_tensor *y = wk_tensor_new_format("cat", first->ndim, shape, format, dtype, first->device);
    if (!y)
        return NULL;
    int64_t start = 0;
    for (int64_t i = 0; i < tensors.count; i++) {
        if (is_skipped(tensors.items[i]))
            continue;
        if (!place_part(tensors.items[i], y, start, dim, false))
            return NULL;
        start += tensors.items[i]->shape[dim];
    }
    if (!wk_would_record(tensors))
        return y;
    const size_t bytes = sizeof(cat_kept) + (size_t)tensors.count * sizeof(int64_t);
    cat_kept *kept = wk_alloc(bytes); // the record copies it
    if (!kept)
        return wk_out_of_memory("cat", bytes);
    kept->dim = dim;
    for (int64_t i = 0; i < tensors.count; i++)
        kept->sizes[i] = is_skipped(tensors.items[i]) ? -1 : tensors.items[i]->shape[dim];
    y = wk_record(y, cat_backward, .inputs = tensors, .kept = kept, .kept_bytes = bytes);
    wk_free(kept);
    return y;
}

wk_tensor *wk_stack_with(wk_join_args args)
{
    const wk_tensors tensors = args.tensors;
    const wk_dtype dtype = common_dtype("stack", tensors);
    if (!dtype)
        return NULL;
    const wk_tensor *first = tensors.items[0];
    if (first->ndim == WK_MAX_DIMS)
        return wk_fail("stack", "tensors: of %d dims already, the most there are", WK_MAX_DIMS);
    const int dim = wk_check_dim("stack", first->ndim + 1, args.dim);
    if (dim < 0)
        return NULL;
    for (int64_t i = 1; i < tensors.count; i++)
        if (!wk_same_shape(first, tensors.items[i]))
            return wk_fail("stack", "tensors: expected equal shapes, got %s and, number %lld, %s",
                           wk_shape_string(first), (long long)i, wk_shape_string(tensors.items[i]));
    int64_t shape[WK_MAX_DIMS];
    for (int to = 0; to <= first->ndim; to++)
        shape[to] = to == dim ? tensors.count : first->shape[to - (to > dim)];
    wk_tensor *y = wk_tensor_new("stack", first->ndim + 1, shape, dtype, first->device);
    if (!y)
        return NULL;
    for (int64_t i = 0; i < tensors.count; i++)
        if (!place_part(tensors.items[i], y, i, dim, true))
            return NULL;
    return wk_record(y, stack_backward, .inputs = tensors, WK_KEPT(stack_kept, dim));
}

/* every tensor with at least ndim dims: 0-d gets one, 1-D becomes a row */
static wk_tensors at_least(const char *op, wk_tensors tensors, int ndim)
{
    wk_tensors raised = wk_tensors_room(op, tensors.count);
    for (int64_t i = 0; i < raised.count; i++) {
        wk_tensor *x = tensors.items[i];
        while (x && x->ndim < ndim)
            x = wk_unsqueeze(x, 0);
        raised.items[i] = x;
    }
    return raised;
}

wk_tensor *wk_hstack_with(wk_join_args args)
{
    WK_NAMES_ERRORS("hstack");
    if (!common_dtype("hstack", args.tensors))
        return NULL;
    const wk_tensors raised = at_least("hstack", args.tensors, 1);
    if (!raised.items || !raised.items[0])
        return NULL;
    return wk_cat(raised, raised.items[0]->ndim == 1 ? 0 : 1);
}

wk_tensor *wk_vstack_with(wk_join_args args)
{
    WK_NAMES_ERRORS("vstack");
    if (!common_dtype("vstack", args.tensors))
        return NULL;
    const wk_tensors raised = at_least("vstack", args.tensors, 2);
    return raised.items ? wk_cat(raised) : NULL;
}
