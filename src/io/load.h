/* What the files of wk_load share: a checkpoint's storages, and how its pickled values become a dictionary. */
#ifndef WICK_LOAD_H
#define WICK_LOAD_H

#include <wick/error.h>
#include <wick/io.h>

#include "core/text.h"
#include "pickle.h"
#include "zip.h"

/* the bytes that tensors share, as the file has them */
typedef struct wk_stored {
    const char *key; // key_length bytes, no NUL behind
    size_t key_length;
    wk_zip_entry entry;         // of a zip archive
    const unsigned char *bytes; // of a legacy file
    uint64_t size;
    int element_size;  // of a legacy file
    bool checked;      // its bools are 0 or 1
    wk_tensor *memory; // all of it, as bytes on .map_location, once a tensor has asked; held
} wk_stored;

typedef struct wk_loading {
    const char *op;
    const wk_load_args *args;
    const char *file;
    wk_shown_text path; // file, as errors show it
    wk_file_map *map;
    wk_zip zip;
    bool big_endian;
    wk_stored *stored; // sorted by key
    int64_t stored_count;
    wk_pickle pickle;
    unsigned char *inflated; // its bytes, where they were deflated
    wk_dict *dict;
} wk_loading;

/* load_tensor.c */
bool wk_load_sort_stored(wk_loading *l); // false after an error: two of one key
wk_stored *wk_load_find_stored(const wk_loading *l, const unsigned char *key, size_t length); // NULL: none
/* what ("storage", type, key, location, count) says; false: it is none such.  dtype 0: bytes without one (untyped) */
typedef struct wk_storage_id {
    wk_pickled type; // a global
    wk_dtype dtype;
    bool untyped;
    wk_pickled key;
    int64_t count, offset; // elements; offset: of a view on it, in old files
} wk_storage_id;
bool wk_load_storage_id(wk_pickled persistent, wk_storage_id *id);
/* whether value stands for a tensor, and that tensor, of the innermost scope (NULL after an error); name: for errors */
bool wk_load_is_tensor(wk_pickled value);
wk_tensor *wk_load_tensor(wk_loading *l, wk_pickled value, const char *name);

/* load_plain.c: a walk through the values, and what becomes one entry; false after an error, which names the place */
#define WK_LOAD_NAME 4096
#define WK_LOAD_TIMES_LARGER 64 // than the pickle, what comes out of it may be
typedef struct wk_load_walk {
    wk_loading *loading;
    bool mines; // there is a whole module: what is neither it nor plain values is left out
    int depth;
    int64_t left;  // bytes that may still come out
    size_t length; // of name
    char name[WK_LOAD_NAME];
} wk_load_walk;

__attribute__((format(printf, 2, 3))) bool wk_load_wrong(const wk_load_walk *w, const char *format, ...);
bool wk_load_spend(wk_load_walk *w, int64_t bytes);
/* key becomes a part of the name; *before: what to leave to */
bool wk_load_enter(wk_load_walk *w, const char *key, size_t length, size_t *before);
void wk_load_leave(wk_load_walk *w, size_t before);
bool wk_load_put_text(wk_load_walk *w, const char *text);
bool wk_load_put_integer(wk_load_walk *w, int64_t number);
bool wk_load_put_large(wk_load_walk *w, wk_pickled value);
bool wk_load_put_number(wk_load_walk *w, double number);
bool wk_load_put_tensor(wk_load_walk *w, wk_tensor *x);
bool wk_load_put_bytes(wk_load_walk *w, const void *bytes, size_t length);
bool wk_load_put_string(wk_load_walk *w, wk_pickled value);  // a text
wk_pickled wk_load_argument(wk_pickled made, int64_t index); // of the call; None where there is none
bool wk_load_put_device(wk_load_walk *w, wk_pickled made);
bool wk_load_put_encoded(wk_load_walk *w, wk_pickled made);
bool wk_load_put_complex(wk_load_walk *w, wk_pickled made);

/* load_values.c: false after an error.  All of value goes into l->dict */
bool wk_load_values(wk_loading *l, wk_pickled value);
/* a global by its names, whatever Python's version calls its module */
bool wk_load_names(wk_pickled value, const char *module, const char *name);

/* load_legacy.c: the object's value, and the storages; l->pickle is open at the file's beginning; false after an
   error */
bool wk_load_legacy(wk_loading *l, wk_pickled *value);

#endif
