/* Comparison, logic and bits: bool results (bitwise ones aside), no gradients. */
#include "op_table.h"

#define COMPARISON(name)                                                                                               \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name##_with(operand(c, 0), operand(c, 1)); }            \
    OP(name, run_##name, .gradient = NONE)
COMPARISON(eq)
COMPARISON(ne)
COMPARISON(lt)
COMPARISON(le)
COMPARISON(gt)
COMPARISON(ge)
COMPARISON(logical_and)
COMPARISON(logical_or)
COMPARISON(logical_xor)
COMPARISON(bitwise_and)
COMPARISON(bitwise_or)
COMPARISON(bitwise_xor)

static wk_tensor *run_equal(golden_case *c) { return truth(wk_equal(input(c, 0), input(c, 1))); }
static wk_tensor *run_allclose(golden_case *c)
{
    return truth(wk_allclose(input(c, 0), input(c, 1), .rtol = real_or(c, "rtol", 1e-5),
                             .atol = real_or(c, "atol", 1e-8), .equal_nan = integer_or(c, "equal_nan", false)));
}
OP(equal, run_equal, .gradient = NONE)
OP(allclose, run_allclose, .gradient = NONE)

BAD(eq, wk_eq(wk_zeros((2, 3)), wk_zeros((4))), "do not broadcast")
BAD(bitwise_and, wk_bitwise_and(wk_zeros((2)), 1), "expected integers or bool, got float32")
