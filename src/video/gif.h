/* Frames that lie in memory, and an animated GIF of them. */
#ifndef WICK_VIDEO_GIF_H
#define WICK_VIDEO_GIF_H

#include <stdbool.h>
#include <stdint.h>

#define WK_GIF_SIDE 65535

typedef struct wk_film_frames {
    const uint8_t *pixels;        // (count, height, width, 3)
    int64_t count, height, width; // 1 or more; of a GIF, sides up to WK_GIF_SIDE
    double fps;                   // above 0, of a GIF up to 50: browsers do not show a hundredth of a second
} wk_film_frames;

bool wk_gif_write(const char *op, const char *path, const wk_film_frames *frames); // false after an error

#endif
