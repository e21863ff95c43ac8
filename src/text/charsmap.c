#include "charsmap.h"

#include "core/alloc.h"
#include "core/text.h"
#include "tokenizer.h"

wk_text_charsmap *wk_text_charsmap_new(const char *op, const unsigned char *bytes, size_t size)
{
    const uint32_t trie =
        size < 4 ? UINT32_MAX
                 : bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    if (size < 4 || trie > size - 4 || trie % 4 != 0)
        return wk_fail(op, "precompiled_charsmap: its trie is longer than its %zu bytes", size);
    const size_t rest = size - 4 - trie;
    if (rest > 0 && bytes[size - 1] != 0)
        return wk_fail(op, "precompiled_charsmap: its last string does not end");
    for (size_t i = 4 + trie; i < size;) { // what becomes text has to be UTF-8
        const int length = wk_utf8_length(bytes + i, size - i);
        if (length == 0)
            return wk_fail(op, "precompiled_charsmap: holds a string that is not UTF-8");
        i += (size_t)length;
    }
    wk_text_charsmap *map = wk_alloc_zeroed(sizeof *map);
    if (!map)
        return wk_out_of_memory(op, sizeof *map);
    map->unit_count = trie / 4;
    map->normalized_size = rest;
    map->units = wk_alloc(trie + 4);
    map->normalized = wk_alloc(rest + 1);
    if (!map->units || !map->normalized) {
        wk_text_charsmap_free(map);
        return wk_out_of_memory(op, size);
    }
    for (size_t i = 0; i < map->unit_count; i++) {
        const unsigned char *unit = bytes + 4 + 4 * i;
        map->units[i] = unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 | (uint32_t)unit[3] << 24;
    }
    memcpy(map->normalized, bytes + 4 + trie, rest);
    map->normalized[rest] = '\0';
    return map;
}

void wk_text_charsmap_free(wk_text_charsmap *map)
{
    if (!map)
        return;
    wk_free(map->units);
    wk_free(map->normalized);
    wk_free(map);
}

/* what stands for a beginning of text, the shortest or the longest that is in the map; NULL: none.  A unit of a double
   array: 31 bits of value in a leaf; else an offset, whether a leaf follows (bit 8), and the byte that leads to it. */
static const char *look_up(const wk_text_charsmap *map, const char *text, size_t size, bool longest, size_t *length)
{
    const char *found = NULL;
    uint32_t at = 0;
    if (map->unit_count == 0)
        return NULL;
    uint32_t unit = map->units[0];
    at ^= (unit >> 10) << ((unit & 0x200u) >> 6);
    for (size_t i = 0; i < size && text[i]; i++) {
        at ^= (unsigned char)text[i];
        if (at >= map->unit_count)
            break;
        unit = map->units[at];
        if ((unit & 0x800000FFu) != (unsigned char)text[i])
            break;
        at ^= (unit >> 10) << ((unit & 0x200u) >> 6);
        if (unit >> 8 & 1) {
            if (at >= map->unit_count)
                break;
            const uint32_t value = map->units[at] & 0x7FFFFFFFu;
            if (value > map->normalized_size)
                break;
            found = map->normalized + value;
            *length = i + 1;
            if (!longest)
                break;
        }
    }
    return found;
}

static bool put_characters(const char *op, const wk_text_charsmap *map, const char *text, size_t size,
                           wk_text_bytes *out)
{
    for (size_t at = 0, length, unused; at < size; at += length) {
        wk_text_char(text + at, &length);
        const char *other = look_up(map, text + at, length, false, &unused);
        if (!(other ? wk_text_put(op, out, other, strlen(other)) : wk_text_put(op, out, text + at, length)))
            return false;
    }
    return true;
}

bool wk_text_precompiled(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    const wk_text_charsmap *map = step->charsmap;
    const char *text = in->text.data;
    const size_t size = in->text.used;
    for (size_t at = 0, length; at < size; at += length) {
        const bool plain = (unsigned char)text[at] >= ' ' && (unsigned char)text[at] < 0x7F &&
                           (at + 1 == size || (unsigned char)text[at + 1] < 0x80);
        if (map->whole) {
            const char *other = look_up(map, text + at, size - at, true, &length);
            if (!other)
                wk_text_char(text + at, &length);
            if (!(other ? wk_text_put(op, &out->text, other, strlen(other))
                        : wk_text_put(op, &out->text, text + at, length)))
                return false;
            continue;
        }
        length = plain ? 1 : wk_text_grapheme(text + at, size - at);
        size_t unused;
        const char *other = length < 6 ? look_up(map, text + at, length, false, &unused) : NULL;
        if (!(other ? wk_text_put(op, &out->text, other, strlen(other))
                    : put_characters(op, map, text + at, length, &out->text)))
            return false;
    }
    return true;
}
