/* Dropout.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#dropout-functions */
#ifndef WICK_DROPOUT_H
#define WICK_DROPOUT_H
#pragma GCC system_header // see tensor.h

#include <wick/random.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* dropout(x, p = 0.5, training = true, inplace = false): each element is 0 with probability p, else x / (1 - p); x
   itself where training is false.  dropout1d, dropout2d, dropout3d: whole channels of (N, C, ...) at once.  Without N:
   dropout1d takes (C, L) and dropout3d (C, D, H, W); but dropout2d takes three dims for (N, C, L), as in PyTorch. */
typedef struct wk_dropout_args {
    wk_tensor *x;
    double p;
    bool training, inplace;
    wk_generator *generator; // NULL: the process's
} wk_dropout_args;
#define wk_dropout(...) wk_dropout_with((wk_dropout_args){.p = 0.5, .training = true, .x = __VA_ARGS__})
#define wk_dropout1d(...)                                                                                              \
    wk_dropout_channels("dropout1d", 3, (wk_dropout_args){.p = 0.5, .training = true, .x = __VA_ARGS__})
#define wk_dropout2d(...)                                                                                              \
    wk_dropout_channels("dropout2d", 4, (wk_dropout_args){.p = 0.5, .training = true, .x = __VA_ARGS__})
#define wk_dropout3d(...)                                                                                              \
    wk_dropout_channels("dropout3d", 5, (wk_dropout_args){.p = 0.5, .training = true, .x = __VA_ARGS__})
wk_tensor *wk_dropout_with(wk_dropout_args args);
wk_tensor *wk_dropout_channels(const char *op, int ndim, wk_dropout_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
