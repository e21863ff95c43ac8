/* layer_norm, group_norm. */
#include "op_table.h"

static wk_tensor *run_layer_norm(golden_case *c)
{
    return wk_layer_norm_with((wk_layer_norm_args){.x = input(c, 0),
                                                   .normalized_shape = sizes(c, "shape"),
                                                   .weight = optional(c, 1),
                                                   .bias = optional(c, 2),
                                                   .eps = real_or(c, "eps", 1e-5)});
}
OP(layer_norm, run_layer_norm)
BAD(layer_norm, wk_layer_norm(wk_zeros((2, 3)), (4)), "expected (4,) to be its last sizes")
BAD(layer_norm, wk_layer_norm(wk_zeros((2, 3)), (3), wk_zeros((2))), "weight: expected shape (3,)")
BAD(layer_norm, wk_layer_norm(wk_zeros((3), .dtype = wk_complex64), (3)), "expected a floating dtype, got complex64")
BAD(layer_norm, wk_layer_norm(wk_zeros((3)), (3), wk_zeros((3), .dtype = wk_float64)), "weight: expected x's dtype")

static wk_tensor *run_group_norm(golden_case *c)
{
    return wk_group_norm(input(c, 0), integer(c, "groups"), optional(c, 1), optional(c, 2), real_or(c, "eps", 1e-5));
}
OP(group_norm, run_group_norm)
BAD(group_norm, wk_group_norm(wk_zeros((2, 4, 3)), 3), "expected a divisor of 4 channels")
BAD(group_norm, wk_group_norm(wk_zeros((2, 4, 3)), 2, wk_zeros((2))), "weight: expected shape (4,) (one a channel)")
BAD(group_norm, wk_group_norm(wk_zeros((2, 4), .dtype = wk_complex64), 2), "expected a floating dtype, got complex64")
