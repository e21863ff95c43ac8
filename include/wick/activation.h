/* Activations along a dim, and those with parameters.  The plain ones (relu, sigmoid, tanh, silu) are in pointwise.h. */
#ifndef WICK_ACTIVATION_H
#define WICK_ACTIVATION_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* softmax(x, dim = -1, dtype): y_i = exp(x_i) / sum_j exp(x_j) along dim.  (..., N, ...) -> the same; floating dtypes.
   A row of all -inf gives NaN. */
typedef struct wk_softmax_args {
    wk_tensor *x;
    int64_t dim;
    wk_dtype dtype; // cast to first
} wk_softmax_args;
#define wk_softmax(...) wk_softmax_with((wk_softmax_args){.dim = -1, .x = __VA_ARGS__})
wk_tensor *wk_softmax_with(wk_softmax_args args);
wk_tensor *wk_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim);

#ifdef __cplusplus
}
#endif
#endif
