/* Losses.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#loss-functions

   reduction is "mean" (the default), "sum", or "none", which gives a loss for each element. */
#ifndef WICK_LOSS_H
#define WICK_LOSS_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* cross_entropy(logits, target, weight, ignore_index = -100, reduction, label_smoothing = 0):
   -log softmax(logits)[target].  logits (N, C), (C,) or (N, C, d1, ...); target int64 (N,), () or (N, d1, ...), or
   probabilities of logits' shape.  weight (C,) scales classes; "mean" divides by the weights that count (by N for
   probabilities).  A class out of range is an error.  Right for logits of any size. */
typedef struct wk_cross_entropy_args {
    wk_tensor *x, *target, *weight;
    int64_t ignore_index;
    const char *reduction;
    double label_smoothing;
} wk_cross_entropy_args;
#define wk_cross_entropy(x_, ...)                                                                                      \
    wk_cross_entropy_with(                                                                                             \
        (wk_cross_entropy_args){.ignore_index = -100, .reduction = "mean", .x = x_, .target = __VA_ARGS__})
/* nll_loss(log_probabilities, target, weight, ignore_index, reduction): -x[target]; shapes as cross_entropy */
#define wk_nll_loss(x_, ...)                                                                                           \
    wk_nll_loss_with((wk_cross_entropy_args){.ignore_index = -100, .reduction = "mean", .x = x_, .target = __VA_ARGS__})

/* of x and a target of its shape (they broadcast) */
typedef struct wk_loss_args {
    wk_tensor *x, *target;
    const char *reduction;
    double beta;           // of smooth_l1_loss: 1
    double delta;          // of huber_loss: 1
    wk_tensor *weight;     // of the binary cross entropies: scales each loss
    wk_tensor *pos_weight; // of binary_cross_entropy_with_logits: scales where the target is 1
    bool log_target;       // of kl_div
} wk_loss_args;
#define WK_LOSS_ARGS(x_, ...)                                                                                          \
    ((wk_loss_args){.reduction = "mean", .beta = 1, .delta = 1, .x = x_, .target = __VA_ARGS__})
#define wk_mse_loss(x, ...) wk_mse_loss_with(WK_LOSS_ARGS(x, __VA_ARGS__))               // (x - target)^2
#define wk_l1_loss(x, ...) wk_l1_loss_with(WK_LOSS_ARGS(x, __VA_ARGS__)) // |x - target|; gradient 0 at 0
#define wk_smooth_l1_loss(x, ...)                                                                                      \
    wk_smooth_l1_loss_with(WK_LOSS_ARGS(x, __VA_ARGS__)) // d^2 / (2 beta) below beta, else |d| - beta / 2
#define wk_huber_loss(x, ...)                                                                                          \
    wk_huber_loss_with(WK_LOSS_ARGS(x, __VA_ARGS__)) // d^2 / 2 below delta, else delta (|d| - delta / 2)
#define wk_binary_cross_entropy(x, ...) wk_binary_cross_entropy_with(WK_LOSS_ARGS(x, __VA_ARGS__)) // of probabilities x
#define wk_binary_cross_entropy_with_logits(x, ...)                                                                    \
    wk_binary_cross_entropy_with_logits_with(WK_LOSS_ARGS(x, __VA_ARGS__))
/* target (log target - x): x is log-probabilities; reduction "batchmean" divides by dim 0 alone */
#define wk_kl_div(x, ...) wk_kl_div_with(WK_LOSS_ARGS(x, __VA_ARGS__))

wk_tensor *wk_cross_entropy_with(wk_cross_entropy_args args);
wk_tensor *wk_nll_loss_with(wk_cross_entropy_args args);
wk_tensor *wk_mse_loss_with(wk_loss_args args);
wk_tensor *wk_l1_loss_with(wk_loss_args args);
wk_tensor *wk_smooth_l1_loss_with(wk_loss_args args);
wk_tensor *wk_huber_loss_with(wk_loss_args args);
wk_tensor *wk_binary_cross_entropy_with(wk_loss_args args);
wk_tensor *wk_binary_cross_entropy_with_logits_with(wk_loss_args args);
wk_tensor *wk_kl_div_with(wk_loss_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
