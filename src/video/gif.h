/* An animated GIF, of any number of frames that lie in memory. */
#ifndef WICK_VIDEO_GIF_H
#define WICK_VIDEO_GIF_H

#include <stdbool.h>
#include <stdint.h>

#define WK_GIF_SIDE 65535

typedef struct wk_gif_frames {
    const uint8_t *pixels;        // (count, height, width, 3)
    int64_t count, height, width; // 1 or more; sides up to WK_GIF_SIDE
    double fps;                   // above 0, up to 50: a hundredth of a second is what browsers do not show
} wk_gif_frames;

bool wk_gif_write(const char *op, const char *path, const wk_gif_frames *frames); // false after an error

#endif
