/* Folders of pictures as a data set: torchvision.datasets.ImageFolder.  The folders are walked once, when the data set
   is made; a picture is read when it is asked for. */
#include <wick/vision.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/host.h"
#include "core/text.h"
#include "nn/module.h"

static const char OP[] = "image_folder";
#define MOST_DEPTH 40 // of folders in folders, so that a link to a folder above ends

typedef struct names {
    char **items;
    int64_t count, room;
} names;

typedef struct folder {
    void *transform;
    names classes, paths;
    int64_t *labels; // of each path
} folder;

/* takes over name, which may be NULL for want of memory; false after an error */
static bool names_add(names *list, char *name)
{
    if (name && list->count == list->room) {
        const int64_t room = 2 * list->room + 16;
        char **items = wk_realloc(list->items, (size_t)room * sizeof *items);
        if (items) {
            list->items = items;
            list->room = room;
        } else {
            wk_free(name);
            name = NULL;
        }
    }
    if (!name)
        return wk_out_of_memory(OP, (size_t)list->room * sizeof *list->items);
    list->items[list->count++] = name;
    return true;
}

static void names_free(names *list)
{
    for (int64_t i = 0; i < list->count; i++)
        wk_free(list->items[i]);
    wk_free(list->items);
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void names_sort(names *list)
{
    if (list->count > 1)
        qsort(list->items, (size_t)list->count, sizeof *list->items, by_bytes);
}

static char *joined(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = wk_alloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* the folders and the other files in path, as their names or as whole paths; either list may be NULL.  False after an
   error. */
static bool list_folder(const char *path, bool whole, names *folders, names *files)
{
    DIR *open = opendir(path);
    if (!open)
        return wk_fail(OP, "root: %s: %s", wk_shown(path, (wk_shown_text){0}), strerror(errno));
    bool good = true;
    for (const struct dirent *entry; good && (entry = readdir(open));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *full = joined(path, entry->d_name);
        struct stat info;
        const bool is_folder = full && stat(full, &info) == 0 && S_ISDIR(info.st_mode);
        names *list = is_folder ? folders : files;
        if (!list && full) {
            wk_free(full);
            continue;
        }
        if (!whole) {
            wk_free(full);
            full = wk_strdup(entry->d_name);
        }
        good = names_add(list ? list : folders, full);
    }
    closedir(open);
    return good;
}

/* path and all folders in it */
static bool add_tree(names *tree, const char *path, int depth)
{
    names here = {0};
    bool good = names_add(tree, wk_strdup(path)) && list_folder(path, true, &here, NULL);
    for (int64_t i = 0; good && depth < MOST_DEPTH && i < here.count; i++)
        good = add_tree(tree, here.items[i], depth + 1);
    names_free(&here);
    return good;
}

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

/* the pictures of a class, folder by folder as their paths sort */
static bool add_class(folder *self, const char *root, const char *class)
{
    names tree = {0};
    char *path = joined(root, class);
    bool good = path ? add_tree(&tree, path, 0) : wk_out_of_memory(OP, strlen(root) + strlen(class)) != NULL;
    wk_free(path);
    names_sort(&tree);
    const int64_t before = self->paths.count;
    for (int64_t i = 0; good && i < tree.count; i++) {
        names files = {0};
        good = list_folder(tree.items[i], true, NULL, &files);
        names_sort(&files);
        for (int64_t k = 0; k < files.count; k++)
            if (good && is_picture(files.items[k])) {
                good = names_add(&self->paths, files.items[k]);
                files.items[k] = NULL;
            }
        names_free(&files);
    }
    names_free(&tree);
    if (good && self->paths.count == before)
        return wk_fail(OP, "root: no .png, .jpg or .jpeg is in %s/%s", wk_shown(root, (wk_shown_text){0}),
                       wk_shown(class, (wk_shown_text){0}));
    return good;
}

/* ---------------------------------------------------------------- the data set */

static int64_t folder_length(void *context) { return ((folder *)context)->paths.count; }

static wk_sample folder_item(void *context, int64_t index)
{
    const folder *self = context;
    wk_tensor *x = wk_vision_read_image(self->paths.items[index], .mode = "rgb");
    wk_tensor *y = x ? wk_tensor_new(OP, 0, NULL, wk_int64, wk_cpu) : NULL;
    if (!y)
        return (wk_sample){.x = NULL};
    *(int64_t *)wk_host(OP, y) = self->labels[index];
    return (wk_sample){.x = self->transform ? wk_forward(self->transform, x) : x, .y = y};
}

static void folder_release(void *context)
{
    folder *self = context;
    names_free(&self->classes);
    names_free(&self->paths);
    wk_free(self->labels);
    wk_free(self);
}

static bool fill(folder *self, const char *root)
{
    if (!list_folder(root, false, &self->classes, NULL))
        return false;
    names_sort(&self->classes);
    if (self->classes.count == 0)
        return wk_fail(OP, "root: expected folders of pictures, one for each class, in %s: there is none",
                       wk_shown(root, (wk_shown_text){0}));
    for (int64_t class = 0; class < self->classes.count; class ++) {
        const int64_t before = self->paths.count;
        if (!add_class(self, root, self->classes.items[class]))
            return false;
        int64_t *labels = wk_realloc(self->labels, (size_t)self->paths.count * sizeof *labels);
        if (!labels)
            return wk_out_of_memory(OP, (size_t)self->paths.count * sizeof *labels);
        self->labels = labels;
        for (int64_t i = before; i < self->paths.count; i++)
            labels[i] = class;
    }
    return true;
}

wk_vision_dataset wk_vision_image_folder_with(wk_vision_image_folder_args args)
{
    wk_vision_dataset set = {0};
    if (!args.root) {
        wk_fail(OP, "root: expected a path, got NULL");
        return set;
    }
    if (args.transform && !wk_module_check(OP, args.transform))
        return set;
    folder *self = wk_alloc_zeroed(sizeof *self);
    if (!self) {
        wk_out_of_memory(OP, sizeof *self);
        return set;
    }
    self->transform = args.transform;
    wk_tensor *targets = NULL;
    if (fill(self, args.root))
        targets = wk_tensor_new(OP, 1, &self->paths.count, wk_int64, wk_cpu);
    if (!targets) {
        folder_release(self);
        return set;
    }
    memcpy(wk_host(OP, targets), self->labels, (size_t)self->paths.count * sizeof *self->labels);
    wk_dataset *dataset =
        wk_data_dataset(self, .length = folder_length, .get_item = folder_item, .release = folder_release);
    if (dataset)
        set = (wk_vision_dataset){.dataset = dataset,
                                  .targets = targets,
                                  .classes = (const char *const *)self->classes.items,
                                  .class_count = self->classes.count,
                                  .paths = (const char *const *)self->paths.items};
    return set;
}
