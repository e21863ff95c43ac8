/* Pictures: data sets, files, grids; transforms and boxes in headers of their own.  PyTorch: torchvision.

   A picture is uint8 (3, H, W), 0 to 255, red, green, blue; (1, H, W) and (H, W) are grey. */
#ifndef WICK_VISION_H
#define WICK_VISION_H
#pragma GCC system_header // see tensor.h

#include <wick/data.h>
#include <wick/tensor.h>
#include <wick/vision_ops.h>
#include <wick/vision_transforms.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- data sets */

/* What torchvision.datasets give.  An item is x, a picture uint8 (C, H, W), or what the transform made of it, and y,
   its class, int64 ().  Nothing is downloaded. */
typedef struct wk_vision_dataset {
    wk_dataset *dataset; // free it with wk_dataset_free; NULL after an error
    wk_tensor *data;     // all pictures, uint8 (N, H, W) or (N, 3, H, W), of the innermost scope; NULL of a folder
    wk_tensor *targets;  // (N,) int64, of the innermost scope
    const char *const *classes;
    int64_t class_count;
    const char *const *paths; // of a folder: of each item; paths and classes live as long as the data set
} wk_vision_dataset;

/* datasets.ImageFolder: wk_vision_image_folder("pets", .transform = transform): the pictures (PNG and JPEG: .png .jpg
   .jpeg) under pets/cat/ and pets/dog/ and their folders, as red, green and blue; classes are the sorted names of the
   folders.  Pictures are decoded when they are asked for: by the loader's workers.
   transform: the caller's, and must outlive the data set. */
typedef struct wk_vision_image_folder_args {
    const char *root;
    void *transform; // a module: vision_transforms.h
} wk_vision_image_folder_args;
#define wk_vision_image_folder(...)                                                                                    \
    wk_vision_image_folder_with((wk_vision_image_folder_args){.root = __VA_ARGS__})
wk_vision_dataset wk_vision_image_folder_with(wk_vision_image_folder_args args);

/* datasets.FashionMNIST, MNIST: wk_vision_fashion_mnist(root, .train = true); root NULL: where Debian's
   dataset-fashion-mnist puts it (of FashionMNIST).  IDX files, gzipped or not, in root or where torchvision puts them.
   datasets.CIFAR10, CIFAR100: the binary version; of the hundred the fine labels. */
typedef struct wk_vision_mnist_args {
    const char *root;
    bool train; // 60,000 pictures (CIFAR: 50,000); else the 10,000 for tests
    void *transform;
} wk_vision_mnist_args;
#define wk_vision_fashion_mnist(...)                                                                                   \
    wk_vision_fashion_mnist_with((wk_vision_mnist_args){.train = true, .root = __VA_ARGS__})
#define wk_vision_mnist(...) wk_vision_mnist_with((wk_vision_mnist_args){.train = true, .root = __VA_ARGS__})
#define wk_vision_cifar10(...) wk_vision_cifar10_with((wk_vision_mnist_args){.train = true, .root = __VA_ARGS__})
#define wk_vision_cifar100(...) wk_vision_cifar100_with((wk_vision_mnist_args){.train = true, .root = __VA_ARGS__})
wk_vision_dataset wk_vision_fashion_mnist_with(wk_vision_mnist_args args);
wk_vision_dataset wk_vision_mnist_with(wk_vision_mnist_args args);
wk_vision_dataset wk_vision_cifar10_with(wk_vision_mnist_args args);
wk_vision_dataset wk_vision_cifar100_with(wk_vision_mnist_args args);

/* ---------------------------------------------------------------- files */

/* io.read_image(path, mode = "unchanged"): a PNG or JPEG file, whatever its name, as uint8 (C, H, W): palettes become
   colours, 16 bits become 8.  mode "rgb": (3, H, W), "gray": (1, H, W), both without alpha; "unchanged": the file's own
   channels (of inks, cyan, magenta, yellow and black, as they are stored).  What is cut off or broken is an error.
   apply_exif_orientation: of a JPEG file, turned as the camera was. */
typedef struct wk_vision_read_image_args {
    const char *path, *mode;
    bool apply_exif_orientation;
} wk_vision_read_image_args;
#define wk_vision_read_image(...)                                                                                      \
    wk_vision_read_image_with((wk_vision_read_image_args){.mode = "unchanged", .path = __VA_ARGS__})
wk_tensor *wk_vision_read_image_with(wk_vision_read_image_args args);
/* io.decode_image(input, mode = "unchanged"): the same of a file's bytes in memory, uint8 (n,) */
typedef struct wk_vision_decode_image_args {
    wk_tensor *input;
    const char *mode;
    bool apply_exif_orientation;
} wk_vision_decode_image_args;
#define wk_vision_decode_image(...)                                                                                    \
    wk_vision_decode_image_with((wk_vision_decode_image_args){.mode = "unchanged", .input = __VA_ARGS__})
wk_tensor *wk_vision_decode_image_with(wk_vision_decode_image_args args);

/* io.write_png(picture, path): uint8 (1, H, W), (3, H, W), (4, H, W) with alpha, or (H, W).  Whole or not at all: a
   failure leaves what was there.  False after an error. */
bool wk_vision_write_png(wk_tensor *picture, const char *path);
/* io.write_jpeg(picture, path, quality = 75): uint8 (1, H, W), (3, H, W) or (H, W); quality 1 to 100 */
typedef struct wk_vision_write_jpeg_args {
    wk_tensor *picture;
    const char *path;
    int quality;
} wk_vision_write_jpeg_args;
#define wk_vision_write_jpeg(picture_, ...)                                                                            \
    wk_vision_write_jpeg_with(                                                                                         \
        (wk_vision_write_jpeg_args){.quality = 75, .picture = picture_, .path = __VA_ARGS__})
bool wk_vision_write_jpeg_with(wk_vision_write_jpeg_args args);

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
