/* Tokens and their ids.  Ids come from files: any number under 2^32, with gaps, so both ways go by hashing; the hash is
   keyed, since a file may be made so that its tokens collide. */
#ifndef WICK_TEXT_VOCABULARY_H
#define WICK_TEXT_VOCABULARY_H

#include "words.h"

typedef struct wk_text_token {
    size_t offset; // into the vocabulary's text; a NUL follows
    uint32_t id;
    uint32_t size : 31;
    uint32_t whole : 1; // the model makes this token, and nothing else, of its text (wk_text_bpe_ready)
} wk_text_token;

typedef struct wk_text_vocabulary { // zeros: empty
    wk_text_bytes text;
    wk_text_token *tokens;
    uint32_t *by_text, *by_id; // slots: 1 + an index of tokens, 0: free
    size_t count, room, slots; // slots: a power of two
    size_t longest;            // bytes of a token
    uint64_t key;
} wk_text_vocabulary;

/* of a text or an id that is there, the new one is found from now on; false after an error */
bool wk_text_vocabulary_add(const char *op, wk_text_vocabulary *vocabulary, const char *text, size_t size, int64_t id);
/* NULL: there is none */
const wk_text_token *wk_text_vocabulary_find(const wk_text_vocabulary *vocabulary, const char *text, size_t size);
const wk_text_token *wk_text_vocabulary_get(const wk_text_vocabulary *vocabulary, int64_t id);
static inline int64_t wk_text_id_of(const wk_text_vocabulary *vocabulary, const char *text, size_t size) // -1: none
{
    const wk_text_token *token = wk_text_vocabulary_find(vocabulary, text, size);
    return token ? (int64_t)token->id : -1;
}
void wk_text_vocabulary_free(wk_text_vocabulary *vocabulary);
static inline const char *wk_text_of(const wk_text_vocabulary *vocabulary, const wk_text_token *token)
{
    return vocabulary->text.data + token->offset;
}

uint64_t wk_text_new_key(void); // for hashing: another in each process, odd
static inline uint64_t wk_text_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
static inline uint64_t wk_text_hash(uint64_t key, const char *text, size_t size)
{
    uint64_t hash = key ^ size, word;
    for (; size >= 8; size -= 8, text += 8) {
        memcpy(&word, text, 8);
        hash = wk_text_mix(hash ^ word, key);
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word = word << 8 | (unsigned char)text[i];
    return wk_text_mix(hash ^ word, key ^ 0x9E3779B97F4A7C15u);
}

#endif
