/* Files: read-only mappings, and writing whole or not at all.

   A new file is written under a name of its own in the same folder, flushed to the disk, and renamed over the old one;
   the folder is flushed as well, since the name stands there.  At any moment path is the old file or the new one. */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error_internal.h"

/* ---------------------------------------------------------------- mapped */

static int open_regular(const char *op, const char *path, struct stat *status)
{
    if (!path) {
        wk_fail(op, "path: expected a path, got NULL");
        return -1;
    }
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, status) != 0) {
        wk_fail(op, "%s: %s", path, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return -1;
    }
    if (!S_ISREG(status->st_mode)) {
        close(descriptor);
        wk_fail(op, "%s: is not a file", path);
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
            return wk_fail(op, "%s: could not be mapped: %s", path, strerror(error));
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

static bool failed(wk_new_file *file, const char *what)
{
    const int error = errno;
    wk_new_file_abandon(file);
    return wk_fail(file->op, "%s: %s: %s", file->path, what, strerror(error));
}

bool wk_new_file_open(wk_new_file *file, const char *op, const char *path)
{
    *file = (wk_new_file){.op = op, .path = path, .descriptor = -1};
    if (!path)
        return wk_fail(op, "path: expected a path, got NULL");
    struct stat status;
    const bool exists = stat(path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        return wk_fail(op, "%s: is there already, and is not a file", path);
    char real[PATH_MAX];
    const char *target = exists && realpath(path, real) ? real : path;
    file->target = wk_strdup(target);
    file->temporary = wk_alloc(strlen(target) + 64);
    if (!file->target || !file->temporary) {
        wk_new_file_abandon(file);
        return wk_out_of_memory(op, strlen(target) + 64);
    }
    for (int attempt = 0; attempt < 100 && file->descriptor < 0; attempt++) {
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        snprintf(file->temporary, strlen(target) + 64, "%s.%ld.%lx.part", target, (long)getpid(),
                 (unsigned long)time.tv_nsec + (unsigned long)attempt);
        file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->descriptor < 0 && errno != EEXIST)
            break;
    }
    if (file->descriptor < 0)
        return failed(file, "could not be created");
    file->created = true;
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
    if (fsync(file->descriptor) != 0)
        return failed(file, "could not be written");
    const int closed = close(file->descriptor);
    file->descriptor = -1;
    if (closed != 0)
        return failed(file, "could not be written");
    if (rename(file->temporary, file->target) != 0)
        return failed(file, "could not take its place");
    file->created = false; // it has the target's name now
    flush_folder(file->target);
    wk_new_file_abandon(file);
    return true;
}

void wk_new_file_abandon(wk_new_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->created)
        unlink(file->temporary);
    wk_free(file->temporary);
    wk_free(file->target);
    file->temporary = file->target = NULL;
    file->descriptor = -1;
    file->created = false;
}
