/* Tokenizers: made and freed, added tokens, templates, what is asked of the vocabulary, truncation and padding. */
#include "tokenizer.h"

#include "core/alloc.h"
#include "core/text.h"

wk_text_tokenizer *wk_text_tokenizer_new(const char *op)
{
    wk_text_tokenizer *tokenizer = wk_alloc_zeroed(sizeof *tokenizer);
    if (!tokenizer)
        return wk_out_of_memory(op, sizeof *tokenizer);
    tokenizer->model.unknown_id = -1;
    return tokenizer;
}

void wk_text_tokenizer_free(wk_text_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    wk_text_model *model = &tokenizer->model;
    wk_text_vocabulary_free(&tokenizer->vocabulary);
    wk_text_vocabulary_free(&tokenizer->added_tokens);
    wk_text_steps_free(&tokenizer->normalizers);
    wk_text_steps_free(&tokenizer->pre_tokenizers);
    wk_text_steps_free(&tokenizer->decoders);
    for (size_t i = 0; i < tokenizer->added_count; i++)
        wk_free(tokenizer->added[i].content.data);
    wk_free(tokenizer->added);
    wk_text_trie_free(&tokenizer->raw);
    wk_text_trie_free(&tokenizer->normalized);
    wk_free(tokenizer->alone.pieces);
    wk_free(tokenizer->paired.pieces);
    wk_free(model->unknown.data);
    wk_free(model->prefix.data);
    wk_free(model->suffix.data);
    wk_free(model->merges);
    wk_free(model->scores);
    wk_text_trie_free(&model->trie);
    wk_free(tokenizer);
}

/* ---------------------------------------------------------------- added tokens */

bool wk_text_added_add(const char *op, wk_text_tokenizer *tokenizer, const wk_text_added *token)
{
    if (tokenizer->added_count == tokenizer->added_room) {
        wk_text_added *added = wk_text_grown(op, tokenizer->added, &tokenizer->added_room, sizeof *added, 0);
        if (!added)
            return false;
        tokenizer->added = added;
    }
    wk_text_added *to = &tokenizer->added[tokenizer->added_count];
    *to = *token;
    to->content = (wk_text_string){0};
    if (!wk_text_string_set(op, &to->content, token->content.data, token->content.size))
        return false;
    tokenizer->added_count++;
    return wk_text_vocabulary_add(op, &tokenizer->added_tokens, token->content.data, token->content.size, token->id);
}

bool wk_text_added_ready(const char *op, wk_text_tokenizer *tokenizer)
{
    wk_text_words words = {0}, spare = {0};
    bool good = true;
    for (size_t i = 0; good && i < tokenizer->added_count; i++) {
        wk_text_added *token = &tokenizer->added[i];
        wk_text_words_clear(&words);
        if (token->hidden)
            continue;
        good =
            wk_text_put(op, &words.text, token->content.data, token->content.size) &&
            (!token->normalized || wk_text_steps_run(op, &tokenizer->normalizers, &words, &spare)) &&
            (words.text.used == 0 || wk_text_trie_add(op, token->normalized ? &tokenizer->normalized : &tokenizer->raw,
                                                      words.text.data, words.text.used, (int32_t)i));
    }
    wk_text_words_free(&words);
    wk_text_words_free(&spare);
    return good;
}

/* ---------------------------------------------------------------- templates */

bool wk_text_template_add(const char *op, wk_text_template *to, int sequence, int64_t id, int64_t type_id)
{
    wk_text_template_piece *pieces = wk_realloc(to->pieces, (to->count + 1) * sizeof *pieces);
    if (!pieces)
        return wk_out_of_memory(op, (to->count + 1) * sizeof *pieces);
    to->pieces = pieces;
    to->pieces[to->count++] = (wk_text_template_piece){sequence, id, type_id};
    return true;
}

/* ---------------------------------------------------------------- the vocabulary */

int64_t wk_text_vocab_size(const wk_text_tokenizer *tokenizer)
{
    if (!tokenizer)
        return wk_fail("vocab_size", "tokenizer: is NULL"), -1;
    int64_t size = (int64_t)tokenizer->vocabulary.count;
    for (size_t i = 0; i < tokenizer->added_count; i++) {
        const wk_text_string *content = &tokenizer->added[i].content;
        size += !tokenizer->added[i].hidden &&
                !wk_text_vocabulary_find(&tokenizer->vocabulary, content->data, content->size);
    }
    return size;
}

int64_t wk_text_token_to_id(const wk_text_tokenizer *tokenizer, const char *token)
{
    if (!tokenizer || !token)
        return wk_fail("token_to_id", "%s: is NULL", tokenizer ? "token" : "tokenizer"), -1;
    const int64_t id = wk_text_id_of(&tokenizer->added_tokens, token, strlen(token));
    return id >= 0 ? id : wk_text_id_of(&tokenizer->vocabulary, token, strlen(token));
}

const char *wk_text_id_to_token(const wk_text_tokenizer *tokenizer, int64_t id)
{
    if (!tokenizer)
        return wk_fail("id_to_token", "tokenizer: is NULL");
    const wk_text_vocabulary *of = &tokenizer->vocabulary;
    const wk_text_token *token = wk_text_vocabulary_get(of, id);
    if (!token)
        token = wk_text_vocabulary_get(of = &tokenizer->added_tokens, id);
    return token ? wk_text_of(of, token) : NULL;
}

/* ---------------------------------------------------------------- truncation and padding */

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

bool wk_text_enable_truncation_with(wk_text_tokenizer *tokenizer, wk_text_truncation truncation)
{
    const char *const op = "enable_truncation";
    if (!tokenizer)
        return wk_fail(op, "tokenizer: is NULL");
    const char *const strategy = truncation.strategy ? truncation.strategy : "longest_first";
    const char *const direction = truncation.direction ? truncation.direction : "right";
    if (truncation.max_length < 0)
        return wk_fail(op, "max_length: expected 0 or more, got %lld", (long long)truncation.max_length);
    if (!is_one_of(strategy, "longest_first", "only_first", "only_second"))
        return wk_fail(op, "strategy: expected longest_first, only_first or only_second, got %s",
                       wk_shown(strategy, (wk_shown_text){0}));
    if (!is_one_of(direction, "right", "left", "left"))
        return wk_fail(op, "direction: expected right or left, got %s", wk_shown(direction, (wk_shown_text){0}));
    tokenizer->truncation = (wk_text_limit){.max_length = truncation.max_length,
                                            .enabled = true,
                                            .only = strcmp(strategy, "only_first") == 0    ? 1
                                                    : strcmp(strategy, "only_second") == 0 ? 2
                                                                                           : 0,
                                            .left = strcmp(direction, "left") == 0};
    return true;
}

void wk_text_no_truncation(wk_text_tokenizer *tokenizer)
{
    if (tokenizer)
        tokenizer->truncation.enabled = false;
}

bool wk_text_enable_padding_with(wk_text_padding_args args)
{
    const char *const op = "enable_padding";
    if (!args.tokenizer)
        return wk_fail(op, "tokenizer: is NULL");
    const char *const direction = args.direction ? args.direction : "right";
    if (args.length < 0 || args.pad_to_multiple_of < 0)
        return wk_fail(op, "length, pad_to_multiple_of: expected 0 or more, got %lld, %lld", (long long)args.length,
                       (long long)args.pad_to_multiple_of);
    if (!is_one_of(direction, "right", "left", "left"))
        return wk_fail(op, "direction: expected right or left, got %s", wk_shown(direction, (wk_shown_text){0}));
    args.tokenizer->padding = (wk_text_pad){.enabled = true,
                                            .length = args.length,
                                            .multiple = args.pad_to_multiple_of,
                                            .id = args.pad_id,
                                            .type_id = args.pad_type_id,
                                            .left = strcmp(direction, "left") == 0};
    return true;
}

void wk_text_no_padding(wk_text_tokenizer *tokenizer)
{
    if (tokenizer)
        tokenizer->padding.enabled = false;
}
