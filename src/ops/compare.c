/* Comparison and logic: bool results, no gradient.  bitwise ops on integers and bool masks. */
#include <string.h>

#include "core/host.h"
#include "ops.h"

static wk_tensor *compare(const char *op, wk_pointwise_row row, wk_operand a, wk_operand b, bool ordered)
{
    if (!wk_operands_given(op, a, b))
        return NULL;
    wk_dtype dtype = wk_result_type((wk_operand[]){a, b}, 2);
    if (ordered && wk_dtype_is_complex(dtype))
        return wk_fail(op, "complex numbers have no order");
    return wk_pointwise(&(wk_pointwise_call){.op = op, .row = row, .inputs = 2, .in = {a, b}, .compute = dtype,
                                             .result = wk_bool});
}

wk_tensor *wk_eq_with(wk_operand a, wk_operand b) { return compare("eq", WK_ROW(eq), a, b, false); }
wk_tensor *wk_ne_with(wk_operand a, wk_operand b) { return compare("ne", WK_ROW(ne), a, b, false); }
wk_tensor *wk_lt_with(wk_operand a, wk_operand b) { return compare("lt", WK_ROW(lt), a, b, true); }
wk_tensor *wk_le_with(wk_operand a, wk_operand b) { return compare("le", WK_ROW(le), a, b, true); }
wk_tensor *wk_gt_with(wk_operand a, wk_operand b) { return compare("gt", WK_ROW(gt), a, b, true); }
wk_tensor *wk_ge_with(wk_operand a, wk_operand b) { return compare("ge", WK_ROW(ge), a, b, true); }
wk_tensor *wk_logical_and_with(wk_operand a, wk_operand b)
{
    return compare("logical_and", WK_ROW(logical_and), a, b, false);
}
wk_tensor *wk_logical_or_with(wk_operand a, wk_operand b)
{
    return compare("logical_or", WK_ROW(logical_or), a, b, false);
}
wk_tensor *wk_logical_xor_with(wk_operand a, wk_operand b)
{
    return compare("logical_xor", WK_ROW(logical_xor), a, b, false);
}
wk_tensor *wk_logical_not(wk_tensor *x)
{
    WK_REQUIRE("logical_not", x);
    return compare("logical_not", WK_ROW(eq), WK_OPERAND(x), WK_OPERAND(0), false);
}

/* 1 or 0 in the row's own type, stored as bool; integers are finite numbers */
static wk_tensor *classify(const char *op, wk_pointwise_row row, wk_tensor *x)
{
    WK_REQUIRE(op, x);
    return wk_pointwise(&(wk_pointwise_call){.op = op, .row = row, .inputs = 1, .in = {WK_OPERAND(x)},
                                             .compute = wk_float_type(x->dtype), .result = wk_bool});
}
wk_tensor *wk_isnan(wk_tensor *x) { return classify("isnan", WK_ROW(isnan), x); }
wk_tensor *wk_isinf(wk_tensor *x) { return classify("isinf", WK_ROW(isinf), x); }
wk_tensor *wk_isfinite(wk_tensor *x) { return classify("isfinite", WK_ROW(isfinite), x); }

static wk_tensor *bitwise(const char *op, wk_pointwise_row row, wk_operand a, wk_operand b)
{
    if (!wk_operands_given(op, a, b))
        return NULL;
    const wk_dtype dtype = wk_result_type((wk_operand[]){a, b}, 2);
    if (!wk_dtype_is_integral(dtype))
        return wk_fail(op, "expected integers or bool, got %s\nhint: masks come from comparisons: wk_gt(x, 0)",
                       wk_dtype_name(dtype));
    return wk_pointwise(&(wk_pointwise_call){.op = op, .row = row, .inputs = 2, .in = {a, b}, .compute = dtype,
                                             .result = dtype});
}
wk_tensor *wk_bitwise_and_with(wk_operand a, wk_operand b) { return bitwise("bitwise_and", WK_ROW(bitwise_and), a, b); }
wk_tensor *wk_bitwise_or_with(wk_operand a, wk_operand b) { return bitwise("bitwise_or", WK_ROW(bitwise_or), a, b); }
wk_tensor *wk_bitwise_xor_with(wk_operand a, wk_operand b) { return bitwise("bitwise_xor", WK_ROW(bitwise_xor), a, b); }
wk_tensor *wk_bitwise_not(wk_tensor *x)
{
    WK_REQUIRE("bitwise_not", x);
    return bitwise("bitwise_not", WK_ROW(bitwise_xor), WK_OPERAND(x),
                   x->dtype == wk_bool ? WK_OPERAND((bool)true) : WK_OPERAND(-1));
}

/* whether all of a new mask is true; false after an error, too.  A device sends its answer, not the mask. */
static bool every(const char *op, wk_tensor *mask)
{
    if (mask && mask->device.type != WK_CPU)
        mask = wk_on_host(op, wk_all(mask));
    return mask && (mask->numel == 0 || !memchr(wk_host(op, mask), 0, (size_t)mask->numel));
}

bool wk_equal(wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE("equal", a);
    WK_REQUIRE("equal", b);
    if (!wk_same_shape(a, b))
        return false;
    bool equal = false;
    wk_no_grad wk_scope { equal = every("equal", wk_eq(a, b)); }
    return equal;
}

/* |x| in float64, of complex numbers too */
static wk_tensor *magnitude(wk_tensor *x)
{
    if (!x || !wk_dtype_is_complex(x->dtype))
        return wk_abs(x);
    return wk_sqrt(wk_to(wk_mul(x, wk_conj(x)), wk_float64));
}

/* |a - b| <= atol + rtol |b|; equal infinities are close, NaN is close to NaN where equal_nan says so */
bool wk_allclose_with(wk_allclose_args args)
{
    WK_NAMES_ERRORS("allclose");
    WK_REQUIRE("allclose", args.a);
    WK_REQUIRE("allclose", args.b);
    if (!wk_check_operands_device("allclose", "a", args.a, "b", args.b))
        return false;
    const bool complex_ = wk_dtype_is_complex(args.a->dtype) || wk_dtype_is_complex(args.b->dtype);
    const wk_dtype dtype = complex_ ? wk_complex128 : wk_float64;
    bool close = false;
    wk_no_grad wk_scope
    {
        wk_tensor *a = wk_to(args.a, dtype), *b = wk_to(args.b, dtype), *size = magnitude(b);
        wk_tensor *within = wk_le(magnitude(wk_sub(a, b)), wk_add(wk_mul(size, args.rtol), args.atol));
        within = wk_logical_and(within, wk_isfinite(size));
        within = wk_logical_or(within, wk_eq(a, b));
        if (args.equal_nan)
            within = wk_logical_or(within, wk_logical_and(wk_isnan(magnitude(a)), wk_isnan(size)));
        close = every("allclose", within);
    }
    return close;
}
