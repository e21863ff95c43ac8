/* Views: new shape and strides on the same memory.

   Each view is a node whose backward is the view undone.  A view also remembers its base (wk_mark_view), so that a
   write into either reaches the history of the other (inplace.c). */
#include <wick/view.h>

#include <string.h>

#include "ops.h"

static wk_tensor *view_of(const char *op, wk_tensor *x, int ndim, const int64_t *shape, const int64_t *strides,
                          int64_t offset)
{
    wk_tensor *y = wk_tensor_alias(op, x, ndim, shape, strides, offset);
    return y && wk_mark_view(y, x) ? y : NULL;
}

/* ---------------------------------------------------------------- reshape, view: dx = dy in x's shape */

typedef struct view_kept {
    wk_shape shape; // x's
} view_kept;

static void view_backward(wk_node *node, wk_tensor *dy)
{
    const view_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_reshape_with(dy, kept->shape));
}

static wk_shape shape_of(const wk_tensor *x) { return wk_shape_of(x->ndim, x->shape); }

/* puts the size of a -1 among sizes that are to multiply to numel.  -1: an error was raised; else whether they do. */
static int infer(const char *op, int64_t numel, wk_shape *size)
{
    int unknown = -1;
    int64_t known;
    wk_shape given = *size;
    for (int dim = 0; dim < size->ndim; dim++)
        if (size->sizes[dim] == -1 && unknown < 0) {
            unknown = dim;
            given.sizes[dim] = 1;
        } else if (size->sizes[dim] < 0) {
            wk_fail(op, "size: expected sizes and at most one -1, got %s",
                    wk_shape_text(size->ndim, size->sizes, (char[WK_SHAPE_TEXT]){0}));
            return -1;
        }
    if (!wk_check_numel(op, given.ndim, given.sizes, &known))
        return -1;
    if (unknown < 0)
        return known == numel;
    if (known == 0 || numel % known != 0)
        return 0;
    size->sizes[unknown] = numel / known;
    return 1;
}

/* puts the size of a -1; false after an error */
static bool infer_shape(const char *op, const wk_tensor *x, wk_shape *size)
{
    if (size->ndim > WK_MAX_DIMS)
        return wk_fail(op, "size: expected at most %d dims, got %d", WK_MAX_DIMS, size->ndim);
    const int fits = infer(op, x->numel, size);
    if (fits == 0)
        wk_fail(op, "size: %s does not fit the %lld elements of %s",
                wk_shape_text(size->ndim, size->sizes, (char[WK_SHAPE_TEXT]){0}), (long long)x->numel,
                wk_shape_string(x));
    return fits == 1;
}

/* The strides that show x in a new shape without a copy; false where there are none.  x's dims are taken in runs that
   step as one; each run must be made of whole new dims. */
static bool view_strides(const wk_tensor *x, const wk_shape *size, int64_t *strides)
{
    if (x->numel == 0 || wk_is_contiguous(x)) {
        wk_contiguous_strides(size->ndim, size->sizes, strides);
        return true;
    }
    int to = size->ndim - 1;
    int64_t run = 1, base = x->ndim > 0 ? x->strides[x->ndim - 1] : 1, filled = 1;
    for (int dim = x->ndim - 1; dim >= 0; dim--) {
        run *= x->shape[dim];
        const bool ends = dim == 0 || (x->shape[dim - 1] != 1 && x->strides[dim - 1] != run * base);
        if (!ends)
            continue;
        while (to >= 0 && (filled < run || size->sizes[to] == 1)) {
            strides[to] = filled * base;
            filled *= size->sizes[to--];
        }
        if (filled != run)
            return false;
        if (dim > 0) {
            base = x->strides[dim - 1];
            run = 1;
            filled = 1;
        }
    }
    return to == -1;
}

static wk_tensor *view_or_null(const char *op, wk_tensor *x, const wk_shape *size)
{
    int64_t strides[WK_MAX_DIMS];
    if (!view_strides(x, size, strides))
        return NULL;
    wk_tensor *y = view_of(op, x, size->ndim, size->sizes, strides, 0);
    return wk_record(y, view_backward, WK_INPUTS(x), WK_KEPT(view_kept, shape_of(x)));
}

wk_tensor *wk_view_with(wk_tensor *x, wk_shape size)
{
    WK_REQUIRE("view", x);
    int64_t strides[WK_MAX_DIMS];
    if (!infer_shape("view", x, &size))
        return NULL;
    if (!view_strides(x, &size, strides))
        return wk_fail("view",
                       "size: %s is no view of %s, whose strides are %s\nhint: use wk_reshape, which copies then",
                       wk_shape_text(size.ndim, size.sizes, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(x),
                       wk_shape_text(x->ndim, x->strides, (char[WK_SHAPE_TEXT]){0}));
    return view_or_null("view", x, &size);
}

static wk_tensor *reshape(const char *op, wk_tensor *x, wk_shape size)
{
    int64_t strides[WK_MAX_DIMS];
    if (!infer_shape(op, x, &size))
        return NULL;
    if (view_strides(x, &size, strides))
        return view_or_null(op, x, &size);
    wk_tensor *copy = wk_clone_contiguous(x);
    return copy ? view_or_null(op, copy, &size) : NULL;
}

wk_tensor *wk_reshape_with(wk_tensor *x, wk_shape size)
{
    WK_REQUIRE("reshape", x);
    return reshape("reshape", x, size);
}

wk_tensor *wk_reshape_as(wk_tensor *x, wk_tensor *like)
{
    WK_NAMES_ERRORS("reshape_as");
    WK_REQUIRE("reshape_as", like);
    return wk_reshape_with(x, shape_of(like));
}

wk_tensor *wk_view_as(wk_tensor *x, wk_tensor *like)
{
    WK_NAMES_ERRORS("view_as");
    WK_REQUIRE("view_as", like);
    return wk_view_with(x, shape_of(like));
}

wk_tensor *wk_flatten_with(wk_flatten_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("flatten", x);
    const int start = wk_check_dim("flatten", x->ndim, args.start_dim),
              end = wk_check_dim("flatten", x->ndim, args.end_dim);
    if (start < 0 || end < 0)
        return NULL;
    if (start > end)
        return wk_fail("flatten", "start_dim: %lld lies behind end_dim %lld", (long long)args.start_dim,
                       (long long)args.end_dim);
    wk_shape size = {0};
    if (x->ndim == 0)
        return reshape("flatten", x, (wk_shape){1, {1}});
    if (start == end)
        return x;
    for (int dim = 0; dim < x->ndim; dim++)
        if (dim <= start || dim > end)
            size.sizes[size.ndim++] = x->shape[dim];
        else if (!wk_check_numel("flatten", 2, (int64_t[]){size.sizes[size.ndim - 1], x->shape[dim]},
                                 &size.sizes[size.ndim - 1]))
            return NULL;
    return reshape("flatten", x, size);
}

wk_tensor *wk_unflatten_with(wk_tensor *x, int64_t dim_, wk_shape sizes)
{
    WK_REQUIRE("unflatten", x);
    const int dim = wk_check_dim("unflatten", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    if (x->ndim == 0 || sizes.ndim == 0 || x->ndim - 1 + sizes.ndim > WK_MAX_DIMS)
        return wk_fail("unflatten", "sizes: %s cannot stand for dim %d of %s",
                       wk_shape_text(sizes.ndim, sizes.sizes, (char[WK_SHAPE_TEXT]){0}), dim, wk_shape_string(x));
    const int fits = infer("unflatten", x->shape[dim], &sizes);
    if (fits < 0)
        return NULL;
    if (!fits)
        return wk_fail("unflatten", "sizes: %s do not multiply to %lld, the size of dim %d of %s",
                       wk_shape_text(sizes.ndim, sizes.sizes, (char[WK_SHAPE_TEXT]){0}), (long long)x->shape[dim], dim,
                       wk_shape_string(x));
    wk_shape size = {x->ndim - 1 + sizes.ndim, {0}};
    memcpy(size.sizes, x->shape, (size_t)dim * sizeof *size.sizes);
    memcpy(size.sizes + dim, sizes.sizes, (size_t)sizes.ndim * sizeof *size.sizes);
    memcpy(size.sizes + dim + sizes.ndim, x->shape + dim + 1, (size_t)(x->ndim - dim - 1) * sizeof *size.sizes);
    return reshape("unflatten", x, size);
}

/* ---------------------------------------------------------------- permute, transpose: dx = dy in the old order */

typedef struct permute_kept {
    wk_shape dims;
} permute_kept;

static void permute_backward(wk_node *node, wk_tensor *dy)
{
    const wk_shape *dims = &((const permute_kept *)node->kept)->dims;
    wk_shape back = {dims->ndim, {0}};
    for (int dim = 0; dim < back.ndim; dim++)
        back.sizes[dims->sizes[dim]] = dim;
    wk_accumulate(node, 0, wk_permute_with(dy, back));
}

static wk_tensor *permute(const char *op, wk_tensor *x, const wk_shape *dims)
{
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    for (int dim = 0; dim < x->ndim; dim++) {
        shape[dim] = x->shape[dims->sizes[dim]];
        strides[dim] = x->strides[dims->sizes[dim]];
    }
    return view_of(op, x, x->ndim, shape, strides, 0);
}

wk_tensor *wk_permute_with(wk_tensor *x, wk_shape dims)
{
    WK_REQUIRE("permute", x);
    bool seen[WK_MAX_DIMS] = {0};
    if (dims.ndim != x->ndim)
        return wk_fail("permute", "dims: expected %d, one for each dim of %s, got %d", x->ndim, wk_shape_string(x),
                       dims.ndim);
    for (int i = 0; i < dims.ndim; i++) {
        const int dim = wk_check_dim("permute", x->ndim, dims.sizes[i]);
        if (dim < 0)
            return NULL;
        if (seen[dim])
            return wk_fail("permute", "dims: %d comes twice in %s", dim,
                           wk_shape_text(dims.ndim, dims.sizes, (char[WK_SHAPE_TEXT]){0}));
        seen[dim] = true;
        dims.sizes[i] = dim;
    }
    return wk_record(permute("permute", x, &dims), permute_backward, WK_INPUTS(x), WK_KEPT(permute_kept, dims));
}

typedef struct transpose_kept {
    int dim0, dim1;
} transpose_kept;

static void transpose_backward(wk_node *node, wk_tensor *dy)
{
    const transpose_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_transpose(dy, kept->dim0, kept->dim1));
}

wk_tensor *(wk_transpose)(wk_tensor *x, int64_t dim0, int64_t dim1)
{
    WK_REQUIRE("transpose", x);
    const int a = wk_check_dim("transpose", x->ndim, dim0), b = wk_check_dim("transpose", x->ndim, dim1);
    if (a < 0 || b < 0)
        return NULL;
    wk_shape dims = {x->ndim, {0, 1, 2, 3, 4, 5, 6, 7}};
    dims.sizes[a] = b;
    dims.sizes[b] = a;
    return wk_record(permute("transpose", x, &dims), transpose_backward, WK_INPUTS(x), WK_KEPT(transpose_kept, a, b));
}

wk_tensor *wk_t(wk_tensor *x)
{
    WK_REQUIRE("t", x);
    if (x->ndim > 2)
        return wk_fail("t",
                       "x: expected at most 2 dims, got %s\nhint: wk_transpose(x, -2, -1) turns matrices of a batch",
                       wk_shape_string(x));
    return x->ndim < 2 ? x : wk_transpose(x, 0, 1);
}

/* ---------------------------------------------------------------- expand: dx = dy summed over what was repeated */

/* wk_accumulate sums */
static void expand_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, dy); }

wk_tensor *wk_expand_with(wk_tensor *x, wk_shape size, wk_tensor *like)
{
    WK_REQUIRE("expand", x);
    if (like)
        size = shape_of(like);
    if (size.ndim < x->ndim || size.ndim > WK_MAX_DIMS)
        return wk_fail("expand", "size: expected at least %d dims for %s, got %s", x->ndim, wk_shape_string(x),
                       wk_shape_text(size.ndim, size.sizes, (char[WK_SHAPE_TEXT]){0}));
    int64_t strides[WK_MAX_DIMS] = {0};
    for (int dim = 0; dim < size.ndim; dim++) {
        const int own = dim - (size.ndim - x->ndim);
        if (size.sizes[dim] == -1 && own >= 0)
            size.sizes[dim] = x->shape[own];
        if (size.sizes[dim] < 0 || (own >= 0 && x->shape[own] != 1 && size.sizes[dim] != x->shape[own]))
            return wk_fail("expand", "size: %s cannot be expanded to %s: dim %d is neither 1 nor the size asked for",
                           wk_shape_string(x), wk_shape_text(size.ndim, size.sizes, (char[WK_SHAPE_TEXT]){0}), own);
        strides[dim] = own < 0 || (x->shape[own] == 1 && size.sizes[dim] != 1) ? 0 : x->strides[own];
    }
    if (size.ndim == x->ndim && memcmp(size.sizes, x->shape, (size_t)x->ndim * sizeof *size.sizes) == 0 && like)
        return x;
    return wk_record(view_of("expand", x, size.ndim, size.sizes, strides, 0), expand_backward, WK_INPUTS(x));
}

wk_tensor *wk_expand_as(wk_tensor *x, wk_tensor *like)
{
    WK_NAMES_ERRORS("expand_as");
    WK_REQUIRE("expand_as", x);
    WK_REQUIRE("expand_as", like);
    return wk_expand_with(x, shape_of(like), NULL);
}

/* ---------------------------------------------------------------- squeeze, unsqueeze: dx = dy in x's shape */

wk_tensor *(wk_unsqueeze)(wk_tensor *x, int64_t dim)
{
    WK_REQUIRE("unsqueeze", x);
    if (dim < -x->ndim - 1 || dim > x->ndim || x->ndim == WK_MAX_DIMS)
        return wk_fail("unsqueeze", "dim: expected -%d to %d for %s, got %lld", x->ndim + 1, x->ndim,
                       wk_shape_string(x), (long long)dim);
    dim = dim < 0 ? dim + x->ndim + 1 : dim;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    for (int to = 0, from = 0; to <= x->ndim; to++) {
        const bool is_new = to == dim;
        shape[to] = is_new ? 1 : x->shape[from];
        strides[to] = is_new ? (from < x->ndim ? x->shape[from] * x->strides[from] : 1) : x->strides[from];
        from += !is_new;
    }
    return wk_record(view_of("unsqueeze", x, x->ndim + 1, shape, strides, 0), view_backward, WK_INPUTS(x),
                     WK_KEPT(view_kept, shape_of(x)), .name = "unsqueeze_backward");
}

/* without the dims of size 1 among those chosen, a bit each */
static wk_tensor *squeeze(wk_tensor *x, unsigned chosen)
{
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    int ndim = 0;
    for (int dim = 0; dim < x->ndim; dim++) {
        if (x->shape[dim] == 1 && chosen >> dim & 1)
            continue;
        shape[ndim] = x->shape[dim];
        strides[ndim++] = x->strides[dim];
    }
    return wk_record(view_of("squeeze", x, ndim, shape, strides, 0), view_backward, WK_INPUTS(x),
                     WK_KEPT(view_kept, shape_of(x)), .name = "squeeze_backward");
}

wk_tensor *wk_squeeze_all(wk_tensor *x)
{
    WK_REQUIRE("squeeze", x);
    return squeeze(x, ~0u);
}

wk_tensor *wk_squeeze_dim(wk_tensor *x, int64_t dim)
{
    WK_REQUIRE("squeeze", x);
    const int only = wk_check_dim("squeeze", x->ndim, dim);
    return only < 0 ? NULL : squeeze(x, 1u << only);
}

wk_tensor *wk_squeeze_dims(wk_tensor *x, wk_shape dims)
{
    WK_REQUIRE("squeeze", x);
    unsigned chosen = 0;
    for (int i = 0; i < dims.ndim; i++) {
        const int dim = wk_check_dim("squeeze", x->ndim, dims.sizes[i]);
        if (dim < 0)
            return NULL;
        if (chosen >> dim & 1)
            return wk_fail("squeeze", "dim: %d comes twice", dim);
        chosen |= 1u << dim;
    }
    return squeeze(x, chosen);
}

/* ---------------------------------------------------------------- select, narrow, slice: dx = 0 but dy in its place */

typedef struct slice_kept {
    wk_shape shape; // x's
    int dim;
    int64_t start, step, length;
    bool lacks_dim; // of one index, and without the dim
} slice_kept;

static void slice_backward(wk_node *node, wk_tensor *dy)
{
    const slice_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_slice_backward(dy, kept->shape, kept->dim, kept->start, kept->step, kept->lacks_dim));
}

static void slice_backward_backward(wk_node *node, wk_tensor *g)
{
    const slice_kept *kept = node->kept;
    const int64_t end = kept->start + (kept->length > 0 ? (kept->length - 1) * kept->step + 1 : 0);
    wk_accumulate(node, 0,
                  kept->lacks_dim ? wk_select(g, kept->dim, kept->start)
                                  : wk_slice(g, kept->dim, kept->start, end, kept->step));
}

/* zeros of a shape, with dy in a slice of dim (one index of it where dy lacks the dim) */
wk_tensor *wk_slice_backward(wk_tensor *dy, wk_shape shape, int dim, int64_t start, int64_t step, bool lacks_dim)
{
    WK_REQUIRE("slice_backward", dy);
    wk_tensor *dx = wk_gradient_zeros(shape.ndim, shape.sizes, dy->dtype, dy->device);
    WK_REQUIRE("slice_backward", dx);
    const int64_t length = lacks_dim ? 1 : dy->shape[dim];
    wk_no_grad
    {
        wk_tensor *place = lacks_dim ? wk_select(dx, dim, start)
                           : length  ? wk_slice(dx, dim, start, start + (length - 1) * step + 1, step)
                                     : NULL;
        if (length)
            dx = place && wk_copy_(place, dy) ? dx : NULL;
    }
    if (dx)
        dx->storage->version = 0;
    return wk_record(dx, slice_backward_backward, WK_INPUTS(dy),
                     WK_KEPT(slice_kept, shape, dim, start, step, length, lacks_dim));
}

wk_tensor *(wk_select)(wk_tensor *x, int64_t dim_, int64_t index)
{
    WK_REQUIRE("select", x);
    if (x->ndim == 0)
        return wk_fail("select", "x: a 0-d tensor has no dim to select from");
    const int dim = wk_check_dim("select", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    const int64_t size = x->shape[dim];
    if (index < -size || index >= size)
        return wk_fail("select", "index: %lld is out of range for dim %d of %s, which has size %lld", (long long)index,
                       dim, wk_shape_string(x), (long long)size);
    index = index < 0 ? index + size : index;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    for (int to = 0; to < x->ndim - 1; to++) {
        shape[to] = x->shape[to + (to >= dim)];
        strides[to] = x->strides[to + (to >= dim)];
    }
    return wk_record(
        view_of("select", x, x->ndim - 1, shape, strides, index * x->strides[dim]), slice_backward, WK_INPUTS(x),
        WK_KEPT(slice_kept, .shape = shape_of(x), .dim = dim, .start = index, .step = 1, .lacks_dim = true),
        .name = "select_backward");
}

wk_tensor *(wk_slice)(wk_tensor *x, int64_t dim_, int64_t start, int64_t end, int64_t step)
{
    WK_REQUIRE("slice", x);
    if (x->ndim == 0)
        return wk_fail("slice", "x: a 0-d tensor has no dim to slice");
    const int dim = wk_check_dim("slice", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    if (step <= 0)
        return wk_fail("slice", "step: must be positive, got %lld", (long long)step);
    const int64_t size = x->shape[dim];
    start = start < 0 ? start + size : start;
    end = end < 0 ? end + size : end;
    start = start < 0 ? 0 : start > size ? size : start;
    end = end < start ? start : end > size ? size : end;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    memcpy(strides, x->strides, sizeof strides);
    shape[dim] = end > start ? (end - start - 1) / step + 1 : 0;
    strides[dim] = (int64_t)((uint64_t)strides[dim] * (uint64_t)step); // wraps only where one element is left
    return wk_record(view_of("slice", x, x->ndim, shape, strides, start * x->strides[dim]), slice_backward,
                     WK_INPUTS(x), WK_KEPT(slice_kept, .shape = shape_of(x), .dim = dim, .start = start, .step = step));
}

wk_tensor *(wk_narrow)(wk_tensor *x, int64_t dim_, int64_t start, int64_t length)
{
    WK_REQUIRE("narrow", x);
    if (x->ndim == 0)
        return wk_fail("narrow", "x: a 0-d tensor has no dim to narrow");
    const int dim = wk_check_dim("narrow", x->ndim, dim_);
    if (dim < 0)
        return NULL;
    const int64_t size = x->shape[dim], from = start < 0 ? start + size : start;
    if (from < 0 || length < 0 || from > size - length)
        return wk_fail("narrow", "start %lld and length %lld leave dim %d of %s, which has size %lld", (long long)start,
                       (long long)length, dim, wk_shape_string(x), (long long)size);
    return wk_slice(x, dim, from, from + length, 1);
}
