/* Complex tensors as real ones and back: views of the same memory, with another dtype; and what follows from them. */
#include <wick/complex.h>

#include <wick/join.h>

#include "autocast.h"
#include "ops.h"

/* x's memory in another dtype, `offset` elements of it from its beginning */
static wk_tensor *seen_as(const char *op, wk_tensor *x, wk_dtype dtype, const wk_shape *shape, const int64_t *strides,
                          int64_t offset)
{
    wk_tensor *y = wk_tensor_alias(op, x, shape->ndim, shape->sizes, strides, 0);
    if (!y)
        return NULL;
    y->dtype = dtype;
    y->offset = offset;
    return wk_mark_view(y, x) ? y : NULL;
}

/* ---------------------------------------------------------------- view_as_real, view_as_complex: dx = dy, seen back */

/* dy in memory that can be seen as complex */
static void view_as_real_backward(wk_node *node, wk_tensor *dy)
{
    const bool fits = dy && dy->numel > 0 && wk_is_contiguous(dy) && dy->offset % 2 == 0;
    wk_accumulate(node, 0, wk_view_as_complex(fits ? dy : wk_clone_contiguous(dy)));
}

wk_tensor *wk_view_as_real(wk_tensor *x)
{
    static const char OP[] = "view_as_real";
    WK_REQUIRE(OP, x);
    if (!wk_dtype_is_complex(x->dtype))
        return wk_fail(OP, "x: expected a complex tensor, got %s", wk_dtype_name(x->dtype));
    if (x->ndim == WK_MAX_DIMS)
        return wk_fail(OP, "x: expected at most %d dims, got %s", WK_MAX_DIMS - 1, wk_shape_string(x));
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    int64_t strides[WK_MAX_DIMS];
    for (int dim = 0; dim < x->ndim; dim++)
        strides[dim] = 2 * x->strides[dim];
    strides[x->ndim] = 1;
    shape.sizes[shape.ndim++] = 2;
    wk_tensor *y = seen_as(OP, x, wk_dtype_to_real(x->dtype), &shape, strides, 2 * x->offset);
    return wk_record(y, view_as_real_backward, WK_INPUTS(x));
}

static void view_as_complex_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, wk_view_as_real(dy)); }

wk_tensor *wk_view_as_complex(wk_tensor *x)
{
    static const char OP[] = "view_as_complex";
    WK_AUTOCAST(FLOAT32, &x);
    WK_REQUIRE(OP, x);
    if (x->dtype != wk_float32 && x->dtype != wk_float64)
        return wk_fail(OP, "x: expected float32 or float64, got %s", wk_dtype_name(x->dtype));
    const int last = x->ndim - 1;
    if (last < 0 || x->shape[last] != 2)
        return wk_fail(OP, "x: expected a last dim of size 2, got %s", wk_shape_string(x));
    bool fits = x->strides[last] == 1 && x->offset % 2 == 0;
    wk_shape shape = wk_shape_of(last, x->shape);
    int64_t strides[WK_MAX_DIMS];
    for (int dim = 0; dim < last; dim++) {
        fits &= x->strides[dim] % 2 == 0;
        strides[dim] = x->strides[dim] / 2;
    }
    if (!fits)
        return wk_fail(OP,
                       "x: expected stride 1 in the last dim, even ones in the others and an even offset, got strides "
                       "%s\nhint: use wk_contiguous, or wk_clone",
                       wk_shape_text(x->ndim, x->strides, (char[WK_SHAPE_TEXT]){0}));
    const wk_dtype dtype = x->dtype == wk_float32 ? wk_complex64 : wk_complex128;
    return wk_record(seen_as(OP, x, dtype, &shape, strides, x->offset / 2), view_as_complex_backward, WK_INPUTS(x));
}

wk_tensor *wk_real(wk_tensor *x)
{
    WK_NAMES_ERRORS("real");
    WK_REQUIRE("real", x);
    return wk_dtype_is_complex(x->dtype) ? wk_select(wk_view_as_real(x), -1, 0) : x;
}

wk_tensor *wk_imag(wk_tensor *x)
{
    WK_NAMES_ERRORS("imag");
    WK_REQUIRE("imag", x);
    return wk_select(wk_view_as_real(x), -1, 1);
}

static wk_tensor *complex_of(wk_tensor *real, wk_tensor *imag)
{
    return real && imag ? wk_view_as_complex(wk_stack((real, imag), -1)) : NULL;
}

/* ---------------------------------------------------------------- abs: of complex x dx = dy x / |x|, 0 at 0 */

static void complex_abs_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_abs(x); // again: what was returned may be written to
    wk_accumulate(node, 0, wk_mul(x, wk_div(dy, wk_where(wk_eq(y, 0), 1, y))));
}

/* y = kernel(a, b) of two parts of complex x */
static wk_tensor *of_parts(const char *op, wk_pointwise_row row, wk_tensor *a, wk_tensor *b)
{
    return a && b ? wk_pointwise(&(wk_pointwise_call){.op = op,
                                                      .row = row,
                                                      .inputs = 2,
                                                      .in = {WK_OPERAND(a), WK_OPERAND(b)},
                                                      .compute = a->dtype,
                                                      .result = a->dtype})
                  : NULL;
}

wk_tensor *wk_abs(wk_tensor *x)
{
    WK_NAMES_ERRORS("abs");
    if (!wk_is_tensor(x) || !wk_dtype_is_complex(x->dtype))
        return wk_unary(&WK_UNARY_OP(abs), x, 0, 0);
    wk_tensor *y = WK_WITHOUT_GRAD(of_parts("abs", WK_ROW(hypot), wk_real(x), wk_imag(x)));
    return wk_record(y, complex_abs_backward, .name = "abs_backward", WK_INPUTS(x), WK_SAVED(x));
}

wk_tensor *wk_abs_(wk_tensor *x) { return wk_unary_(&WK_UNARY_OP(abs), x, 0, 0); }

/* ---------------------------------------------------------------- angle: dx = dy i x / |x|^2, 0 at 0 and of reals */

static void angle_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0);
    if (!x || !dy)
        return;
    if (!wk_dtype_is_complex(x->dtype)) {
        wk_accumulate(node, 0, wk_zeros_like(dy));
        return;
    }
    wk_tensor *real = wk_real(x), *imag = wk_imag(x), *squares = wk_add(wk_square(real), wk_square(imag));
    wk_tensor *scaled = wk_div(dy, wk_where(wk_eq(squares, 0), 1, squares));
    wk_accumulate(node, 0, complex_of(wk_neg(wk_mul(imag, scaled)), wk_mul(real, scaled)));
}

static wk_tensor *angle_of_reals(wk_tensor *x)
{
    wk_tensor *y = wk_to(x, wk_float_type(x->dtype));
    return wk_where(wk_isnan(y), y, wk_where(wk_lt(y, 0), wk_full_like(y, wk_pi), wk_zeros_like(y)));
}

wk_tensor *wk_angle(wk_tensor *x)
{
    WK_NAMES_ERRORS("angle");
    WK_REQUIRE("angle", x);
    wk_tensor *y = WK_WITHOUT_GRAD(
        wk_dtype_is_complex(x->dtype) ? of_parts("angle", WK_ROW(atan2), wk_imag(x), wk_real(x)) : angle_of_reals(x));
    return wk_record(y, angle_backward, WK_INPUTS(x), WK_SAVED(x));
}

/* ---------------------------------------------------------------- polar */

wk_tensor *wk_polar(wk_tensor *abs, wk_tensor *angle)
{
    static const char OP[] = "polar";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &abs, &angle);
    WK_REQUIRE(OP, abs);
    WK_REQUIRE(OP, angle);
    if ((abs->dtype != wk_float32 && abs->dtype != wk_float64) || angle->dtype != abs->dtype)
        return wk_fail(OP, "abs, angle: expected both float32 or both float64, got %s and %s",
                       wk_dtype_name(abs->dtype), wk_dtype_name(angle->dtype));
    return complex_of(wk_mul(abs, wk_cos(angle)), wk_mul(abs, wk_sin(angle)));
}
