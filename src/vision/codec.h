/* Encoded pictures: what png.c and jpeg.c are to image.c, which knows files from each other. */
#ifndef WICK_VISION_CODEC_H
#define WICK_VISION_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <wick/tensor.h>

typedef enum wk_picture_mode { WK_PICTURE_UNCHANGED, WK_PICTURE_GREY, WK_PICTURE_RGB } wk_picture_mode;

typedef struct wk_encoded {
    const char *op, *name; // name: of the file, as errors show it
    const unsigned char *bytes;
    size_t size;
} wk_encoded;

bool wk_is_png(const wk_encoded *from);
bool wk_is_jpeg(const wk_encoded *from);
/* uint8 (C, H, W); NULL after an error.  orientation: EXIF's, 1 to 8; 1 where there is none. */
wk_tensor *wk_png_decode(const wk_encoded *from, wk_picture_mode mode);
wk_tensor *wk_jpeg_decode(const wk_encoded *from, wk_picture_mode mode, int *orientation);

/* (H, W, C) to (C, H, W), planes of count bytes */
void wk_planes_of_pixels(const unsigned char *pixels, unsigned char *planes, int64_t count, int64_t channels);

#endif
