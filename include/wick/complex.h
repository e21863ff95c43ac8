/* Complex numbers: parts, polar form, and complex tensors seen as real ones.
   PyTorch: https://pytorch.org/docs/stable/complex_numbers.html

   Gradients are PyTorch's: of a real loss L by z = a + bi, dL/da + i dL/db, the direction of steepest ascent.
   Arithmetic, sums and products of complex tensors are those of pointwise.h, reduction.h and matmul.h; wk_abs gives the
   modulus. */
#ifndef WICK_COMPLEX_H
#define WICK_COMPLEX_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

wk_tensor *wk_view_as_real(wk_tensor *x); // (*) complex -> (*, 2), real and imaginary part; a view
/* (*, 2) float32 or float64 -> (*) complex; a view, so the last dim must have stride 1, the others even ones */
wk_tensor *wk_view_as_complex(wk_tensor *x);
wk_tensor *wk_real(wk_tensor *x); // a view of the real parts; a real x itself
wk_tensor *wk_imag(wk_tensor *x); // a view of the imaginary parts; of complex x alone
/* the argument in radians, -pi to pi; of reals 0 or pi (NaN of NaN); gradient 0 at 0 */
wk_tensor *wk_angle(wk_tensor *x);
wk_tensor *wk_polar(wk_tensor *abs, wk_tensor *angle); // abs (cos(angle) + i sin(angle)); both float32 or both float64

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
