/* Folders of pictures as a data set: torchvision.datasets.ImageFolder.  The folders are walked once, when the data set
   is made; a picture is read when it is asked for. */
#include <wick/vision.h>

#include <string.h>
#include <strings.h>

#include "class_folder.h"
#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/host.h"
#include "core/text.h"
#include "nn/module.h"

static const char OP[] = "image_folder";

typedef struct folder {
    void *transform;
    wk_class_folder files;
} folder;

static bool is_picture(const char *name)
{
    static const char *const read[] = {".jpg", ".jpeg", ".png"};
    static const char *const others[] = {".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"};
    const char *end = strrchr(name, '.');
    for (int i = 0; end && i < 3; i++)
        if (strcasecmp(end, read[i]) == 0)
            return true;
    for (int i = 0; end && i < 6; i++)
        if (strcasecmp(end, others[i]) == 0)
            WK_WARN_ONCE(OP, "%s is left out: PNG and JPEG are read", wk_shown(name, (wk_shown_text){0}));
    return false;
}

/* ---------------------------------------------------------------- the data set */

static int64_t folder_length(void *context) { return ((folder *)context)->files.paths.count; }

static wk_sample folder_item(void *context, int64_t index)
{
    const folder *self = context;
    wk_tensor *x = wk_vision_read_image(self->files.paths.items[index], .mode = "rgb");
    wk_tensor *y = x ? wk_tensor_new(OP, 0, NULL, wk_int64, wk_cpu) : NULL;
    if (!y)
        return (wk_sample){.x = NULL};
    *(int64_t *)wk_host(OP, y) = self->files.labels[index];
    return (wk_sample){.x = self->transform ? wk_forward(self->transform, x) : x, .y = y};
}

static void folder_release(void *context)
{
    folder *self = context;
    wk_class_folder_free(&self->files);
    wk_free(self);
}

wk_vision_dataset wk_vision_image_folder_with(wk_vision_image_folder_args args)
{
    wk_vision_dataset set = {0};
    if (args.transform && !wk_module_check(OP, args.transform))
        return set;
    folder *self = wk_alloc_zeroed(sizeof *self);
    if (!self) {
        wk_out_of_memory(OP, sizeof *self);
        return set;
    }
    self->transform = args.transform;
    wk_tensor *targets = NULL;
    if (wk_class_folder_read(&self->files, OP, args.root, is_picture, ".png, .jpg or .jpeg"))
        targets = wk_tensor_new(OP, 1, &self->files.paths.count, wk_int64, wk_cpu);
    if (!targets) {
        folder_release(self);
        return set;
    }
    memcpy(wk_host(OP, targets), self->files.labels, (size_t)self->files.paths.count * sizeof *self->files.labels);
    wk_dataset *dataset =
        wk_data_dataset(self, .length = folder_length, .get_item = folder_item, .release = folder_release);
    if (dataset)
        set = (wk_vision_dataset){.dataset = dataset,
                                  .targets = targets,
                                  .classes = (const char *const *)self->files.classes.items,
                                  .class_count = self->files.classes.count,
                                  .paths = (const char *const *)self->files.paths.items};
    return set;
}
