#include "words.h"

#include "core/alloc.h"
#include "core/text.h"

void *wk_text_grown(const char *op, void *items, size_t *room, size_t size, size_t more)
{
    const size_t wanted = *room + *room / 2 + more + 64;
    void *larger = wk_realloc(items, wanted * size);
    if (!larger)
        return wk_out_of_memory(op, wanted * size);
    *room = wanted;
    return larger;
}

bool wk_text_grow(const char *op, wk_text_bytes *bytes, size_t more)
{
    char *larger = wk_text_grown(op, bytes->data, &bytes->room, 1, more);
    bytes->data = larger ? larger : bytes->data;
    return larger;
}

bool wk_text_grow_spans(const char *op, wk_text_words *words)
{
    wk_text_span *larger = wk_text_grown(op, words->spans, &words->room, sizeof *larger, 0);
    words->spans = larger ? larger : words->spans;
    return larger;
}

bool wk_text_grow_ids(const char *op, wk_text_ids *ids)
{
    int64_t *larger = wk_text_grown(op, ids->ids, &ids->room, sizeof *larger, 0);
    ids->ids = larger ? larger : ids->ids;
    return larger;
}

void wk_text_words_clear(wk_text_words *words) { words->text.used = words->count = 0; }

void wk_text_words_free(wk_text_words *words)
{
    wk_free(words->text.data);
    wk_free(words->spans);
    *words = (wk_text_words){0};
}

bool wk_text_put_char(const char *op, wk_text_bytes *bytes, uint32_t code)
{
    char coded[4];
    return wk_text_put(op, bytes, coded, (size_t)wk_text_encode_char(code, coded));
}

/* how many bytes at text, where no character begins, one U+FFFD stands for: as many as could begin one (Unicode's
   "maximal subpart", Python's and Rust's rule) */
static size_t broken_bytes(const unsigned char *text, size_t left)
{
    const unsigned char a = text[0], b = left > 1 ? text[1] : 0, c = left > 2 ? text[2] : 0;
    if (a < 0xE0 || a > 0xF4) // alone, or the first of two without its second
        return 1;
    const unsigned char least = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
    const unsigned char most = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
    if (b < least || b > most)
        return 1;
    return a >= 0xF0 && c >= 0x80 && c <= 0xBF ? 3 : 2;
}

bool wk_text_take(const char *op, wk_text_bytes *bytes, const char *text, size_t size)
{
    size_t at = 0, from = 0;
    if (size == 0)
        return true;
    if (size > bytes->room - bytes->used && !wk_text_grow(op, bytes, size))
        return false;
    while (at < size) {
        uint64_t eight;
        if (size - at >= 8 && (memcpy(&eight, text + at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
            continue;
        }
        const int length = wk_utf8_length(text + at, size - at);
        if (length > 0) {
            at += (size_t)length;
            continue;
        }
        if (!wk_text_put(op, bytes, text + from, at - from) || !wk_text_put(op, bytes, "\xEF\xBF\xBD", 3))
            return false;
        at += broken_bytes((const unsigned char *)text + at, size - at);
        from = at;
    }
    return wk_text_put(op, bytes, text + from, size - from);
}
