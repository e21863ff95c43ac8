/* Film: frames and clips out of files, animations into them.  PyTorch: torchvision.io, torchvision.datasets.

   Frames are uint8 (T, H, W, C) as files have them, 0 to 255, red, green, blue; what a model takes is a clip, floats
   (C, T, H, W), and a batch of them (B, C, T, H, W). */
#ifndef WICK_VIDEO_H
#define WICK_VIDEO_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- writing */

/* save_animation(frames, path, fps = 10): frames (T, C, H, W) of 1 or 3 channels, or (T, H, W); uint8, or floats from 0
   to 1.  A GIF, which plays for ever and which any browser shows: of at most 256 colours, chosen for the whole of it;
   at most 50 frames a second.  Whole or not at all, false after an error.

       wk_tensor *frames = wk_stack(.tensors = {count, grids});       // each of wk_vision_make_grid: (T, 3, H, W)
       wk_vision_save_animation(frames, "out/walk.gif", .fps = 12); */
typedef struct wk_vision_save_animation_args {
    wk_tensor *frames;
    const char *path;
    double fps;
} wk_vision_save_animation_args;
#define wk_vision_save_animation(frames_, ...)                                                                         \
    wk_vision_save_animation_with(                                                                                     \
        (wk_vision_save_animation_args){.fps = 10, .frames = frames_, .path = __VA_ARGS__})
bool wk_vision_save_animation_with(wk_vision_save_animation_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
