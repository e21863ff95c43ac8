/* JSON, as headers of files need it: read in place, piece by piece, without a tree; written into text that grows. */
#ifndef WICK_JSON_H
#define WICK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reading, in memory that may be written: strings are decoded where they stand.  Each function is false or NULL where
   the text is another; `wrong` then says what is, once. */
typedef struct wk_json {
    char *begin, *at, *end;
    const char *wrong; // NULL: nothing yet
    bool takes_nul;    // strings may hold a NUL; else that is wrong
    size_t size;       // bytes of the last string
} wk_json;
bool wk_json_take(wk_json *json, char mark); // one of {}[],: if it is next; another is no error yet
bool wk_json_expect(wk_json *json, char mark);
char *wk_json_string(wk_json *json);
bool wk_json_size(wk_json *json, int64_t *size);    // a whole number, 0 or more
bool wk_json_number(wk_json *json, double *number);
bool wk_json_skip(wk_json *json);                   // a value of any kind
bool wk_json_ends(wk_json *json);
/* whether another item of an array or object, closed by `close`, follows; first: of none so far */
bool wk_json_more(wk_json *json, char close, bool *first);

/* A tree, for files whose settings come in any order.  It takes 20 bytes for one of the file's at most. */
typedef enum wk_json_kind {
    WK_JSON_NULL,
    WK_JSON_BOOL,
    WK_JSON_NUMBER,
    WK_JSON_STRING,
    WK_JSON_ARRAY,
    WK_JSON_OBJECT
} wk_json_kind;
typedef struct wk_json_value {
    wk_json_kind kind;
    uint32_t next, first; // places in the tree: the next value beside it, the first inside; 0: none
    uint32_t key_size;
    const char *key; // of an object's value; a NUL follows, and may be inside
    size_t size;     // of a string; how many are inside
    union {
        const char *string;
        double number; // of a bool 0 or 1
    };
} wk_json_value;
typedef struct wk_json_tree {
    wk_json_value *values; // the root is the first
    size_t count, room;
} wk_json_tree;
/* The whole text; the strings stay in its memory.  False after an error, which names op and file. */
bool wk_json_tree_read(const char *op, const char *file, wk_json *json, wk_json_tree *tree);
void wk_json_tree_free(wk_json_tree *tree);
/* NULL where there is none: the value of an object's key (the last of that name), the first inside, the next beside */
const wk_json_value *wk_json_get(const wk_json_tree *tree, const wk_json_value *object, const char *key);
static inline const wk_json_value *wk_json_first(const wk_json_tree *tree, const wk_json_value *value)
{
    return value && value->first ? &tree->values[value->first] : NULL;
}
static inline const wk_json_value *wk_json_next(const wk_json_tree *tree, const wk_json_value *value)
{
    return value->next ? &tree->values[value->next] : NULL;
}

/* Writing: text that grows; after a failed allocation `failed` stays set, and nothing is added. */
typedef struct wk_json_text {
    char *bytes;
    size_t used, capacity;
    bool failed;
} wk_json_text;
void wk_json_put(wk_json_text *text, const char *bytes, size_t count);
void wk_json_put_number(wk_json_text *text, int64_t number);
bool wk_json_put_string(wk_json_text *text, const char *string); // quoted, escaped; false: it is no UTF-8

#endif
