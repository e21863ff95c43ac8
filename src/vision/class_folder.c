/* Walking the folders of a data set: once, when it is made. */
#include "class_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"

#define MOST_DEPTH 40 // of folders in folders, so that a link to a folder above ends

/* takes over name, which may be NULL for want of memory; false after an error */
static bool names_add(const char *op, wk_names *list, char *name)
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
        return wk_out_of_memory(op, (size_t)list->room * sizeof *list->items);
    list->items[list->count++] = name;
    return true;
}

static void names_free(wk_names *list)
{
    for (int64_t i = 0; i < list->count; i++)
        wk_free(list->items[i]);
    wk_free(list->items);
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void names_sort(wk_names *list)
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
static bool list_folder(const char *op, const char *path, bool whole, wk_names *folders, wk_names *files)
{
    DIR *open = opendir(path);
    if (!open)
        return wk_fail(op, "root: %s: %s", wk_shown(path, (wk_shown_text){0}), strerror(errno));
    bool good = true;
    for (const struct dirent *entry; good && (entry = readdir(open));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *full = joined(path, entry->d_name);
        struct stat info;
        const bool is_folder = full && stat(full, &info) == 0 && S_ISDIR(info.st_mode);
        wk_names *list = is_folder ? folders : files;
        if (!list && full) {
            wk_free(full);
            continue;
        }
        if (!whole) {
            wk_free(full);
            full = wk_strdup(entry->d_name);
        }
        good = names_add(op, list ? list : folders, full);
    }
    closedir(open);
    return good;
}

/* path and all folders in it */
static bool add_tree(const char *op, wk_names *tree, const char *path, int depth)
{
    wk_names here = {0};
    bool good = names_add(op, tree, wk_strdup(path)) && list_folder(op, path, true, &here, NULL);
    for (int64_t i = 0; good && depth < MOST_DEPTH && i < here.count; i++)
        good = add_tree(op, tree, here.items[i], depth + 1);
    names_free(&here);
    return good;
}

typedef struct walk {
    const char *op, *root, *what;
    bool (*takes)(const char *name);
} walk;

/* the files of a class, folder by folder as their paths sort */
static bool add_class(wk_class_folder *self, const walk *w, const char *class)
{
    wk_names tree = {0};
    char *path = joined(w->root, class);
    bool good =
        path ? add_tree(w->op, &tree, path, 0) : wk_out_of_memory(w->op, strlen(w->root) + strlen(class)) != NULL;
    wk_free(path);
    names_sort(&tree);
    const int64_t before = self->paths.count;
    for (int64_t i = 0; good && i < tree.count; i++) {
        wk_names files = {0};
        good = list_folder(w->op, tree.items[i], true, NULL, &files);
        names_sort(&files);
        for (int64_t k = 0; k < files.count; k++)
            if (good && w->takes(files.items[k])) {
                good = names_add(w->op, &self->paths, files.items[k]);
                files.items[k] = NULL;
            }
        names_free(&files);
    }
    names_free(&tree);
    if (good && self->paths.count == before)
        return wk_fail(w->op, "root: no %s is in %s/%s", w->what, wk_shown(w->root, (wk_shown_text){0}),
                       wk_shown(class, (wk_shown_text){0}));
    return good;
}

static bool fill(wk_class_folder *self, const walk *w)
{
    if (!list_folder(w->op, w->root, false, &self->classes, NULL))
        return false;
    names_sort(&self->classes);
    if (self->classes.count == 0)
        return wk_fail(w->op, "root: expected folders, one for each class, in %s: there is none",
                       wk_shown(w->root, (wk_shown_text){0}));
    for (int64_t class = 0; class < self->classes.count; class ++) {
        const int64_t before = self->paths.count;
        if (!add_class(self, w, self->classes.items[class]))
            return false;
        int64_t *labels = wk_realloc(self->labels, (size_t)self->paths.count * sizeof *labels);
        if (!labels)
            return wk_out_of_memory(w->op, (size_t)self->paths.count * sizeof *labels);
        self->labels = labels;
        for (int64_t i = before; i < self->paths.count; i++)
            labels[i] = class;
    }
    return true;
}

bool wk_class_folder_read(wk_class_folder *folder, const char *op, const char *root, bool (*takes)(const char *name),
                          const char *what)
{
    *folder = (wk_class_folder){.labels = NULL};
    if (!root)
        return wk_fail(op, "root: expected a path, got NULL");
    const bool good = fill(folder, &(walk){op, root, what, takes});
    if (!good)
        wk_class_folder_free(folder);
    return good;
}

void wk_class_folder_free(wk_class_folder *folder)
{
    names_free(&folder->classes);
    names_free(&folder->paths);
    wk_free(folder->labels);
    *folder = (wk_class_folder){.labels = NULL};
}
