/* Python's pickles as trees of plain values.  Nothing is run: what a pickle would call, and what it would make of a
   class, is kept as a value that says so.  https://docs.python.org/3/library/pickletools.html

   Memory is in proportion to the bytes read: texts stay where they stand, and what is made takes some tens of bytes for
   each byte of the pickle at most.  Values may share and even hold each other: who walks the tree bounds the walk. */
#ifndef WICK_PICKLE_H
#define WICK_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wk_pickled_kind {
    WK_PICKLED_MARK, // the machine's own
    WK_PICKLED_NONE,
    WK_PICKLED_BOOL,       // integer
    WK_PICKLED_INTEGER,    // integer
    WK_PICKLED_LARGE,      // bytes: more than 64 bits, the low byte first, two's complement
    WK_PICKLED_REAL,       // real
    WK_PICKLED_TEXT,       // bytes; whether they are UTF-8 is not looked at
    WK_PICKLED_BYTES,      // bytes
    WK_PICKLED_GLOBAL,     // box: module, name
    WK_PICKLED_TUPLE,      // box: its items
    WK_PICKLED_LIST,       // box: its items
    WK_PICKLED_SET,        // box: its items
    WK_PICKLED_DICT,       // box: key, value, key, value, ...
    WK_PICKLED_MADE,       // box: function or class, tuple of arguments, state or None; then items or pairs put into it
    WK_PICKLED_PERSISTENT, // box: what stands for something outside the pickle
} wk_pickled_kind;

typedef struct wk_pickled {
    wk_pickled_kind kind;
    uint32_t length; // of bytes
    union {
        int64_t integer;
        double real;
        const unsigned char *bytes;
        struct wk_pickled_box *box;
    };
} wk_pickled;

typedef struct wk_pickled_box {
    struct wk_pickled_box *before; // made before this one, in the same file
    wk_pickled *items;
    int64_t count, capacity;
    wk_pickled_kind kind;
    bool called; // MADE: by a call, of which nobody knows what it would do; otherwise a plain object of the class
    bool paired; // MADE: what was put into it are pairs
} wk_pickled_box;

typedef struct wk_pickle {
    const char *op, *path; // for errors; path as it is shown
    const unsigned char *begin, *at, *end;
    wk_pickled *stack, *memo;
    int64_t count, capacity, memo_capacity;
    wk_pickled_box *boxes; // the latest
    struct wk_pickle_room *rooms;
} wk_pickle;

void wk_pickle_open(wk_pickle *pickle, const char *op, const char *path, const unsigned char *bytes, size_t size);
/* the next pickle; false after an error.  All values live until wk_pickle_close. */
bool wk_pickle_read(wk_pickle *pickle, wk_pickled *value);
void wk_pickle_close(wk_pickle *pickle);

bool wk_pickled_is_text(wk_pickled value, const char *text);
/* the value of a text key; NULL: none there, or no dict */
const wk_pickled *wk_pickled_at(wk_pickled dict, const char *key);
/* what was put into a dict, a list or an object after it was made, and how many */
const wk_pickled *wk_pickled_items(wk_pickled value, int64_t *count);

#endif
