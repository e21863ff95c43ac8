/* softmax along a dim. */
#include "op_table.h"

static wk_tensor *run_softmax(golden_case *c)
{
    return wk_softmax(input(c, 0), .dim = integer(c, "dim"), .dtype = dtype(c, "dtype"));
}
OP(softmax, run_softmax)
BAD(softmax, wk_softmax(wk_zeros((2, 3)), .dim = 2), "dim: expected -2 to 1")
BAD(softmax, wk_softmax(wk_zeros((2, 3), .dtype = wk_int64)), "expected a floating dtype, got int64")
BAD(softmax, wk_softmax(wk_zeros((2), .dtype = wk_complex64)), "expected a floating dtype, got complex64")
