/* Layers without parameters that slide along 1 to 3 dims, or change sizes.  What each computes stands with the
   function of its name (wick/pooling.h, resize.h, convolution.h).  Part of wick/nn.h. */
#ifndef WICK_NN_SPATIAL_H
#define WICK_NN_SPATIAL_H
#pragma GCC system_header // see tensor.h

#include <wick/convolution.h>
#include <wick/module.h>
#include <wick/pooling.h>
#include <wick/rearrange.h>
#include <wick/resize.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- max_pool2d(kernel_size, stride = kernel_size, padding = 0, dilation = 1, ceil_mode = false); 1d and 3d the same.
   (The places of the maxima: wk_max_pool2d.) */
typedef struct wk_nn_max_pool {
    wk_module_base base;
    wk_per_dim kernel_size, stride, padding, dilation;
    bool ceil_mode;
    int dims;
} wk_nn_max_pool;
typedef wk_nn_max_pool wk_nn_max_pool1d, wk_nn_max_pool2d, wk_nn_max_pool3d;
typedef struct wk_nn_max_pool_args {
    int first;
    wk_per_dim kernel_size, stride, padding, dilation;
    bool ceil_mode;
} wk_nn_max_pool_args;
#define WK_NN_MAX_POOL(...) ((wk_nn_max_pool_args){.stride = WK_NO_STRIDE, .dilation = 1, .first = 0, __VA_ARGS__})
#define wk_nn_max_pool1d(...) wk_nn_max_pool1d_with(WK_NN_MAX_POOL(__VA_ARGS__))
#define wk_nn_max_pool2d(...) wk_nn_max_pool2d_with(WK_NN_MAX_POOL(__VA_ARGS__))
#define wk_nn_max_pool3d(...) wk_nn_max_pool3d_with(WK_NN_MAX_POOL(__VA_ARGS__))
wk_module *wk_nn_max_pool1d_with(wk_nn_max_pool_args args);
wk_module *wk_nn_max_pool2d_with(wk_nn_max_pool_args args);
wk_module *wk_nn_max_pool3d_with(wk_nn_max_pool_args args);

/* ---- avg_pool2d(kernel_size, stride = kernel_size, padding = 0, ceil_mode = false, count_include_pad = true,
   divisor_override = 0); 1d and 3d the same */
typedef struct wk_nn_avg_pool {
    wk_module_base base;
    wk_per_dim kernel_size, stride, padding;
    bool ceil_mode, count_include_pad;
    int64_t divisor_override;
    int dims;
} wk_nn_avg_pool;
typedef wk_nn_avg_pool wk_nn_avg_pool1d, wk_nn_avg_pool2d, wk_nn_avg_pool3d;
typedef struct wk_nn_avg_pool_args {
    int first;
    wk_per_dim kernel_size, stride, padding;
    bool ceil_mode, count_include_pad;
    int64_t divisor_override;
} wk_nn_avg_pool_args;
#define WK_NN_AVG_POOL(...)                                                                                            \
    ((wk_nn_avg_pool_args){.stride = WK_NO_STRIDE, .count_include_pad = true, .first = 0, __VA_ARGS__})
#define wk_nn_avg_pool1d(...) wk_nn_avg_pool1d_with(WK_NN_AVG_POOL(__VA_ARGS__))
#define wk_nn_avg_pool2d(...) wk_nn_avg_pool2d_with(WK_NN_AVG_POOL(__VA_ARGS__))
#define wk_nn_avg_pool3d(...) wk_nn_avg_pool3d_with(WK_NN_AVG_POOL(__VA_ARGS__))
wk_module *wk_nn_avg_pool1d_with(wk_nn_avg_pool_args args);
wk_module *wk_nn_avg_pool2d_with(wk_nn_avg_pool_args args);
wk_module *wk_nn_avg_pool3d_with(wk_nn_avg_pool_args args);

/* ---- adaptive_avg_pool2d(output_size), adaptive_max_pool2d(output_size) */
typedef struct wk_nn_adaptive_pool {
    wk_module_base base;
    wk_per_dim output_size;
    int dims;
} wk_nn_adaptive_pool;
typedef wk_nn_adaptive_pool wk_nn_adaptive_avg_pool1d, wk_nn_adaptive_avg_pool2d, wk_nn_adaptive_avg_pool3d;
typedef wk_nn_adaptive_pool wk_nn_adaptive_max_pool1d, wk_nn_adaptive_max_pool2d;
typedef struct wk_nn_adaptive_pool_args {
    int first;
    wk_per_dim output_size;
} wk_nn_adaptive_pool_args;
#define WK_NN_ADAPTIVE_POOL(...) ((wk_nn_adaptive_pool_args){.first = 0, __VA_ARGS__})
#define wk_nn_adaptive_avg_pool1d(...) wk_nn_adaptive_avg_pool1d_with(WK_NN_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_nn_adaptive_avg_pool2d(...) wk_nn_adaptive_avg_pool2d_with(WK_NN_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_nn_adaptive_avg_pool3d(...) wk_nn_adaptive_avg_pool3d_with(WK_NN_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_nn_adaptive_max_pool1d(...) wk_nn_adaptive_max_pool1d_with(WK_NN_ADAPTIVE_POOL(__VA_ARGS__))
#define wk_nn_adaptive_max_pool2d(...) wk_nn_adaptive_max_pool2d_with(WK_NN_ADAPTIVE_POOL(__VA_ARGS__))
wk_module *wk_nn_adaptive_avg_pool1d_with(wk_nn_adaptive_pool_args args);
wk_module *wk_nn_adaptive_avg_pool2d_with(wk_nn_adaptive_pool_args args);
wk_module *wk_nn_adaptive_avg_pool3d_with(wk_nn_adaptive_pool_args args);
wk_module *wk_nn_adaptive_max_pool1d_with(wk_nn_adaptive_pool_args args);
wk_module *wk_nn_adaptive_max_pool2d_with(wk_nn_adaptive_pool_args args);

/* ---- upsample(size or scale_factor, mode = "nearest", align_corners = false, recompute_scale_factor = false), as
   wk_interpolate: wk_nn_upsample(.scale_factor = 2, .mode = "bilinear") */
typedef struct wk_nn_upsample {
    wk_module_base base;
    wk_interpolate_args options; // x: NULL
} wk_nn_upsample;
#define wk_nn_upsample(...) wk_nn_upsample_with((wk_interpolate_args){.mode = "nearest", .x = NULL, __VA_ARGS__})
wk_module *wk_nn_upsample_with(wk_interpolate_args options);

/* ---- unfold(kernel_size, dilation = 1, padding = 0, stride = 1), which is wk_im2col;
   fold(output_size, kernel_size, dilation = 1, padding = 0, stride = 1) */
typedef struct wk_nn_fold {
    wk_module_base base;
    wk_per_dim output_size; // of fold
    wk_per_dim kernel_size, dilation, padding, stride;
} wk_nn_fold;
typedef wk_nn_fold wk_nn_unfold;
typedef struct wk_nn_unfold_args {
    int first;
    wk_per_dim kernel_size, dilation, padding, stride;
} wk_nn_unfold_args;
#define wk_nn_unfold(...) wk_nn_unfold_with((wk_nn_unfold_args){.dilation = 1, .stride = 1, .first = 0, __VA_ARGS__})
wk_module *wk_nn_unfold_with(wk_nn_unfold_args args);
typedef struct wk_nn_fold_args {
    int first;
    wk_per_dim output_size, kernel_size, dilation, padding, stride;
} wk_nn_fold_args;
#define wk_nn_fold(...) wk_nn_fold_with((wk_nn_fold_args){.dilation = 1, .stride = 1, .first = 0, __VA_ARGS__})
wk_module *wk_nn_fold_with(wk_nn_fold_args args);

/* ---- pixel_shuffle(upscale_factor), pixel_unshuffle(downscale_factor) */
typedef struct wk_nn_pixel_shuffle_args {
    int first;
    int64_t upscale_factor;
} wk_nn_pixel_shuffle_args;
typedef struct wk_nn_pixel_unshuffle_args {
    int first;
    int64_t downscale_factor;
} wk_nn_pixel_unshuffle_args;
#define wk_nn_pixel_shuffle(...) wk_nn_pixel_shuffle_with((wk_nn_pixel_shuffle_args){.first = 0, __VA_ARGS__})
#define wk_nn_pixel_unshuffle(...) wk_nn_pixel_unshuffle_with((wk_nn_pixel_unshuffle_args){.first = 0, __VA_ARGS__})
wk_module *wk_nn_pixel_shuffle_with(wk_nn_pixel_shuffle_args args);
wk_module *wk_nn_pixel_unshuffle_with(wk_nn_pixel_unshuffle_args args);

/* ---- zero_pad2d(padding): (left, right, top, bottom), or one number for all.  (*, H, W)
   constant_pad1d(padding, value): (left, right), or one number.  (*, L) */
typedef struct wk_nn_pad {
    wk_module_base base;
    int64_t padding[4];
    double value;
    int dims;
} wk_nn_pad;
typedef wk_nn_pad wk_nn_zero_pad2d, wk_nn_constant_pad1d;
#define wk_nn_zero_pad2d(padding) wk_nn_zero_pad2d_with(WK_SIZES_OR(padding)(padding))
#define wk_nn_constant_pad1d(padding, value) wk_nn_constant_pad1d_with(WK_SIZES_OR(padding)(padding), value)
wk_module *wk_nn_zero_pad2d_with(wk_sizes padding);
wk_module *wk_nn_constant_pad1d_with(wk_sizes padding, double value);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
