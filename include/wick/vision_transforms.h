/* Transforms of pictures: torchvision.transforms.v2, https://pytorch.org/vision/stable/transforms.html

       wk_module *transform =
           wk_vision_compose(wk_vision_resize(256), wk_vision_center_crop(224), wk_vision_to_tensor(),
                             wk_vision_normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)));
       wk_tensor *x = wk_forward(transform, wk_vision_read_image("cat.jpg", .mode = "rgb")); // (3, 224, 224)

   A transform is a module: wk_forward(transform, x), and wk_module_free when it is used no more.  x is (C, H, W) or
   (..., C, H, W), uint8 or floating; results are torchvision's.

   Random transforms draw from the process's generator in torchvision's order, so a seed (wk_manual_seed) gives what it
   gives there; of a batch (B, C, H, W) all pictures get the same (wk_vision_each: each its own).  Where a loader makes
   a batch, they draw from the batch's generator, which the loader's seed decides, whichever worker makes it. */
#ifndef WICK_VISION_TRANSFORMS_H
#define WICK_VISION_TRANSFORMS_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>
#include <wick/nn.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A number for each channel, or one for all: (0.485, 0.456, 0.406). */
#define WK_VISION_CHANNELS 16
typedef struct wk_vision_channels {
    int count;
    double values[WK_VISION_CHANNELS];
} wk_vision_channels;
#define WK_VISION_PER_CHANNEL(...) ((wk_vision_channels){WK_COUNT(double, __VA_ARGS__), {__VA_ARGS__}})

/* ---------------------------------------------------------------- made of others */

/* Compose: one after another.  Owns them; a NULL among them, after an error, makes it NULL. */
#define wk_vision_compose(...) wk_vision_compose_with(WK_MODULES(__VA_ARGS__))
wk_module *wk_vision_compose_with(wk_module_tuple transforms);

/* (B, C, H, W): each picture by itself, so that each draws its own; they must come out in one size.  Owns transform. */
wk_module *wk_vision_each(void *transform);

/* ---------------------------------------------------------------- flips */

/* RandomHorizontalFlip(p = 0.5): mirrored with probability p; RandomVerticalFlip: upside down */
typedef struct wk_vision_random_flip_args {
    int first;
    double p;
} wk_vision_random_flip_args;
#define wk_vision_random_horizontal_flip(...)                                                                          \
    wk_vision_random_horizontal_flip_with((wk_vision_random_flip_args){.p = 0.5, .first = 0, __VA_ARGS__})
#define wk_vision_random_vertical_flip(...)                                                                            \
    wk_vision_random_vertical_flip_with((wk_vision_random_flip_args){.p = 0.5, .first = 0, __VA_ARGS__})
wk_module *wk_vision_random_horizontal_flip_with(wk_vision_random_flip_args args);
wk_module *wk_vision_random_vertical_flip_with(wk_vision_random_flip_args args);
wk_tensor *wk_vision_functional_hflip(wk_tensor *x);
wk_tensor *wk_vision_functional_vflip(wk_tensor *x);

/* ---------------------------------------------------------------- sizes */

/* Resize(size, interpolation = "bilinear", max_size, antialias = true): wk_vision_resize(256): the shorter side becomes
   256, the other keeps the aspect, and is at most max_size (where that is given); wk_vision_resize((224, 320)): height
   and width.  interpolation: "bilinear", "bicubic", "nearest", "nearest-exact". */
typedef struct wk_vision_resize_args {
    wk_shape size;
    const char *interpolation;
    int64_t max_size; // 0: none
    bool antialias;
} wk_vision_resize_args;
#define WK_VISION_RESIZE(...)                                                                                          \
    (wk_vision_resize_args)                                                                                            \
    {                                                                                                                  \
        .interpolation = "bilinear", .antialias = true, WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__                        \
    }
#define wk_vision_resize(...) wk_vision_resize_with(WK_VISION_RESIZE(__VA_ARGS__))
#define wk_vision_functional_resize(x_, ...) wk_vision_functional_resize_with(x_, WK_VISION_RESIZE(__VA_ARGS__))
wk_module *wk_vision_resize_with(wk_vision_resize_args args);
wk_tensor *wk_vision_functional_resize_with(wk_tensor *x, wk_vision_resize_args args);

/* CenterCrop(size): wk_vision_center_crop(224), or ((224, 320)); what is smaller is padded with 0 */
typedef struct wk_vision_center_crop_args {
    wk_shape size;
} wk_vision_center_crop_args;
#define WK_VISION_CENTER_CROP(...) ((wk_vision_center_crop_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_vision_center_crop(...) wk_vision_center_crop_with(WK_VISION_CENTER_CROP(__VA_ARGS__))
#define wk_vision_functional_center_crop(x_, ...)                                                                      \
    wk_vision_functional_center_crop_with(x_, WK_VISION_CENTER_CROP(__VA_ARGS__))
wk_module *wk_vision_center_crop_with(wk_vision_center_crop_args args);
wk_tensor *wk_vision_functional_center_crop_with(wk_tensor *x, wk_vision_center_crop_args args);

/* functional.crop(x, top, left, height, width); what lies outside of x is 0 */
wk_tensor *wk_vision_functional_crop(wk_tensor *x, int64_t top, int64_t left, int64_t height, int64_t width);

/* ---------------------------------------------------------------- values */

/* ToTensor: uint8 0 .. 255 (..., C, H, W) to float32 0 .. 1; what is floating stays as it is.  A picture of wick is
   (C, H, W) already, so no dims move. */
wk_module *wk_vision_to_tensor(void);
wk_tensor *wk_vision_functional_to_tensor(wk_tensor *x);

/* Normalize(mean, std): (x - mean) / std, each of each channel, or one for all: wk_vision_normalize((0.5), (0.5)).
   Floating x; inplace: in x's memory. */
typedef struct wk_vision_normalize_args {
    wk_vision_channels mean, std;
    bool inplace;
} wk_vision_normalize_args;
#define WK_VISION_NORMALIZE(mean_, ...)                                                                                \
    ((wk_vision_normalize_args){.mean = WK_TUPLE(WK_VISION_PER_CHANNEL, mean_) mean_,                                  \
                                .std = WK_TUPLE(WK_VISION_PER_CHANNEL, __VA_ARGS__) __VA_ARGS__})
#define wk_vision_normalize(mean_, ...) wk_vision_normalize_with(WK_VISION_NORMALIZE(mean_, __VA_ARGS__))
#define wk_vision_functional_normalize(x_, mean_, ...)                                                                 \
    wk_vision_functional_normalize_with(x_, WK_VISION_NORMALIZE(mean_, __VA_ARGS__))
wk_module *wk_vision_normalize_with(wk_vision_normalize_args args);
wk_tensor *wk_vision_functional_normalize_with(wk_tensor *x, wk_vision_normalize_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
