/* Frames into files: torchvision.io.write_video, and animations of what a model does. */
#include <wick/video.h>

#include <math.h>
#include <string.h>
#include <strings.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/host.h"
#include "core/text.h"
#include "encode.h"
#include "gif.h"

#define MOST_SIDE 16384
#define MOST_FPS 1000

typedef struct file_format {
    const char *ending, *container; // FFmpeg's name; NULL: ours
} file_format;
static const file_format formats[] = {
    {".gif", NULL}, {".mp4", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}, {".avi", "avi"}};

static const file_format *format_of(const char *op, const char *path)
{
    const char *ending = path ? strrchr(path, '.') : NULL;
    for (size_t i = 0; ending && i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(ending, formats[i].ending) == 0)
            return &formats[i];
    return wk_fail(op, "path: expected a name that ends in .gif, .mp4, .mov, .mkv or .avi, got %s",
                   path ? wk_shown(path, (wk_shown_text){0}) : "NULL");
}

/* frames: uint8 (T, H, W, 1 or 3) */
static bool write_frames(const char *op, const char *path, wk_tensor *frames, double fps, wk_film_coding coding)
{
    const file_format *format = format_of(op, path);
    if (!format)
        return false;
    const int64_t height = frames->shape[1], width = frames->shape[2];
    const bool gif = !format->container;
    const int64_t most_side = gif ? WK_GIF_SIDE : MOST_SIDE, most_fps = gif ? 50 : MOST_FPS;
    if (frames->numel == 0 || height > most_side || width > most_side)
        return wk_fail(op, "frames: expected one or more, of 1 to %lld pixels in a row and rows, got %s",
                       (long long)most_side, wk_shape_string(frames)) != NULL;
    if (!gif && (height % 2 != 0 || width % 2 != 0))
        return wk_fail(op,
                       "frames: expected an even height and width, got %lld and %lld\n"
                       "hint: film has its colours once for 2 x 2 pixels; wk_pad adds a row, and a .gif takes any",
                       (long long)height, (long long)width) != NULL;
    if (!(fps > 0 && fps <= (double)most_fps))
        return wk_fail(op, "fps: expected more than 0 and at most %lld, got %g", (long long)most_fps, fps) != NULL;
    wk_tensor *x = wk_contiguous(wk_expand(wk_to(frames, wk_cpu), (-1, -1, -1, 3)));
    if (!x)
        return false;
    const wk_film_frames all = {
        .pixels = wk_host(op, x), .count = x->shape[0], .height = height, .width = width, .fps = fps};
    coding.container = format->container;
    return gif ? wk_gif_write(op, path, &all) : wk_film_write(op, path, &all, &coding);
}

bool wk_vision_write_video_with(wk_vision_write_video_args args)
{
    const char *const op = "write_video";
    WK_NAMES_ERRORS(op);
    wk_tensor *const frames = args.frames;
    WK_REQUIRE(op, frames);
    const bool first = args.input_format && strcasecmp(args.input_format, "TCHW") == 0;
    if (!first && (!args.input_format || strcasecmp(args.input_format, "THWC") != 0))
        return wk_fail(op, "input_format: expected \"THWC\" or \"TCHW\", got \"%s\"",
                       args.input_format ? wk_shown(args.input_format, (wk_shown_text){0}) : "");
    const int64_t channels = frames->ndim == 4 ? frames->shape[first ? 1 : 3] : 0;
    if (frames->dtype != wk_uint8 || (channels != 1 && channels != 3))
        return wk_fail(op, "frames: expected uint8 %s of 1 or 3 channels, got %s %s%s",
                       first ? "(T, C, H, W)" : "(T, H, W, C)", wk_dtype_name(frames->dtype), wk_shape_string(frames),
                       wk_dtype_is_floating(frames->dtype) ? "\nhint: wk_vision_save_animation takes floats from 0 to 1"
                                                           : "");
    if (isnan(args.crf))
        return wk_fail(op, "crf: expected a number, got %g", args.crf);
    bool good = false;
    wk_scope
    {
        wk_tensor *x = first ? wk_permute(frames, (0, 2, 3, 1)) : frames;
        good = x && write_frames(op, args.path, x, args.fps, (wk_film_coding){NULL, args.video_codec, args.crf});
    }
    return good;
}

bool wk_vision_save_animation_with(wk_vision_save_animation_args args)
{
    const char *const op = "save_animation";
    WK_NAMES_ERRORS(op);
    wk_tensor *const frames = args.frames;
    WK_REQUIRE(op, frames);
    const int ndim = frames->ndim;
    const bool channels = ndim == 3 || (ndim == 4 && (frames->shape[1] == 1 || frames->shape[1] == 3));
    if (!channels || (frames->dtype != wk_uint8 && !wk_dtype_is_floating(frames->dtype)))
        return wk_fail(op, "frames: expected uint8 or floats (T, C, H, W) of 1 or 3 channels, or (T, H, W), got %s %s",
                       wk_dtype_name(frames->dtype), wk_shape_string(frames));
    bool good = false;
    wk_scope
    {
        wk_tensor *x = wk_detach(frames);
        if (x && x->dtype != wk_uint8)
            x = wk_to(wk_clamp(wk_add(wk_mul(x, 255), 0.5), 0, 255), wk_uint8); // as save_image does
        if (x && x->ndim == 3)
            x = wk_unsqueeze(x, 1);
        x = wk_permute(x, (0, 2, 3, 1));
        good = x && write_frames(op, args.path, x, args.fps, (wk_film_coding){.crf = -1});
    }
    return good;
}
