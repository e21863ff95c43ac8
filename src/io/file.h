/* Files as the formats need them: mapped for reading; for writing, whole or not at all. */
#ifndef WICK_FILE_H
#define WICK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file in memory, private: writes do not reach it.  Counted: one wk_file_map_release for the opening and for each
   wk_file_map_retain. */
typedef struct wk_file_map {
    int references; // atomic
    unsigned char *bytes;
    size_t size;
} wk_file_map;
wk_file_map *wk_file_map_open(const char *op, const char *path); // NULL after an error; an empty file has no bytes
void wk_file_map_retain(wk_file_map *map);
void wk_file_map_release(void *map); // a wk_file_map; of this type for wk_tensor_from_memory

/* the error for a file that is not of the kind asked for, "safetensors": it says of which it is; returns NULL */
void *wk_file_is_no(const char *op, const char *path, const char *expected, const wk_file_map *map);

/* A file that takes the place of path when it is whole.  Each function is false after an error that names op and path,
   and while an error is pending: what would be saved may be a part.  The new file is then removed and the old one left.
   After that, or after commit, wk_new_file_abandon does nothing. */
typedef struct wk_new_file {
    const char *op, *path;
    char *target, *temporary; // path, where it is a link: the file behind it
    int descriptor;
    bool created; // temporary is there, locked by descriptor, and is to go after an error
} wk_new_file;
bool wk_new_file_open(wk_new_file *file, const char *op, const char *path);
bool wk_new_file_write(wk_new_file *file, const void *bytes, size_t count);
bool wk_new_file_commit(wk_new_file *file);
void wk_new_file_abandon(wk_new_file *file);

#endif
