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

#include <wick/data.h>
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

/* RandomApply(transforms, p = 0.5): all of them, with probability p: wk_vision_random_apply((a, b), .p = 0.8) */
#define wk_vision_random_apply(transforms_, ...)                                                                       \
    wk_vision_random_apply_with((wk_vision_random_apply_args){                                                         \
        .p = 0.5, .transforms = WK_TUPLE(WK_MODULES_0, transforms_) transforms_, ##__VA_ARGS__})
typedef struct wk_vision_random_apply_args {
    wk_module_tuple transforms;
    double p;
} wk_vision_random_apply_args;
wk_module *wk_vision_random_apply_with(wk_vision_random_apply_args args);
/* Lambda: a function of the user's; context is given to it */
wk_module *wk_vision_lambda(wk_tensor *(*function)(void *context, wk_tensor *x), void *context);
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

/* functional.pad(x, (left, top, right, bottom)), or ((left and right, top and bottom)), or a number for all four; fill,
   of "constant", a number for all channels or (.fills = {3, {124, 116, 104}}) one for each.  padding_mode: "constant",
   "edge" (the outermost pixel again), "reflect" (in the outermost pixel), "symmetric" (in its outer edge). */
typedef struct wk_vision_pad_args {
    wk_shape size; // the padding
    double fill;
    const char *padding_mode;
    wk_vision_channels fills;
} wk_vision_pad_args;
#define WK_VISION_PAD(...)                                                                                             \
    ((wk_vision_pad_args){.padding_mode = "constant", WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_vision_pad(...) wk_vision_pad_with(WK_VISION_PAD(__VA_ARGS__))
#define wk_vision_functional_pad(x_, ...) wk_vision_functional_pad_with(x_, WK_VISION_PAD(__VA_ARGS__))
wk_module *wk_vision_pad_with(wk_vision_pad_args args);
wk_tensor *wk_vision_functional_pad_with(wk_tensor *x, wk_vision_pad_args args);

/* RandomCrop(size, padding, pad_if_needed, fill, padding_mode): somewhere in x, padded before (.padding = 4, or
   (wk_shape){2, {4, 8}}), and, pad_if_needed, where x is smaller than size */
typedef struct wk_vision_random_crop_args {
    wk_shape size;
    int64_t padding;     // of all sides
    wk_shape paddings;   // as pad has them, in place of padding
    bool pad_if_needed;
    double fill;
    const char *padding_mode;
    wk_vision_channels fills;
} wk_vision_random_crop_args;
#define wk_vision_random_crop(...)                                                                                     \
    wk_vision_random_crop_with(                                                                                        \
        (wk_vision_random_crop_args){.padding_mode = "constant", WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_module *wk_vision_random_crop_with(wk_vision_random_crop_args args);

/* RandomResizedCrop(size, scale = (0.08, 1), ratio = (3/4, 4/3), interpolation, antialias): of an area that is a part
   of x's from scale, and of width over height from ratio, resized to size */
typedef struct wk_vision_random_resized_crop_args {
    wk_shape size;
    double scale[2], ratio[2];
    const char *interpolation;
    bool antialias;
} wk_vision_random_resized_crop_args;
#define wk_vision_random_resized_crop(...)                                                                             \
    wk_vision_random_resized_crop_with((wk_vision_random_resized_crop_args){.scale = {0.08, 1},                        \
                                                                            .ratio = {3.0 / 4, 4.0 / 3},               \
                                                                            .interpolation = "bilinear",               \
                                                                            .antialias = true,                         \
                                                                            WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_module *wk_vision_random_resized_crop_with(wk_vision_random_resized_crop_args args);

/* functional.rotate(x, angle, interpolation = "nearest", expand, center, fill): by degrees, against the clock, about
   the middle or center (x, y); expand: all of it stays in a larger picture.  "nearest", "bilinear".  What is seen
   outside is fill, 0 unless given. */
typedef struct wk_vision_rotate_args {
    double angle;
    const char *interpolation;
    bool expand;
    const double *center; // NULL: the middle
    wk_vision_channels fill;
} wk_vision_rotate_args;
#define wk_vision_functional_rotate(x_, ...)                                                                           \
    wk_vision_functional_rotate_with(x_, (wk_vision_rotate_args){.interpolation = "nearest", .angle = __VA_ARGS__})
wk_tensor *wk_vision_functional_rotate_with(wk_tensor *x, wk_vision_rotate_args args);
/* RandomRotation(degrees): an angle from -degrees to degrees, or from .range = {10, 30} */
typedef struct wk_vision_random_rotation_args {
    int first;
    double degrees;
    const char *interpolation;
    bool expand;
    double range[2]; // in place of degrees, unless both are 0
    wk_vision_channels fill; // .fill = {1, {127}}
} wk_vision_random_rotation_args;
#define wk_vision_random_rotation(...)                                                                                 \
    wk_vision_random_rotation_with((wk_vision_random_rotation_args){                                                   \
        .interpolation = "nearest", .fill = {1, {0}}, .first = 0, __VA_ARGS__})
wk_module *wk_vision_random_rotation_with(wk_vision_random_rotation_args args);

/* ---------------------------------------------------------------- colours: of 1 or 3 channels */

/* functional.rgb_to_grayscale(x, num_output_channels = 1, or 3 that are equal) */
wk_tensor *wk_vision_functional_rgb_to_grayscale(wk_tensor *x, int64_t num_output_channels);
/* Grayscale(num_output_channels = 1); RandomGrayscale(p = 0.1): as many channels as before */
typedef struct wk_vision_grayscale_args {
    int first;
    int64_t num_output_channels;
} wk_vision_grayscale_args;
#define wk_vision_grayscale(...)                                                                                       \
    wk_vision_grayscale_with((wk_vision_grayscale_args){.num_output_channels = 1, .first = 0, __VA_ARGS__})
#define wk_vision_random_grayscale(...)                                                                                \
    wk_vision_random_grayscale_with((wk_vision_random_flip_args){.p = 0.1, .first = 0, __VA_ARGS__})
wk_module *wk_vision_grayscale_with(wk_vision_grayscale_args args);
wk_module *wk_vision_random_grayscale_with(wk_vision_random_flip_args args);

/* functional.adjust_brightness, _contrast, _saturation: factor 0 or more, 1 changes nothing, 0 gives black, one grey,
   no colour; adjust_hue: factor -0.5 to 0.5, of a turn of the circle of colours */
wk_tensor *wk_vision_functional_adjust_brightness(wk_tensor *x, double factor);
wk_tensor *wk_vision_functional_adjust_contrast(wk_tensor *x, double factor);
wk_tensor *wk_vision_functional_adjust_saturation(wk_tensor *x, double factor);
wk_tensor *wk_vision_functional_adjust_hue(wk_tensor *x, double factor);
/* ColorJitter(brightness, contrast, saturation, hue): each by a factor from 1 - b to 1 + b (hue: -h to h), or from a
   range of the caller's, in an order by chance */
typedef struct wk_vision_color_jitter_args {
    int first;
    double brightness, contrast, saturation, hue;
    /* in place of those, unless both are 0 */
    double brightness_range[2], contrast_range[2], saturation_range[2], hue_range[2];
} wk_vision_color_jitter_args;
#define wk_vision_color_jitter(...) wk_vision_color_jitter_with((wk_vision_color_jitter_args){.first = 0, __VA_ARGS__})
wk_module *wk_vision_color_jitter_with(wk_vision_color_jitter_args args);

/* functional.gaussian_blur(x, kernel_size, .sigma = {1, 1}): kernel_size odd, or ((width, height)); sigma along width
   and height, from the size where it is not given */
typedef struct wk_vision_gaussian_blur_args {
    wk_shape size; // of the kernel
    double sigma[2];
} wk_vision_gaussian_blur_args;
#define wk_vision_functional_gaussian_blur(x_, ...)                                                                    \
    wk_vision_functional_gaussian_blur_with(                                                                           \
        x_, (wk_vision_gaussian_blur_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_vision_functional_gaussian_blur_with(wk_tensor *x, wk_vision_gaussian_blur_args args);
/* GaussianBlur(kernel_size, sigma = (0.1, 2)): of a sigma from that range */
#define wk_vision_gaussian_blur(...)                                                                                   \
    wk_vision_gaussian_blur_with(                                                                                      \
        (wk_vision_gaussian_blur_args){.sigma = {0.1, 2}, WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_module *wk_vision_gaussian_blur_with(wk_vision_gaussian_blur_args args);

/* ---------------------------------------------------------------- many at once */

/* RandAugment(num_ops = 2, magnitude = 9, num_magnitude_bins = 31, interpolation = "nearest", fill): num_ops of
   fourteen changes of place and colour, by chance */
typedef struct wk_vision_rand_augment_args {
    int first;
    int64_t num_ops, magnitude, num_magnitude_bins;
    const char *interpolation;
    wk_vision_channels fill;
} wk_vision_rand_augment_args;
#define wk_vision_rand_augment(...)                                                                                    \
    wk_vision_rand_augment_with((wk_vision_rand_augment_args){.num_ops = 2,                                            \
                                                              .magnitude = 9,                                          \
                                                              .num_magnitude_bins = 31,                                \
                                                              .interpolation = "nearest",                              \
                                                              .first = 0,                                              \
                                                              __VA_ARGS__})
wk_module *wk_vision_rand_augment_with(wk_vision_rand_augment_args args);

/* RandomErasing(p = 0.5, scale = (0.02, 0.33), ratio = (0.3, 3.3), value = 0): a rectangle becomes value, a number or
   one for each channel (.value = {3, {..}}), or, .random, normal numbers; inplace: in x's memory */
typedef struct wk_vision_random_erasing_args {
    int first;
    double p, scale[2], ratio[2];
    wk_vision_channels value;
    bool random, inplace;
} wk_vision_random_erasing_args;
#define wk_vision_random_erasing(...)                                                                                  \
    wk_vision_random_erasing_with((wk_vision_random_erasing_args){.p = 0.5,                                            \
                                                                  .scale = {0.02, 0.33},                               \
                                                                  .ratio = {0.3, 3.3},                                 \
                                                                  .value = {1, {0}},                                   \
                                                                  .first = 0,                                          \
                                                                  __VA_ARGS__})
wk_module *wk_vision_random_erasing_with(wk_vision_random_erasing_args args);

/* MixUp(alpha = 1, num_classes), CutMix: of a batch, as a loader's .transform does it:
       wk_vision_mixup(batch, .num_classes = 10);
   x floating (B, C, H, W), y classes int64 (B,), or (B, classes) of any dtype.  mixup: each picture with the one before
   it, as a drawn part of each; cutmix: a rectangle of the one before it.  y becomes (B, classes), in the same parts.
   False after an error. */
typedef struct wk_vision_mixup_args {
    wk_sample *batch;
    double alpha;
    int64_t num_classes;
} wk_vision_mixup_args;
#define wk_vision_mixup(...) wk_vision_mixup_with((wk_vision_mixup_args){.alpha = 1, .batch = __VA_ARGS__})
#define wk_vision_cutmix(...) wk_vision_cutmix_with((wk_vision_mixup_args){.alpha = 1, .batch = __VA_ARGS__})
bool wk_vision_mixup_with(wk_vision_mixup_args args);
bool wk_vision_cutmix_with(wk_vision_mixup_args args);

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
