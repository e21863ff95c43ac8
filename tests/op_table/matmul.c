/* Matrix products. */
#include "op_table.h"

static wk_tensor *run_matmul(golden_case *c) { return wk_matmul(input(c, 0), input(c, 1)); }
OP(matmul, run_matmul)
BAD(matmul, wk_matmul(wk_zeros((2, 3)), wk_zeros((4, 5))),
    "expected a's last dim to equal b's dim -2, got a of shape (2, 3) and b of shape (4, 5): 3 != 4")
BAD(matmul, wk_matmul(wk_zeros((2, 3)), wk_zeros((4, 3))), "wk_matmul(a, wk_transpose(b, -2, -1)) would fit")
BAD(matmul, wk_matmul(wk_zeros((4, 2)), wk_zeros((4, 3))), "wk_matmul(wk_transpose(a, -2, -1), b) would fit")
BAD(matmul, wk_matmul(wk_zeros((2, 3)), wk_zeros((3, 2), .dtype = wk_float64)), "expected one dtype, got float32 and")
BAD(matmul, wk_matmul(wk_zeros((2, 3), .dtype = wk_bool), wk_zeros((3, 2), .dtype = wk_bool)), "got bool")

static wk_tensor *run_mm(golden_case *c) { return wk_mm(input(c, 0), input(c, 1)); }
OP(mm, run_mm)
BAD(mm, wk_mm(wk_zeros((3)), wk_zeros((3, 2))), "a: expected 2 dims, got shape (3,)")

static wk_tensor *run_bmm(golden_case *c) { return wk_bmm(input(c, 0), input(c, 1)); }
OP(bmm, run_bmm)
BAD(bmm, wk_bmm(wk_zeros((1, 3, 4)), wk_zeros((2, 4, 5))), "expected one batch size")

static wk_tensor *run_mv(golden_case *c) { return wk_mv(input(c, 0), input(c, 1)); }
OP(mv, run_mv)

static wk_tensor *run_dot(golden_case *c) { return wk_dot(input(c, 0), input(c, 1)); }
OP(dot, run_dot)
BAD(dot, wk_dot(wk_zeros((3)), wk_zeros((4))), "expected as many elements, got 3 and 4")

static wk_tensor *run_outer(golden_case *c) { return wk_outer(input(c, 0), input(c, 1)); }
OP(outer, run_outer)

static wk_tensor *run_addmm(golden_case *c)
{
    const wk_number beta = number(c, "beta"), alpha = number(c, "alpha");
    return wk_addmm(input(c, 0), input(c, 1), input(c, 2), .beta = beta.kind ? beta.value : 1,
                    .alpha = alpha.kind ? alpha.value : 1);
}
OP(addmm, run_addmm)
BAD(addmm, wk_addmm(wk_ones((2, 2), .dtype = wk_int64), wk_ones((2, 2), .dtype = wk_int64),
                    wk_ones((2, 2), .dtype = wk_int64), .alpha = 0.5), "expected integers for tensors of int64")
BAD(addmm, wk_addmm(wk_zeros((3, 3)), wk_zeros((2, 3)), wk_zeros((3, 2))), "broadcasts to (2, 2), got (3, 3)")

static wk_tensor *run_linear(golden_case *c) { return wk_linear(input(c, 0), input(c, 1), optional(c, 2)); }
OP(linear, run_linear)
BAD(linear, wk_linear(wk_zeros((8, 16)), wk_zeros((4, 3))), "x: expected last dim 3, got 16")
BAD(linear, wk_linear(wk_zeros((8, 3, 5)), wk_zeros((4, 3))), "x's dim 1 is 3: wk_transpose(x, 1, -1) would fit")
BAD(linear, wk_linear(wk_zeros((8, 4)), wk_zeros((4, 3))), "wk_t(weight) would fit")
BAD(linear, wk_linear(wk_zeros((8, 3)), wk_zeros((4, 3)), wk_zeros((3))), "bias: expected shape (4)")
BAD(linear, wk_linear(wk_zeros((8, 3)), wk_zeros((2, 2, 3))), "weight: expected shape (out, in) or (in), got (2, 2, 3)")
