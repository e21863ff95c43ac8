/* Choosing and mixing. */
#include <math.h>

#include "op_table.h"

static wk_tensor *run_where(golden_case *c) { return wk_where_with(operand(c, 0), operand(c, 1), operand(c, 2)); }
OP(where, run_where)

static wk_tensor *run_masked_fill(golden_case *c)
{
    return wk_masked_fill_with(input(c, 0), input(c, 1), operand(c, 2));
}
static wk_tensor *run_masked_fill_(golden_case *c)
{
    return wk_masked_fill_in_place_with(input(c, 0), input(c, 1), operand(c, 2));
}
OP(masked_fill, run_masked_fill)
OP(masked_fill_, run_masked_fill_)

static wk_operand bound(golden_case *c, int i)
{
    optional(c, i);
    return operand(c, i);
}
static wk_tensor *run_clamp(golden_case *c) { return wk_clamp_with(input(c, 0), bound(c, 1), bound(c, 2)); }
static wk_tensor *run_clamp_(golden_case *c) { return wk_clamp_in_place_with(input(c, 0), bound(c, 1), bound(c, 2)); }
OP(clamp, run_clamp)
OP(clamp_, run_clamp_)

static wk_tensor *run_lerp(golden_case *c) { return wk_lerp_with(input(c, 0), input(c, 1), operand(c, 2)); }
static wk_tensor *run_lerp_(golden_case *c) { return wk_lerp_in_place_with(input(c, 0), input(c, 1), operand(c, 2)); }
OP(lerp, run_lerp)
OP(lerp_, run_lerp_)

#define ADDC(name)                                                                                                     \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_##name(input(c, 0), input(c, 1), input(c, 2), .value = real_or(c, "value", 1));                      \
    }                                                                                                                  \
    OP(name, run_##name)
ADDC(addcmul)
ADDC(addcdiv)
ADDC(addcmul_)
ADDC(addcdiv_)

BAD(where, wk_where(wk_zeros((2)), wk_zeros((2)), 0), "cond: expected bool, got float32")
BAD(masked_fill, wk_masked_fill(wk_zeros((2)), wk_zeros((2)), 0), "mask: expected bool, got float32")
BAD(masked_fill, wk_masked_fill(wk_zeros((2)), wk_ones((2), .dtype = wk_bool), wk_ones((), .dtype = wk_complex64)),
    "value: complex64 cannot be written into a tensor of float32")
BAD(masked_fill, wk_masked_fill(wk_full((2), 1), wk_ones((2), .dtype = wk_bool), -(double)INFINITY),
    "that int64 has room")
BAD(lerp, wk_lerp(wk_zeros((2)), wk_zeros((2)), wk_zeros((2), .dtype = wk_float64)),
    "weight: expected the operands' dtype float32, got float64")
BAD(clamp, wk_clamp(wk_zeros((2), .dtype = wk_complex64), 0, 1), "complex numbers have no order")
BAD(clamp, wk_clamp(wk_zeros((2)), wk_none, wk_none), "expected min, max or both")
