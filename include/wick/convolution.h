/* Convolutions.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#convolution-functions

   Options are one number for all dims, or wk_per_dim(2, 1), one for each (wick/spatial.h).  Floating dtypes; float16
   and bfloat16 are summed in float32.  x may lack N, then y does. */
#ifndef WICK_OP_CONVOLUTION_H
#define WICK_OP_CONVOLUTION_H
#pragma GCC system_header // see tensor.h

#include <wick/spatial.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* conv2d(x, weight, bias = NULL, stride = 1, padding = 0, dilation = 1, groups = 1): y[n, o] = bias[o] + the sum over
   channels of x[n, c] correlated with weight[o, c].  padding: also WK_SAME, WK_VALID.
       conv1d  (N, C, L), (O, C / groups, K), (O) -> (N, O, OL)
       conv2d  (N, C, H, W), (O, C / groups, KH, KW), (O) -> (N, O, OH, OW)
       conv3d  (N, C, D, H, W), (O, C / groups, KD, KH, KW), (O) -> (N, O, OD, OH, OW)
   OH = (H + 2 padding - dilation (KH - 1) - 1) / stride + 1 */
typedef struct wk_convolution_args {
    wk_tensor *x, *weight, *bias;
    wk_per_dim stride, padding, dilation;
    int64_t groups;
} wk_convolution_args;
#define WK_CONVOLUTION(x_, ...)                                                                                        \
    ((wk_convolution_args){.stride = 1, .dilation = 1, .groups = 1, .x = x_, .weight = __VA_ARGS__})
#define wk_conv1d(...) wk_conv1d_with(WK_CONVOLUTION(__VA_ARGS__))
#define wk_conv2d(...) wk_conv2d_with(WK_CONVOLUTION(__VA_ARGS__))
#define wk_conv3d(...) wk_conv3d_with(WK_CONVOLUTION(__VA_ARGS__))
wk_tensor *wk_conv1d_with(wk_convolution_args args);
wk_tensor *wk_conv2d_with(wk_convolution_args args);
wk_tensor *wk_conv3d_with(wk_convolution_args args);

/* conv_transpose2d(x, weight, bias = NULL, stride = 1, padding = 0, output_padding = 0, groups = 1, dilation = 1): the
   gradient of a convolution's x, as an op: each x[n, c] spreads weight[c, o] over y[n, o].
       conv_transpose2d  (N, C, H, W), (C, O / groups, KH, KW), (O) -> (N, O, OH, OW), and so with 1 and 3 dims
   OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1; output_padding, less than stride or
   dilation, says which of the sizes that a convolution would make H of is meant */
typedef struct wk_conv_transpose_args {
    wk_tensor *x, *weight, *bias;
    wk_per_dim stride, padding, output_padding;
    int64_t groups;
    wk_per_dim dilation;
} wk_conv_transpose_args;
#define WK_CONV_TRANSPOSE(x_, ...)                                                                                     \
    ((wk_conv_transpose_args){.stride = 1, .groups = 1, .dilation = 1, .x = x_, .weight = __VA_ARGS__})
#define wk_conv_transpose1d(...) wk_conv_transpose1d_with(WK_CONV_TRANSPOSE(__VA_ARGS__))
#define wk_conv_transpose2d(...) wk_conv_transpose2d_with(WK_CONV_TRANSPOSE(__VA_ARGS__))
#define wk_conv_transpose3d(...) wk_conv_transpose3d_with(WK_CONV_TRANSPOSE(__VA_ARGS__))
wk_tensor *wk_conv_transpose1d_with(wk_conv_transpose_args args);
wk_tensor *wk_conv_transpose2d_with(wk_conv_transpose_args args);
wk_tensor *wk_conv_transpose3d_with(wk_conv_transpose_args args);

/* im2col(x, kernel_size, dilation = 1, padding = 0, stride = 1), torch.nn.functional.unfold: what a kernel sees of x at
   each place, as a column: (N, C, H, W) -> (N, C KH KW, OH OW).  (wk_unfold is Tensor.unfold.)
   fold(x, output_size, kernel_size, dilation = 1, padding = 0, stride = 1): columns added back to where they were seen:
   (N, C KH KW, OH OW) -> (N, C, H, W).  Both also without N. */
typedef struct wk_im2col_args {
    wk_tensor *x;
    wk_per_dim kernel_size, dilation, padding, stride;
} wk_im2col_args;
#define wk_im2col(x_, ...)                                                                                             \
    wk_im2col_with((wk_im2col_args){.dilation = 1, .stride = 1, .x = x_, __VA_ARGS__})
wk_tensor *wk_im2col_with(wk_im2col_args args);
typedef struct wk_fold_args {
    wk_tensor *x;
    wk_per_dim output_size, kernel_size, dilation, padding, stride;
} wk_fold_args;
#define wk_fold(x_, ...) wk_fold_with((wk_fold_args){.dilation = 1, .stride = 1, .x = x_, __VA_ARGS__})
wk_tensor *wk_fold_with(wk_fold_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
