/* First values of parameters.  PyTorch: https://pytorch.org/docs/stable/nn.init.html

   Each fills x in place, outside any gradient (a parameter that requires grad is fine), and returns x.  Draws are
   PyTorch's for the same seed, bit for bit.  Fans: of a weight (out, in, ...) fan_in = in * receptive field, fan_out =
   out * receptive field, the receptive field being the product of the sizes from dim 2 on. */
#ifndef WICK_INIT_H
#define WICK_INIT_H
#pragma GCC system_header // see tensor.h

#include <wick/random.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* uniform_(x, a, b): in [a, b) */
typedef struct wk_nn_init_uniform_args {
    wk_tensor *x;
    double a, b;
    wk_generator *generator;
} wk_nn_init_uniform_args;
#define wk_nn_init_uniform_(...) wk_nn_init_uniform_with((wk_nn_init_uniform_args){.b = 1, .x = __VA_ARGS__})
wk_tensor *wk_nn_init_uniform_with(wk_nn_init_uniform_args args);

/* normal_(x, mean, std) */
typedef struct wk_nn_init_normal_args {
    wk_tensor *x;
    double mean, std;
    wk_generator *generator;
} wk_nn_init_normal_args;
#define wk_nn_init_normal_(...) wk_nn_init_normal_with((wk_nn_init_normal_args){.std = 1, .x = __VA_ARGS__})
wk_tensor *wk_nn_init_normal_with(wk_nn_init_normal_args args);

/* trunc_normal_(x, mean, std, a, b): normal, what falls outside [a, b] drawn again; a and b are values, not multiples
   of std */
typedef struct wk_nn_init_trunc_normal_args {
    wk_tensor *x;
    double mean, std, a, b;
    wk_generator *generator;
} wk_nn_init_trunc_normal_args;
#define wk_nn_init_trunc_normal_(...)                                                                                  \
    wk_nn_init_trunc_normal_with((wk_nn_init_trunc_normal_args){.std = 1, .a = -2, .b = 2, .x = __VA_ARGS__})
wk_tensor *wk_nn_init_trunc_normal_with(wk_nn_init_trunc_normal_args args);

wk_tensor *wk_nn_init_constant_(wk_tensor *x, double value);
wk_tensor *wk_nn_init_ones_(wk_tensor *x);
wk_tensor *wk_nn_init_zeros_(wk_tensor *x);
wk_tensor *wk_nn_init_eye_(wk_tensor *x); // (m, n): ones on the diagonal

/* Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
   xavier_uniform_(x, gain): bound = gain * sqrt(6 / (fan_in + fan_out))
   xavier_normal_(x, gain):  std = gain * sqrt(2 / (fan_in + fan_out)) */
typedef struct wk_nn_init_xavier_args {
    wk_tensor *x;
    double gain;
    wk_generator *generator;
} wk_nn_init_xavier_args;
#define wk_nn_init_xavier_uniform_(...)                                                                                \
    wk_nn_init_xavier_uniform_with((wk_nn_init_xavier_args){.gain = 1, .x = __VA_ARGS__})
#define wk_nn_init_xavier_normal_(...)                                                                                 \
    wk_nn_init_xavier_normal_with((wk_nn_init_xavier_args){.gain = 1, .x = __VA_ARGS__})
wk_tensor *wk_nn_init_xavier_uniform_with(wk_nn_init_xavier_args args);
wk_tensor *wk_nn_init_xavier_normal_with(wk_nn_init_xavier_args args);

/* He et al., "Delving deep into rectifiers", 2015.  kaiming_normal_(x, a, mode, nonlinearity): std = gain / sqrt(fan);
   kaiming_uniform_: bound = sqrt(3) * std.  mode is "fan_in" or "fan_out", a the negative slope of leaky_relu. */
typedef struct wk_nn_init_kaiming_args {
    wk_tensor *x;
    double a;
    const char *mode, *nonlinearity;
    wk_generator *generator;
} wk_nn_init_kaiming_args;
#define WK_NN_INIT_KAIMING(...)                                                                                        \
    ((wk_nn_init_kaiming_args){.mode = "fan_in", .nonlinearity = "leaky_relu", .x = __VA_ARGS__})
#define wk_nn_init_kaiming_uniform_(...) wk_nn_init_kaiming_uniform_with(WK_NN_INIT_KAIMING(__VA_ARGS__))
#define wk_nn_init_kaiming_normal_(...) wk_nn_init_kaiming_normal_with(WK_NN_INIT_KAIMING(__VA_ARGS__))
wk_tensor *wk_nn_init_kaiming_uniform_with(wk_nn_init_kaiming_args args);
wk_tensor *wk_nn_init_kaiming_normal_with(wk_nn_init_kaiming_args args);

/* Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013.
   orthogonal_(x, gain): x as (size(0), the rest) has orthonormal rows or columns, times gain.  Equal to PyTorch's up to
   rounding. */
typedef struct wk_nn_init_orthogonal_args {
    wk_tensor *x;
    double gain;
    wk_generator *generator;
} wk_nn_init_orthogonal_args;
#define wk_nn_init_orthogonal_(...)                                                                                    \
    wk_nn_init_orthogonal_with((wk_nn_init_orthogonal_args){.gain = 1, .x = __VA_ARGS__})
wk_tensor *wk_nn_init_orthogonal_with(wk_nn_init_orthogonal_args args);

/* "linear", "conv2d", ..., "sigmoid": 1; "tanh": 5/3; "relu": sqrt(2); "leaky_relu": sqrt(2 / (1 + slope^2));
   "selu": 3/4.  NaN after an error. */
double wk_nn_init_calculate_gain(const char *nonlinearity, double slope);
bool wk_nn_init_calculate_fan_in_and_fan_out(const wk_tensor *x, int64_t *fan_in, int64_t *fan_out);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
