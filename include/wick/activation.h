/* Activations along a dim, and those with parameters.  The plain ones (relu, sigmoid, tanh, silu, logsigmoid) are in
   pointwise.h.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#non-linear-activation-functions */
#ifndef WICK_ACTIVATION_H
#define WICK_ACTIVATION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* softmax(x, dim = -1, dtype): y_i = exp(x_i) / sum_j exp(x_j) along dim.  (..., N, ...) -> the same; floating dtypes.
   A row of all -inf gives NaN.  log_softmax(x, dim = -1, dtype): its logarithm, without under- or overflow. */
typedef struct wk_softmax_args {
    wk_tensor *x;
    int64_t dim;
    wk_dtype dtype; // cast to first
} wk_softmax_args;
#define wk_softmax(...) wk_softmax_with((wk_softmax_args){.dim = -1, .x = __VA_ARGS__})
#define wk_log_softmax(...) wk_log_softmax_with((wk_softmax_args){.dim = -1, .x = __VA_ARGS__})
wk_tensor *wk_softmax_with(wk_softmax_args args);
wk_tensor *wk_log_softmax_with(wk_softmax_args args);
wk_tensor *wk_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim);
wk_tensor *wk_log_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim);

/* gelu(x, approximate = "none"): x Phi(x), Phi the normal distribution function; "tanh": with Phi by a tanh.
   https://arxiv.org/abs/1606.08415 */
typedef struct wk_gelu_args {
    wk_tensor *x;
    const char *approximate;
} wk_gelu_args;
#define wk_gelu(...) wk_gelu_with((wk_gelu_args){.approximate = "none", .x = __VA_ARGS__})
wk_tensor *wk_gelu_with(wk_gelu_args args);

/* softplus(x, beta = 1, threshold = 20): log(1 + exp(beta x)) / beta; x itself where beta x > threshold */
typedef struct wk_softplus_args {
    wk_tensor *x;
    double beta, threshold;
} wk_softplus_args;
#define wk_softplus(...) wk_softplus_with((wk_softplus_args){.beta = 1, .threshold = 20, .x = __VA_ARGS__})
wk_tensor *wk_softplus_with(wk_softplus_args args);

/* elu(x, alpha = 1, inplace = false): x, or alpha (exp(x) - 1) where x <= 0; in place, x itself holds it */
typedef struct wk_elu_args {
    wk_tensor *x;
    double alpha;
    bool inplace;
} wk_elu_args;
#define wk_elu(...) wk_elu_with((wk_elu_args){.alpha = 1, .x = __VA_ARGS__})
wk_tensor *wk_elu_with(wk_elu_args args);

/* leaky_relu(x, negative_slope = 0.01, inplace = false): x, or negative_slope x where x <= 0 */
typedef struct wk_leaky_relu_args {
    wk_tensor *x;
    double negative_slope;
    bool inplace;
} wk_leaky_relu_args;
#define wk_leaky_relu(...) wk_leaky_relu_with((wk_leaky_relu_args){.negative_slope = 0.01, .x = __VA_ARGS__})
wk_tensor *wk_leaky_relu_with(wk_leaky_relu_args args);

/* glu(x, dim = -1): a sigmoid(b), x = a and b one after the other along dim, whose size is even: (..., 2N, ...) ->
   (..., N, ...) */
typedef struct wk_glu_args {
    wk_tensor *x;
    int64_t dim;
} wk_glu_args;
#define wk_glu(...) wk_glu_with((wk_glu_args){.dim = -1, .x = __VA_ARGS__})
wk_tensor *wk_glu_with(wk_glu_args args);

/* prelu(x, weight): x, or weight x where x < 0; weight () or (1) for all, or (C), one a channel: dim 1 of x.
   https://pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html */
wk_tensor *wk_prelu(wk_tensor *x, wk_tensor *weight);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
