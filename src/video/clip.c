/* A clip of a film: the frames that were chosen, decoded one after another from the key frame before the first of them,
   then turned, resized, cropped and normalized. */
#include "clip.h"

#include <math.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/index.h>
#include <wick/join.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/resize.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"

#define MOST_FRAMES 1000000
#define MOST_SIDE 100000

/* ---------------------------------------------------------------- which frames */

bool wk_clip_times_read(const char *op, const char *path, wk_clip_times *times)
{
    *times = (wk_clip_times){0};
    bool good = true, vague = true;
    for (int by = WK_FILM_BY_PACKETS; good && vague && by <= WK_FILM_BY_DECODING; by++) {
        wk_film *film = wk_film_open(op, path, 0);
        if (!film)
            return false;
        times->fps = film->fps;
        times->tick = film->ticks[0] / film->ticks[1];
        good = wk_film_times(film, by, &times->times, &times->count);
        vague = film->vague && by == WK_FILM_BY_PACKETS;
        if (good && !vague && times->count == 0)
            good = wk_fail(op, "%s: has no frame", film->shown);
        if (vague || !good) {
            wk_free(times->times);
            times->times = NULL;
        }
        wk_film_close(film);
    }
    return good;
}

bool wk_clip_check(const char *op, const wk_vision_clip_args *args)
{
    if (args->frames < 1 || args->frames > MOST_FRAMES)
        return wk_fail(op, "frames: expected 1 to %d, got %lld", MOST_FRAMES, (long long)args->frames) != NULL;
    if (!(args->start >= 0 && args->start < 1e9 && args->duration >= 0 && args->duration < 1e9))
        return wk_fail(op, "start, duration: expected seconds from 0, got %g and %g", args->start, args->duration) !=
               NULL;
    if (args->frame_rate != WK_FILM_RATE && !(args->frame_rate >= 0 && args->frame_rate < 1e6))
        return wk_fail(op, "frame_rate: expected frames a second, 0 or WK_FILM_RATE, got %g", args->frame_rate) != NULL;
    if (args->height < 0 || args->width < 0 || (args->height > 0) != (args->width > 0) || args->height > MOST_SIDE ||
        args->width > MOST_SIDE)
        return wk_fail(op, "height, width: expected both, of 1 to %d, or neither, got %lld and %lld", MOST_SIDE,
                       (long long)args->height, (long long)args->width) != NULL;
    for (int c = 0; c < 3; c++)
        if (!isfinite(args->mean[c]) || !isfinite(args->std[c]) || args->std[c] < 0)
            return wk_fail(op, "mean, std: expected numbers, std above 0, got %g and %g", args->mean[c],
                           args->std[c]) != NULL;
    return true;
}

/* torchvision's way (VideoClips): whole steps are taken as they are, others rounded down */
int64_t wk_clip_at_rate(const wk_clip_times *times, const wk_vision_clip_args *args, int64_t i)
{
    const double step = args->frame_rate > 0 && times->fps > 0 ? times->fps / args->frame_rate : 1;
    const double at = (double)i * step;
    return at < 1e15 ? (int64_t)at : INT64_C(1000000000000000);
}

static double second(const wk_clip_times *times, int64_t i)
{
    return ((double)times->times[i] - (double)times->times[0]) * times->tick;
}

/* frames begin .. end of the film are those that the clip is about */
static bool find_range(const char *op, const wk_clip_times *times, const wk_vision_clip_args *args, int64_t *begin,
                       int64_t *end)
{
    const double half = times->tick / 2; // a tick is as near as one can be
    *begin = 0;
    while (*begin < times->count && second(times, *begin) < args->start - half)
        (*begin)++;
    *end = *begin;
    while (*end < times->count && (args->duration == 0 || second(times, *end) < args->start + args->duration - half))
        (*end)++;
    if (*begin == *end)
        return wk_fail(op, "%s: has no frame from %g s on%s: its last begins at %g s",
                       wk_shown(args->path, (wk_shown_text){0}), args->start, args->duration > 0 ? ", that long" : "",
                       second(times, times->count - 1)) != NULL;
    return true;
}

/* 0 .. count - 1, evenly, as torch.linspace(0, count - 1, samples).long() */
static wk_tensor *evenly(int64_t count, int64_t samples)
{
    return wk_to(wk_linspace(0, (double)(count - 1), samples, .dtype = wk_float32), wk_int64);
}

/* when the clip's frames are shown, rising, of the innermost scope; NULL after an error */
static int64_t *choose(const char *op, const wk_clip_times *times, int64_t first, const wk_vision_clip_args *args)
{
    int64_t begin = 0, end = times->count, *chosen = NULL;
    if (first < 0 && !find_range(op, times, args, &begin, &end))
        return NULL;
    if (first < 0 && args->frame_rate == 0) {
        wk_tensor *indices = evenly(end - begin, args->frames);
        chosen = indices ? wk_host(op, indices) : NULL;
    } else if ((chosen = wk_scope_alloc(op, (size_t)args->frames * sizeof *chosen))) {
        for (int64_t i = 0; i < args->frames; i++)
            chosen[i] = wk_clip_at_rate(times, args, (first > 0 ? first : 0) + i);
    }
    for (int64_t i = 0; chosen && i < args->frames; i++)
        chosen[i] = times->times[begin + (chosen[i] < end - begin ? chosen[i] : end - begin - 1)];
    return chosen;
}

/* ---------------------------------------------------------------- their pixels */

typedef struct chosen_frames {
    wk_film *film;
    const int64_t *wanted; // count of them, rising
    int64_t count, filled;
    wk_tensor *frames; // uint8 (count, H, W, 3)
} chosen_frames;

/* frame `which` is the next of those wanted */
static bool fill(chosen_frames *c, wk_film_frame which)
{
    wk_film *film = c->film;
    if (!c->frames)
        c->frames = wk_tensor_new(film->op, 4, (int64_t[]){c->count, film->height, film->width, 3}, wk_uint8, wk_cpu);
    uint8_t *pixels = c->frames ? wk_host(film->op, c->frames) : NULL;
    const int64_t frame = film->height * film->width * 3;
    if (!pixels)
        return false;
    if (c->filled > 0 && c->wanted[c->filled] == c->wanted[c->filled - 1])
        memcpy(pixels + c->filled * frame, pixels + (c->filled - 1) * frame, (size_t)frame);
    else if (!wk_film_pixels(film, which, pixels + c->filled * frame))
        return false;
    c->filled++;
    return true;
}

/* Of each time the frame that is shown then.  False after an error, and, *late, where what was sought begins later than
   the first of them. */
static bool decode(chosen_frames *c, bool sought, bool *late)
{
    int64_t time, kept = 0;
    bool has_kept = false;
    while (c->filled < c->count && wk_film_next(c->film, &time)) {
        *late = sought && !has_kept && time > c->wanted[0];
        if (*late)
            return false;
        while (has_kept && c->filled < c->count && c->wanted[c->filled] < time)
            if (!fill(c, WK_FILM_KEPT))
                return false;
        while (c->filled < c->count && c->wanted[c->filled] == time)
            if (!fill(c, WK_FILM_LAST))
                return false;
        if (has_kept && time < kept)
            continue;
        if (!wk_film_keep(c->film))
            return false;
        kept = time;
        has_kept = true;
    }
    if (!has_kept)
        return wk_fail(c->film->op, "%s: is broken: no frame of it can be read", c->film->shown) != NULL;
    if (c->film->broken && c->filled < c->count)
        wk_warn(c->film->op, "%s: is broken: %lld of the frames asked for are its last whole one", c->film->shown,
                (long long)(c->count - c->filled));
    while (c->filled < c->count)
        if (!fill(c, WK_FILM_KEPT))
            return false;
    return true;
}

static wk_tensor *read_chosen(const char *op, const char *path, const int64_t *wanted, int64_t count, bool whole,
                              double *rotation)
{
    for (int attempt = 0; attempt < 2; attempt++) { // the second one without seeking
        chosen_frames c = {.film = wk_film_open(op, path, 0), .wanted = wanted, .count = count};
        if (!c.film)
            return NULL;
        const bool seeks = !whole && attempt == 0;
        if (seeks)
            wk_film_seek(c.film, wanted[0]);
        *rotation = c.film->rotation;
        bool late = false;
        const bool good = decode(&c, seeks, &late);
        wk_film_close(c.film);
        if (!late)
            return good ? c.frames : NULL;
    }
    return NULL;
}

/* ---------------------------------------------------------------- as floats */

/* Python's round: halves to the even number */
static int64_t half_of(int64_t difference) { return difference / 2 + (difference % 4 == 3); }

static wk_tensor *resize_and_crop(wk_tensor *x, int64_t height, int64_t width) // (T, C, H, W)
{
    const int64_t h = x->shape[2], w = x->shape[3];
    const bool wide = w * height > h * width; // wider than what it is to become
    const int64_t to_height = wide ? height : width * h / w, to_width = wide ? height * w / h : width;
    if (to_height != h || to_width != w)
        x = wk_interpolate(x, .size = wk_per_dim(to_height, to_width), .mode = "bilinear", .antialias = true);
    x = wk_narrow(x, 2, half_of(to_height - height), height);
    return wk_narrow(x, 3, half_of(to_width - width), width);
}

static wk_tensor *floats(wk_tensor *frames, double rotation, const wk_vision_clip_args *args)
{
    wk_tensor *x = wk_permute(frames, (0, 3, 1, 2)); // (T, C, H, W)
    const int quarters = (int)floor(rotation / 90 + 0.5) % 4;
    if (quarters != 0)
        x = wk_rot90(x, -quarters, (2, 3));
    if (x && args->height > 0)
        x = resize_and_crop(x, args->height, args->width);
    x = wk_div(wk_to(x, wk_float32), 255);
    if (args->std[0] > 0 || args->std[1] > 0 || args->std[2] > 0) {
        float mean[3], std[3];
        for (int c = 0; c < 3; c++) {
            mean[c] = (float)args->mean[c];
            std[c] = (float)args->std[c];
        }
        x = wk_div(wk_sub(x, wk_tensor((3, 1, 1), mean)), wk_tensor((3, 1, 1), std));
    }
    return wk_contiguous(wk_permute(x, (1, 0, 2, 3))); // (C, T, H, W)
}

wk_tensor *wk_clip_read(const char *op, const wk_clip_times *times, int64_t first, const wk_vision_clip_args *args)
{
    WK_NAMES_ERRORS(op);
    wk_tensor *clip = NULL;
    wk_scope
    {
        wk_no_grad
        {
            double rotation;
            const int64_t *wanted = choose(op, times, first, args);
            wk_tensor *frames =
                wanted ? read_chosen(op, args->path, wanted, args->frames, wanted[0] == times->times[0], &rotation)
                       : NULL;
            clip = frames ? wk_keep(floats(frames, rotation, args)) : NULL;
        }
    }
    return clip;
}

/* ---------------------------------------------------------------- the calls */

static wk_tensor *read_clip(const char *op, const wk_vision_clip_args *args)
{
    wk_clip_times times;
    if (!wk_clip_check(op, args) || !wk_clip_times_read(op, args->path, &times))
        return NULL;
    wk_tensor *clip = wk_clip_read(op, &times, -1, args);
    wk_free(times.times);
    return clip;
}

wk_tensor *wk_vision_read_clip_with(wk_vision_clip_args args) { return read_clip("read_clip", &args); }

wk_tensor *wk_vision_read_clips_with(wk_paths paths, wk_vision_clip_args args)
{
    const char *const op = "read_clips";
    WK_NAMES_ERRORS(op);
    if (paths.count < 1)
        return wk_fail(op, "paths: expected one or more, got none");
    wk_tensor *batch = NULL;
    wk_scope
    {
        wk_tensor **clips = wk_scope_alloc(op, (size_t)paths.count * sizeof(wk_tensor *));
        for (int64_t i = 0; clips && i < paths.count; i++) {
            args.path = paths.items[i];
            clips[i] = read_clip(op, &args);
            if (!clips[i])
                clips = NULL;
            else if (!wk_same_shape(clips[i], clips[0])) {
                wk_fail(op, "paths: expected films of one size, got clips %s and %s\nhint: height = and width = ",
                        wk_shape_string(clips[0]), wk_shape_string(clips[i]));
                clips = NULL;
            }
        }
        batch = clips ? wk_keep(wk_stack(.tensors = {paths.count, clips})) : NULL;
    }
    return batch;
}

wk_tensor *wk_vision_uniform_temporal_subsample(wk_tensor *x, int64_t num_samples)
{
    const char *const op = "uniform_temporal_subsample";
    WK_NAMES_ERRORS(op);
    WK_REQUIRE(op, x);
    if (x->ndim < 4 || x->shape[x->ndim - 4] == 0)
        return wk_fail(op, "x: expected frames (..., T, C, H, W), got %s", wk_shape_string(x));
    if (num_samples < 0 || num_samples > MOST_FRAMES)
        return wk_fail(op, "num_samples: expected 0 to %d, got %lld", MOST_FRAMES, (long long)num_samples);
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *indices = wk_to(evenly(x->shape[x->ndim - 4], num_samples), x->device);
        y = wk_keep(wk_index_select(x, -4, indices));
    }
    return y;
}
