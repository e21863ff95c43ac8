/* Frames that lie in memory, as a film: MP4 and the like. */
#ifndef WICK_VIDEO_ENCODE_H
#define WICK_VIDEO_ENCODE_H

#include "gif.h"

typedef struct wk_film_coding {
    const char *container, *codec; // FFmpeg's names; codec NULL: H.264 where it is there, else MPEG-4
    double crf;                    // how much may be lost; below 0: the codec's own
} wk_film_coding;

bool wk_film_write(const char *op, const char *path, const wk_film_frames *frames, const wk_film_coding *coding);

#endif
