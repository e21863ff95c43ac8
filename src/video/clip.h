/* Clips: which frames of a film, and how they become floats. */
#ifndef WICK_VIDEO_CLIP_H
#define WICK_VIDEO_CLIP_H

#include <wick/video.h>

#include "film.h"

/* when the frames of a film are shown, rising: what clips are chosen from */
typedef struct wk_clip_times {
    int64_t *times; // ticks; wk_free
    int64_t count;
    double fps, tick; // of the film
} wk_clip_times;
bool wk_clip_times_read(const char *op, const char *path, wk_clip_times *times); // false after an error

bool wk_clip_check(const char *op, const wk_vision_clip_args *args); // false after an error
/* which frame of a film is frame number i at the frame rate that args asks for; beyond the end for those not there */
int64_t wk_clip_at_rate(const wk_clip_times *times, const wk_vision_clip_args *args, int64_t i);
/* The clip of args.frames frames; from frame `first` at args.frame_rate on, or, first < 0, as args says. */
wk_tensor *wk_clip_read(const char *op, const wk_clip_times *times, int64_t first, const wk_vision_clip_args *args);

#endif
