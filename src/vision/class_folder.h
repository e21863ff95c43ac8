/* Files in folders, a folder for each class: root/class/.../file.  What data sets of pictures and of films share. */
#ifndef WICK_VISION_CLASS_FOLDER_H
#define WICK_VISION_CLASS_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_names {
    char **items;
    int64_t count, room;
} wk_names;

typedef struct wk_class_folder {
    wk_names classes; // sorted
    wk_names paths;   // of each class the files, folder by folder as their paths sort
    int64_t *labels;  // of each path
} wk_class_folder;

/* The files that `takes` takes by their names; `what` it takes, for errors: ".png or .jpg".  False after an error; then
   there is nothing to free. */
bool wk_class_folder_read(wk_class_folder *folder, const char *op, const char *root, bool (*takes)(const char *name),
                          const char *what);
void wk_class_folder_free(wk_class_folder *folder);

#endif
