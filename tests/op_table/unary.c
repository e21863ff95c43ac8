/* Functions of each element, and the same in place. */
#include "op_table.h"

#define EACH(name)                                                                                                     \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name(input(c, 0)); }                                    \
    static wk_tensor *run_##name##_(golden_case *c) { return wk_##name##_(input(c, 0)); }                              \
    OP(name, run_##name)                                                                                               \
    OP(name##_, run_##name##_)
EACH(neg)
EACH(abs)
EACH(sign)
EACH(square)
EACH(reciprocal)
EACH(sqrt)
EACH(rsqrt)
EACH(exp)
EACH(exp2)
EACH(expm1)
EACH(log)
EACH(log2)
EACH(log10)
EACH(log1p)
EACH(sin)
EACH(cos)
EACH(tan)
EACH(asin)
EACH(acos)
EACH(atan)
EACH(sinh)
EACH(cosh)
EACH(tanh)
EACH(asinh)
EACH(acosh)
EACH(atanh)
EACH(erf)
EACH(erfc)
EACH(erfinv)
EACH(floor)
EACH(ceil)
EACH(round)
EACH(trunc)
EACH(sigmoid)
EACH(logsigmoid)
EACH(relu)
EACH(silu)
EACH(mish)
EACH(softsign)

static wk_tensor *run_conj(golden_case *c) { return wk_conj(input(c, 0)); }
OP(conj, run_conj)

#define PREDICATE(name)                                                                                                \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name(input(c, 0)); }                                    \
    OP(name, run_##name, .gradient = NONE)
PREDICATE(logical_not)
PREDICATE(isnan)
PREDICATE(isinf)
PREDICATE(isfinite)
PREDICATE(bitwise_not)

BAD(exp_, wk_exp_(wk_zeros((2), .dtype = wk_int64)), "cannot be written into a tensor of int64")
BAD(neg, wk_neg(wk_zeros((2), .dtype = wk_bool)), "not defined for bool")
BAD(relu_, wk_relu_(wk_zeros((2), .requires_grad = true)), "a leaf that requires grad")
BAD(relu_, wk_relu_(wk_expand(wk_zeros((2, 1)), (2, 3))), "share memory")
