/* Tokenizers of other files than tokenizer.json: each becomes what its tokenizer.json would be. */
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "io/file.h"
#include "reader.h"

wk_text_tokenizer *wk_text_done(wk_text_tokenizer *tokenizer, bool good)
{
    if (good)
        return tokenizer;
    wk_text_tokenizer_free(tokenizer);
    return NULL;
}

/* ---------------------------------------------------------------- characters */

static int compare_codes(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool add_characters(const char *op, wk_text_tokenizer *tokenizer, const wk_text_bytes *text)
{
    uint32_t *codes = wk_alloc((text->used + 1) * sizeof *codes);
    if (!codes)
        return wk_out_of_memory(op, (text->used + 1) * sizeof *codes);
    size_t count = 0;
    for (size_t at = 0, length; at < text->used; at += length)
        codes[count++] = wk_text_char(text->data + at, &length);
    qsort(codes, count, sizeof *codes, compare_codes);
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        char character[4];
        if (i == 0 || codes[i] != codes[i - 1])
            good = wk_text_vocabulary_add(op, &tokenizer->vocabulary, character,
                                          (size_t)wk_text_encode_char(codes[i], character),
                                          (int64_t)tokenizer->vocabulary.count);
    }
    wk_free(codes);
    return good;
}

wk_text_tokenizer *wk_text_character_tokenizer(const char *text)
{
    const char *const op = "character_tokenizer";
    if (!text)
        return wk_fail(op, "text: is NULL");
    wk_text_tokenizer *tokenizer = wk_text_tokenizer_new(op);
    if (!tokenizer)
        return NULL;
    wk_text_bytes taken = {0};
    tokenizer->model.tokenize = wk_text_bpe; // of no merges
    tokenizer->model.strict = true;
    tokenizer->has_decoder = true;
    const bool good = wk_text_take(op, &taken, text, strlen(text)) && add_characters(op, tokenizer, &taken) &&
                      wk_text_step_add(op, &tokenizer->decoders, wk_text_decode_fuse) &&
                      wk_text_bpe_ready(op, tokenizer);
    wk_free(taken.data);
    return wk_text_done(tokenizer, good);
}

/* ---------------------------------------------------------------- GPT-2's two files */

bool wk_text_next_line(const wk_file_map *map, size_t *at, wk_text_span *line)
{
    if (*at >= map->size)
        return false;
    const unsigned char *end = memchr(map->bytes + *at, '\n', map->size - *at);
    *line = (wk_text_span){*at, end ? (size_t)(end - map->bytes) : map->size};
    *at = line->end + 1;
    if (line->end > line->begin && map->bytes[line->end - 1] == '\r')
        line->end--;
    return true;
}

static bool read_json_vocabulary(const char *op, const char *path, wk_text_tokenizer *tokenizer)
{
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return false;
    wk_text_reader reader = {.op = op, .tokenizer = tokenizer};
    wk_shown(path, reader.path);
    wk_json json = wk_text_json(map);
    bool good = wk_json_tree_read(op, reader.path, &json, &reader.tree);
    good = good && (reader.tree.values->kind == WK_JSON_OBJECT ||
                    wk_text_wrong(&reader, "expected an object of tokens and ids"));
    good = good && wk_text_read_vocabulary(&reader, reader.tree.values);
    wk_json_tree_free(&reader.tree);
    wk_file_map_release(map);
    return good;
}

/* lines of two tokens; the first line may be "#version: 0.2" */
static bool read_merges(const char *op, const char *path, wk_text_tokenizer *tokenizer)
{
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return false;
    wk_text_span line;
    bool good = true;
    int64_t number = 0;
    for (size_t at = 0; good && wk_text_next_line(map, &at, &line);) {
        const char *text = (const char *)map->bytes + line.begin;
        const size_t size = line.end - line.begin;
        const char *space = memchr(text, ' ', size);
        number++;
        if (size == 0 || (size >= 8 && memcmp(text, "#version", 8) == 0))
            continue;
        const size_t left = space ? (size_t)(space - text) : 0;
        if (left == 0 || left + 1 == size || memchr(space + 1, ' ', size - left - 1))
            good = wk_fail(op, "%s, line %lld: expected two tokens and a space", wk_shown(path, (wk_shown_text){0}),
                           (long long)number);
        else
            good = wk_text_merge_texts(op, tokenizer, text, left, space + 1, size - left - 1);
    }
    wk_file_map_release(map);
    return good;
}

static bool add_special(const char *op, wk_text_tokenizer *tokenizer, const char *content)
{
    const int64_t id = wk_text_id_of(&tokenizer->vocabulary, content, strlen(content));
    const wk_text_added token = {.content = {(char *)content, strlen(content)}, .id = id, .special = true};
    return id < 0 || wk_text_added_add(op, tokenizer, &token);
}

wk_text_tokenizer *wk_text_byte_level_bpe_tokenizer(const char *vocab, const char *merges)
{
    const char *const op = "byte_level_bpe_tokenizer";
    if (!vocab || !merges)
        return wk_fail(op, "%s: is NULL", vocab ? "merges" : "vocab");
    wk_text_tokenizer *tokenizer = wk_text_tokenizer_new(op);
    if (!tokenizer)
        return NULL;
    tokenizer->model.tokenize = wk_text_bpe;
    tokenizer->has_decoder = true;
    wk_text_step *step = wk_text_step_add(op, &tokenizer->pre_tokenizers, wk_text_byte_level);
    if (step) {
        step->behavior = WK_TEXT_ISOLATED;
        step->regex = wk_text_regex_new(op, wk_text_gpt2_pattern, strlen(wk_text_gpt2_pattern), true);
    }
    return wk_text_done(tokenizer, step && step->regex && read_json_vocabulary(op, vocab, tokenizer) &&
                                       read_merges(op, merges, tokenizer) && wk_text_bpe_ready(op, tokenizer) &&
                                       wk_text_step_add(op, &tokenizer->decoders, wk_text_decode_byte_level) &&
                                       add_special(op, tokenizer, "<|endoftext|>") &&
                                       wk_text_added_ready(op, tokenizer));
}

/* ---------------------------------------------------------------- BERT's vocab.txt */

static bool read_lines(const char *op, const char *path, wk_text_tokenizer *tokenizer)
{
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return false;
    wk_text_span line;
    int64_t id = 0;
    bool good = true;
    for (size_t at = 0; good && wk_text_next_line(map, &at, &line); id++) {
        size_t end = line.end;
        while (end > line.begin && (map->bytes[end - 1] == ' ' || map->bytes[end - 1] == '\t'))
            end--;
        good = wk_text_vocabulary_add(op, &tokenizer->vocabulary, (const char *)map->bytes + line.begin,
                                      end - line.begin, id);
    }
    wk_file_map_release(map);
    return good;
}

/* [CLS] text [SEP] and [CLS] text [SEP] pair [SEP] */
static bool add_bert_template(const char *op, wk_text_tokenizer *tokenizer)
{
    const int64_t cls = wk_text_id_of(&tokenizer->vocabulary, "[CLS]", 5);
    const int64_t sep = wk_text_id_of(&tokenizer->vocabulary, "[SEP]", 5);
    wk_text_template *alone = &tokenizer->alone, *paired = &tokenizer->paired;
    if (cls < 0 || sep < 0)
        return wk_fail(op, "vocab: expected a line %s\nhint: a vocab.txt of BERT has one", cls < 0 ? "[CLS]" : "[SEP]");
    return wk_text_template_add(op, alone, 0, cls, 0) && wk_text_template_add(op, alone, 1, 0, 0) &&
           wk_text_template_add(op, alone, 0, sep, 0) && wk_text_template_add(op, paired, 0, cls, 0) &&
           wk_text_template_add(op, paired, 1, 0, 0) && wk_text_template_add(op, paired, 0, sep, 0) &&
           wk_text_template_add(op, paired, 2, 0, 1) && wk_text_template_add(op, paired, 0, sep, 1);
}

wk_text_tokenizer *wk_text_bert_wordpiece_tokenizer_with(wk_text_bert_args args)
{
    static const char *const specials[] = {"[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"};
    const char *const op = "bert_wordpiece_tokenizer";
    if (!args.vocab)
        return wk_fail(op, "vocab: is NULL");
    wk_text_tokenizer *tokenizer = wk_text_unicode_load(op) ? wk_text_tokenizer_new(op) : NULL;
    if (!tokenizer)
        return NULL;
    wk_text_model *model = &tokenizer->model;
    model->tokenize = wk_text_wordpiece;
    model->longest = 100;
    tokenizer->has_decoder = true;
    bool good = read_lines(op, args.vocab, tokenizer) && wk_text_string_set(op, &model->unknown, "[UNK]", 5) &&
                wk_text_string_set(op, &model->prefix, "##", 2) &&
                wk_text_trie_fill(op, &model->trie, &tokenizer->vocabulary) && add_bert_template(op, tokenizer);
    model->unknown_id = wk_text_id_of(&tokenizer->vocabulary, "[UNK]", 5);
    tokenizer->padding.id = wk_text_id_of(&tokenizer->vocabulary, "[PAD]", 5);
    wk_text_step *step = good ? wk_text_step_add(op, &tokenizer->normalizers, wk_text_bert_normalizer) : NULL;
    if (step) {
        step->clean = step->chinese = true;
        step->accents = step->lowercase = args.lowercase;
    }
    good = step && wk_text_step_add(op, &tokenizer->pre_tokenizers, wk_text_bert_pre_tokenizer);
    step = good ? wk_text_step_add(op, &tokenizer->decoders, wk_text_decode_wordpiece) : NULL;
    if (step)
        step->cleanup = true;
    good = step && wk_text_string_set(op, &step->content, "##", 2);
    for (size_t i = 0; good && i < sizeof specials / sizeof *specials; i++)
        good = add_special(op, tokenizer, specials[i]);
    return wk_text_done(tokenizer, good && wk_text_added_ready(op, tokenizer));
}
