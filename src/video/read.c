/* Frames of a film by time: torchvision.io.read_video. */
#include <wick/video.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wick/rearrange.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/host.h"
#include "film.h"

#define BEFORE 5 // ticks before the beginning that are looked at too, and frames after the end: see read_video's source

typedef struct shown_frame {
    int64_t time, place; // its place among those read
} shown_frame;

typedef struct reading {
    wk_film *film;
    int64_t start; // ticks
    double end;
    size_t most, frame_bytes;
    uint8_t *pixels; // of count frames
    shown_frame *frames;
    int64_t count, room;
} reading;

/* ---------------------------------------------------------------- frames, as they come */

static bool make_room(reading *r)
{
    const char *const op = r->film->op;
    r->frame_bytes = (size_t)(r->film->width * r->film->height * 3);
    const size_t bytes = (size_t)(r->count + 1) * r->frame_bytes;
    if (bytes > r->most)
        return wk_fail(op,
                       "%s: its frames, %lld x %lld, take more than %zu bytes\nhint: end_pts = ends earlier; "
                       "wk_vision_read_clip keeps a few of them; max_bytes = allows more",
                       r->film->shown, (long long)r->film->width, (long long)r->film->height, r->most) != NULL;
    if (r->count < r->room)
        return true;
    const int64_t room = r->room > 0 ? r->room + r->room / 2 : 16;
    uint8_t *pixels = wk_realloc(r->pixels, (size_t)room * r->frame_bytes);
    r->pixels = pixels ? pixels : r->pixels;
    shown_frame *frames = pixels ? wk_realloc(r->frames, (size_t)room * sizeof *frames) : NULL;
    r->frames = frames ? frames : r->frames;
    if (!frames)
        return wk_out_of_memory(op, (size_t)room * r->frame_bytes) != NULL;
    r->room = room;
    return true;
}

static bool add(reading *r, wk_film_frame which, int64_t time)
{
    if (!make_room(r) || !wk_film_pixels(r->film, which, r->pixels + (size_t)r->count * r->frame_bytes))
        return false;
    r->frames[r->count] = (shown_frame){.time = time, .place = r->count};
    r->count++;
    return true;
}

static bool collect(reading *r)
{
    int64_t time, before = 0;
    bool has_before = false, exact = false;
    for (int late = 0; late <= BEFORE && wk_film_next(r->film, &time);) {
        if (time < r->start) {
            if (has_before && time < before)
                continue;
            if (!wk_film_keep(r->film))
                return false;
            before = time;
            has_before = true;
            continue;
        }
        exact = exact || time == r->start;
        late += (double)time >= r->end; // those that are shown earlier may come later
        if ((double)time <= r->end && !add(r, WK_FILM_LAST, time))
            return false;
    }
    return !(r->start > 0 && !exact && has_before) || add(r, WK_FILM_KEPT, before);
}

/* ---------------------------------------------------------------- frames, as they are shown */

static int earlier(const void *a, const void *b)
{
    const shown_frame *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* by time; of two at one time the later one stays */
static bool put_in_order(reading *r)
{
    if (r->count == 0)
        return true;
    qsort(r->frames, (size_t)r->count, sizeof *r->frames, earlier);
    int64_t kept = 0;
    bool moved = false;
    for (int64_t i = 0; i < r->count; i++) {
        if (i + 1 < r->count && r->frames[i + 1].time == r->frames[i].time)
            continue;
        r->frames[kept] = r->frames[i];
        moved = moved || r->frames[kept].place != kept;
        kept++;
    }
    r->count = kept;
    if (!moved)
        return true;
    uint8_t *pixels = wk_alloc((size_t)kept * r->frame_bytes);
    if (!pixels)
        return wk_out_of_memory(r->film->op, (size_t)kept * r->frame_bytes) != NULL;
    for (int64_t i = 0; i < kept; i++)
        memcpy(pixels + (size_t)i * r->frame_bytes, r->pixels + (size_t)r->frames[i].place * r->frame_bytes,
               r->frame_bytes);
    wk_free(r->pixels);
    r->pixels = pixels;
    return true;
}

static bool tell(const reading *r, wk_vision_video_info *info)
{
    const wk_film *film = r->film;
    *info = (wk_vision_video_info){.video_fps = film->fps,
                                   .duration = film->duration,
                                   .height = film->height,
                                   .width = film->width,
                                   .rotation = film->rotation};
    wk_tensor *times = wk_tensor_new(film->op, 1, &r->count, wk_float64, wk_cpu);
    double *time = times ? wk_host(film->op, times) : NULL;
    for (int64_t i = 0; time && i < r->count; i++)
        time[i] = wk_film_seconds(film, r->frames[i].time);
    info->times = times;
    return times;
}

static wk_tensor *read_frames(reading *r, wk_vision_video_info *info)
{
    const char *const op = r->film->op;
    if (!collect(r) || !put_in_order(r))
        return NULL;
    if (r->film->broken && r->count == 0)
        return wk_fail(op, "%s: is broken: no frame of it can be read", r->film->shown);
    if (r->film->broken)
        wk_warn(op, "%s: is broken after %lld frames", r->film->shown, (long long)r->count);
    if (info && !tell(r, info))
        return NULL;
    if (r->count == 0)
        return wk_tensor_new(op, 4, (int64_t[]){0, 1, 1, 3}, wk_uint8, wk_cpu);
    int64_t strides[4], shape[4] = {r->count, r->film->height, r->film->width, 3};
    wk_contiguous_strides(4, shape, strides);
    uint8_t *pixels = r->pixels;
    r->pixels = NULL;
    return wk_tensor_from_memory(op, pixels, 4, shape, strides, wk_uint8, wk_cpu, wk_free, pixels);
}

wk_tensor *wk_vision_read_video_with(wk_vision_read_video_args args)
{
    const char *const op = "read_video";
    const bool seconds = args.pts_unit && strcmp(args.pts_unit, "sec") == 0;
    const bool channels_first = args.output_format && strcasecmp(args.output_format, "TCHW") == 0;
    if (args.info)
        *args.info = (wk_vision_video_info){0};
    if (!seconds && (!args.pts_unit || strcmp(args.pts_unit, "pts") != 0))
        return wk_fail(op, "pts_unit: expected \"pts\" or \"sec\", got \"%s\"", args.pts_unit ? args.pts_unit : "");
    if (!channels_first && (!args.output_format || strcasecmp(args.output_format, "THWC") != 0))
        return wk_fail(op, "output_format: expected \"THWC\" or \"TCHW\", got \"%s\"",
                       args.output_format ? args.output_format : "");
    if (!(args.end_pts >= args.start_pts) || fabs(args.start_pts) > 1e15)
        return wk_fail(op, "end_pts: expected more than start_pts, got start_pts = %g and end_pts = %g", args.start_pts,
                       args.end_pts);
    wk_film *film = wk_film_open(op, args.path, args.max_bytes > 3 ? args.max_bytes / 3 : 1);
    if (!film)
        return NULL;
    const double ticks = seconds ? film->ticks[1] / film->ticks[0] : 1; // of a unit
    reading r = {.film = film,
                 .start = (int64_t)fmin(floor(args.start_pts * ticks), 0x1p62),
                 .end = ceil(args.end_pts * ticks),
                 .most = (size_t)(args.max_bytes > 0 ? args.max_bytes : 0)};
    if (r.start > BEFORE + 1)
        wk_film_seek(film, r.start - 1 - BEFORE); // where it cannot: from the beginning
    wk_tensor *frames = read_frames(&r, args.info);
    wk_free(r.pixels);
    wk_free(r.frames);
    wk_film_close(film);
    return frames && channels_first ? wk_permute(frames, (0, 3, 1, 2)) : frames;
}
