/* Activations with parameters, log_softmax. */
#include "op_table.h"

static wk_tensor *run_log_softmax(golden_case *c)
{
    return wk_log_softmax(input(c, 0), .dim = integer(c, "dim"), .dtype = dtype(c, "dtype"));
}
OP(log_softmax, run_log_softmax)
BAD(log_softmax, wk_log_softmax(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")
BAD(log_softmax, wk_log_softmax(wk_zeros((2), .dtype = wk_complex64)), "expected a floating dtype, got complex64")

static wk_tensor *run_gelu(golden_case *c)
{
    return has(c, "approximate") ? wk_gelu(input(c, 0), text(c, "approximate")) : wk_gelu(input(c, 0));
}
OP(gelu, run_gelu)
BAD(gelu, wk_gelu(wk_zeros((2)), .approximate = "erf"), "approximate: expected")
BAD(gelu, wk_gelu(wk_zeros((2), .dtype = wk_int64)), "expected a floating dtype")

static wk_tensor *run_softplus(golden_case *c)
{
    return wk_softplus(input(c, 0), real_or(c, "beta", 1), real_or(c, "threshold", 20));
}
OP(softplus, run_softplus)
static wk_tensor *run_elu(golden_case *c) { return wk_elu(input(c, 0), .alpha = real_or(c, "alpha", 1)); }
OP(elu, run_elu)
static wk_tensor *run_leaky_relu(golden_case *c)
{
    return wk_leaky_relu(input(c, 0), .negative_slope = real_or(c, "negative_slope", 0.01));
}
OP(leaky_relu, run_leaky_relu)

static wk_tensor *run_glu(golden_case *c) { return wk_glu(input(c, 0), .dim = integer(c, "dim")); }
OP(glu, run_glu)
BAD(glu, wk_glu(wk_zeros((2, 3))), "expected an even size")

static wk_tensor *run_prelu(golden_case *c) { return wk_prelu(input(c, 0), input(c, 1)); }
OP(prelu, run_prelu)
BAD(prelu, wk_prelu(wk_zeros((2, 3)), wk_zeros((2))), "weight: expected one number, or one for each of 3 channels")
BAD(prelu, wk_prelu(wk_zeros((2, 3)), wk_zeros((3), .dtype = wk_float64)), "weight: expected x's dtype float32")
BAD(prelu, wk_prelu(wk_zeros((2, 3), .dtype = wk_int64), wk_zeros((3))), "expected a floating dtype")
