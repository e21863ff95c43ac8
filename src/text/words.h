/* Text and its pieces, on their way through a tokenizer: every step (normalizer, pre-tokenizer, decoder) reads one
   wk_text_words and writes another.  Text is UTF-8 that was checked or mended when it came in (wk_text_take). */
#ifndef WICK_TEXT_WORDS_H
#define WICK_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* items of `size` bytes moved to half as much room again, and for `more` beyond; NULL after an error: they stay */
void *wk_text_grown(const char *op, void *items, size_t *room, size_t size, size_t more);

typedef struct wk_text_bytes { // zeros: empty; wk_free(data) at the end
    char *data;
    size_t used, room;
} wk_text_bytes;
bool wk_text_grow(const char *op, wk_text_bytes *bytes, size_t more); // room for so many more; false after an error
static inline bool wk_text_put(const char *op, wk_text_bytes *bytes, const void *data, size_t count)
{
    if (count > bytes->room - bytes->used && !wk_text_grow(op, bytes, count))
        return false;
    if (count > 0)
        memcpy(bytes->data + bytes->used, data, count);
    bytes->used += count;
    return true;
}
bool wk_text_put_char(const char *op, wk_text_bytes *bytes, uint32_t code);
bool wk_text_take(const char *op, wk_text_bytes *bytes, const char *text, size_t size); // what is no UTF-8: U+FFFD

typedef struct wk_text_span {
    size_t begin, end;
} wk_text_span;
typedef struct wk_text_words {
    wk_text_bytes text;
    wk_text_span *spans; // pieces of text, in order; what is in none is left out
    size_t count, room;
    bool first, last; // the text begins where the user's text begins, and ends where it ends
} wk_text_words;
bool wk_text_grow_spans(const char *op, wk_text_words *words);
static inline bool wk_text_put_span(const char *op, wk_text_words *words, size_t begin,
                                    size_t end) // an empty one: none
{
    if (begin == end)
        return true;
    if (words->count == words->room && !wk_text_grow_spans(op, words))
        return false;
    words->spans[words->count++] = (wk_text_span){begin, end};
    return true;
}
void wk_text_words_clear(wk_text_words *words);
void wk_text_words_free(wk_text_words *words);

typedef struct wk_text_ids {
    int64_t *ids;
    size_t count, room;
} wk_text_ids;
bool wk_text_grow_ids(const char *op, wk_text_ids *ids);
static inline bool wk_text_put_id(const char *op, wk_text_ids *ids, int64_t id)
{
    if (ids->count == ids->room && !wk_text_grow_ids(op, ids))
        return false;
    ids->ids[ids->count++] = id;
    return true;
}

/* the character at text, of a string that is UTF-8; *size: its bytes */
static inline uint32_t wk_text_char(const char *text, size_t *size)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0x80)
        return *size = 1, at[0];
    if (at[0] < 0xE0)
        return *size = 2, (uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F);
    if (at[0] < 0xF0)
        return *size = 3, (uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
    return *size = 4, (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3F) << 12 | (uint32_t)(at[2] & 0x3F) << 6 |
                          (at[3] & 0x3F);
}
static inline int wk_text_encode_char(uint32_t code, char out[4])
{
    if (code < 0x80)
        return out[0] = (char)code, 1;
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out[0] = (char)((0xFF80u >> more & 0xFF) | code >> (6 * more));
    for (int i = more; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    return more + 1;
}

#endif
