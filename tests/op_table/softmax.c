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
BAD(softmax, wk_softmax_backward(wk_zeros((2, 3), .dtype = wk_float16), wk_zeros((2, 3)), 1), "dy: expected y's shape")
BAD(softmax, wk_softmax_backward(wk_zeros((2, 3)), wk_zeros((2, 3), .dtype = wk_bfloat16), 1), "dy: expected y's shape")
BAD(softmax, wk_softmax_backward(wk_zeros((3)), wk_zeros((2, 3)), 0), "dy: expected y's shape")
BAD(log_softmax, wk_log_softmax_backward(wk_zeros((2, 3), .dtype = wk_float16), wk_zeros((2, 3)), 1),
    "dy: expected y's shape")
BAD(log_softmax, wk_log_softmax_backward(wk_zeros((3, 2)), wk_zeros((2, 3)), 0), "dy: expected y's shape")
