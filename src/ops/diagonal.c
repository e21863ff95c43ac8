/* Diagonals and triangles: diagonal, diag, triu, tril. */
#include <wick/rearrange.h>

#include <stdlib.h>

#include "core/run.h"
#include "kernels/triangle.h"
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

typedef struct diagonal_kept {
    wk_shape shape; // x's
    int64_t offset;
    int dim1, dim2;
} diagonal_kept;

static void diagonal_backward_backward(wk_node *node, wk_tensor *g)
{
    const diagonal_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_diagonal(g, kept->offset, kept->dim1, kept->dim2));
}

/* zeros of a shape, with dy on a diagonal */
static wk_tensor *on_diagonal(wk_tensor *dy, wk_shape shape, int64_t offset, int dim1, int dim2)
{
    wk_tensor *x = wk_gradient_zeros(shape.ndim, shape.sizes, dy->dtype, dy->device);
    if (!x)
        return NULL;
    const diagonal d = diagonal_of(x, offset, dim1, dim2);
    wk_tensor *place = wk_tensor_alias("diagonal_backward", x, d.ndim, d.shape, d.strides, d.offset);
    if (!place || !WK_WITHOUT_GRAD(wk_copy_(place, dy)))
        return NULL;
    x->storage->version = 0;
    return wk_record(x, diagonal_backward_backward, WK_INPUTS(dy), WK_KEPT(diagonal_kept, shape, offset, dim1, dim2));
}

static void diagonal_backward(wk_node *node, wk_tensor *dy)
{
    const diagonal_kept *kept = node->kept;
    wk_accumulate(node, 0, on_diagonal(dy, kept->shape, kept->offset, kept->dim1, kept->dim2));
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
    return wk_record(y, diagonal_backward, WK_INPUTS(x),
                     WK_KEPT(diagonal_kept, wk_shape_of(x->ndim, x->shape), args.offset, dim1, dim2));
}

wk_tensor *wk_diag_with(wk_triangle_args args)
{
    WK_NAMES_ERRORS("diag");
    wk_tensor *x = args.x;
    WK_REQUIRE("diag", x);
    if (x->ndim == 2)
        return wk_clone(wk_diagonal(x, args.diagonal));
    if (x->ndim != 1)
        return wk_fail("diag", "x: expected 1 or 2 dims, got %s", wk_shape_string(x));
    int64_t size;
    if (args.diagonal == INT64_MIN || __builtin_add_overflow(x->shape[0], llabs(args.diagonal), &size))
        return wk_fail("diag", "diagonal: %lld is more than a matrix can hold", (long long)args.diagonal);
    return on_diagonal(x, (wk_shape){2, {size, size}}, args.diagonal, 0, 1);
}

/* ---------------------------------------------------------------- fill_diagonal_: a write into views */

wk_tensor *wk_fill_diagonal_in_place_with(wk_fill_diagonal_args args)
{
    static const char OP[] = "fill_diagonal_";
    WK_NAMES_ERRORS(OP);
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    WK_REQUIRE_OPERAND(OP, args.value);
    if (x->ndim < 2)
        return wk_fail(OP, "x: expected at least 2 dims, got %s", wk_shape_string(x));
    int64_t n = x->shape[0], step = 0;
    for (int dim = 0; dim < x->ndim; dim++) {
        if (x->ndim > 2 && x->shape[dim] != n)
            return wk_fail(OP, "x: expected equal sizes where there are more than 2 dims, got %s", wk_shape_string(x));
        n = x->shape[dim] < n ? x->shape[dim] : n;
        step += x->strides[dim];
    }
    if (!wk_check_writable(OP, x) || !wk_check_value(OP, "value", args.value, x->dtype))
        return NULL;
    const int64_t height = x->ndim == 2 && args.wrap ? x->shape[0] : n, apart = x->shape[1] + 1;
    for (int64_t row = 0; row < height && n > 0; row += apart) {
        const int64_t length = row + n < height || height == n ? n : height - row;
        if (!wk_fill_(
                wk_as_strided_with(x, (wk_shape){1, {length}}, (wk_shape){1, {step}}, x->offset + row * x->strides[0]),
                args.value))
            return NULL;
    }
    return x;
}

/* ---------------------------------------------------------------- triu, tril: dx = the same triangle of dy */

static bool check_matrix(const char *op, const wk_tensor *x)
{
    if (x->ndim < 2)
        return wk_fail(op, "x: expected at least 2 dims, got %s", wk_shape_string(x));
    return true;
}

/* x is dense; y may be x; false after an error */
static bool run_triangle(const char *op, const wk_tensor *x, wk_tensor *y, int64_t diagonal, bool upper)
{
    const int64_t rows = x->shape[x->ndim - 2], columns = x->shape[x->ndim - 1];
    return x->numel == 0 || wk_run(op, x, triangle, .x = wk_data(x), .y = wk_data(y),
                                   .size = (int64_t)wk_dtype_size(x->dtype), .matrices = x->numel / rows / columns,
                                   .rows = rows, .columns = columns, .diagonal = diagonal, .upper = upper);
}

typedef struct triangle_kept {
    int64_t diagonal;
    bool upper;
} triangle_kept;

static wk_tensor *triangle(const char *op, wk_tensor *x, int64_t diagonal, bool upper);

static void triangle_backward(wk_node *node, wk_tensor *dy)
{
    const triangle_kept *kept = node->kept;
    wk_accumulate(node, 0, triangle(node->name, dy, kept->diagonal, kept->upper));
}

static wk_tensor *triangle(const char *op, wk_tensor *x, int64_t diagonal, bool upper)
{
    WK_REQUIRE(op, x);
    wk_tensor *dense = check_matrix(op, x) ? wk_dense(x) : NULL;
    wk_tensor *y = dense ? wk_tensor_new(op, x->ndim, x->shape, x->dtype, x->device) : NULL;
    if (!y || !run_triangle(op, dense, y, diagonal, upper))
        return NULL;
    return wk_record(y, triangle_backward, WK_INPUTS(x), WK_KEPT(triangle_kept, diagonal, upper),
                     .name = upper ? "triu_backward" : "tril_backward");
}

static wk_tensor *triangle_in_place(const char *op, wk_tensor *x, int64_t diagonal, bool upper)
{
    WK_REQUIRE(op, x);
    if (!check_matrix(op, x) || !wk_check_writable(op, x))
        return NULL;
    if (!wk_is_contiguous(x) || wk_needs_grad(x))
        return wk_write(op, x, triangle(op, x, diagonal, upper));
    if (!run_triangle(op, x, x, diagonal, upper))
        return NULL;
    wk_count_write(x);
    return x;
}

wk_tensor *wk_triu_with(wk_triangle_args args) { return triangle("triu", args.x, args.diagonal, true); }
wk_tensor *wk_tril_with(wk_triangle_args args) { return triangle("tril", args.x, args.diagonal, false); }
wk_tensor *wk_triu_in_place_with(wk_triangle_args args)
{
    return triangle_in_place("triu_", args.x, args.diagonal, true);
}
wk_tensor *wk_tril_in_place_with(wk_triangle_args args)
{
    return triangle_in_place("tril_", args.x, args.diagonal, false);
}
