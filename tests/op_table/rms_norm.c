/* rms_norm over the last dims. */
#include "op_table.h"

static wk_tensor *run_rms_norm(golden_case *c)
{
    return wk_rms_norm_with((wk_rms_norm_args){.x = input(c, 0), .normalized_shape = sizes(c, "normalized_shape"),
                                               .weight = optional(c, 1), .eps = real_or(c, "eps", -1)});
}
OP(rms_norm, run_rms_norm)
BAD(rms_norm, wk_rms_norm(wk_zeros((2, 3)), (2)), "normalized_shape: expected the last sizes of x")
BAD(rms_norm, wk_rms_norm(wk_zeros((2, 3)), (3), .weight = wk_ones((2))), "weight: expected shape (3,)")
BAD(rms_norm, wk_rms_norm(wk_ones((3), .dtype = wk_int64), (3)), "expected a floating dtype, got int64")
BAD(rms_norm, wk_rms_norm(wk_ones((3), .dtype = wk_complex64), (3)), "expected a floating dtype, got complex64")
