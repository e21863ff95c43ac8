/* Convolutions.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#convolution-functions */
#ifndef WICK_OP_CONVOLUTION_H
#define WICK_OP_CONVOLUTION_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An option of a 2-d op: one number for both dims, or WK_PAIR(along H, along W).  padding also takes WK_SAME, which
   keeps the size (stride 1), and WK_VALID, which is 0. */
typedef int64_t wk_pair;
#define WK_PAIR(...) WK_PAIR_(__VA_ARGS__, WK_PAIR_2, WK_PAIR_1, 0)(__VA_ARGS__)
#define WK_PAIR_(a, b, which, ...) which
#define WK_PAIR_1(both) ((wk_pair)(both))
#define WK_PAIR_2(h, w) wk_pair_of(h, w)
#define WK_SAME ((wk_pair)1 << 62)
#define WK_VALID ((wk_pair)0)
static inline wk_pair wk_pair_of(int64_t h, int64_t w)
{
    return (wk_pair)1 << 61 | (h & 0x3fffffff) << 30 | (w & 0x3fffffff);
}
static inline int64_t wk_pair_get(wk_pair pair, int dim) // 0: along H, 1: along W
{
    return pair >= (wk_pair)1 << 61 ? pair >> (dim ? 0 : 30) & 0x3fffffff : pair;
}

/* conv2d(x, weight, bias = NULL, stride = 1, padding = 0, dilation = 1, groups = 1): y[n, o] = bias[o] + the sum over
   channels of x[n, c] correlated with weight[o, c].
   (N, C, H, W) or (C, H, W), (O, C / groups, KH, KW), (O) -> (N, O, OH, OW) or (O, OH, OW),
   OH = (H + 2 padding - dilation (KH - 1) - 1) / stride + 1.  Floating dtypes. */
typedef struct wk_conv2d_args {
    wk_tensor *x, *weight, *bias;
    wk_pair stride, padding, dilation;
    int64_t groups;
} wk_conv2d_args;
#define wk_conv2d(x_, ...)                                                                                             \
    wk_conv2d_with((wk_conv2d_args){.stride = 1, .dilation = 1, .groups = 1, .x = x_, .weight = __VA_ARGS__})
wk_tensor *wk_conv2d_with(wk_conv2d_args args);

/* conv1d: the same along one dim.  (N, C, L) or (C, L), (O, C / groups, K), (O) -> (N, O, OL) or (O, OL) */
typedef struct wk_conv1d_args {
    wk_tensor *x, *weight, *bias;
    int64_t stride, padding, dilation, groups; // padding: also WK_SAME
} wk_conv1d_args;
#define wk_conv1d(x_, ...)                                                                                             \
    wk_conv1d_with((wk_conv1d_args){.stride = 1, .dilation = 1, .groups = 1, .x = x_, .weight = __VA_ARGS__})
wk_tensor *wk_conv1d_with(wk_conv1d_args args);

#ifdef __cplusplus
}
#endif
#endif
