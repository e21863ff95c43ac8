/* The maximum or the average of windows.  PyTorch: https://pytorch.org/docs/stable/nn.functional.html#pooling-functions

   Options are one number for all dims, or wk_per_dim(2, 1), one for each (wick/spatial.h).  x may lack N, then y does.
       ...1d  (N, C, L) -> (N, C, OL)
       ...2d  (N, C, H, W) -> (N, C, OH, OW)
       ...3d  (N, C, D, H, W) -> (N, C, OD, OH, OW)
   OH = (H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1, rounded down, or up in ceil_mode, where a last
   window that would begin behind x and its first padding is left out.  padding: at both ends, at most half of
   kernel_size. */
#ifndef WICK_POOLING_H
#define WICK_POOLING_H
#pragma GCC system_header // see tensor.h

#include <wick/spatial.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define WK_NO_STRIDE ((wk_per_dim)INT64_MIN) // kernel_size's

/* max_pool2d(x, kernel_size, stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false, return_indices =
   NULL): also of integers; padding is less than any number, NaN larger.  return_indices: where to put the places of the
   maxima, int64, of y's shape: h * W + w, in their plane of x; the first of equals. */
typedef struct wk_max_pool_args {
    wk_tensor *x;
    wk_per_dim kernel_size, stride, padding, dilation;
    bool ceil_mode;
    wk_tensor **return_indices;
} wk_max_pool_args;
#define WK_MAX_POOL(x_, ...) ((wk_max_pool_args){.stride = WK_NO_STRIDE, .dilation = 1, .x = x_, __VA_ARGS__})
#define wk_max_pool1d(...) wk_max_pool1d_with(WK_MAX_POOL(__VA_ARGS__))
#define wk_max_pool2d(...) wk_max_pool2d_with(WK_MAX_POOL(__VA_ARGS__))
#define wk_max_pool3d(...) wk_max_pool3d_with(WK_MAX_POOL(__VA_ARGS__))
wk_tensor *wk_max_pool1d_with(wk_max_pool_args args);
wk_tensor *wk_max_pool2d_with(wk_max_pool_args args);
wk_tensor *wk_max_pool3d_with(wk_max_pool_args args);

/* avg_pool2d(x, kernel_size, stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true,
   divisor_override = 0): floating dtypes, and int64, whose averages are cut towards 0.  The sum over a window is
   divided by its size, padding (zeros) included unless told; what of it lies behind the last padding never counts.
   divisor_override: by this instead; 0 is none. */
typedef struct wk_avg_pool_args {
    wk_tensor *x;
    wk_per_dim kernel_size, stride, padding;
    bool ceil_mode, count_include_pad;
    int64_t divisor_override;
} wk_avg_pool_args;
#define WK_AVG_POOL(x_, ...)                                                                                           \
    ((wk_avg_pool_args){.stride = WK_NO_STRIDE, .count_include_pad = true, .x = x_, __VA_ARGS__})
#define wk_avg_pool1d(...) wk_avg_pool1d_with(WK_AVG_POOL(__VA_ARGS__))
#define wk_avg_pool2d(...) wk_avg_pool2d_with(WK_AVG_POOL(__VA_ARGS__))
#define wk_avg_pool3d(...) wk_avg_pool3d_with(WK_AVG_POOL(__VA_ARGS__))
wk_tensor *wk_avg_pool1d_with(wk_avg_pool_args args);
wk_tensor *wk_avg_pool2d_with(wk_avg_pool_args args);
wk_tensor *wk_avg_pool3d_with(wk_avg_pool_args args);

/* adaptive_avg_pool2d(x, output_size), adaptive_max_pool2d(x, output_size, return_indices = NULL): as many windows as
   asked for: window i of n goes from floor(i H / n) to ceil((i + 1) H / n).  WK_KEEP: as many as x has places:
   wk_per_dim(WK_KEEP, 1) */
#define WK_KEEP (-1)
typedef struct wk_adaptive_pool_args {
    wk_tensor *x;
    wk_per_dim output_size;
    wk_tensor **return_indices; // of max only
} wk_adaptive_pool_args;
#define WK_ADAPTIVE_POOL(x_, ...) ((wk_adaptive_pool_args){.x = x_, __VA_ARGS__})
#define wk_adaptive_avg_pool1d(...) wk_adaptive_avg_pool1d_with(WK_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_adaptive_avg_pool2d(...) wk_adaptive_avg_pool2d_with(WK_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_adaptive_avg_pool3d(...) wk_adaptive_avg_pool3d_with(WK_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_adaptive_max_pool1d(...) wk_adaptive_max_pool1d_with(WK_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_adaptive_max_pool2d(...) wk_adaptive_max_pool2d_with(WK_ADAPTIVE_POOL(__VA_ARGS__))
wk_tensor *wk_adaptive_avg_pool1d_with(wk_adaptive_pool_args args);
wk_tensor *wk_adaptive_avg_pool2d_with(wk_adaptive_pool_args args);
wk_tensor *wk_adaptive_avg_pool3d_with(wk_adaptive_pool_args args);
wk_tensor *wk_adaptive_max_pool1d_with(wk_adaptive_pool_args args);
wk_tensor *wk_adaptive_max_pool2d_with(wk_adaptive_pool_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
