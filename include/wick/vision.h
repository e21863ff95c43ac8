/* Pictures: data sets, transforms, files, grids.  PyTorch: torchvision.

   A picture is uint8 (3, H, W), 0 to 255, red, green, blue; (1, H, W) and (H, W) are grey. */
#ifndef WICK_VISION_H
#define WICK_VISION_H
#pragma GCC system_header // see tensor.h

#include <wick/data.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- data sets */

/* What torchvision.datasets give: tensors of all of it, and a data set of items x uint8 (1, H, W), y int64 (). */
typedef struct wk_vision_dataset {
    wk_dataset *dataset; // free it with wk_dataset_free; NULL after an error
    wk_tensor *data;     // (N, H, W) uint8, of the innermost scope
    wk_tensor *targets;  // (N,) int64
    const char *const *classes;
    int64_t class_count;
} wk_vision_dataset;

/* datasets.FashionMNIST: wk_vision_fashion_mnist(root, .train = true); root NULL: where Debian's dataset-fashion-mnist
   puts it.  Nothing is downloaded. */
typedef struct wk_vision_fashion_mnist_args {
    const char *root;
    bool train; // 60,000 pictures; else the 10,000 for tests
} wk_vision_fashion_mnist_args;
#define wk_vision_fashion_mnist(...)                                                                                   \
    wk_vision_fashion_mnist_with((wk_vision_fashion_mnist_args){.train = true, .root = __VA_ARGS__})
wk_vision_dataset wk_vision_fashion_mnist_with(wk_vision_fashion_mnist_args args);

/* ---------------------------------------------------------------- transforms */

/* random_horizontal_flip(x, p, generator): each picture of (..., C, H, W) is mirrored with probability p; the pictures
   of a batch each by themselves.  Any dtype; no gradient. */
typedef struct wk_vision_flip_args {
    wk_tensor *x; // (C, H, W) or (N, C, H, W)
    double p;     // 0.5
    wk_generator *generator;
} wk_vision_flip_args;
#define wk_vision_random_horizontal_flip(...)                                                                          \
    wk_vision_random_horizontal_flip_with((wk_vision_flip_args){.p = 0.5, .x = __VA_ARGS__})
wk_tensor *wk_vision_random_horizontal_flip_with(wk_vision_flip_args args);

/* ---------------------------------------------------------------- files */

/* io.write_png(picture, path): uint8 (1, H, W), (3, H, W), (4, H, W) with alpha, or (H, W).  Whole or not at all: a
   failure leaves what was there.  False after an error. */
bool wk_vision_write_png(wk_tensor *picture, const char *path);
/* io.read_image(path): a PNG file as uint8 (C, H, W) with the file's channels (palettes become colours, 16 bits become
   8); whatever else the file holds is an error. */
wk_tensor *wk_vision_read_image(const char *path);

/* utils.make_grid(x, nrow, padding): pictures (N, C, H, W) side by side in one (3, H', W'), padding wide gaps between
   and around, nrow in a row.  One channel becomes three. */
typedef struct wk_vision_grid_args {
    wk_tensor *x;          // (N, C, H, W), (C, H, W) or (H, W); any real dtype
    int64_t nrow, padding; // 8, 2
    bool normalize;        // to 0 .. 1, from value_range or from the least and greatest of all
    double value_range[2]; // none where both are 0
    bool scale_each;       // from the least and greatest of each picture
    double pad_value;
} wk_vision_grid_args;
#define wk_vision_make_grid(...)                                                                                       \
    wk_vision_make_grid_with((wk_vision_grid_args){.nrow = 8, .padding = 2, .x = __VA_ARGS__})
wk_tensor *wk_vision_make_grid_with(wk_vision_grid_args args);
/* utils.save_image(x, path, options of make_grid): floats from 0 to 1, as a PNG.  False after an error. */
#define wk_vision_save_image(x_, ...)                                                                                  \
    wk_vision_save_image_with(                                                                                         \
        (wk_vision_save_image_args){.grid = {.nrow = 8, .padding = 2, .x = x_}, .path = __VA_ARGS__})
typedef struct wk_vision_save_image_args {
    wk_vision_grid_args grid; // .grid.nrow = 4
    const char *path;
} wk_vision_save_image_args;
bool wk_vision_save_image_with(wk_vision_save_image_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
