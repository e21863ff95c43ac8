/* repeat, tile, repeat_interleave, flip, roll, unfold, one_hot. */
#include <wick/rearrange.h>

#include <string.h>

#include <wick/index.h>
#include <wick/join.h>

#include "copy.h"
#include "core/run.h"
#include "kernels/one_hot.h"
#include "ops.h"
#include "tensors.h"

/* ---------------------------------------------------------------- repeat, tile: expanded views, copied once */

/* x along dim so many times, by joining it with itself */
static wk_tensor *joined(wk_tensor *x, int dim, int64_t times)
{
    wk_tensors list = wk_tensors_room("repeat", times);
    for (int64_t i = 0; i < list.count; i++)
        list.items[i] = x;
    return list.items ? wk_cat(list, dim) : NULL;
}

wk_tensor *wk_repeat_with(wk_tensor *x, wk_sizes repeats)
{
    WK_REQUIRE("repeat", x);
    if (repeats.count < x->ndim || repeats.count > WK_MAX_DIMS)
        return wk_fail("repeat", "repeats: expected %d to %d numbers for %s, got %lld", x->ndim, WK_MAX_DIMS,
                       wk_shape_string(x), (long long)repeats.count);
    /* each dim of d elements repeated r times becomes (r, d), expanded from (1, d), where both are more than 1 */
    wk_shape seen = {0}, shown = {0}, result = {(int)repeats.count, {0}};
    int pairs = 0;
    for (int dim = 0; dim < result.ndim; dim++) {
        const int own = dim - (result.ndim - x->ndim);
        const int64_t d = own < 0 ? 1 : x->shape[own], r = repeats.items[dim];
        if (r < 0)
            return wk_fail("repeat", "repeats: must not be negative, got %lld", (long long)r);
        if (!wk_check_numel("repeat", 2, (int64_t[]){d, r}, &result.sizes[dim]))
            return NULL;
        pairs += d != 1 && r != 1;
    }
    int too_many = result.ndim + pairs - WK_MAX_DIMS;
    for (int dim = result.ndim - 1; dim >= 0; dim--) {
        const int own = dim - (result.ndim - x->ndim);
        const int64_t r = repeats.items[dim];
        if (too_many > 0 && own >= 0 && x->shape[own] != 1 && r > 1) {
            x = joined(x, own, r);
            too_many--;
            if (!x)
                return NULL;
        }
    }
    for (int dim = 0; dim < result.ndim; dim++) {
        const int own = dim - (result.ndim - x->ndim);
        const int64_t d = own < 0 ? 1 : x->shape[own], r = d == result.sizes[dim] ? 1 : repeats.items[dim];
        if (d != 1 && r != 1) {
            seen.sizes[seen.ndim++] = 1;
            shown.sizes[shown.ndim++] = r;
        }
        seen.sizes[seen.ndim++] = d;
        shown.sizes[shown.ndim++] = d == 1 ? r : d;
    }
    return wk_reshape_with(wk_clone_contiguous(wk_expand_with(wk_reshape_with(x, seen), shown, NULL)), result);
}

wk_tensor *wk_tile_with(wk_tensor *x, wk_sizes repeats)
{
    WK_NAMES_ERRORS("tile");
    WK_REQUIRE("tile", x);
    int64_t all[2 * WK_MAX_DIMS];
    const int64_t missing = repeats.count < x->ndim ? x->ndim - repeats.count : 0;
    if (repeats.count > WK_MAX_DIMS)
        return wk_fail("tile", "repeats: expected at most %d, got %lld", WK_MAX_DIMS, (long long)repeats.count);
    for (int64_t i = 0; i < missing; i++)
        all[i] = 1;
    memcpy(all + missing, repeats.items, (size_t)repeats.count * sizeof *all);
    return wk_repeat_with(x, (wk_sizes){missing + repeats.count, all});
}

/* ---------------------------------------------------------------- repeat_interleave */

/* Each index i of size as often as repeats says.  How many there are depends on values: the host waits for them. */
static wk_tensor *interleaved_index(const wk_tensor *x, int dim, wk_tensor *repeats, int64_t output_size)
{
    static const char OP[] = "repeat_interleave";
    const int64_t size = x->shape[dim];
    if (repeats->dtype != wk_int64 && repeats->dtype != wk_int32)
        return wk_fail(OP, "repeats: expected int64 or int32, got %s", wk_dtype_name(repeats->dtype));
    if (repeats->ndim > 1 || (repeats->numel != 1 && repeats->numel != size))
        return wk_fail(OP, "repeats: expected one number for each of the %lld elements of dim %d, got %s",
                       (long long)size, dim, wk_shape_string(repeats));
    wk_tensor *dense = wk_to(wk_dense(wk_to(repeats, wk_int64)), wk_cpu);
    const int64_t *times = dense ? wk_host(OP, dense) : NULL;
    if (!times)
        return NULL;
    int64_t total = 0;
    for (int64_t i = 0; i < size; i++) {
        const int64_t n = times[dense->numel == 1 ? 0 : i];
        if (n < 0)
            return wk_fail(OP, "repeats: must not be negative, got %lld", (long long)n);
        if (__builtin_add_overflow(total, n, &total))
            return wk_fail(OP, "repeats: add up to more than can be counted");
    }
    if (output_size && total != output_size)
        return wk_fail(OP, "output_size: expected %lld, what repeats add up to, got %lld", (long long)total,
                       (long long)output_size);
    wk_tensor *index = wk_tensor_new(OP, 1, &total, wk_int64, wk_cpu);
    int64_t *to = index ? wk_host(OP, index) : NULL;
    for (int64_t i = 0, at = 0; to && i < size; i++)
        for (int64_t n = times[dense->numel == 1 ? 0 : i]; n > 0; n--)
            to[at++] = i;
    return wk_to(index, x->device);
}

wk_tensor *wk_repeat_interleave_with(wk_repeat_interleave_args args)
{
    WK_REQUIRE("repeat_interleave", args.x);
    WK_REQUIRE_OPERAND("repeat_interleave", args.repeats);
    if (!args.repeats.tensor && args.repeats.number.kind != WK_INT_NUMBER)
        return wk_fail("repeat_interleave", "repeats: expected an integer or a tensor of integers");
    wk_tensor *x = args.dim == WK_NO_DIM || args.x->ndim == 0 ? wk_reshape(args.x, (-1)) : args.x;
    const int dim = x ? wk_check_dim("repeat_interleave", x->ndim, args.dim == WK_NO_DIM ? 0 : args.dim) : -1;
    if (dim < 0)
        return NULL;
    wk_tensor *repeats = args.repeats.tensor;
    if (!repeats) {
        const int64_t n = args.repeats.number.integer;
        if (n < 0)
            return wk_fail("repeat_interleave", "repeats: must not be negative, got %lld", (long long)n);
        if (args.output_size && n * x->shape[dim] != args.output_size)
            return wk_fail("repeat_interleave", "output_size: expected %lld, what repeats add up to, got %lld",
                           (long long)(n * x->shape[dim]), (long long)args.output_size);
        if (x->ndim < WK_MAX_DIMS) {
            wk_shape shown = wk_shape_of(x->ndim + 1, x->shape), result = wk_shape_of(x->ndim, x->shape);
            memmove(shown.sizes + dim + 2, x->shape + dim + 1, (size_t)(x->ndim - dim - 1) * sizeof *shown.sizes);
            shown.sizes[dim + 1] = n;
            if (!wk_check_numel("repeat_interleave", 2, (int64_t[]){x->shape[dim], n}, &result.sizes[dim]))
                return NULL;
            return wk_reshape_with(wk_clone_contiguous(wk_expand_with(wk_unsqueeze(x, dim + 1), shown, NULL)), result);
        }
        repeats = wk_full((1), n);
    }
    wk_tensor *index = repeats ? interleaved_index(x, dim, repeats, args.output_size) : NULL;
    return wk_index_select(x, dim, index);
}

/* ---------------------------------------------------------------- flip: dx = dy flipped */

typedef struct flip_kept {
    bool turned[WK_MAX_DIMS];
} flip_kept;

static wk_tensor *flip(wk_tensor *x, const flip_kept *kept);

static void flip_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, flip(dy, node->kept)); }

static wk_tensor *flip(wk_tensor *x, const flip_kept *kept)
{
    WK_REQUIRE("flip", x);
    wk_tensor *y = wk_tensor_new("flip", x->ndim, x->shape, x->dtype, x->device);
    if (!y)
        return NULL;
    wk_copy_side from = {.tensor = x}, to = {.tensor = y};
    for (int dim = 0; dim < x->ndim; dim++) {
        from.strides[dim] = kept->turned[dim] ? -x->strides[dim] : x->strides[dim];
        from.offset += kept->turned[dim] && x->shape[dim] > 0 ? (x->shape[dim] - 1) * x->strides[dim] : 0;
        to.strides[dim] = y->strides[dim];
    }
    if (!wk_copy_region(x->ndim, x->shape, &from, &to))
        return NULL;
    return wk_record(y, flip_backward, WK_INPUTS(x), .kept = kept, .kept_bytes = sizeof *kept);
}

wk_tensor *wk_flip_with(wk_tensor *x, wk_sizes dims)
{
    WK_REQUIRE("flip", x);
    flip_kept kept = {{0}};
    for (int64_t i = 0; i < dims.count; i++) {
        const int dim = wk_check_dim("flip", x->ndim, dims.items[i]);
        if (dim < 0)
            return NULL;
        if (kept.turned[dim])
            return wk_fail("flip", "dims: %d comes twice", dim);
        kept.turned[dim] = true;
    }
    return flip(x, &kept);
}

wk_tensor *wk_rot90_with(wk_tensor *x, int64_t k, wk_shape dims)
{
    WK_NAMES_ERRORS("rot90");
    WK_REQUIRE("rot90", x);
    if (dims.ndim != 2)
        return wk_fail("rot90", "dims: expected two, got %d", dims.ndim);
    const int from = wk_check_dim("rot90", x->ndim, dims.sizes[0]), to = wk_check_dim("rot90", x->ndim, dims.sizes[1]);
    if (from < 0 || to < 0)
        return NULL;
    if (from == to)
        return wk_fail("rot90", "dims: must be two dims, both are %d", from);
    switch (k & 3) {
    case 1:
        return wk_transpose(wk_flip(x, (to)), from, to);
    case 2:
        return wk_flip(x, (from, to));
    case 3:
        return wk_transpose(wk_flip(x, (from)), from, to);
    default:
        return wk_clone_contiguous(x);
    }
}

/* ---------------------------------------------------------------- roll: dx = dy rolled back */

typedef struct roll_kept {
    int dim;
    int64_t back; // by how many
} roll_kept;

static wk_tensor *roll(wk_tensor *x, int dim, int64_t shift);

static void roll_backward(wk_node *node, wk_tensor *dy)
{
    const roll_kept *kept = node->kept;
    wk_accumulate(node, 0, roll(dy, kept->dim, kept->back));
}

static wk_tensor *roll(wk_tensor *x, int dim, int64_t shift)
{
    WK_REQUIRE("roll", x);
    wk_tensor *y = wk_tensor_new("roll", x->ndim, x->shape, x->dtype, x->device);
    if (!y)
        return NULL;
    const int64_t size = x->shape[dim], on = size > 0 ? (shift % size + size) % size : 0;
    if (y->numel > 0) {
        int64_t part[WK_MAX_DIMS];
        wk_copy_side from = {.tensor = x}, to = {.tensor = y, .offset = on * y->strides[dim]};
        memcpy(part, x->shape, sizeof part);
        memcpy(from.strides, x->strides, sizeof from.strides);
        memcpy(to.strides, y->strides, sizeof to.strides);
        part[dim] = size - on;
        if (!wk_copy_region(x->ndim, part, &from, &to))
            return NULL;
        part[dim] = on;
        from.offset = (size - on) * x->strides[dim];
        to.offset = 0;
        if (!wk_copy_region(x->ndim, part, &from, &to))
            return NULL;
    }
    return wk_record(y, roll_backward, WK_INPUTS(x), WK_KEPT(roll_kept, dim, size - on));
}

wk_tensor *wk_roll_with(wk_tensor *x, wk_sizes shifts, wk_sizes dims)
{
    WK_REQUIRE("roll", x);
    if (dims.count == 0 && shifts.count == 1)
        return wk_reshape_as(roll(wk_reshape(x, (-1)), 0, shifts.items[0]), x);
    if (shifts.count != dims.count || dims.count == 0)
        return wk_fail("roll", "shifts and dims: expected as many of one as of the other, got %lld and %lld",
                       (long long)shifts.count, (long long)dims.count);
    if (x->ndim == 0)
        return wk_fail("roll", "x: a 0-d tensor has no dim to roll along");
    wk_tensor *y = x;
    for (int64_t i = 0; y && i < dims.count; i++) {
        const int dim = wk_check_dim("roll", x->ndim, dims.items[i]);
        y = dim < 0 ? NULL : roll(y, dim, shifts.items[i]);
    }
    return y;
}

/* ---------------------------------------------------------------- unfold: dx = dy, overlapping windows added */

typedef struct unfold_kept {
    wk_shape shape; // x's
    int dim;
    int64_t size, step;
} unfold_kept;

static void unfold_backward_backward(wk_node *node, wk_tensor *g)
{
    const unfold_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_unfold(g, kept->dim, kept->size, kept->step));
}

/* element k of every window is a slice of x: one slice after another is added */
static void unfold_backward(wk_node *node, wk_tensor *dy)
{
    const unfold_kept *kept = node->kept;
    const int64_t size = kept->size, step = kept->step;
    const int dim = kept->dim;
    wk_tensor *dx = wk_gradient_zeros(kept->shape.ndim, kept->shape.sizes, dy->dtype, dy->device);
    const int64_t windows = dx && kept->shape.ndim > 0 ? dy->shape[dim] : 0;
    bool fine = dx;
    wk_no_grad
    {
        if (fine && kept->shape.ndim == 0 && size == 1)
            fine = wk_copy_(dx, wk_select(dy, 0, 0));
        for (int64_t k = 0; fine && windows > 0 && k < size; k++) {
            wk_tensor *part = wk_slice(dx, dim, k, k + (windows - 1) * step + 1, step);
            wk_tensor *from = wk_select(dy, -1, k);
            fine = part && from && wk_add_(part, from);
        }
    }
    if (!fine)
        return;
    dx->storage->version = 0;
    wk_accumulate(node, 0,
                  wk_record(dx, unfold_backward_backward, WK_INPUTS(dy), .kept = kept, .kept_bytes = sizeof *kept));
}

wk_tensor *(wk_unfold)(wk_tensor *x, int64_t dim_, int64_t size, int64_t step)
{
    WK_REQUIRE("unfold", x);
    const int dim = wk_check_dim("unfold", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    const int64_t whole = x->ndim > 0 ? x->shape[dim] : 1;
    if (size < 0 || size > whole || step <= 0 || x->ndim == WK_MAX_DIMS)
        return wk_fail("unfold", "windows of %lld, %lld apart, do not fit dim %d of %s", (long long)size,
                       (long long)step, dim, wk_shape_string(x));
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    memcpy(strides, x->strides, sizeof strides);
    shape[x->ndim] = size;
    strides[x->ndim] = x->ndim > 0 ? x->strides[dim] : 1;
    if (x->ndim > 0) {
        shape[dim] = (whole - size) / step + 1;
        strides[dim] = (int64_t)((uint64_t)strides[dim] * (uint64_t)step); // wraps only where one window is left
    }
    wk_tensor *y = wk_tensor_alias("unfold", x, x->ndim + 1, shape, strides, 0);
    if (!y || !wk_mark_view(y, x))
        return NULL;
    return wk_record(y, unfold_backward, WK_INPUTS(x),
                     WK_KEPT(unfold_kept, wk_shape_of(x->ndim, x->shape), dim, size, step));
}

/* ---------------------------------------------------------------- one_hot: no gradient, its input is integers */

/* num_classes -1: the host waits for the largest class */
wk_tensor *wk_one_hot_with(wk_one_hot_args args)
{
    static const char OP[] = "one_hot";
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    if (x->dtype != wk_int64)
        return wk_fail(OP, "x: expected int64, got %s\nhint: wk_to(x, wk_int64)", wk_dtype_name(x->dtype));
    if (x->ndim == WK_MAX_DIMS)
        return wk_fail(OP, "x: of %d dims already, the most there are", WK_MAX_DIMS);
    wk_tensor *dense = wk_dense(x);
    if (!dense)
        return NULL;
    int64_t classes = args.num_classes;
    if (classes == -1 && x->numel > 0) {
        wk_tensor *largest = wk_amax(dense);
        if (!largest || !wk_tolist(largest, &classes))
            return NULL;
        if (classes < 0 || classes == INT64_MAX)
            return wk_fail(OP, "x: expected classes from 0 on, got %lld", (long long)classes);
        classes++;
    }
    if (classes <= 0)
        return wk_fail(OP, "num_classes: expected a positive number%s, got %lld",
                       x->numel == 0 ? ", since there is no class to tell it from" : "", (long long)args.num_classes);
    wk_shape shape = wk_shape_of(x->ndim + 1, x->shape);
    shape.sizes[x->ndim] = classes;
    wk_tensor *y = wk_tensor_new(OP, shape.ndim, shape.sizes, wk_int64, x->device);
    if (!y || !wk_run(OP, y, one_hot, .x = wk_data(dense), .y = wk_data(y), .count = x->numel, .classes = classes))
        return NULL;
    return y;
}
