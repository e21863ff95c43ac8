/* Files: read-only mappings, and writing whole or not at all.

   A new file is written as path.wick.part, flushed to the disk, and renamed over the old one; the folder is flushed as
   well, since the name stands there.  At any moment path is the old file or the new one.

   Whoever writes path.wick.part holds a lock on it, which ends with its process.  A second one that saves at the same
   time finds it locked, and takes path.wick.1.part; what killed processes left is found unlocked, and is removed.  So
   such files do not pile up.  Rejected: names by process (they pile up), O_TMPFILE (not on every file system; and it
   must be named before it can take a file's place, so it needs all of this as well). */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"

/* ---------------------------------------------------------------- mapped */

static int open_regular(const char *op, const char *path, struct stat *status)
{
    if (!path) {
        wk_fail(op, "path: expected a path, got NULL");
        return -1;
    }
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, status) != 0) {
        wk_fail(op, "%s: %s", wk_shown(path, (wk_shown_text){0}), strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return -1;
    }
    if (!S_ISREG(status->st_mode)) {
        close(descriptor);
        wk_fail(op, "%s: is not a file", wk_shown(path, (wk_shown_text){0}));
        return -1;
    }
    return descriptor;
}

wk_file_map *wk_file_map_open(const char *op, const char *path)
{
    struct stat status;
    const int descriptor = open_regular(op, path, &status);
    if (descriptor < 0)
        return NULL;
    wk_file_map *map = wk_alloc(sizeof *map);
    if (!map) {
        close(descriptor);
        return wk_out_of_memory(op, sizeof *map);
    }
    *map = (wk_file_map){.references = 1, .size = (size_t)status.st_size};
    if (map->size > 0) {
        void *bytes = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
        const int error = errno;
        if (bytes == MAP_FAILED) {
            close(descriptor);
            wk_free(map);
            return wk_fail(op, "%s: could not be mapped: %s", wk_shown(path, (wk_shown_text){0}), strerror(error));
        }
        map->bytes = bytes;
    }
    close(descriptor);
    return map;
}

void wk_file_map_retain(wk_file_map *map) { __atomic_add_fetch(&map->references, 1, __ATOMIC_RELAXED); }

void wk_file_map_release(void *context)
{
    wk_file_map *map = context;
    if (!map || __atomic_sub_fetch(&map->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (map->bytes)
        munmap(map->bytes, map->size);
    wk_free(map);
}

/* ---------------------------------------------------------------- whole or not at all */

#define MOST_PARTS 100 // that save to one path at a time

static bool failed(wk_new_file *file, const char *what)
{
    const int error = errno;
    wk_new_file_abandon(file);
    return wk_fail(file->op, "%s: %s: %s", wk_shown(file->path, (wk_shown_text){0}), what, strerror(error));
}

/* whether name is still the file behind descriptor */
static bool is_named(int descriptor, const char *name)
{
    struct stat open_one, named;
    return fstat(descriptor, &open_one) == 0 && lstat(name, &named) == 0 && open_one.st_ino == named.st_ino &&
           open_one.st_dev == named.st_dev;
}

/* Removes what a process left that was killed: nobody holds its lock.  Nobody removes or renames a file whose lock
   another holds, so from is_named to unlink the name stays.  False: there is none, or it is in use, or not ours. */
static bool remove_left_over(const char *name)
{
    const int descriptor = open(name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    const bool removed = flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_named(descriptor, name) && unlink(name) == 0;
    close(descriptor);
    return removed;
}

/* Where the program has closed its stdout or stderr, the new file would be what other threads print into meanwhile. */
static int open_new(const char *name)
{
    int held[STDERR_FILENO + 1], count = 0;
    for (int standard = 0; standard <= STDERR_FILENO; standard++)
        if (fcntl(standard, F_GETFD) < 0 && (held[count] = open("/", O_PATH | O_CLOEXEC)) >= 0)
            count++;
    const int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), error = errno;
    while (count > 0)
        close(held[--count]);
    errno = error;
    return descriptor;
}

/* a new file called name, locked; -1, errno EAGAIN: another took it for one left over before the lock was there */
static int create_part(const char *name)
{
    const int descriptor = open_new(name);
    if (descriptor < 0)
        return -1;
    const bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (locked ? is_named(descriptor, name) : errno != EWOULDBLOCK) // a file system without locks: O_EXCL must do
        return descriptor;
    close(descriptor);
    errno = EAGAIN;
    return -1;
}

/* "model.safetensors.wick.part", "model.safetensors.wick.1.part", ...: no name that another program would choose */
static char *name_part(wk_new_file *file, int number)
{
    if (number == 0)
        sprintf(file->temporary, "%s.wick.part", file->target);
    else
        sprintf(file->temporary, "%s.wick.%d.part", file->target, number);
    return file->temporary;
}

/* false, and errno, where no name can be had */
static bool open_part(wk_new_file *file)
{
    int number = 0;
    for (int attempt = 0; number < MOST_PARTS && attempt < 10 * MOST_PARTS; attempt++) {
        file->descriptor = create_part(name_part(file, number));
        if (file->descriptor >= 0)
            break;
        if (errno != EEXIST && errno != EAGAIN)
            return false;
        number += errno == EEXIST && !remove_left_over(file->temporary);
    }
    file->created = file->descriptor >= 0;
    for (int next = number + 1; file->created && remove_left_over(name_part(file, next)); next++)
        ;
    name_part(file, number);
    return file->created;
}

bool wk_new_file_open(wk_new_file *file, const char *op, const char *path)
{
    *file = (wk_new_file){.op = op, .path = path, .descriptor = -1};
    if (wk_failing())
        return false;
    if (!path)
        return wk_fail(op, "path: expected a path, got NULL");
    struct stat status;
    const bool exists = stat(path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        return wk_fail(op, "%s: is there already, and is not a file", wk_shown(path, (wk_shown_text){0}));
    char real[PATH_MAX];
    if (exists && !realpath(path, real))
        return failed(file, "could not be followed");
    const char *target = exists ? real : path;
    const size_t size = strlen(target) + 24;
    file->target = wk_strdup(target);
    file->temporary = wk_alloc(size);
    if (!file->target || !file->temporary) {
        wk_new_file_abandon(file);
        return wk_out_of_memory(op, size);
    }
    if (!open_part(file))
        return failed(file, "could not be created");
    if (exists)
        (void)!fchmod(file->descriptor, status.st_mode & 07777); // where not allowed: the mode of a new file
    return true;
}

bool wk_new_file_write(wk_new_file *file, const void *bytes, size_t count)
{
    const char *from = bytes;
    while (count > 0) {
        const ssize_t wrote = write(file->descriptor, from, count < (1u << 30) ? count : 1u << 30);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return failed(file, "could not be written");
        from += wrote;
        count -= (size_t)wrote;
    }
    return true;
}

/* flushes the folder that path is in; a file system that cannot do that has done what it could */
static void flush_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    const int folder = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

bool wk_new_file_commit(wk_new_file *file)
{
    if (wk_failing()) {
        wk_new_file_abandon(file);
        return false;
    }
    if (fsync(file->descriptor) != 0)
        return failed(file, "could not be written");
    if (rename(file->temporary, file->target) != 0)
        return failed(file, "could not take its place");
    file->created = false; // it has the target's name now, and is on the disk: what follows cannot undo it
    flush_folder(file->target);
    wk_new_file_abandon(file);
    return true;
}

void wk_new_file_abandon(wk_new_file *file)
{
    if (file->created)
        unlink(file->temporary); // before its lock goes
    if (file->descriptor >= 0)
        close(file->descriptor);
    wk_free(file->temporary);
    wk_free(file->target);
    file->temporary = file->target = NULL;
    file->descriptor = -1;
    file->created = false;
}
