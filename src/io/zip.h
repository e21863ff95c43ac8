/* Zip archives, for the formats that are such: numpy's .npz, PyTorch's .pt. */
#ifndef WICK_ZIP_H
#define WICK_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file.h"

#define WK_ZIP_NAME 1024 // longest name of an entry, with the NUL

/* An archive in memory, whose directory is read entry by entry. */
typedef struct wk_zip {
    const char *op, *path; // for errors
    const unsigned char *bytes;
    uint64_t size, packed; // packed: of the entries so far
    uint64_t at, left;     // of the directory: where the next entry stands, how many there are still
} wk_zip;

typedef struct wk_zip_entry {
    const char *name; // in the archive: name_length bytes without NUL, and no NUL behind them
    size_t name_length;
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, size, begin; // begin: of its bytes
} wk_zip_entry;

bool wk_zip_is(const wk_file_map *map);                                                  // by how it begins
bool wk_zip_open(wk_zip *zip, const char *op, const char *path, const wk_file_map *map); // false after an error
bool wk_zip_next(wk_zip *zip, wk_zip_entry *e); // only where some are left; false after an error

/* The bytes of an entry: where they stand in the archive, or, deflated ones, in *inflated, which the caller frees (NULL
   otherwise).  shown: what errors call the entry.  NULL after an error. */
const unsigned char *wk_zip_unpack(const wk_zip *zip, const wk_zip_entry *e, const char *shown,
                                   unsigned char **inflated);
bool wk_zip_crc_fits(const wk_zip_entry *e, const unsigned char *bytes);

/* A new archive, whole or not at all.  Each function is false after an error, after which nothing is left to do. */
typedef struct wk_zip_writer {
    wk_new_file file;
    struct wk_zip_written *entries;
    int64_t count, capacity;
    uint64_t written;
} wk_zip_writer;
typedef struct wk_zip_part {
    const void *bytes;
    uint64_t size;
} wk_zip_part;
bool wk_zip_create(wk_zip_writer *zip, const char *op, const char *path);
/* an entry of parts one after another, which begins at a multiple of `alignment` (1: anywhere) */
bool wk_zip_add(wk_zip_writer *zip, const char *name, int alignment, const wk_zip_part *parts, int count);
bool wk_zip_commit(wk_zip_writer *zip);
void wk_zip_abandon(wk_zip_writer *zip);

#endif
