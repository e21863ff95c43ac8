/* Folders of films as a data set of clips: torchvision.datasets.Kinetics and its like.  The films' packets are looked
   at once, when the data set is made; a clip is decoded when it is asked for. */
#include <wick/video.h>

#include <string.h>
#include <strings.h>

#include "clip.h"
#include "core/alloc.h"
#include "core/host.h"
#include "vision/class_folder.h"

static const char OP[] = "video_folder";

typedef struct clip_place {
    int64_t film, first; // frame, at the frame rate asked for; -1: the clip is the film's only one
} clip_place;

typedef struct folder {
    wk_vision_clip_args clip;
    wk_class_folder files;
    wk_clip_times *times; // of each film
    int64_t films;        // whose times are there
    clip_place *clips;
    const char **paths; // of each clip
    int64_t count, room;
} folder;

static bool is_film(const char *name)
{
    static const char *const endings[] = {".mp4", ".mov",  ".m4v", ".mkv", ".webm", ".avi", ".gif",
                                          ".mpg", ".mpeg", ".ts",  ".ogv", ".wmv",  ".flv", ".3gp"};
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(end, endings[i]) == 0)
            return true;
    return false;
}

static bool add_clip(folder *self, int64_t film, int64_t first)
{
    if (self->count == self->room) {
        const int64_t room = 2 * self->room + 64;
        clip_place *clips = wk_realloc(self->clips, (size_t)room * sizeof *clips);
        self->clips = clips ? clips : self->clips;
        const char **paths = clips ? wk_realloc(self->paths, (size_t)room * sizeof *paths) : NULL;
        self->paths = paths ? paths : self->paths;
        if (!paths)
            return wk_out_of_memory(OP, (size_t)room * sizeof *clips) != NULL;
        self->room = room;
    }
    self->paths[self->count] = self->files.paths.items[film];
    self->clips[self->count++] = (clip_place){film, first};
    return true;
}

/* all clips of one film: those whose last frame is there */
static bool add_film(folder *self, int64_t film, int64_t step)
{
    wk_clip_times *times = &self->times[film];
    if (!wk_clip_times_read(OP, self->files.paths.items[film], times))
        return false;
    self->films++;
    if (step == 0)
        return add_clip(self, film, -1);
    int64_t first = 0;
    while (wk_clip_at_rate(times, &self->clip, first + self->clip.frames - 1) < times->count) {
        if (!add_clip(self, film, first))
            return false;
        first += step;
    }
    return true;
}

/* ---------------------------------------------------------------- the data set */

static int64_t folder_length(void *context) { return ((folder *)context)->count; }

static wk_sample folder_item(void *context, int64_t index)
{
    const folder *self = context;
    const clip_place *place = &self->clips[index];
    wk_vision_clip_args args = self->clip;
    args.path = self->paths[index];
    wk_tensor *x = wk_clip_read(OP, &self->times[place->film], place->first, &args);
    wk_tensor *y = x ? wk_tensor_new(OP, 0, NULL, wk_int64, wk_cpu) : NULL;
    if (!y)
        return (wk_sample){.x = NULL};
    *(int64_t *)wk_host(OP, y) = self->files.labels[place->film];
    return (wk_sample){.x = x, .y = y};
}

static void folder_release(void *context)
{
    folder *self = context;
    for (int64_t i = 0; i < self->films; i++)
        wk_free(self->times[i].times);
    wk_free(self->times);
    wk_free(self->clips);
    wk_free(self->paths);
    wk_class_folder_free(&self->files);
    wk_free(self);
}

static wk_tensor *fill(folder *self, const wk_vision_video_folder_args *args)
{
    if (!wk_class_folder_read(&self->files, OP, args->root, is_film, "film (.mp4, .mov, .mkv, .webm, .avi, .gif)"))
        return NULL;
    const int64_t films = self->files.paths.count;
    self->times = wk_alloc_zeroed((size_t)films * sizeof *self->times);
    if (!self->times)
        return wk_out_of_memory(OP, (size_t)films * sizeof *self->times);
    for (int64_t film = 0; film < films; film++)
        if (!add_film(self, film, args->step_between_clips))
            return NULL;
    wk_tensor *targets = wk_tensor_new(OP, 1, &self->count, wk_int64, wk_cpu);
    for (int64_t i = 0; targets && i < self->count; i++)
        ((int64_t *)wk_host(OP, targets))[i] = self->files.labels[self->clips[i].film];
    return targets;
}

wk_vision_dataset wk_vision_video_folder_with(wk_vision_video_folder_args args)
{
    wk_vision_dataset set = {0};
    if (!wk_clip_check(OP, &args.clip))
        return set;
    if (args.step_between_clips < 0 || (args.step_between_clips > 0 && args.clip.frame_rate == 0)) {
        wk_fail(OP, "step_between_clips: expected 0, or frames of a clip.frame_rate, got %lld",
                (long long)args.step_between_clips);
        return set;
    }
    folder *self = wk_alloc_zeroed(sizeof *self);
    if (!self) {
        wk_out_of_memory(OP, sizeof *self);
        return set;
    }
    self->clip = args.clip;
    wk_tensor *targets = fill(self, &args);
    if (!targets) {
        folder_release(self);
        return set;
    }
    wk_dataset *dataset =
        wk_data_dataset(self, .length = folder_length, .get_item = folder_item, .release = folder_release);
    if (dataset)
        set = (wk_vision_dataset){.dataset = dataset,
                                  .targets = targets,
                                  .classes = (const char *const *)self->files.classes.items,
                                  .class_count = self->files.classes.count,
                                  .paths = self->paths};
    return set;
}
