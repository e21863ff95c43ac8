/* Sums of products by the names of dims.  PyTorch: https://pytorch.org/docs/stable/generated/torch.einsum.html */
#ifndef WICK_EINSUM_H
#define WICK_EINSUM_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* einsum(equation, a, b, ...): a letter names a dim of each operand, a to z and A to Z; the result has the dims behind
   ->, and what is not among them is summed over.
       wk_einsum("bhid,bhjd->bhij", q, k)     wk_einsum("ii->", x), the trace     wk_einsum("...ij,jk->...ik", x, w)
   A letter twice in one operand is its diagonal; ... are any dims, which broadcast; so does a dim of size 1.  Without
   -> the result has ... first, then the letters that come once, in alphabetical order, upper case first.  Products are
   made two by two, in the order that costs least.  dtypes as wk_matmul's; where nothing is summed, as wk_mul's.  An
   error shows the equation and points into it.  Operands known at run time: wk_einsum_with(equation, list). */
#define wk_einsum(equation, ...) wk_einsum_with(equation, WK_TENSORS(__VA_ARGS__))
wk_tensor *wk_einsum_with(const char *equation, wk_tensors operands);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
