/* Byte pair encoding: of a word's characters, the pair that was learned first (the lowest rank, the leftmost of equals)
   becomes one token, until no pair is left.  Short words look through all pairs each time; long ones keep them in a
   heap, so that a megabyte without a space takes n log n. */
#define _GNU_SOURCE // memmem
#include "tokenizer.h"

#include "core/alloc.h"

#define SHORT 64
#define LONGEST_SPLIT 1024 // bytes: splitting takes their square

struct wk_text_symbol {
    uint32_t id;
    int32_t previous, next; // next: -1 at the end; -2: merged into another
};
struct wk_text_heap {
    uint32_t rank, at, id;
};

/* ---------------------------------------------------------------- merges */

static inline uint64_t pair_of(uint32_t left, uint32_t right) { return (uint64_t)left << 32 | right; }

static inline const wk_text_merge *find_merge(const wk_text_model *model, uint64_t pair) // rank 0: none
{
    for (uint64_t slot = wk_text_mix(pair ^ model->key, model->key);; slot++) {
        const wk_text_merge *merge = &model->merges[slot & (model->merge_slots - 1)];
        if (!merge->rank || merge->pair == pair)
            return merge;
    }
}

static bool grow_merges(const char *op, wk_text_model *model)
{
    const size_t slots = model->merge_slots ? 2 * model->merge_slots : 256, old_slots = model->merge_slots;
    wk_text_merge *merges = wk_alloc_zeroed(slots * sizeof *merges), *old = model->merges;
    if (!merges)
        return wk_out_of_memory(op, slots * sizeof *merges);
    if (!model->key)
        model->key = wk_text_new_key();
    model->merges = merges;
    model->merge_slots = slots;
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].rank)
            *(wk_text_merge *)find_merge(model, old[i].pair) = old[i];
    wk_free(old);
    return true;
}

bool wk_text_merge_add(const char *op, wk_text_model *model, int64_t left, int64_t right, uint32_t rank, int64_t id)
{
    if (model->merge_count >= UINT32_MAX / 4)
        return wk_fail(op, "merges: more than %u", UINT32_MAX / 4);
    if (2 * (model->merge_count + 1) > model->merge_slots && !grow_merges(op, model))
        return false;
    const uint64_t pair = pair_of((uint32_t)left, (uint32_t)right);
    wk_text_merge *to = (wk_text_merge *)find_merge(model, pair);
    model->merge_count += to->rank == 0;
    *to = (wk_text_merge){pair, rank, (uint32_t)id};
    return true;
}

/* Where a file has tokens and no merges, any two tokens that are a third together merge, and rank as that one does. */
bool wk_text_merge_splits(const char *op, wk_text_tokenizer *tokenizer, const wk_text_token *token, uint32_t rank)
{
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    const char *text = wk_text_of(vocabulary, token);
    if (token->size > LONGEST_SPLIT)
        return wk_fail(op, "a token of %u bytes: expected at most %d", (unsigned)token->size, LONGEST_SPLIT);
    size_t length;
    for (size_t at = 0; at < token->size; at += length) {
        wk_text_char(text + at, &length);
        const wk_text_token *left = at > 0 ? wk_text_vocabulary_find(vocabulary, text, at) : NULL;
        const wk_text_token *right = left ? wk_text_vocabulary_find(vocabulary, text + at, token->size - at) : NULL;
        if (right && !wk_text_merge_add(op, &tokenizer->model, left->id, right->id, rank, token->id))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- short words */

static size_t merge_short(const wk_text_model *model, int64_t *ids, size_t count)
{
    const wk_text_merge *pairs[SHORT];
    for (size_t i = 0; i + 1 < count; i++)
        pairs[i] = find_merge(model, pair_of((uint32_t)ids[i], (uint32_t)ids[i + 1]));
    while (count > 1) {
        uint32_t least = UINT32_MAX; // of rank - 1: no merge is the last
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++)
            if (pairs[i]->rank - 1 < least) {
                least = pairs[i]->rank - 1;
                at = i;
            }
        if (least == UINT32_MAX)
            break;
        ids[at] = pairs[at]->id;
        count--;
        for (size_t i = at + 1; i < count; i++) {
            ids[i] = ids[i + 1];
            pairs[i - 1] = pairs[i];
        }
        if (at > 0)
            pairs[at - 1] = find_merge(model, pair_of((uint32_t)ids[at - 1], (uint32_t)ids[at]));
        if (at + 1 < count)
            pairs[at] = find_merge(model, pair_of((uint32_t)ids[at], (uint32_t)ids[at + 1]));
    }
    return count;
}

/* ---------------------------------------------------------------- long words */

static inline bool before(const struct wk_text_heap *a, const struct wk_text_heap *b)
{
    return a->rank < b->rank || (a->rank == b->rank && a->at < b->at);
}

static void heap_push(struct wk_text_heap *heap, size_t *count, struct wk_text_heap item)
{
    size_t at = (*count)++;
    for (; at > 0 && before(&item, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = item;
}

static struct wk_text_heap heap_pop(struct wk_text_heap *heap, size_t *count)
{
    const struct wk_text_heap top = heap[0], last = heap[--*count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < *count; at = child) {
        child += child + 1 < *count && before(&heap[child + 1], &heap[child]);
        if (!before(&heap[child], &last))
            break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return top;
}

static void push_pair(const wk_text_model *model, wk_text_scratch *scratch, size_t *waiting, int32_t left)
{
    const struct wk_text_symbol *symbols = scratch->symbols;
    if (left < 0 || symbols[left].next < 0)
        return;
    const wk_text_merge *merge = find_merge(model, pair_of(symbols[left].id, symbols[symbols[left].next].id));
    if (merge->rank)
        heap_push(scratch->heap, waiting, (struct wk_text_heap){merge->rank, (uint32_t)left, merge->id});
}

static bool merge_long(const char *op, const wk_text_model *model, wk_text_scratch *scratch, size_t from)
{
    int64_t *ids = scratch->ids.ids + from;
    const size_t count = scratch->ids.count - from;
    if (count > INT32_MAX / 4)
        return wk_fail(op, "text: a word of %zu characters is too long", count);
    if (count > scratch->symbol_room) {
        wk_free(scratch->symbols);
        wk_free(scratch->heap);
        scratch->symbol_room = count;
        scratch->symbols = wk_alloc(count * sizeof *scratch->symbols);
        scratch->heap = wk_alloc(3 * count * sizeof *scratch->heap); // each merge pushes two at most, and takes one
        if (!scratch->symbols || !scratch->heap) {
            scratch->symbol_room = 0;
            return wk_out_of_memory(op, 3 * count * sizeof *scratch->heap);
        }
    }
    struct wk_text_symbol *symbols = scratch->symbols;
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++)
        symbols[i] = (struct wk_text_symbol){(uint32_t)ids[i], (int32_t)i - 1, i + 1 < count ? (int32_t)i + 1 : -1};
    for (size_t i = 0; i + 1 < count; i++)
        push_pair(model, scratch, &waiting, (int32_t)i);
    while (waiting > 0) {
        const struct wk_text_heap top = heap_pop(scratch->heap, &waiting);
        struct wk_text_symbol *left = &symbols[top.at];
        if (left->next < 0) // merged into another, or the last one
            continue;
        struct wk_text_symbol *right = &symbols[left->next];
        const wk_text_merge *merge = find_merge(model, pair_of(left->id, right->id));
        if (merge->rank != top.rank) // another pair by now
            continue;
        left->id = merge->id;
        left->next = right->next;
        right->next = -2;
        if (left->next >= 0)
            symbols[left->next].previous = (int32_t)top.at;
        push_pair(model, scratch, &waiting, left->previous);
        push_pair(model, scratch, &waiting, (int32_t)top.at);
    }
    size_t kept = 0;
    for (int32_t at = 0; at >= 0; at = symbols[at].next)
        ids[kept++] = symbols[at].id;
    scratch->ids.count = from + kept;
    return true;
}

/* ---------------------------------------------------------------- characters */

/* the id of a character of the word with what comes before and behind it there; -1: none */
static int64_t id_of_character(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size,
                               bool first, bool last, wk_text_bytes *spelled)
{
    const wk_text_model *model = &tokenizer->model;
    size_t bytes;
    const uint32_t code = wk_text_char(text, &bytes);
    spelled->used = 0;
    const bool with_prefix = !first && model->prefix.size > 0, with_suffix = last && model->suffix.size > 0;
    if (!with_prefix && !with_suffix) {
        if (code < 0x180)
            return model->letter_ids[code];
        return wk_text_id_of(&tokenizer->vocabulary, text, size);
    }
    if ((with_prefix && !wk_text_put(op, spelled, model->prefix.data, model->prefix.size)) ||
        !wk_text_put(op, spelled, text, size) ||
        (with_suffix && !wk_text_put(op, spelled, model->suffix.data, model->suffix.size)))
        return -1;
    return wk_text_id_of(&tokenizer->vocabulary, spelled->data, spelled->used);
}

static bool put_bytes(const char *op, const wk_text_model *model, const char *text, size_t size, wk_text_ids *ids,
                      bool *done)
{
    for (size_t i = 0; i < size; i++)
        if (model->byte_ids[(unsigned char)text[i]] < 0)
            return true;
    for (size_t i = 0; i < size; i++)
        if (!wk_text_put_id(op, ids, model->byte_ids[(unsigned char)text[i]]))
            return false;
    *done = true;
    return true;
}

/* the characters' ids, behind what scratch->ids has */
static bool spell(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                  wk_text_scratch *scratch)
{
    const wk_text_model *model = &tokenizer->model;
    bool unknown = false; // one waits: those in a row become one where they are fused
    for (size_t at = 0, length; at < size; at += length) {
        wk_text_char(word + at, &length);
        wk_text_bytes *spelled = &scratch->bytes;
        const int64_t id = id_of_character(op, tokenizer, word + at, length, at == 0, at + length == size, spelled);
        if (id >= 0) {
            if ((unknown && !wk_text_put_id(op, &scratch->ids, model->unknown_id)) ||
                !wk_text_put_id(op, &scratch->ids, id))
                return false;
            unknown = false;
            continue;
        }
        bool done = false;
        const bool plain = spelled->used == 0;
        if (model->byte_fallback && !put_bytes(op, model, plain ? word + at : spelled->data,
                                               plain ? length : spelled->used, &scratch->ids, &done))
            return false;
        if (done)
            continue;
        if (model->strict)
            return wk_fail(op, "text: '%.*s', at byte %zu, is not in the vocabulary of %zu characters", (int)length,
                           word + at, at, tokenizer->vocabulary.count);
        if (model->unknown_missing)
            return wk_fail(op, "unk_token: %s is not in the vocabulary", model->unknown.data);
        if (unknown && !model->fuse_unknown && !wk_text_put_id(op, &scratch->ids, model->unknown_id))
            return false;
        unknown = model->unknown_id >= 0; // without one, what is unknown is left out
    }
    return !unknown || wk_text_put_id(op, &scratch->ids, model->unknown_id);
}

static bool merge_word(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                       wk_text_scratch *scratch)
{
    const size_t from = scratch->ids.count;
    if (!spell(op, tokenizer, word, size, scratch))
        return false;
    const size_t count = scratch->ids.count - from;
    if (tokenizer->model.merge_count == 0 || count < 2)
        return true;
    if (count > SHORT)
        return merge_long(op, &tokenizer->model, scratch, from);
    scratch->ids.count = from + merge_short(&tokenizer->model, scratch->ids.ids + from, count);
    return true;
}

static bool encode_word(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                        wk_text_scratch *scratch)
{
    const wk_text_token *token = wk_text_vocabulary_find(&tokenizer->vocabulary, word, size);
    if (token && token->whole)
        return wk_text_put_id(op, &scratch->ids, token->id);
    return merge_word(op, tokenizer, word, size, scratch);
}

#define MARK "\xE2\x96\x81" // U+2581, a space

/* no token goes from another character to a mark */
static bool marks_begin(const wk_text_vocabulary *vocabulary)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        const char *text = wk_text_of(vocabulary, &vocabulary->tokens[i]), *const end =
                                                                               text + vocabulary->tokens[i].size;
        while (end - text >= 3 && memcmp(text, MARK, 3) == 0)
            text += 3;
        if (memmem(text, (size_t)(end - text), MARK, 3))
            return false;
    }
    return wk_text_vocabulary_find(vocabulary, MARK, 3) != NULL;
}

bool wk_text_bpe(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                 wk_text_scratch *scratch)
{
    size_t begin = 0;
    for (size_t at = 3; tokenizer->model.marks_begin && at + 3 <= size; at++) // a text that nobody cut into words
        if (word[at] == MARK[0] && memcmp(word + at, MARK, 3) == 0 && memcmp(word + at - 3, MARK, 3) != 0) {
            if (!encode_word(op, tokenizer, word + begin, at - begin, scratch))
                return false;
            begin = at;
        }
    return encode_word(op, tokenizer, word + begin, size - begin, scratch);
}

void wk_text_byte_ids(wk_text_tokenizer *tokenizer)
{
    for (int byte = 0; byte < 256; byte++) {
        static const char digits[] = "0123456789ABCDEF";
        const char name[] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        tokenizer->model.byte_ids[byte] = wk_text_id_of(&tokenizer->vocabulary, name, sizeof name);
    }
}

/* Most words are tokens, and most tokens are what the merges make of their own text: found out here, such words need
   one look in encode. */
bool wk_text_bpe_ready(const char *op, wk_text_tokenizer *tokenizer)
{
    wk_text_model *model = &tokenizer->model;
    wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    for (uint32_t code = 0; code < 0x180; code++) {
        char text[4];
        model->letter_ids[code] = wk_text_id_of(vocabulary, text, (size_t)wk_text_encode_char(code, text));
    }
    wk_text_byte_ids(tokenizer);
    model->marks_begin = model->prefix.size == 0 && model->suffix.size == 0 && marks_begin(vocabulary);
    model->unknown_id = model->unknown.data ? wk_text_id_of(vocabulary, model->unknown.data, model->unknown.size) : -1;
    const bool strict = model->strict;
    model->strict = false; // here a character may be unknown
    wk_text_scratch scratch = {0};
    bool good = true;
    for (size_t i = 0; good && i < vocabulary->count; i++) {
        wk_text_token *token = &vocabulary->tokens[i];
        token->whole = model->ignore_merges && !model->marks_begin;
        if (token->whole || model->prefix.size > 0 || model->suffix.size > 0 || token->size == 0)
            continue;
        scratch.ids.count = 0;
        good = merge_word(op, tokenizer, wk_text_of(vocabulary, token), token->size, &scratch);
        token->whole = good && scratch.ids.count == 1 && scratch.ids.ids[0] == token->id;
    }
    model->strict = strict;
    model->unknown_missing = model->unknown.data && model->unknown_id < 0;
    wk_text_scratch_free(&scratch);
    return good;
}
