/* split, chunk, tensor_split, unbind: all parts of a tensor along a dim, as views.

   The parts are results of one node.  Its backward joins their gradients again, each written once into an uninitialised
   buffer: a slice's own backward would fill a whole x with zeros for each part, and add them up. */
#include <wick/join.h>

#include <string.h>

#include "ops.h"
#include "tensors.h"

wk_tensors wk_tensors_room(const char *op, int64_t count)
{
    wk_tensor **items = wk_scope_alloc(op, (size_t)count * sizeof *items);
    return (wk_tensors){items ? count : 0, items};
}

bool wk_check_places(const char *op, wk_places places, int64_t count)
{
    if (places.items && places.count != count)
        return wk_fail(op, "places: there are %lld results, and %lld places for them", (long long)count,
                       (long long)places.count);
    return true;
}

wk_tensors wk_tensors_return(wk_tensors results, wk_places places, bool fine)
{
    for (int64_t i = 0; i < places.count; i++)
        if (places.items[i])
            *places.items[i] = fine ? results.items[i] : NULL;
    return fine ? results : (wk_tensors){0, NULL};
}

static wk_tensors none(wk_places places) { return wk_tensors_return((wk_tensors){0, NULL}, places, false); }

/* ---------------------------------------------------------------- the parts, and their gradients joined */

typedef struct split_kept {
    int dim;
} split_kept;

static wk_tensors gradients(wk_node *node)
{
    wk_tensors list = wk_tensors_room(node->name, node->outputs);
    for (int64_t i = 0; i < list.count; i++)
        list.items[i] = wk_gradient(node, (int)i);
    return list;
}

static void split_backward(wk_node *node, wk_tensor *dy)
{
    (void)dy;
    const split_kept *kept = node->kept;
    const wk_tensors list = gradients(node);
    wk_accumulate(node, 0, list.items ? wk_cat(list, kept->dim) : NULL);
}

/* what wk_stack would copy, where the tensors already lie in one piece of memory side by side, as attention's backward
   leaves them; NULL where they do not */
static wk_tensor *stacked_already(wk_tensors list, int64_t dim)
{
    const wk_tensor *first = list.items[0];
    const int64_t step = list.count > 1 && list.items[1] ? list.items[1]->offset - first->offset : 0;
    if (!first || step <= 0 || first->ndim == WK_MAX_DIMS)
        return NULL;
    for (int64_t i = 1; i < list.count; i++) {
        const wk_tensor *x = list.items[i];
        if (!x || x->storage != first->storage || x->offset != first->offset + i * step || x->dtype != first->dtype ||
            !wk_same_shape(x, first) || memcmp(x->strides, first->strides, (size_t)x->ndim * sizeof *x->strides) != 0)
            return NULL;
    }
    wk_shape shape = {first->ndim + 1, {0}}, strides = {first->ndim + 1, {0}};
    for (int d = 0; d < shape.ndim; d++) {
        shape.sizes[d] = d == dim ? list.count : first->shape[d - (d > dim)];
        strides.sizes[d] = d == dim ? step : first->strides[d - (d > dim)];
    }
    return wk_tensor_alias("unbind", list.items[0], shape.ndim, shape.sizes, strides.sizes, 0);
}

static void unbind_in_ops(wk_node *node, wk_tensor *dy)
{
    (void)dy;
    const split_kept *kept = node->kept;
    const wk_tensors list = gradients(node);
    wk_accumulate(node, 0, list.items ? wk_stack(list, kept->dim) : NULL);
}

static void unbind_backward(wk_node *node, wk_tensor *dy)
{
    const split_kept *kept = node->kept;
    const wk_tensors list = gradients(node);
    wk_tensor *joined = list.count > 0 ? stacked_already(list, kept->dim) : NULL;
    if (joined)
        wk_accumulate(node, 0, joined);
    else
        unbind_in_ops(node, dy);
}

/* x[.., start : start + size, ..]; keeps no dim where unbinds */
static wk_tensor *part(const char *op, wk_tensor *x, int dim, int64_t start, int64_t size, bool unbinds)
{
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    int ndim = 0;
    for (int own = 0; own < x->ndim; own++) {
        if (own == dim && unbinds)
            continue;
        shape[ndim] = own == dim ? size : x->shape[own];
        strides[ndim++] = x->strides[own];
    }
    wk_tensor *y = wk_tensor_alias(op, x, ndim, shape, strides, size > 0 ? start * x->strides[dim] : 0);
    return y && wk_mark_view(y, x) ? y : NULL;
}

/* count parts; part i ends at ends[i] and begins where the one before ended, or at begins[i] */
static wk_tensors parts(const char *op, wk_tensor *x, int dim, int64_t count, const int64_t *begins,
                        const int64_t *ends, wk_places places)
{
    if (!wk_check_places(op, places, count))
        return none(places);
    const bool unbinds = !ends;
    wk_tensors list = wk_tensors_room(op, count);
    bool fine = list.items;
    for (int64_t i = 0; fine && i < count; i++) {
        const int64_t begin = unbinds ? i : begins ? begins[i] : i > 0 ? ends[i - 1] : 0;
        list.items[i] = part(op, x, dim, begin, unbinds ? 1 : ends[i] - begin, unbinds);
        fine = list.items[i];
    }
    if (fine && count > 0)
        fine = unbinds ? wk_record_all(list.items, (int)count, unbind_backward, WK_INPUTS(x), WK_KEPT(split_kept, dim),
                                       .composed = unbind_in_ops)
                       : wk_record_all(list.items, (int)count, split_backward, WK_INPUTS(x), WK_KEPT(split_kept, dim));
    return wk_tensors_return(list, places, fine);
}

/* checks what all share; the dim, or -1 after an error */
static int split_dim(const char *op, const wk_split_args *args)
{
    if (!wk_is_tensor(args->x)) {
        wk_not_a_tensor(op, "x", args->x);
        return -1;
    }
    if (args->x->ndim == 0) {
        wk_fail(op, "x: a 0-d tensor has no dim to take apart");
        return -1;
    }
    return wk_check_dim(op, args->x->ndim, args->dim);
}

wk_tensors wk_unbind_with(wk_split_args args)
{
    const int dim = split_dim("unbind", &args);
    if (dim < 0)
        return none(args.places);
    return parts("unbind", args.x, dim, args.x->shape[dim], NULL, NULL, args.places);
}

/* ---------------------------------------------------------------- where to cut */

static int64_t *room_for_ends(const char *op, int64_t count)
{
    return wk_scope_alloc(op, (size_t)count * sizeof(int64_t));
}

/* count parts of a size, the last one the rest */
static wk_tensors equal_parts(const char *op, const wk_split_args *args, int dim, int64_t size, int64_t count)
{
    const int64_t total = args->x->shape[dim];
    int64_t *ends = room_for_ends(op, count);
    if (!ends)
        return none(args->places);
    for (int64_t i = 0; i < count; i++)
        ends[i] = (i + 1) * size < total ? (i + 1) * size : total;
    return parts(op, args->x, dim, count, NULL, ends, args->places);
}

wk_tensors wk_split_with(wk_split_args args)
{
    const int dim = split_dim("split", &args);
    if (dim < 0)
        return none(args.places);
    const int64_t total = args.x->shape[dim];
    if (!args.sizes.items) {
        if (args.size < 0 || (args.size == 0 && total > 0)) {
            wk_fail("split", "size: expected a positive size, got %lld", (long long)args.size);
            return none(args.places);
        }
        const int64_t size = args.size < total ? args.size : total;
        return equal_parts("split", &args, dim, size, total > 0 ? (total + size - 1) / size : 1);
    }
    int64_t *ends = room_for_ends("split", args.sizes.count), end = 0;
    for (int64_t i = 0; ends && i < args.sizes.count; i++) {
        if (args.sizes.items[i] < 0) {
            wk_fail("split", "sizes: must not be negative, got %lld", (long long)args.sizes.items[i]);
            return none(args.places);
        }
        if (__builtin_add_overflow(end, args.sizes.items[i], &end))
            end = INT64_MAX;
        ends[i] = end;
    }
    if (ends && end != total)
        wk_fail("split", "sizes: add up to %lld, but dim %d of %s has size %lld", (long long)end, dim,
                wk_shape_string(args.x), (long long)total);
    return ends && end == total ? parts("split", args.x, dim, args.sizes.count, NULL, ends, args.places)
                                : none(args.places);
}

wk_tensors wk_chunk_with(wk_split_args args)
{
    const int dim = split_dim("chunk", &args);
    if (dim < 0)
        return none(args.places);
    if (args.size <= 0) {
        wk_fail("chunk", "chunks: expected at least 1, got %lld", (long long)args.size);
        return none(args.places);
    }
    const int64_t total = args.x->shape[dim], size = total / args.size + (total % args.size > 0);
    return equal_parts("chunk", &args, dim, size, size > 0 ? (total + size - 1) / size : args.size);
}

/* an index of a slice: negative ones count from the end, all are clipped */
static int64_t clipped(int64_t index, int64_t size)
{
    index = index < 0 ? index + size : index;
    return index < 0 ? 0 : index > size ? size : index;
}

wk_tensors wk_tensor_split_with(wk_split_args args)
{
    const int dim = split_dim("tensor_split", &args);
    if (dim < 0)
        return none(args.places);
    if (!args.sizes.items && args.size <= 0) {
        wk_fail("tensor_split", "sections: expected at least 1, got %lld", (long long)args.size);
        return none(args.places);
    }
    const int64_t total = args.x->shape[dim], count = args.sizes.items ? args.sizes.count + 1 : args.size;
    int64_t *begins = room_for_ends("tensor_split", count), *ends = room_for_ends("tensor_split", count), end = 0;
    if (!begins || !ends)
        return none(args.places);
    bool joined = true; // each part begins where the one before ended
    for (int64_t i = 0; i < count; i++) {
        if (args.sizes.items) {
            begins[i] = i > 0 ? clipped(args.sizes.items[i - 1], total) : 0;
            ends[i] = i < count - 1 ? clipped(args.sizes.items[i], total) : total;
            joined = joined && ends[i] >= begins[i];
            ends[i] = ends[i] > begins[i] ? ends[i] : begins[i];
        } else {
            begins[i] = end;
            ends[i] = end += total / count + (i < total % count);
        }
    }
    if (joined)
        return parts("tensor_split", args.x, dim, count, NULL, ends, args.places);
    /* indices that go back: parts overlap, each is a slice of its own */
    if (!wk_check_places("tensor_split", args.places, count))
        return none(args.places);
    wk_tensors list = wk_tensors_room("tensor_split", count);
    bool fine = list.items;
    for (int64_t i = 0; fine && i < count; i++)
        fine = (list.items[i] = wk_slice(args.x, dim, begins[i], ends[i], 1)) != NULL;
    return wk_tensors_return(list, args.places, fine);
}

/* ---------------------------------------------------------------- meshgrid */

wk_tensors wk_meshgrid_with(wk_meshgrid_args args)
{
    const wk_tensors in = args.tensors;
    const bool xy = args.indexing && strcmp(args.indexing, "xy") == 0;
    wk_shape grid = {(int)in.count, {0}};
    bool fine = wk_check_places("meshgrid", args.places, in.count);
    if (fine && (in.count == 0 || in.count > WK_MAX_DIMS))
        fine = wk_fail("meshgrid", "tensors: expected 1 to %d, got %lld", WK_MAX_DIMS, (long long)in.count);
    if (fine && !xy && args.indexing && strcmp(args.indexing, "ij") != 0)
        fine = wk_fail("meshgrid", "indexing: expected \"ij\" or \"xy\", got \"%s\"", args.indexing);
    for (int64_t i = 0; fine && i < in.count; i++) {
        if (!wk_is_tensor(in.items[i]))
            fine = wk_not_a_tensor("meshgrid", "tensors", in.items[i]);
        else if (in.items[i]->ndim > 1)
            fine = wk_fail("meshgrid", "tensors: expected 0-d and 1-D tensors, got %s", wk_shape_string(in.items[i]));
        else if (in.items[i]->dtype != in.items[0]->dtype)
            fine = wk_fail("meshgrid", "tensors: expected one dtype, got %s and %s", wk_dtype_name(in.items[0]->dtype),
                           wk_dtype_name(in.items[i]->dtype));
        else
            grid.sizes[i] = in.items[i]->numel;
    }
    wk_tensors list = fine ? wk_tensors_room("meshgrid", in.count) : (wk_tensors){0, NULL};
    fine = fine && list.items;
    for (int64_t i = 0; fine && i < in.count; i++) {
        wk_shape along = {grid.ndim, {1, 1, 1, 1, 1, 1, 1, 1}};
        along.sizes[i] = grid.sizes[i];
        wk_tensor *y = wk_expand_with(wk_reshape_with(in.items[i], along), grid, NULL);
        list.items[i] = y && xy && in.count > 1 ? wk_transpose(y, 0, 1) : y;
        fine = list.items[i];
    }
    return wk_tensors_return(list, args.places, fine);
}
