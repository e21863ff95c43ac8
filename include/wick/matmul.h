/* Matrix products.  PyTorch: https://pytorch.org/docs/stable/torch.html#blas-and-lapack-operations

   Operands have one dtype: floating (float16 and bfloat16 are summed in float32 and rounded once), complex, or integer,
   which wraps around; not bool.
   Any strides do: wk_matmul(a, wk_transpose(b, -2, -1)) copies nothing. */
#ifndef WICK_OP_MATMUL_H
#define WICK_OP_MATMUL_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* matmul(a, b), Python's a @ b: (..., m, k) and (..., k, n) -> (..., m, n), leading dims broadcast; a of (k) is a row,
   b of (k) a column, and the dim of size 1 goes from the result: (k) and (k) -> (). */
wk_tensor *wk_matmul(wk_tensor *a, wk_tensor *b);

wk_tensor *wk_mm(wk_tensor *a, wk_tensor *b);    // (m, k) and (k, n) -> (m, n)
wk_tensor *wk_bmm(wk_tensor *a, wk_tensor *b);   // (B, m, k) and (B, k, n) -> (B, m, n)
wk_tensor *wk_mv(wk_tensor *a, wk_tensor *x);    // (m, k) and (k) -> (m)
wk_tensor *wk_dot(wk_tensor *a, wk_tensor *b);   // (k) and (k) -> ()
wk_tensor *wk_outer(wk_tensor *a, wk_tensor *b); // (m) and (n) -> (m, n); dtypes promote

/* addmm(input, a, b, beta = 1, alpha = 1): beta input + alpha a @ b, input broadcast to (m, n); beta 0 ignores what it
   holds */
typedef struct wk_addmm_args {
    wk_tensor *input, *a, *b;
    double beta, alpha;
} wk_addmm_args;
#define wk_addmm(input_, a_, ...)                                                                                      \
    wk_addmm_with((wk_addmm_args){.beta = 1, .alpha = 1, .input = input_, .a = a_, .b = __VA_ARGS__})
#define wk_addmm_(input_, a_, ...)                                                                                     \
    wk_addmm_in_place_with((wk_addmm_args){.beta = 1, .alpha = 1, .input = input_, .a = a_, .b = __VA_ARGS__})
wk_tensor *wk_addmm_with(wk_addmm_args args);
wk_tensor *wk_addmm_in_place_with(wk_addmm_args args);

/* cdist(a, b, p = 2): the p-norm of the difference of every row of a to every row of b; p may be 0 and INFINITY.
   (..., P, M) and (..., R, M) -> (..., P, R); leading dims broadcast.  Gradient 0 at distance 0.  From 26 rows on p = 2
   is computed from a product of the two, as PyTorch does: close points lose digits. */
typedef struct wk_cdist_args {
    wk_tensor *a, *b;
    double p;
} wk_cdist_args;
#define wk_cdist(a_, ...) wk_cdist_with((wk_cdist_args){.p = 2, .a = a_, .b = __VA_ARGS__})
wk_tensor *wk_cdist_with(wk_cdist_args args);

/* linear(x, weight, bias = NULL): x @ weight^T + bias.  (..., in), (out, in), (out) -> (..., out); of a weight (in) and
   a bias () -> (...). */
typedef struct wk_linear_args {
    wk_tensor *x, *weight, *bias;
} wk_linear_args;
#define wk_linear(x_, ...) wk_linear_with((wk_linear_args){.x = x_, .weight = __VA_ARGS__})
wk_tensor *wk_linear_with(wk_linear_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
