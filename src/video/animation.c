/* Animations of what a model does: frames, bytes or floats, as a GIF. */
#include <wick/video.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/host.h"
#include "gif.h"

/* frames as they lie in a file: uint8 (T, H, W, 3) */
static wk_tensor *bytes_of(wk_tensor *frames)
{
    wk_tensor *x = wk_to(wk_detach(frames), wk_cpu);
    if (x && x->dtype != wk_uint8)
        x = wk_to(wk_clamp(wk_add(wk_mul(x, 255), 0.5), 0, 255), wk_uint8); // as save_image does
    if (x && x->ndim == 3)
        x = wk_unsqueeze(x, 1);
    x = wk_permute(x, (0, 2, 3, 1));
    return x ? wk_contiguous(wk_expand(x, (-1, -1, -1, 3))) : NULL;
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
    if (frames->numel == 0 || frames->shape[ndim - 1] > WK_GIF_SIDE || frames->shape[ndim - 2] > WK_GIF_SIDE)
        return wk_fail(op, "frames: expected one or more, of 1 to %d pixels in a row and rows, got %s", WK_GIF_SIDE,
                       wk_shape_string(frames));
    if (!(args.fps > 0 && args.fps <= 50))
        return wk_fail(op, "fps: expected more than 0, and at most the 50 that a GIF can have, got %g", args.fps);
    bool good = false;
    wk_scope
    {
        wk_tensor *x = bytes_of(frames);
        good = x && wk_gif_write(op, args.path,
                                 &(wk_gif_frames){.pixels = wk_host(op, x),
                                                  .count = x->shape[0],
                                                  .height = x->shape[1],
                                                  .width = x->shape[2],
                                                  .fps = args.fps});
    }
    return good;
}
