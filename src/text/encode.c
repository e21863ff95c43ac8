/* Text into ids: added tokens are found, what is between them is normalized, cut into words and given to the model;
   then the result is cut to length, put into the template, and padded. */
#include "tokenizer.h"

#include "core/alloc.h"
#include "core/host.h"
#include "core/tensor.h"

void wk_text_scratch_free(wk_text_scratch *scratch)
{
    wk_text_words_free(&scratch->words);
    wk_text_words_free(&scratch->spare);
    wk_free(scratch->ids.ids);
    wk_free(scratch->symbols);
    wk_free(scratch->heap);
    wk_free(scratch->nodes);
    wk_free(scratch->bytes.data);
    wk_free(scratch->taken.data);
    wk_free(scratch->normal.data);
    *scratch = (wk_text_scratch){0};
}

/* ---------------------------------------------------------------- added tokens */

static bool is_word(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
               code == '_';
    return wk_text_is_word(code);
}

static size_t before(const char *text, size_t at) // the begin of the character that ends at `at`
{
    do
        at--;
    while (((unsigned char)text[at] & 0xC0) == 0x80);
    return at;
}

/* the token that begins at text + at, the longest; NULL: none */
static const wk_text_added *token_at(const wk_text_tokenizer *tokenizer, const wk_text_trie *trie, const char *text,
                                     size_t size, size_t at, size_t *end)
{
    int32_t found = -1;
    uint32_t node = WK_TEXT_ROOT;
    *end = at;
    for (size_t to = at; to < size && (node = wk_text_trie_step(trie, node, (unsigned char)text[to]));) {
        to++;
        if (trie->values[node] >= 0) {
            found = trie->values[node];
            *end = to;
        }
    }
    return found < 0 ? NULL : &tokenizer->added[found];
}

/* the next added token at or behind `from`, with the blanks that it takes; done: up to there all is taken already */
static const wk_text_added *find_token(const wk_text_tokenizer *tokenizer, const wk_text_trie *trie, const char *text,
                                       size_t size, size_t *from, size_t done, wk_text_span *span)
{
    size_t length, end = 0;
    for (size_t at = *from; trie->count > 0 && at < size; at++) {
        const wk_text_added *token =
            trie->first[(unsigned char)text[at]] ? token_at(tokenizer, trie, text, size, at, &end) : NULL;
        if (!token)
            continue;
        const size_t begin = at;
        at = end - 1; // what was matched is not looked at again, even where it does not count
        if (token->single_word && ((begin > 0 && is_word(wk_text_char(text + before(text, begin), &length))) ||
                                   (end < size && is_word(wk_text_char(text + end, &length)))))
            continue;
        *from = end;
        *span = (wk_text_span){begin, end};
        while (token->lstrip && span->begin > done &&
               wk_text_is_space(wk_text_char(text + before(text, span->begin), &length)))
            span->begin = before(text, span->begin);
        while (token->rstrip && span->end < size && wk_text_is_space(wk_text_char(text + span->end, &length)))
            span->end += length;
        return token;
    }
    return NULL;
}

/* ---------------------------------------------------------------- text without template */

/* what is between added tokens, normalized */
static bool encode_words(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size, bool first,
                         wk_text_scratch *scratch)
{
    wk_text_words *words = &scratch->words;
    wk_text_words_clear(words);
    words->first = first;
    if (size == 0)
        return true;
    if (!wk_text_put(op, &words->text, text, size) || !wk_text_put_span(op, words, 0, size) ||
        !wk_text_steps_run(op, &tokenizer->pre_tokenizers, words, &scratch->spare))
        return false;
    for (size_t i = 0; i < words->count; i++)
        if (!tokenizer->model.tokenize(op, tokenizer, words->text.data + words->spans[i].begin,
                                       words->spans[i].end - words->spans[i].begin, scratch))
            return false;
    return true;
}

/* text between the added tokens that stand in it before it is normalized */
static bool encode_part(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size, bool first,
                        bool last, wk_text_scratch *scratch)
{
    if (size == 0)
        return true;
    wk_text_words *words = &scratch->words;
    wk_text_words_clear(words);
    words->first = first;
    words->last = last;
    if (!wk_text_put(op, &words->text, text, size) ||
        !wk_text_steps_run(op, &tokenizer->normalizers, words, &scratch->spare))
        return false;
    const wk_text_bytes normal = words->text; // words is used again
    words->text = scratch->normal;
    scratch->normal = normal;
    size_t from = 0, done = 0;
    wk_text_span span;
    for (const wk_text_added *token;
         (token = find_token(tokenizer, &tokenizer->normalized, normal.data, normal.used, &from, done, &span));) {
        if (done < span.begin &&
            !encode_words(op, tokenizer, normal.data + done, span.begin - done, first && done == 0, scratch))
            return false;
        if (!wk_text_put_id(op, &scratch->ids, token->id))
            return false;
        done = span.end;
    }
    return done >= normal.used ||
           encode_words(op, tokenizer, normal.data + done, normal.used - done, first && done == 0, scratch);
}

bool wk_text_encode_plain(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size,
                          wk_text_scratch *scratch)
{
    wk_text_bytes *taken = &scratch->taken;
    taken->used = 0;
    if (!wk_text_take(op, taken, text, size))
        return false;
    size_t from = 0, done = 0;
    wk_text_span span;
    for (const wk_text_added *token;
         (token = find_token(tokenizer, &tokenizer->raw, taken->data, taken->used, &from, done, &span));) {
        if (done < span.begin &&
            !encode_part(op, tokenizer, taken->data + done, span.begin - done, done == 0, false, scratch))
            return false;
        if (!wk_text_put_id(op, &scratch->ids, token->id))
            return false;
        done = span.end;
    }
    return done >= taken->used ||
           encode_part(op, tokenizer, taken->data + done, taken->used - done, done == 0, true, scratch);
}

/* ---------------------------------------------------------------- truncation and template */

static int64_t special_count(const wk_text_template *of)
{
    int64_t count = 0;
    for (size_t i = 0; i < of->count; i++)
        count += of->pieces[i].sequence == 0;
    return count;
}

/* how many ids of a text and its pair are kept; n[1] 0 without a pair */
static bool truncate(const char *op, const wk_text_limit *limit, int64_t specials, bool paired, int64_t n[2])
{
    const int64_t most = limit->max_length > specials ? limit->max_length - specials : 0;
    if (!limit->enabled || n[0] + n[1] <= most)
        return true;
    if (limit->only != 0) {
        const int which = limit->only - 1;
        const int64_t rest = most - n[1 - which];
        if (which == 1 && !paired)
            return wk_fail(op, "truncation: only_second, and there is no pair");
        if (rest < 0 || n[which] <= 0)
            return wk_fail(op, "truncation: the text that is not cut has more than %lld tokens", (long long)most);
        n[which] = rest;
        return true;
    }
    if (!paired) {
        n[0] = most;
        return true;
    }
    const int shorter = n[0] > n[1];
    int64_t low = n[shorter], high = low > most ? low : most - low > low ? most - low : low;
    if (low + high > most) {
        low = most / 2;
        high = low + most % 2;
    }
    n[shorter] = low;
    n[1 - shorter] = high;
    return true;
}

typedef struct encoding { // of all texts, one behind another
    wk_text_ids ids, types;
} encoding;

static bool put_sequence(const char *op, encoding *to, const wk_text_scratch *scratch, size_t begin, size_t count,
                         int64_t type_id)
{
    for (size_t i = 0; i < count; i++)
        if (!wk_text_put_id(op, &to->ids, scratch->ids.ids[begin + i]) || !wk_text_put_id(op, &to->types, type_id))
            return false;
    return true;
}

static bool encode_one(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size,
                       const char *pair, bool special, wk_text_scratch *scratch, encoding *to)
{
    scratch->ids.count = 0;
    if (!to->ids.ids && (!wk_text_grow_ids(op, &to->ids) || !wk_text_grow_ids(op, &to->types)))
        return false;
    if (!wk_text_encode_plain(op, tokenizer, text, size, scratch))
        return false;
    const size_t first = scratch->ids.count;
    if (pair && !wk_text_encode_plain(op, tokenizer, pair, strlen(pair), scratch))
        return false;
    const wk_text_template *template = pair ? &tokenizer->paired : &tokenizer->alone;
    const bool templated = template->count > 0;
    const int64_t whole[2] = {(int64_t)first, (int64_t)(scratch->ids.count - first)};
    int64_t n[2] = {whole[0], whole[1]};
    if (!truncate(op, &tokenizer->truncation, special ? special_count(template) : 0, pair != NULL, n))
        return false;
    const bool left = tokenizer->truncation.left;
    const size_t begin[2] = {left ? (size_t)(whole[0] - n[0]) : 0, first + (left ? (size_t)(whole[1] - n[1]) : 0)};
    for (size_t i = 0; templated && i < template->count; i++) {
        const wk_text_template_piece *piece = &template->pieces[i];
        if (piece->sequence == 0 && special &&
            !(wk_text_put_id(op, &to->ids, piece->id) && wk_text_put_id(op, &to->types, piece->type_id)))
            return false;
        if (piece->sequence > 0 &&
            !put_sequence(op, to, scratch, begin[piece->sequence - 1], (size_t)n[piece->sequence - 1], piece->type_id))
            return false;
    }
    return templated || (put_sequence(op, to, scratch, begin[0], (size_t)n[0], 0) &&
                         put_sequence(op, to, scratch, begin[1], (size_t)n[1], 1));
}

/* ---------------------------------------------------------------- tensors */

static void encoding_free(encoding *of)
{
    wk_free(of->ids.ids);
    wk_free(of->types.ids);
}

static int64_t padded_length(const wk_text_pad *pad, int64_t longest)
{
    int64_t length = pad->enabled && pad->length > longest ? pad->length : longest;
    if (pad->enabled && pad->multiple > 0 && length % pad->multiple != 0)
        length += pad->multiple - length % pad->multiple;
    return length;
}

/* row of `to`: from's ids, and the pad's before or behind them */
static void put_row(int64_t *to, const int64_t *from, int64_t count, int64_t length, bool left, int64_t pad)
{
    const int64_t begin = left ? length - count : 0;
    for (int64_t i = 0; i < length; i++)
        to[i] = i >= begin && i < begin + count ? from[i - begin] : pad;
}

wk_tensor *wk_text_encode_with(wk_text_encode_args args)
{
    const char *const op = "encode";
    if (!args.tokenizer || !args.text)
        return wk_fail(op, "%s: is NULL", args.tokenizer ? "text" : "tokenizer");
    if (args.size < 0)
        return wk_fail(op, "size: expected 0 or more, got %lld", (long long)args.size);
    wk_text_scratch scratch = {0};
    encoding all = {0};
    const size_t size = args.size ? (size_t)args.size : strlen(args.text);
    const wk_text_pad *pad = &args.tokenizer->padding;
    wk_tensor *ids = NULL;
    if (encode_one(op, args.tokenizer, args.text, size, args.pair, args.add_special_tokens, &scratch, &all)) {
        const int64_t count = (int64_t)all.ids.count, length = padded_length(pad, count);
        ids = wk_tensor_new(op, 1, &length, wk_int64, wk_cpu);
        if (ids)
            put_row(wk_host(op, ids), all.ids.ids, count, length, pad->left, pad->id);
    }
    wk_text_scratch_free(&scratch);
    encoding_free(&all);
    return ids;
}

static wk_text_batch make_batch(const char *op, const wk_text_pad *pad, const encoding *all, const size_t *ends,
                                int64_t n)
{
    wk_text_batch batch = {0};
    int64_t longest = 0;
    for (int64_t i = 0; i < n; i++)
        longest = (int64_t)(ends[i + 1] - ends[i]) > longest ? (int64_t)(ends[i + 1] - ends[i]) : longest;
    const int64_t shape[] = {n, padded_length(pad, longest)};
    wk_tensor *ids = wk_tensor_new(op, 2, shape, wk_int64, wk_cpu), *mask = NULL, *types = NULL;
    if (!ids || !(mask = wk_tensor_new(op, 2, shape, wk_int64, wk_cpu)) ||
        !(types = wk_tensor_new(op, 2, shape, wk_int64, wk_cpu)))
        return batch;
    for (int64_t i = 0; i < n; i++) {
        const int64_t count = (int64_t)(ends[i + 1] - ends[i]), at = i * shape[1];
        int64_t *mask_row = (int64_t *)wk_host(op, mask) + at;
        put_row((int64_t *)wk_host(op, ids) + at, all->ids.ids + ends[i], count, shape[1], pad->left, pad->id);
        put_row((int64_t *)wk_host(op, types) + at, all->types.ids + ends[i], count, shape[1], pad->left, pad->type_id);
        for (int64_t k = 0; k < shape[1]; k++)
            mask_row[k] = pad->left ? k >= shape[1] - count : k < count;
    }
    return (wk_text_batch){ids, mask, types};
}

wk_text_batch wk_text_encode_batch_with(wk_text_encode_batch_args args)
{
    const char *const op = "encode_batch";
    wk_text_batch batch = {0};
    const int64_t n = args.texts.count;
    if (!args.tokenizer || n < 0 || (n > 0 && !args.texts.items)) {
        wk_fail(op, "%s: is NULL", args.tokenizer ? "texts" : "tokenizer");
        return batch;
    }
    wk_text_scratch scratch = {0};
    encoding all = {0};
    size_t *ends = wk_alloc_zeroed((size_t)(n + 1) * sizeof *ends);
    bool good = ends || wk_out_of_memory(op, (size_t)(n + 1) * sizeof *ends);
    for (int64_t i = 0; good && i < n; i++) {
        const char *text = args.texts.items[i];
        good = text || wk_fail(op, "texts: %lld is NULL", (long long)i);
        good = good && encode_one(op, args.tokenizer, text, strlen(text), args.pairs ? args.pairs[i] : NULL,
                                  args.add_special_tokens, &scratch, &all);
        ends[i + 1] = all.ids.count;
    }
    if (good)
        batch = make_batch(op, &args.tokenizer->padding, &all, ends, n);
    wk_free(ends);
    wk_text_scratch_free(&scratch);
    encoding_free(&all);
    return batch;
}
