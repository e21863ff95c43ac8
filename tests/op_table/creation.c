/* New tensors. */
#include "op_table.h"

static wk_factory_args factory(const char *op, golden_case *c, wk_tensor *like, wk_number fill)
{
    return (wk_factory_args){
        .op = op, .size = sizes(c, "size"), .like = like, .fill = fill, .dtype = dtype(c, "dtype")};
}

#define FILLED(name, value)                                                                                            \
    static wk_tensor *run_##name(golden_case *c) { return wk_full_with(factory(#name, c, NULL, value)); }              \
    static wk_tensor *run_##name##_like(golden_case *c)                                                                \
    {                                                                                                                  \
        return wk_full_like_with(factory(#name "_like", c, input(c, 0), value));                                       \
    }                                                                                                                  \
    static wk_tensor *run_new_##name(golden_case *c)                                                                   \
    {                                                                                                                  \
        return wk_new_full_with(input(c, 0), factory("new_" #name, c, NULL, value));                                   \
    }                                                                                                                  \
    OP(name, run_##name, .gradient = NONE)                                                                             \
    OP(name##_like, run_##name##_like, .gradient = NONE)                                                               \
    OP(new_##name, run_new_##name, .gradient = NONE)
FILLED(zeros, WK_NUMBER(0.0))
FILLED(ones, WK_NUMBER(1.0))
FILLED(full, number(c, "fill_value"))

static wk_tensor *run_full_bool(golden_case *c)
{
    return wk_full_with(factory("full", c, NULL, WK_NUMBER((bool)true)));
}
OP(full_bool, run_full_bool, .gradient = NONE)

static wk_tensor *run_arange(golden_case *c)
{
    return wk_arange_with(number(c, "start"), number(c, "end"), number(c, "step"),
                          (wk_range_args){.dtype = dtype(c, "dtype")});
}
static wk_tensor *run_linspace(golden_case *c)
{
    return wk_linspace(real(c, "start"), real(c, "end"), integer(c, "steps"), .dtype = dtype(c, "dtype"));
}
static wk_tensor *run_eye(golden_case *c)
{
    return wk_eye(integer(c, "n"), integer_or(c, "m", WK_EYE_SQUARE), .dtype = dtype(c, "dtype"));
}
OP(arange, run_arange, .gradient = NONE)
OP(linspace, run_linspace, .gradient = NONE)
OP(eye, run_eye, .gradient = NONE)

BAD(zeros, wk_zeros((2, -1)), "sizes must not be negative")
BAD(zeros, wk_zeros((1LL << 40, 1LL << 40)), "larger than memory can be")
BAD(zeros, wk_zeros((1LL << 62, 4, 0)), "larger than memory can be")
BAD(arange, wk_arange(0, INT64_MAX), "expected finite bounds")
BAD(zeros, wk_zeros((2), .dtype = wk_int64, .requires_grad = true), "expected a floating or complex dtype, got int64")
BAD(full, wk_full((2), 1e30, .dtype = wk_int64), "fill_value: expected a number that int64 has room for, got 1e+30")
BAD(arange, wk_arange(0, 5, -1), "does not lead from 0 to 5")
BAD(linspace, wk_linspace(0, 1, -1), "must not be negative")
BAD(linspace, wk_linspace(0, 300, 3, .dtype = wk_uint8), "end: expected a number that uint8 has room for")
BAD(linspace, wk_linspace(0, 1, 3, .dtype = wk_bool), "not defined for bool")
BAD(arange, wk_arange_with(WK_NUMBER(0), WK_NUMBER(2), WK_NUMBER(1), (wk_range_args){.dtype = wk_bool}),
    "not defined for bool")
BAD(eye, wk_eye(-1), "n: must not be negative, got -1")
BAD(eye, wk_eye(2, -1), "m: must not be negative, got -1")
