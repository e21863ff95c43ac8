/* The inside of a tokenizer.  Whatever file it came from (tokenizer.json, ranks, vocabularies), it is what Hugging
   Face's tokenizers makes of a tokenizer.json: added tokens, normalizers, pre-tokenizers, a model, a template,
   decoders.  It is not changed by use: any number of threads may encode at once. */
#ifndef WICK_TEXT_TOKENIZER_H
#define WICK_TEXT_TOKENIZER_H

#include <wick/error.h>
#include <wick/text.h>

#include "vocabulary.h"

typedef struct wk_text_string {
    char *data; // a NUL follows
    size_t size;
} wk_text_string;
bool wk_text_string_set(const char *op, wk_text_string *string, const char *data, size_t size);

/* ---------------------------------------------------------------- regular expressions, by PCRE2 (regex.c) */

typedef struct wk_text_regex wk_text_regex;
/* A pattern as Oniguruma reads it (tokenizer.json) or Rust's regex (tiktoken, the rest): Unicode classes, lookahead. */
wk_text_regex *wk_text_regex_new(const char *op, const char *pattern, size_t size, bool oniguruma);
void wk_text_regex_free(wk_text_regex *regex);
typedef struct wk_text_search { // of one text, by one thread
    const wk_text_regex *regex;
    void *data;
    const char *text;
    size_t size, from, last_end;
} wk_text_search;
bool wk_text_search_begin(const char *op, wk_text_search *search, const wk_text_regex *regex);
void wk_text_search_text(wk_text_search *search, const char *text, size_t size);
int wk_text_search_next(const char *op, wk_text_search *search, wk_text_span *match); // 1: found, 0: none, -1: error
void wk_text_search_end(wk_text_search *search);

/* ---------------------------------------------------------------- characters, by utf8proc (unicode.c) */

bool wk_text_unicode_load(const char *op); // before any of these: false after an error
bool wk_text_is_space(uint32_t code);      // White_Space; this one needs no library
bool wk_text_is_control(uint32_t code);    // Cc, Cf, Co
bool wk_text_is_mark(uint32_t code);       // Mn
bool wk_text_is_any_mark(uint32_t code);   // Mn, Mc, Me
bool wk_text_is_punctuation(uint32_t code);
bool wk_text_is_number(uint32_t code);
bool wk_text_is_word(uint32_t code);                 // a letter, mark, digit or connector
int wk_text_lower(uint32_t code, uint32_t lower[2]); // how many
typedef enum wk_text_form { WK_TEXT_NFC, WK_TEXT_NFD, WK_TEXT_NFKC, WK_TEXT_NFKD } wk_text_form;
bool wk_text_normalize(const char *op, wk_text_form form, const char *text, size_t size, wk_text_bytes *out);
size_t wk_text_grapheme(const char *text, size_t size); // the bytes of the first one

/* ---------------------------------------------------------------- steps */

typedef enum wk_text_behavior {
    WK_TEXT_REMOVED,
    WK_TEXT_ISOLATED,
    WK_TEXT_MERGED_WITH_PREVIOUS,
    WK_TEXT_MERGED_WITH_NEXT,
    WK_TEXT_CONTIGUOUS,
} wk_text_behavior;
typedef enum wk_text_prepend { WK_TEXT_ALWAYS, WK_TEXT_FIRST, WK_TEXT_NEVER } wk_text_prepend;

typedef struct wk_text_step wk_text_step;
/* a normalizer or pre-tokenizer reads pieces of in's text; a decoder reads tokens; out is empty before */
typedef bool wk_text_run(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out);
struct wk_text_step {
    wk_text_run *run;
    wk_text_string pattern, content; // what is looked for, what takes its place; prefixes and suffixes too
    wk_text_regex *regex;
    struct wk_text_charsmap *charsmap;
    wk_text_behavior behavior;
    wk_text_prepend prepend;
    wk_text_form form;
    bool invert, left, right;                // split; strip
    bool clean, chinese, accents, lowercase; // BertNormalizer
    bool prefix_space, split;                // ByteLevel, Metaspace
    bool cleanup, individual;
    int64_t start, stop; // Strip of a decoder
};
typedef struct wk_text_steps {
    wk_text_step *items;
    size_t count, room;
} wk_text_steps;
wk_text_step *wk_text_step_add(const char *op, wk_text_steps *steps, wk_text_run *run); // NULL after an error
void wk_text_steps_free(wk_text_steps *steps);
/* words through all steps; spare: memory for it */
bool wk_text_steps_run(const char *op, const wk_text_steps *steps, wk_text_words *words, wk_text_words *spare);
bool wk_text_words_copy(const char *op, const wk_text_words *in, wk_text_words *out); // the text, without pieces

/* normalizers: the whole text, without pieces */
wk_text_run wk_text_bert_normalizer, wk_text_strip, wk_text_strip_accents, wk_text_lowercase, wk_text_unicode_form,
    wk_text_replace, wk_text_prepend_text, wk_text_nmt, wk_text_precompiled, wk_text_byte_letters,
    wk_text_sentencepiece_spaces;
/* pre-tokenizers: pieces into more pieces */
wk_text_run wk_text_bert_pre_tokenizer, wk_text_byte_level, wk_text_metaspace, wk_text_split, wk_text_whitespace_split,
    wk_text_punctuation, wk_text_digits;
/* decoders: a piece is a token's text */
wk_text_run wk_text_decode_byte_level, wk_text_decode_wordpiece, wk_text_decode_metaspace, wk_text_decode_bpe,
    wk_text_decode_byte_fallback, wk_text_decode_fuse, wk_text_decode_strip, wk_text_decode_replace;
bool wk_text_replace_all(const char *op, const wk_text_step *step, const char *text, size_t size, wk_text_bytes *out);

/* GPT-2's letters for bytes: printable ones stand for themselves, the rest for U+0100 and up */
uint32_t wk_text_letter_of_byte(unsigned char byte);
bool wk_text_put_letters(const char *op, const char *text, size_t size, wk_text_bytes *out);
int wk_text_byte_of_letter(uint32_t letter); // -1: none

/* ---------------------------------------------------------------- models */

typedef struct wk_text_merge { // of a pair of ids, left << 32 | right
    uint64_t pair;
    uint32_t rank, id; // rank: 1 and up; 0: a free slot
} wk_text_merge;
typedef struct wk_text_trie_edge { // of a node by a byte
    uint32_t node, child;          // child 0: a free slot
    uint32_t byte;
} wk_text_trie_edge;
typedef struct wk_text_trie { // strings by their bytes; node 1 is the root
    wk_text_trie_edge *edges;
    int32_t *values; // of each node: the number of the string that ends there; -1: none
    size_t slots, count, room;
    uint64_t key;
    uint32_t first[256]; // the root's children
} wk_text_trie;

typedef struct wk_text_scratch { // of one call of encode
    wk_text_words words, spare;
    wk_text_ids ids;
    struct wk_text_symbol *symbols; // BPE
    struct wk_text_heap *heap;
    size_t symbol_room, heap_room;
    struct wk_text_node *nodes; // unigram
    size_t node_room;
    wk_text_bytes bytes, taken, normal; // a spelling; the text as it came, and normalized
} wk_text_scratch;

typedef struct wk_text_model wk_text_model;
typedef bool wk_text_tokenize(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                              wk_text_scratch *scratch); // its ids are added to scratch->ids
struct wk_text_model {
    wk_text_tokenize *tokenize;
    wk_text_string unknown, prefix, suffix; // unk_token, continuing_subword_prefix, end_of_word_suffix
    int64_t unknown_id;                     // -1: none
    bool fuse_unknown, byte_fallback, ignore_merges;
    bool marks_begin;             // BPE: no token has U+2581 but at its begin, so that words may be cut there
    bool strict, unknown_missing; // an unknown character is an error
    int64_t byte_ids[256];        // byte_fallback: <0x00> and up
    int64_t letter_ids[0x180];    // BPE: of characters that are tokens
    wk_text_merge *merges;        // BPE
    size_t merge_slots, merge_count;
    uint32_t ranks; // of the last merge of a list
    uint64_t key;
    int64_t longest;   // WordPiece: max_input_chars_per_word
    wk_text_trie trie; // WordPiece, unigram
    double *scores;    // unigram: of each token of the vocabulary, by its index
    double unknown_score;
    bool single; // unigram: sums in float32, as SentencePiece itself has them
};
wk_text_tokenize wk_text_bpe, wk_text_wordpiece, wk_text_unigram, wk_text_word_level;
bool wk_text_merge_add(const char *op, wk_text_model *model, int64_t left, int64_t right, uint32_t rank, int64_t id);
bool wk_text_merge_splits(const char *op, wk_text_tokenizer *tokenizer, const wk_text_token *token, uint32_t rank);
bool wk_text_bpe_ready(const char *op, wk_text_tokenizer *tokenizer); // after the last token and merge
bool wk_text_merge_texts(const char *op, wk_text_tokenizer *tokenizer, const char *left, size_t left_size,
                         const char *right, size_t right_size);           // the next merge, of two tokens
bool wk_text_unigram_ready(const char *op, wk_text_tokenizer *tokenizer); // after the last token and its score
void wk_text_byte_ids(wk_text_tokenizer *tokenizer);                      // finds byte_ids
bool wk_text_trie_add(const char *op, wk_text_trie *trie, const char *text, size_t size, int32_t value);
bool wk_text_trie_fill(const char *op, wk_text_trie *trie, const wk_text_vocabulary *vocabulary); // indices of tokens
void wk_text_trie_free(wk_text_trie *trie);
enum { WK_TEXT_ROOT = 1 };
static inline uint32_t wk_text_trie_step(const wk_text_trie *trie, uint32_t node, unsigned char byte) // 0: none
{
    if (node == WK_TEXT_ROOT)
        return trie->first[byte];
    for (uint64_t slot = wk_text_mix((uint64_t)node << 8 | byte, trie->key);; slot++) {
        const wk_text_trie_edge *edge = &trie->edges[slot & (trie->slots - 1)];
        if (!edge->child || (edge->node == node && edge->byte == byte))
            return edge->child;
    }
}

/* ---------------------------------------------------------------- the whole */

typedef struct wk_text_added {
    wk_text_string content;
    int64_t id;
    bool special, single_word, lstrip, rstrip;
    bool hidden;     // not looked for in texts
    bool normalized; // looked for after normalizing, and itself normalized
} wk_text_added;

typedef struct wk_text_template_piece {
    int sequence; // 1: the text, 2: its pair, 0: the special token id
    int64_t id, type_id;
} wk_text_template_piece;
typedef struct wk_text_template {
    wk_text_template_piece *pieces;
    size_t count;
} wk_text_template;

typedef struct wk_text_limit {
    bool enabled, left; // left: from the left goes what is too much
    int only;           // 1: the text alone is cut, 2: its pair, 0: the longer one
    int64_t max_length;
} wk_text_limit;
typedef struct wk_text_pad {
    bool enabled, left;
    int64_t length, multiple, id, type_id;
} wk_text_pad;

struct wk_text_tokenizer {
    wk_text_vocabulary vocabulary;
    wk_text_model model;
    wk_text_steps normalizers, pre_tokenizers, decoders;
    wk_text_added *added;
    size_t added_count, added_room;
    wk_text_vocabulary added_tokens; // content to id
    wk_text_trie raw, normalized;    // to indices of `added`: those looked for before and after normalizing
    bool has_template, has_decoder;  // without a decoder tokens are joined by spaces
    wk_text_template alone, paired;
    wk_text_limit truncation;
    wk_text_pad padding; // its id also where it is not enabled
};

wk_text_tokenizer *wk_text_tokenizer_new(const char *op);
bool wk_text_added_add(const char *op, wk_text_tokenizer *tokenizer, const wk_text_added *token); // content is copied
bool wk_text_added_ready(const char *op, wk_text_tokenizer *tokenizer); // after the last one, and the normalizers
bool wk_text_template_add(const char *op, wk_text_template *pieces, int sequence, int64_t id, int64_t type_id);
void wk_text_scratch_free(wk_text_scratch *scratch);
/* the text of ids, to words->text */
bool wk_text_decode_ids(const char *op, const wk_text_tokenizer *tokenizer, const int64_t *ids, size_t count, bool skip,
                        wk_text_words *words, wk_text_words *spare);
/* the ids of a text, without what the template adds, to scratch->ids */
bool wk_text_encode_plain(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size,
                          wk_text_scratch *scratch);

#endif
