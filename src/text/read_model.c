/* The model of a tokenizer.json. */
#include "reader.h"

#include <math.h>

#include "core/alloc.h"

static bool read_string(const wk_text_reader *reader, const wk_json_value *object, const char *key, wk_text_string *to)
{
    bool good = true;
    const wk_json_value *value = wk_text_read(reader, object, key, WK_JSON_STRING, &good);
    return good && (!value || wk_text_string_set(reader->op, to, value->string, value->size));
}

static bool is_id(const wk_json_value *value)
{
    return value->kind == WK_JSON_NUMBER && value->number >= 0 && value->number <= UINT32_MAX &&
           value->number == floor(value->number);
}

bool wk_text_read_vocabulary(const wk_text_reader *reader, const wk_json_value *object)
{
    for (const wk_json_value *one = wk_json_first(&reader->tree, object); one; one = wk_json_next(&reader->tree, one)) {
        if (!is_id(one))
            return wk_text_wrong(reader, "vocab: expected an id of 0 to %u for %s", UINT32_MAX,
                                 wk_shown(one->key, (wk_shown_text){0}));
        if (!wk_text_vocabulary_add(reader->op, &reader->tokenizer->vocabulary, one->key, one->key_size,
                                    (int64_t)one->number))
            return false;
    }
    return true;
}

static bool read_vocabulary(const wk_text_reader *reader, const wk_json_value *model)
{
    bool good = true;
    const wk_json_value *vocabulary = wk_text_read(reader, model, "vocab", WK_JSON_OBJECT, &good);
    if (!vocabulary)
        return good && wk_text_wrong(reader, "model.vocab: expected an object of tokens and ids");
    return wk_text_read_vocabulary(reader, vocabulary);
}

/* ---------------------------------------------------------------- BPE */

bool wk_text_merge_texts(const char *op, wk_text_tokenizer *tokenizer, const char *left, size_t left_size,
                         const char *right, size_t right_size)
{
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    const int64_t a = wk_text_id_of(vocabulary, left, left_size), b = wk_text_id_of(vocabulary, right, right_size);
    if (a < 0 || b < 0)
        return wk_fail(op, "merges: %s is not in the vocabulary", wk_shown(a < 0 ? left : right, (wk_shown_text){0}));
    const size_t prefix = tokenizer->model.prefix.size < right_size ? tokenizer->model.prefix.size : right_size;
    wk_text_bytes both = {0};
    bool good = wk_text_put(op, &both, left, left_size) && wk_text_put(op, &both, right + prefix, right_size - prefix);
    const int64_t id = good ? wk_text_id_of(vocabulary, both.data, both.used) : -1;
    good = good &&
           (id >= 0 || wk_fail(op, "merges: the two tokens %s together are not in the vocabulary",
                               wk_shown(left, (wk_shown_text){0}))) &&
           wk_text_merge_add(op, &tokenizer->model, a, b, ++tokenizer->model.ranks, id);
    wk_free(both.data);
    return good;
}

/* "left right" or ["left", "right"] */
static bool read_merge(const wk_text_reader *reader, const wk_json_value *merge)
{
    if (merge->kind == WK_JSON_STRING) {
        char *space = memchr(merge->string, ' ', merge->size);
        const size_t left = space ? (size_t)(space - merge->string) : 0;
        if (!space || memchr(space + 1, ' ', merge->size - left - 1))
            return wk_text_wrong(reader, "model.merges: expected two tokens and a space, got %s",
                                 wk_shown(merge->string, (wk_shown_text){0}));
        *space = '\0'; // a string of our own copy of the file
        return wk_text_merge_texts(reader->op, reader->tokenizer, merge->string, left, space + 1,
                                   merge->size - left - 1);
    }
    const wk_json_value *left = merge->kind == WK_JSON_ARRAY ? wk_json_first(&reader->tree, merge) : NULL;
    const wk_json_value *right = left ? wk_json_next(&reader->tree, left) : NULL;
    if (!right || merge->size != 2 || left->kind != WK_JSON_STRING || right->kind != WK_JSON_STRING)
        return wk_text_wrong(reader, "model.merges: expected pairs of tokens");
    return wk_text_merge_texts(reader->op, reader->tokenizer, left->string, left->size, right->string, right->size);
}

static bool read_bpe(const wk_text_reader *reader, const wk_json_value *value)
{
    wk_text_model *model = &reader->tokenizer->model;
    bool good = true;
    const wk_json_value *dropout = wk_text_read(reader, value, "dropout", WK_JSON_NUMBER, &good);
    if (dropout && dropout->number != 0)
        return wk_text_wrong(reader, "model.dropout: expected null, got %g: encoding would be random", dropout->number);
    model->tokenize = wk_text_bpe;
    model->fuse_unknown = wk_text_read_bool(reader, value, "fuse_unk", false, &good);
    model->byte_fallback = wk_text_read_bool(reader, value, "byte_fallback", false, &good);
    model->ignore_merges = wk_text_read_bool(reader, value, "ignore_merges", false, &good);
    good = good && read_string(reader, value, "unk_token", &model->unknown) &&
           read_string(reader, value, "continuing_subword_prefix", &model->prefix) &&
           read_string(reader, value, "end_of_word_suffix", &model->suffix) && read_vocabulary(reader, value);
    const wk_json_value *merges = good ? wk_text_read(reader, value, "merges", WK_JSON_ARRAY, &good) : NULL;
    for (const wk_json_value *one = wk_json_first(&reader->tree, merges); good && one;
         one = wk_json_next(&reader->tree, one))
        good = read_merge(reader, one);
    return good && wk_text_bpe_ready(reader->op, reader->tokenizer);
}

/* ---------------------------------------------------------------- the others */

static bool read_wordpiece(const wk_text_reader *reader, const wk_json_value *value)
{
    wk_text_tokenizer *tokenizer = reader->tokenizer;
    wk_text_model *model = &tokenizer->model;
    bool good = true;
    model->tokenize = wk_text_wordpiece;
    model->longest = wk_text_read_size(reader, value, "max_input_chars_per_word", 100, &good);
    if (!good || !wk_text_string_set(reader->op, &model->unknown, "[UNK]", 5) ||
        !wk_text_string_set(reader->op, &model->prefix, "##", 2) ||
        !read_string(reader, value, "unk_token", &model->unknown) ||
        !read_string(reader, value, "continuing_subword_prefix", &model->prefix) || !read_vocabulary(reader, value))
        return false;
    model->unknown_id = wk_text_id_of(&tokenizer->vocabulary, model->unknown.data, model->unknown.size);
    return wk_text_trie_fill(reader->op, &model->trie, &tokenizer->vocabulary);
}

static bool read_word_level(const wk_text_reader *reader, const wk_json_value *value)
{
    wk_text_tokenizer *tokenizer = reader->tokenizer;
    wk_text_model *model = &tokenizer->model;
    model->tokenize = wk_text_word_level;
    if (!wk_text_string_set(reader->op, &model->unknown, "<unk>", 5) ||
        !read_string(reader, value, "unk_token", &model->unknown) || !read_vocabulary(reader, value))
        return false;
    model->unknown_id = wk_text_id_of(&tokenizer->vocabulary, model->unknown.data, model->unknown.size);
    return true;
}

/* [["token", score], ...], whose ids are their places */
static bool read_unigram(const wk_text_reader *reader, const wk_json_value *value)
{
    wk_text_tokenizer *tokenizer = reader->tokenizer;
    wk_text_model *model = &tokenizer->model;
    bool good = true;
    const wk_json_value *vocabulary = wk_text_read(reader, value, "vocab", WK_JSON_ARRAY, &good);
    if (!vocabulary)
        return good && wk_text_wrong(reader, "model.vocab: expected an array of tokens and scores");
    model->tokenize = wk_text_unigram;
    model->unknown_id = wk_text_read_size(reader, value, "unk_id", -1, &good);
    model->byte_fallback = wk_text_read_bool(reader, value, "byte_fallback", false, &good);
    if (!good)
        return false;
    if (model->unknown_id >= (int64_t)vocabulary->size)
        return wk_text_wrong(reader, "model.unk_id: expected an id of the %zu tokens, got %lld", vocabulary->size,
                             (long long)model->unknown_id);
    model->scores = wk_alloc((vocabulary->size + 1) * sizeof *model->scores);
    if (!model->scores)
        return wk_out_of_memory(reader->op, (vocabulary->size + 1) * sizeof *model->scores);
    int64_t id = 0;
    for (const wk_json_value *one = wk_json_first(&reader->tree, vocabulary); one;
         one = wk_json_next(&reader->tree, one), id++) {
        const wk_json_value *token = one->kind == WK_JSON_ARRAY ? wk_json_first(&reader->tree, one) : NULL;
        const wk_json_value *score = token ? wk_json_next(&reader->tree, token) : NULL;
        if (!score || one->size != 2 || token->kind != WK_JSON_STRING || score->kind != WK_JSON_NUMBER)
            return wk_text_wrong(reader, "model.vocab: expected pairs of a token and a score");
        if (!wk_text_vocabulary_add(reader->op, &tokenizer->vocabulary, token->string, token->size, id))
            return false;
        model->scores[id] = score->number;
    }
    return wk_text_unigram_ready(reader->op, tokenizer);
}

bool wk_text_read_model(const wk_text_reader *reader, const wk_json_value *model)
{
    if (!model || model->kind != WK_JSON_OBJECT)
        return wk_text_wrong(reader, "model: expected an object\nhint: this is no tokenizer.json");
    const wk_json_value *type = wk_json_get(&reader->tree, model, "type");
    if (wk_text_is(type, "BPE") || (!type && wk_json_get(&reader->tree, model, "merges")))
        return read_bpe(reader, model);
    if (wk_text_is(type, "WordPiece") || (!type && wk_json_get(&reader->tree, model, "max_input_chars_per_word")))
        return read_wordpiece(reader, model);
    if (wk_text_is(type, "Unigram") || (!type && wk_json_get(&reader->tree, model, "unk_id")))
        return read_unigram(reader, model);
    if (wk_text_is(type, "WordLevel"))
        return read_word_level(reader, model);
    return wk_text_wrong(reader, "model.type: expected BPE, WordPiece, Unigram or WordLevel, got %s",
                         type && type->kind == WK_JSON_STRING ? wk_shown(type->string, (wk_shown_text){0}) : "none");
}
