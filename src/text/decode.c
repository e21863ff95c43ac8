/* Decoders: tokens back into text; each piece is the text of one token. */
#include "tokenizer.h"

#include <stdlib.h>

#include <wick/cast.h>
#include <wick/memory.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/tensor.h"

static bool put_piece(const char *op, wk_text_words *out, const char *text, size_t size)
{
    const size_t begin = out->text.used;
    return wk_text_put(op, &out->text, text, size) && wk_text_put_span(op, out, begin, out->text.used);
}

/* letters back into bytes; a token with another character stands for itself; all become one piece */
bool wk_text_decode_byte_level(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    wk_text_bytes bytes = {0};
    bool good = true;
    for (size_t i = 0; good && i < in->count; i++) {
        const size_t begin = bytes.used;
        bool letters = true;
        size_t length;
        for (size_t at = in->spans[i].begin; good && letters && at < in->spans[i].end; at += length) {
            const int byte = wk_text_byte_of_letter(wk_text_char(in->text.data + at, &length));
            letters = byte >= 0;
            good = !letters || wk_text_put(op, &bytes, &(char){(char)byte}, 1);
        }
        if (!letters) {
            bytes.used = begin;
            good = good &&
                   wk_text_put(op, &bytes, in->text.data + in->spans[i].begin, in->spans[i].end - in->spans[i].begin);
        }
    }
    good = good && wk_text_take(op, &out->text, bytes.data, bytes.used) && wk_text_put_span(op, out, 0, out->text.used);
    wk_free(bytes.data);
    return good;
}

/* what BERT's tokenizers undo of their own spaces */
static bool clean_up(const char *op, const char *text, size_t size, wk_text_bytes *out)
{
    static const char *const rules[][2] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                           {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                           {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    wk_text_bytes now = {0}, next = {0};
    bool good = wk_text_put(op, &now, text, size);
    for (size_t i = 0; good && i < sizeof rules / sizeof *rules; i++) {
        const wk_text_step rule = {.pattern = {(char *)rules[i][0], strlen(rules[i][0])},
                                   .content = {(char *)rules[i][1], strlen(rules[i][1])}};
        next.used = 0;
        good = wk_text_replace_all(op, &rule, now.data, now.used, &next);
        const wk_text_bytes swapped = now;
        now = next;
        next = swapped;
    }
    good = good && wk_text_put(op, out, now.data, now.used);
    wk_free(now.data);
    wk_free(next.data);
    return good;
}

bool wk_text_decode_wordpiece(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    wk_text_bytes token = {0};
    bool good = true;
    for (size_t i = 0; good && i < in->count; i++) {
        const char *text = in->text.data + in->spans[i].begin;
        size_t size = in->spans[i].end - in->spans[i].begin;
        token.used = 0;
        if (i > 0 && size >= step->content.size && memcmp(text, step->content.data, step->content.size) == 0) {
            text += step->content.size;
            size -= step->content.size;
        } else if (i > 0) {
            good = wk_text_put(op, &token, " ", 1);
        }
        const size_t begin = out->text.used;
        good = good && wk_text_put(op, &token, text, size) &&
               (step->cleanup ? clean_up(op, token.data, token.used, &out->text)
                              : wk_text_put(op, &out->text, token.data, token.used)) &&
               wk_text_put_span(op, out, begin, out->text.used);
    }
    wk_free(token.data);
    return good;
}

bool wk_text_decode_metaspace(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    for (size_t i = 0; i < in->count; i++) {
        const size_t begin = out->text.used;
        size_t length;
        for (size_t at = in->spans[i].begin; at < in->spans[i].end; at += length) {
            const char *text = in->text.data + at;
            wk_text_char(text, &length);
            const bool mark = length == step->content.size && memcmp(text, step->content.data, length) == 0;
            if (mark && i == 0 && step->prepend != WK_TEXT_NEVER)
                continue;
            if (!wk_text_put(op, &out->text, mark ? " " : text, mark ? 1 : length))
                return false;
        }
        if (!wk_text_put_span(op, out, begin, out->text.used))
            return false;
    }
    return true;
}

/* the suffix of a word's end becomes a space, but at the last */
bool wk_text_decode_bpe(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    for (size_t i = 0; i < in->count; i++) {
        const wk_text_step rule = {.pattern = step->content, .content = {" ", i + 1 < in->count ? 1 : 0}};
        const size_t begin = out->text.used;
        if (!wk_text_replace_all(op, &rule, in->text.data + in->spans[i].begin, in->spans[i].end - in->spans[i].begin,
                                 &out->text) ||
            !wk_text_put_span(op, out, begin, out->text.used))
            return false;
    }
    return true;
}

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static int byte_of_token(const char *text, size_t size) // "<0x0A>"; -1: it is none
{
    if (size != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
        return -1;
    const int high = hexadecimal(text[3]), low = hexadecimal(text[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* tokens of bytes in a row are a piece where they are UTF-8, else a U+FFFD for each */
bool wk_text_decode_byte_fallback(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    wk_text_bytes bytes = {0}, checked = {0};
    bool good = true;
    for (size_t i = 0; good && i <= in->count; i++) {
        const char *text = i < in->count ? in->text.data + in->spans[i].begin : "";
        const size_t size = i < in->count ? in->spans[i].end - in->spans[i].begin : 0;
        const int byte = byte_of_token(text, size);
        if (byte >= 0) {
            good = wk_text_put(op, &bytes, &(char){(char)byte}, 1);
            continue;
        }
        checked.used = 0;
        good = wk_text_take(op, &checked, bytes.data, bytes.used);
        if (good && bytes.used > 0 && checked.used == bytes.used && memcmp(checked.data, bytes.data, bytes.used) == 0)
            good = put_piece(op, out, bytes.data, bytes.used);
        else
            for (size_t k = 0; good && k < bytes.used; k++)
                good = put_piece(op, out, "\xEF\xBF\xBD", 3);
        bytes.used = 0;
        good = good && put_piece(op, out, text, size);
    }
    wk_free(bytes.data);
    wk_free(checked.data);
    return good;
}

bool wk_text_decode_fuse(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    for (size_t i = 0; i < in->count; i++)
        if (!wk_text_put(op, &out->text, in->text.data + in->spans[i].begin, in->spans[i].end - in->spans[i].begin))
            return false;
    return wk_text_put_span(op, out, 0, out->text.used);
}

/* of each piece up to start of step->content at its begin, and up to stop at its end */
bool wk_text_decode_strip(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    const wk_text_string *mark = &step->content;
    for (size_t i = 0; i < in->count; i++) {
        size_t begin = in->spans[i].begin, end = in->spans[i].end;
        for (int64_t k = 0; k < step->start && end - begin >= mark->size && mark->size > 0 &&
                            memcmp(in->text.data + begin, mark->data, mark->size) == 0;
             k++)
            begin += mark->size;
        for (int64_t k = 0; k < step->stop && end - begin >= mark->size && mark->size > 0 &&
                            memcmp(in->text.data + end - mark->size, mark->data, mark->size) == 0;
             k++)
            end -= mark->size;
        if (!put_piece(op, out, in->text.data + begin, end - begin))
            return false;
    }
    return true;
}

bool wk_text_decode_replace(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    for (size_t i = 0; i < in->count; i++) {
        const size_t begin = out->text.used;
        if (!wk_text_replace_all(op, step, in->text.data + in->spans[i].begin, in->spans[i].end - in->spans[i].begin,
                                 &out->text) ||
            !wk_text_put_span(op, out, begin, out->text.used))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- the whole */

static bool is_special(const wk_text_tokenizer *tokenizer, const wk_text_token *added, int64_t id)
{
    for (size_t i = 0; added && i < tokenizer->added_count; i++)
        if (tokenizer->added[i].id == id && tokenizer->added[i].special)
            return true;
    return false;
}

bool wk_text_decode_ids(const char *op, const wk_text_tokenizer *tokenizer, const int64_t *ids, size_t count, bool skip,
                        wk_text_words *words, wk_text_words *spare)
{
    wk_text_words_clear(words);
    for (size_t i = 0; i < count; i++) {
        const wk_text_token *added = wk_text_vocabulary_get(&tokenizer->added_tokens, ids[i]);
        const wk_text_token *token = added ? added : wk_text_vocabulary_get(&tokenizer->vocabulary, ids[i]);
        if (!token || (skip && is_special(tokenizer, added, ids[i])))
            continue;
        const wk_text_vocabulary *of = added ? &tokenizer->added_tokens : &tokenizer->vocabulary;
        if (!tokenizer->has_decoder && words->count > 0 && !wk_text_put(op, &words->text, " ", 1))
            return false;
        if (!put_piece(op, words, wk_text_of(of, token), token->size))
            return false;
    }
    if (!wk_text_steps_run(op, &tokenizer->decoders, words, spare))
        return false;
    if (tokenizer->decoders.count == 0) // tokens, and the spaces between them
        return true;
    wk_text_words_clear(spare);
    if (!wk_text_decode_fuse(op, NULL, words, spare))
        return false;
    const wk_text_words done = *spare;
    *spare = *words;
    *words = done;
    return true;
}

char *wk_text_decode_with(wk_text_decode_args args)
{
    const char *const op = "decode";
    WK_REQUIRE(op, args.ids);
    if (!args.tokenizer)
        return wk_fail(op, "tokenizer: is NULL");
    if (args.ids->ndim != 1 || args.ids->dtype != wk_int64)
        return wk_fail(op, "ids: expected int64 (P,), got %s %s", wk_dtype_name(args.ids->dtype),
                       wk_shape_string(args.ids));
    char *text = NULL;
    wk_text_words words = {0}, spare = {0};
    wk_scope
    {
        wk_tensor *ids = wk_contiguous(wk_on_host(op, args.ids));
        if (ids && wk_text_decode_ids(op, args.tokenizer, wk_host(op, ids), (size_t)ids->numel,
                                      args.skip_special_tokens, &words, &spare)) {
            text = malloc(words.text.used + 1);
            if (!text)
                wk_out_of_memory(op, words.text.used + 1);
        }
    }
    if (text) {
        if (words.text.used > 0)
            memcpy(text, words.text.data, words.text.used);
        text[words.text.used] = '\0';
    }
    wk_text_words_free(&words);
    wk_text_words_free(&spare);
    return text;
}
