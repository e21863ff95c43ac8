/* The functions of one tensor without parameters: each is a row of pointwise.def, here given its name. */
#include <math.h>
#include <stdlib.h>

#include "ops.h"

#define FUNCTION(name)                                                                                                 \
    wk_tensor *wk_##name(wk_tensor *x) { return wk_unary(&WK_UNARY_OP(name), x, 0, 0); }                               \
    wk_tensor *wk_##name##_(wk_tensor *x) { return wk_unary_(&WK_UNARY_OP(name), x, 0, 0); }

FUNCTION(sign)
FUNCTION(reciprocal)
FUNCTION(sqrt)
FUNCTION(rsqrt)
FUNCTION(exp)
FUNCTION(exp2)
FUNCTION(expm1)
FUNCTION(log)
FUNCTION(log2)
FUNCTION(log10)
FUNCTION(log1p)
FUNCTION(sin)
FUNCTION(cos)
FUNCTION(tan)
FUNCTION(asin)
FUNCTION(acos)
FUNCTION(atan)
FUNCTION(sinh)
FUNCTION(cosh)
FUNCTION(tanh)
FUNCTION(asinh)
FUNCTION(acosh)
FUNCTION(atanh)
FUNCTION(erf)
FUNCTION(erfc)
FUNCTION(erfinv)
FUNCTION(sigmoid)
FUNCTION(logsigmoid)
FUNCTION(silu)
FUNCTION(mish)
FUNCTION(softsign)

/* of what wk_unary looks at before it does; what is no tensor is left to it */
static bool is_integral(const wk_tensor *x) { return wk_is_tensor(x) && wk_dtype_is_integral(x->dtype); }
static bool is_bool(const wk_tensor *x) { return wk_is_tensor(x) && x->dtype == wk_bool; }
static bool is_complex(const wk_tensor *x) { return wk_is_tensor(x) && wk_dtype_is_complex(x->dtype); }

/* integers are whole already */
static wk_tensor *whole(const wk_unary_op *op, wk_tensor *x)
{
    return is_integral(x) ? wk_clone(x) : wk_unary(op, x, 0, 0);
}

static wk_tensor *whole_(const wk_unary_op *op, wk_tensor *x)
{
    if (!is_integral(x))
        return wk_unary_(op, x, 0, 0);
    return wk_check_writable(op->in_place_name, x) ? x : NULL;
}

#define ROUNDING(name)                                                                                                 \
    wk_tensor *wk_##name(wk_tensor *x) { return whole(&WK_UNARY_OP(name), x); }                                        \
    wk_tensor *wk_##name##_(wk_tensor *x) { return whole_(&WK_UNARY_OP(name), x); }

ROUNDING(floor)
ROUNDING(ceil)
ROUNDING(trunc)

wk_tensor *(wk_round)(wk_tensor *x) { return whole(&WK_UNARY_OP(round), x); }
wk_tensor *(wk_round_)(wk_tensor *x) { return whole_(&WK_UNARY_OP(round), x); }

/* as PyTorch: times a power of 10, rounded, and back, each in x's dtype */
static wk_tensor *round_to(const char *op, wk_tensor *x, int decimals)
{
    const double power = pow(10, abs(decimals));
    if (is_integral(x))
        return wk_fail(op, "decimals: %s has none, got %d", wk_dtype_name(x->dtype), decimals);
    return decimals > 0 ? wk_div(wk_round(wk_mul(x, power)), power) : wk_mul(wk_round(wk_div(x, power)), power);
}

wk_tensor *wk_round_with(wk_round_args args)
{
    if (args.decimals == 0)
        return (wk_round)(args.x);
    WK_NAMES_ERRORS("round");
    WK_REQUIRE("round", args.x);
    return round_to("round", args.x, args.decimals);
}

wk_tensor *wk_round_in_place_with(wk_round_args args)
{
    if (args.decimals == 0)
        return (wk_round_)(args.x);
    WK_NAMES_ERRORS("round_");
    WK_REQUIRE("round_", args.x);
    return wk_check_writable("round_", args.x) ? wk_write("round_", args.x, round_to("round_", args.x, args.decimals))
                                               : NULL;
}

static bool not_bool(const char *op, const wk_tensor *x, const char *hint)
{
    if (is_bool(x))
        return wk_fail(op, "is not defined for bool tensors%s", hint);
    return true;
}

#define NOT_FOR_BOOL(name, hint)                                                                                       \
    wk_tensor *wk_##name(wk_tensor *x)                                                                                 \
    {                                                                                                                  \
        return not_bool(#name, x, hint) ? wk_unary(&WK_UNARY_OP(name), x, 0, 0) : NULL;                                \
    }                                                                                                                  \
    wk_tensor *wk_##name##_(wk_tensor *x)                                                                              \
    {                                                                                                                  \
        return not_bool(#name "_", x, hint) ? wk_unary_(&WK_UNARY_OP(name), x, 0, 0) : NULL;                           \
    }

NOT_FOR_BOOL(neg, "\nhint: use wk_logical_not")
NOT_FOR_BOOL(relu, "")

static void conj_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, wk_conj(dy)); }

wk_tensor *wk_conj(wk_tensor *x)
{
    WK_REQUIRE("conj", x);
    if (!wk_dtype_is_complex(x->dtype))
        return x;
    wk_tensor *y = wk_pointwise(&(wk_pointwise_call){.op = "conj",
                                                     .row = WK_ROW_conj,
                                                     .inputs = 1,
                                                     .in = {WK_OPERAND(x)},
                                                     .compute = x->dtype,
                                                     .result = x->dtype});
    return wk_record(y, conj_backward, WK_INPUTS(x));
}

/* x to the power of the integer 2: bools become int64 */
wk_tensor *wk_square(wk_tensor *x)
{
    if (is_complex(x))
        return wk_mul(x, x);
    return wk_unary(&WK_UNARY_OP(square), is_bool(x) ? wk_to(x, wk_int64) : x, 0, 0);
}
wk_tensor *wk_square_(wk_tensor *x) { return is_complex(x) ? wk_mul_(x, x) : wk_unary_(&WK_UNARY_OP(square), x, 0, 0); }
