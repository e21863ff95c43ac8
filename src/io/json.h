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
} wk_json;
bool wk_json_take(wk_json *json, char mark); // one of {}[],: if it is next; another is no error yet
bool wk_json_expect(wk_json *json, char mark);
char *wk_json_string(wk_json *json);             // without NUL inside
bool wk_json_size(wk_json *json, int64_t *size); // a whole number, 0 or more
bool wk_json_skip(wk_json *json);                // a value of any kind
bool wk_json_ends(wk_json *json);
/* whether another item of an array or object, closed by `close`, follows; first: of none so far */
bool wk_json_more(wk_json *json, char close, bool *first);

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
