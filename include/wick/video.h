/* Film: frames and clips out of files, animations into them.  PyTorch: torchvision.io, torchvision.datasets.

   Frames are uint8 (T, H, W, C) as files have them, 0 to 255, red, green, blue; what a model takes is a clip, floats
   (C, T, H, W), and a batch of them (B, C, T, H, W). */
#ifndef WICK_VIDEO_H
#define WICK_VIDEO_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>
#include <wick/vision.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- reading */

/* What a film says of itself. */
typedef struct wk_vision_video_info {
    double video_fps;      // frames a second, on average; 0: unknown
    double duration;       // seconds; 0: unknown
    int64_t height, width; // of its frames
    double rotation;       // 0 to 360 degrees, clockwise, by which it is to be turned to be upright (of a telephone)
    wk_tensor *times;      // float64 (T,): when each frame that was read is shown, in seconds; of the innermost scope
} wk_vision_video_info;

/* io.read_video(path, start_pts = 0, end_pts = the end, pts_unit = "pts", output_format = "THWC"): the frames shown
   from start_pts to end_pts, both included, in that order: uint8 (T, H, W, 3), or "TCHW" (T, 3, H, W).
   pts_unit: "sec", or "pts", the file's own ticks.  Where no frame begins at start_pts, the one before comes too.  As
   there, frames are not turned (info.rotation tells), and of a file that breaks off come the frames so far, with a
   warning.  Without any in that time: (0, 1, 1, 3).  Sound is left out.

       wk_vision_video_info info;
       wk_tensor *frames = wk_vision_read_video("cat.mp4", .pts_unit = "sec", .end_pts = 2, .info = &info);

   What FFmpeg's libraries read; a file never has other files or addresses opened. */
typedef struct wk_vision_read_video_args {
    const char *path;
    double start_pts, end_pts;
    const char *pts_unit, *output_format;
    wk_vision_video_info *info; // may be NULL
    int64_t max_bytes;          // 4 GiB: more frames than that are an error
} wk_vision_read_video_args;
#define wk_vision_read_video(...)                                                                                      \
    wk_vision_read_video_with((wk_vision_read_video_args){.end_pts = __builtin_inf(),                                  \
                                                          .pts_unit = "pts",                                           \
                                                          .output_format = "THWC",                                     \
                                                          .max_bytes = INT64_C(4) << 30,                               \
                                                          .path = __VA_ARGS__})
wk_tensor *wk_vision_read_video_with(wk_vision_read_video_args args);

/* ---------------------------------------------------------------- clips: what a model takes */

/* A clip of a film, in one call: float32 (C, T, H, W), C = 3, upright.

       wk_tensor *clip = wk_vision_read_clip("cat.mp4", .frames = 16, .height = 112, .width = 112);

   Which frames: from start, in seconds from the film's first frame, over duration (to its end), frames of them, evenly
   (as torchvision's UniformTemporalSubsample); with frame_rate, so many a second, the first at start; WK_FILM_RATE: the
   film's own.  Of a film that ends before, or breaks off (with a warning), the last frame is repeated.
   How large: resized (bilinear, antialiased, as torchvision's resize of bytes) until it covers height x width, and
   cropped in the middle; 0: as it is.
   Values: from 0 to 1, then (x - mean) / std for each channel. */
#define WK_FILM_RATE (-1)
typedef struct wk_vision_clip_args {
    const char *path;
    int64_t frames; // T; 16
    double start, duration, frame_rate;
    int64_t height, width;
    double mean[3], std[3]; // without: values from 0 to 1
} wk_vision_clip_args;
#define wk_vision_read_clip(...) wk_vision_read_clip_with((wk_vision_clip_args){.frames = 16, .path = __VA_ARGS__})
wk_tensor *wk_vision_read_clip_with(wk_vision_clip_args args);

/* A batch (B, C, T, H, W), of clips of several films, all of one size:
       wk_vision_read_clips(("a.mp4", "b.mp4"), .frames = 16, .height = 112, .width = 112) */
typedef struct wk_paths {
    int64_t count;
    const char *const *items;
} wk_paths;
#define WK_PATHS(...) ((wk_paths){WK_COUNT(const char *, __VA_ARGS__), (const char *[]){__VA_ARGS__}})
#define wk_vision_read_clips(paths_, ...)                                                                              \
    wk_vision_read_clips_with(WK_TUPLE(WK_PATHS, paths_) paths_, (wk_vision_clip_args){.frames = 16, __VA_ARGS__})
wk_tensor *wk_vision_read_clips_with(wk_paths paths, wk_vision_clip_args args);

/* A data set of the clips of all films in the folders of root: root/class/film.mp4, y (int64) the number of the class,
   which are the folders' names, sorted.  Item x is what read_clip with .clip gives, read when it is asked for: in the
   loader's workers, side by side.
       wk_vision_video_folder("films", .clip.frames = 16, .clip.height = 112, .clip.width = 112)
   step_between_clips: 0: one clip of a film; else clips of clip.frames frames begin every so many frames, of those that
   clip.frame_rate (WK_FILM_RATE) chooses, as in torchvision's data sets; a film shorter than a clip has none. */
typedef struct wk_vision_video_folder_args {
    const char *root;
    wk_vision_clip_args clip;
    int64_t step_between_clips;
} wk_vision_video_folder_args;
#define wk_vision_video_folder(...)                                                                                    \
    wk_vision_video_folder_with((wk_vision_video_folder_args){.clip.frames = 16, .root = __VA_ARGS__})
/* .data NULL; .targets and .paths of each clip */
wk_vision_dataset wk_vision_video_folder_with(wk_vision_video_folder_args args);

/* v2.functional.uniform_temporal_subsample(x, num_samples): of frames (..., T, C, H, W), along dim -4, so many, evenly,
   the first and the last among them */
wk_tensor *wk_vision_uniform_temporal_subsample(wk_tensor *x, int64_t num_samples);

/* ---------------------------------------------------------------- writing */

/* io.write_video(path, frames, fps, video_codec = "libx264"): uint8 (T, H, W, C) of 1 or 3 channels, or, with
   .input_format = "TCHW", (T, C, H, W).  By path's ending: .mp4, .mov, .mkv, .avi, in the codec of that name, where
   FFmpeg's libraries have it (without: H.264 where they have that, else MPEG-4), sides even; crf: its quality (H.264's
   from 0, lossless, to 51; 23 unless given).  .gif: as save_animation.  Whole or not at all, false after an error. */
typedef struct wk_vision_write_video_args {
    const char *path;
    wk_tensor *frames;
    double fps;
    const char *video_codec, *input_format;
    double crf; // below 0: the codec's own
} wk_vision_write_video_args;
#define wk_vision_write_video(path_, frames_, ...)                                                                     \
    wk_vision_write_video_with((wk_vision_write_video_args){                                                           \
        .input_format = "THWC", .crf = -1, .path = path_, .frames = frames_, .fps = __VA_ARGS__})
bool wk_vision_write_video_with(wk_vision_write_video_args args);

/* save_animation(frames, path, fps = 10): frames (T, C, H, W) of 1 or 3 channels, or (T, H, W); uint8, or floats from 0
   to 1.  A .gif plays for ever, in any browser: of at most 256 colours, chosen for the whole of it; at most 50 frames a
   second; it needs no library.  Other endings: as write_video.  Whole or not at all, false after an error.

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
