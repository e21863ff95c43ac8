/* SentencePiece's normalization: a trie of byte strings, and what takes the place of each (precompiled_charsmap). */
#ifndef WICK_TEXT_CHARSMAP_H
#define WICK_TEXT_CHARSMAP_H

#include "words.h"

typedef struct wk_text_charsmap {
    uint32_t *units; // a double array, as Darts lays it out
    size_t unit_count;
    char *normalized; // strings, each with its NUL
    size_t normalized_size;
    bool whole; // the longest string that fits, as SentencePiece itself does it; else by grapheme, as tokenizers does
} wk_text_charsmap;

wk_text_charsmap *wk_text_charsmap_new(const char *op, const unsigned char *bytes, size_t size); // NULL after an error
void wk_text_charsmap_free(wk_text_charsmap *map);

#endif
