/* Arithmetic of two operands. */
#include "op_table.h"

#define ARITHMETIC(name)                                                                                               \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name##_with(operand(c, 0), operand(c, 1)); }            \
    OP(name, run_##name)
ARITHMETIC(mul)
ARITHMETIC(floor_divide)
ARITHMETIC(remainder)
ARITHMETIC(fmod)
ARITHMETIC(pow)

#define OF_TENSORS(name)                                                                                               \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name(input(c, 0), input(c, 1)); }                       \
    OP(name, run_##name)
OF_TENSORS(atan2)
OF_TENSORS(maximum)
OF_TENSORS(minimum)

static wk_add_args add_args(golden_case *c)
{
    return (wk_add_args){.a = operand(c, 0), .b = operand(c, 1), .alpha = real_or(c, "alpha", 1)};
}
static wk_tensor *run_add(golden_case *c) { return wk_add_with(add_args(c)); }
static wk_tensor *run_sub(golden_case *c) { return wk_sub_with(add_args(c)); }
static wk_tensor *run_add_(golden_case *c) { return wk_add_in_place_with(add_args(c)); }
static wk_tensor *run_sub_(golden_case *c) { return wk_sub_in_place_with(add_args(c)); }
OP(add, run_add)
OP(sub, run_sub)
OP(add_, run_add_)
OP(sub_, run_sub_)

static wk_tensor *run_div(golden_case *c)
{
    return wk_div_with(
        (wk_div_args){.a = operand(c, 0), .b = operand(c, 1), .rounding_mode = text(c, "rounding_mode")});
}
static wk_tensor *run_mul_(golden_case *c) { return wk_mul_in_place_with(input(c, 0), operand(c, 1)); }
static wk_tensor *run_div_(golden_case *c) { return wk_div_(input(c, 0), operand(c, 1)); }
static wk_tensor *run_pow_(golden_case *c) { return wk_pow_in_place_with(input(c, 0), operand(c, 1)); }
OP(div, run_div)
OP(mul_, run_mul_)
OP(div_, run_div_)
OP(pow_, run_pow_)

BAD(add, wk_add(wk_zeros((2, 3)), wk_zeros((2, 4))), "shapes (2, 3) and (2, 4) do not broadcast")
BAD(sub_, wk_sub_(wk_zeros((3)), wk_zeros((3), .dtype = wk_bool)), "is not defined for bools")
BAD(pow, wk_pow(wk_zeros((0), .dtype = wk_complex64), 3), "is not defined for complex64")
BAD(mul_, wk_mul_(wk_zeros((3)), wk_zeros((2, 3))), "x: of shape (3,) cannot hold the result")
BAD(div, wk_div(wk_zeros((3)), 2, .rounding_mode = "up"), "expected \"trunc\" or \"floor\", got \"up\"")
BAD(remainder, wk_remainder(wk_zeros((3), .dtype = wk_int64), 0), "division by zero")
