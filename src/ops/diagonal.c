/* Diagonals and triangles: diagonal, diag, triu, tril. */
#include <wick/rearrange.h>

#include <string.h>

#include "ops.h"

/* ---------------------------------------------------------------- diagonal: dx = zeros with dy on the diagonal */

/* where a diagonal of x lies: its length, and the view's shape and strides */
typedef struct diagonal {
    int dim1, dim2, ndim;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS], offset;
} diagonal;

static diagonal diagonal_of(const wk_tensor *x, int64_t offset, int dim1, int dim2)
{
    diagonal d = {.dim1 = dim1, .dim2 = dim2};
    const int64_t rows = x->shape[dim1] + (offset < 0 ? offset : 0),
                  columns = x->shape[dim2] - (offset > 0 ? offset : 0);
    const int64_t shorter = rows < columns ? rows : columns, length = shorter > 0 ? shorter : 0;
    for (int dim = 0; dim < x->ndim; dim++) {
        if (dim == dim1 || dim == dim2)
            continue;
        d.shape[d.ndim] = x->shape[dim];
        d.strides[d.ndim++] = x->strides[dim];
    }
    d.shape[d.ndim] = length;
    d.strides[d.ndim++] = x->strides[dim1] + x->strides[dim2];
    if (length > 0)
        d.offset = offset > 0 ? offset * x->strides[dim2] : -offset * x->strides[dim1];
    return d;
}

static void diagonal_backward_backward(wk_node *node, wk_tensor *g)
{
    wk_accumulate(node, 0, wk_diagonal(g, node->n, .dim1 = node->shape2.sizes[0], .dim2 = node->shape2.sizes[1]));
}

/* zeros of a shape, with dy on a diagonal */
static wk_tensor *on_diagonal(wk_tensor *dy, wk_shape shape, int64_t offset, int dim1, int dim2)
{
    wk_tensor *x = wk_gradient_zeros(shape.ndim, shape.sizes, dy->dtype, dy->device);
    if (!x)
        return NULL;
    const diagonal d = diagonal_of(x, offset, dim1, dim2);
    bool fine = false;
    wk_no_grad
    {
        wk_tensor *place = wk_tensor_alias("diagonal_backward", x, d.ndim, d.shape, d.strides, d.offset);
        fine = place && wk_copy_(place, dy);
    }
    if (!fine)
        return NULL;
    x->storage->version = 0;
    return wk_record(x, diagonal_backward_backward, WK_INPUTS(dy), .n = offset, .shape2 = {2, {dim1, dim2}});
}

static void diagonal_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0,
                  on_diagonal(dy, node->shape, node->n, (int)node->shape2.sizes[0], (int)node->shape2.sizes[1]));
}

wk_tensor *wk_diagonal_with(wk_diagonal_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("diagonal", x);
    if (x->ndim < 2)
        return wk_fail("diagonal", "x: expected at least 2 dims, got %s", wk_shape_string(x));
    const int dim1 = wk_check_dim("diagonal", x->ndim, args.dim1), dim2 = wk_check_dim("diagonal", x->ndim, args.dim2);
    if (dim1 < 0 || dim2 < 0)
        return NULL;
    if (dim1 == dim2)
        return wk_fail("diagonal", "dim1 and dim2: must be two dims, both are %d", dim1);
    const diagonal d = diagonal_of(x, args.offset, dim1, dim2);
    wk_tensor *y = wk_tensor_alias("diagonal", x, d.ndim, d.shape, d.strides, d.offset);
    if (!y || !wk_mark_view(y, x))
        return NULL;
    return wk_record(y, diagonal_backward, WK_INPUTS(x), .n = args.offset, .shape = wk_shape_of(x->ndim, x->shape),
                     .shape2 = {2, {dim1, dim2}});
}

wk_tensor *wk_diag_with(wk_triangle_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("diag", x);
    if (x->ndim == 2)
        return wk_clone(wk_diagonal(x, args.diagonal));
    if (x->ndim != 1)
        return wk_fail("diag", "x: expected 1 or 2 dims, got %s", wk_shape_string(x));
    const int64_t size = x->shape[0] + (args.diagonal < 0 ? -args.diagonal : args.diagonal);
    return on_diagonal(x, (wk_shape){2, {size, size}}, args.diagonal, 0, 1);
}

/* ---------------------------------------------------------------- triu, tril: masked_fill with zeros */

/* where the other triangle is: (M, N) bool */
static wk_tensor *zeroed(const char *op, const wk_tensor *x, int64_t diagonal, bool upper)
{
    if (x->ndim < 2)
        return wk_fail(op, "x: expected at least 2 dims, got %s", wk_shape_string(x));
    const int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
    wk_tensor *mask = wk_tensor_new(op, 2, (int64_t[]){m, n}, wk_bool, x->device);
    bool *out = mask ? wk_data(mask) : NULL;
    for (int64_t i = 0; out && i < m; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = upper ? j - i < diagonal : j - i > diagonal;
    return mask;
}

static wk_tensor *triangle(const char *op, wk_triangle_args args, bool upper, bool in_place)
{
    WK_REQUIRE(op, args.x);
    wk_tensor *mask = zeroed(op, args.x, args.diagonal, upper);
    if (!mask)
        return NULL;
    return in_place ? wk_masked_fill_(args.x, mask, false) : wk_masked_fill(args.x, mask, false);
}

wk_tensor *wk_triu_with(wk_triangle_args args) { return triangle("triu", args, true, false); }
wk_tensor *wk_tril_with(wk_triangle_args args) { return triangle("tril", args, false, false); }
wk_tensor *wk_triu_in_place_with(wk_triangle_args args) { return triangle("triu_", args, true, true); }
wk_tensor *wk_tril_in_place_with(wk_triangle_args args) { return triangle("tril_", args, false, true); }
