/* Activations with arguments, dropout of channels, and losses, as layers.  What each computes stands with the function
   of its name (wick/activation.h, dropout.h, loss.h, normalization.h).  Part of wick/nn.h. */
#ifndef WICK_NN_ACTIVATION_H
#define WICK_NN_ACTIVATION_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- leaky_relu(negative_slope = 0.01, inplace = false), elu(alpha = 1, inplace = false), softplus(beta = 1,
   threshold = 20), glu(dim = -1) */
typedef struct wk_nn_leaky_relu_args {
    int first; // so that all arguments may be left out: defaults, .first = 0, and then what was given
    double negative_slope;
    bool inplace;
} wk_nn_leaky_relu_args;
typedef struct wk_nn_elu_args {
    int first;
    double alpha;
    bool inplace;
} wk_nn_elu_args;
typedef struct wk_nn_softplus_args {
    int first;
    double beta, threshold;
} wk_nn_softplus_args;
typedef struct wk_nn_glu_args {
    int first;
    int64_t dim;
} wk_nn_glu_args;
#define wk_nn_leaky_relu(...)                                                                                          \
    wk_nn_leaky_relu_with((wk_nn_leaky_relu_args){.negative_slope = 0.01, .first = 0, __VA_ARGS__})
#define wk_nn_elu(...) wk_nn_elu_with((wk_nn_elu_args){.alpha = 1, .first = 0, __VA_ARGS__})
#define wk_nn_softplus(...)                                                                                            \
    wk_nn_softplus_with((wk_nn_softplus_args){.beta = 1, .threshold = 20, .first = 0, __VA_ARGS__})
#define wk_nn_glu(...) wk_nn_glu_with((wk_nn_glu_args){.dim = -1, .first = 0, __VA_ARGS__})
wk_module *wk_nn_leaky_relu_with(wk_nn_leaky_relu_args args);
wk_module *wk_nn_elu_with(wk_nn_elu_args args);
wk_module *wk_nn_softplus_with(wk_nn_softplus_args args);
wk_module *wk_nn_glu_with(wk_nn_glu_args args);

/* ---- prelu(num_parameters = 1, init = 0.25): weight (num_parameters), one for all or one a channel (dim 1) */
typedef struct wk_nn_prelu {
    wk_module_base base;
    wk_tensor *weight;
} wk_nn_prelu;
typedef struct wk_nn_prelu_args {
    int first;
    int64_t num_parameters;
    double init;
    wk_device device;
    wk_dtype dtype;
} wk_nn_prelu_args;
#define wk_nn_prelu(...)                                                                                               \
    wk_nn_prelu_with((wk_nn_prelu_args){.num_parameters = 1, .init = 0.25, .first = 0, __VA_ARGS__})
wk_module *wk_nn_prelu_with(wk_nn_prelu_args args);

/* ---- dropout1d(p = 0.5, inplace = false), dropout2d: whole channels at once */
typedef struct wk_nn_dropout_channels_args {
    int first;
    double p;
    bool inplace;
} wk_nn_dropout_channels_args;
#define wk_nn_dropout1d(...) wk_nn_dropout1d_with((wk_nn_dropout_channels_args){.p = 0.5, .first = 0, __VA_ARGS__})
#define wk_nn_dropout2d(...) wk_nn_dropout2d_with((wk_nn_dropout_channels_args){.p = 0.5, .first = 0, __VA_ARGS__})
wk_module *wk_nn_dropout1d_with(wk_nn_dropout_channels_args args);
wk_module *wk_nn_dropout2d_with(wk_nn_dropout_channels_args args);

/* ---- losses of an input and a target, and a distance of two inputs: wk_nn_loss(criterion, a, b).
   l1_loss(reduction = "mean"), mse_loss(reduction), smooth_l1_loss(reduction, beta = 1), bce_with_logits_loss(weight,
   reduction, .pos_weight): weights are buffers; pairwise_distance(p = 2, eps = 1e-6, keepdim = false) */
typedef struct wk_nn_loss_args {
    int first;
    const char *reduction; // "mean", "sum", "none"
    double beta;           // of smooth_l1_loss
} wk_nn_loss_args;
typedef struct wk_nn_bce_with_logits_loss_args {
    int first;
    wk_tensor *weight;
    const char *reduction;
    wk_tensor *pos_weight;
} wk_nn_bce_with_logits_loss_args;
typedef struct wk_nn_pairwise_distance_args {
    int first;
    double p, eps;
    bool keepdim;
} wk_nn_pairwise_distance_args;
#define WK_NN_LOSS(...) ((wk_nn_loss_args){.reduction = "mean", .beta = 1, .first = 0, __VA_ARGS__})
#define wk_nn_l1_loss(...) wk_nn_l1_loss_with(WK_NN_LOSS(__VA_ARGS__))
#define wk_nn_smooth_l1_loss(...) wk_nn_smooth_l1_loss_with(WK_NN_LOSS(__VA_ARGS__))
#define wk_nn_bce_with_logits_loss(...)                                                                                \
    wk_nn_bce_with_logits_loss_with((wk_nn_bce_with_logits_loss_args){.reduction = "mean", .first = 0, __VA_ARGS__})
#define wk_nn_pairwise_distance(...)                                                                                   \
    wk_nn_pairwise_distance_with((wk_nn_pairwise_distance_args){.p = 2, .eps = 1e-6, .first = 0, __VA_ARGS__})
wk_module *wk_nn_l1_loss_with(wk_nn_loss_args args);
wk_module *wk_nn_smooth_l1_loss_with(wk_nn_loss_args args);
wk_module *wk_nn_bce_with_logits_loss_with(wk_nn_bce_with_logits_loss_args args);
wk_module *wk_nn_pairwise_distance_with(wk_nn_pairwise_distance_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
