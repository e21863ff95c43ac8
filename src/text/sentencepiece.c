/* SentencePiece's .model: a protobuf message with the pieces, their scores and kinds, and how texts are normalized
   (sentencepiece_model.proto).  Only the fields that encoding needs are read; the others are passed over. */
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "charsmap.h"
#include "io/file.h"
#include "reader.h"

#define MARK "\xE2\x96\x81" // U+2581, a space

/* ---------------------------------------------------------------- protobuf */

typedef struct message {
    const unsigned char *at, *end;
    bool broken;
} message;

static uint64_t take_number(message *from)
{
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && from->at < from->end; shift += 7) {
        const unsigned char byte = *from->at++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return number;
    }
    from->broken = true;
    return 0;
}

typedef struct field {
    uint64_t name, number; // number: of kind 0 and 5
    int kind;              // 0: a number, 2: bytes, 5: a float's bits
    message bytes;
} field;

/* false at the end, and where the message is broken */
static bool take_field(message *from, field *to)
{
    if (from->broken || from->at == from->end)
        return false;
    const uint64_t tag = take_number(from);
    const size_t left = (size_t)(from->end - from->at);
    *to = (field){.name = tag >> 3, .kind = (int)(tag & 7)};
    uint64_t size = to->kind == 5 ? 4 : 8;
    switch (to->kind) {
    case 0:
        to->number = take_number(from);
        return !from->broken;
    case 2:
        size = take_number(from);
        break;
    case 1:
    case 5:
        break;
    default:
        from->broken = true;
    }
    if (from->broken || size > left || size > (size_t)(from->end - from->at)) {
        from->broken = true;
        return false;
    }
    to->bytes = (message){.at = from->at, .end = from->at + size};
    for (int i = 0; to->kind == 5 && i < 4; i++)
        to->number |= (uint64_t)from->at[i] << (8 * i);
    from->at += size;
    return true;
}

static float float_of(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

/* ---------------------------------------------------------------- the model */

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE }; // kinds of pieces
enum { UNIGRAM = 1, BPE };

typedef struct settings {
    uint64_t model;
    bool dummy_prefix, remove_extra, escape, byte_fallback;
    message charsmap;
} settings;

typedef struct reader {
    const char *op;
    wk_text_tokenizer *tokenizer;
    settings settings;
    unsigned char *kinds; // of each piece
    size_t room;
} reader;

static bool read_piece(reader *to, message from)
{
    const char *const op = to->op;
    message text = {0};
    float score = 0;
    uint64_t kind = NORMAL;
    wk_text_tokenizer *tokenizer = to->tokenizer;
    const size_t id = tokenizer->vocabulary.count;
    for (field one; take_field(&from, &one);) {
        if (one.name == 1 && one.kind == 2)
            text = one.bytes;
        else if (one.name == 2 && one.kind == 5)
            score = float_of(one.number);
        else if (one.name == 3 && one.kind == 0)
            kind = one.number;
    }
    const size_t size = (size_t)(text.end - text.at);
    if (from.broken || size == 0 || kind < NORMAL || kind > BYTE || !(score > -1e30f && score < 1e30f))
        return wk_fail(op, "piece %zu is broken", id);
    for (size_t at = 0; at < size;) {
        const int length = wk_utf8_length(text.at + at, size - at);
        if (length == 0)
            return wk_fail(op, "piece %zu is not UTF-8", id);
        at += (size_t)length;
    }
    if (id == to->room) {
        const size_t room = 2 * to->room + 256;
        unsigned char *kinds = wk_realloc(to->kinds, room);
        double *scores = kinds ? wk_realloc(tokenizer->model.scores, room * sizeof *scores) : NULL;
        to->kinds = kinds ? kinds : to->kinds;
        tokenizer->model.scores = scores ? scores : tokenizer->model.scores;
        if (!scores)
            return wk_out_of_memory(op, room * sizeof *scores);
        to->room = room;
    }
    to->kinds[id] = (unsigned char)kind;
    tokenizer->model.scores[id] = score;
    return wk_text_vocabulary_add(op, &tokenizer->vocabulary, (const char *)text.at, size, (int64_t)id);
}

static void read_settings(settings *to, message from, bool trainer)
{
    for (field one; take_field(&from, &one);) {
        const bool yes = one.number != 0;
        if (trainer && one.name == 3 && one.kind == 0)
            to->model = one.number;
        else if (trainer && one.name == 35 && one.kind == 0)
            to->byte_fallback = yes;
        else if (!trainer && one.name == 2 && one.kind == 2)
            to->charsmap = one.bytes;
        else if (!trainer && one.name == 3 && one.kind == 0)
            to->dummy_prefix = yes;
        else if (!trainer && one.name == 4 && one.kind == 0)
            to->remove_extra = yes;
        else if (!trainer && one.name == 5 && one.kind == 0)
            to->escape = yes;
    }
}

static bool read_message(reader *to, message from)
{
    for (field one; take_field(&from, &one);) {
        if (one.name == 1 && one.kind == 2 && !read_piece(to, one.bytes))
            return false;
        if ((one.name == 2 || one.name == 3) && one.kind == 2)
            read_settings(&to->settings, one.bytes, one.name == 2);
    }
    return (!from.broken && to->tokenizer->vocabulary.count > 0) ||
           wk_fail(to->op, "path: is no model of SentencePiece, or is cut off");
}

/* ---------------------------------------------------------------- what becomes of it */

/* spaces become marks; one stands before the text (prefix_space), those in a row become one (clean), those at the ends
   go */
bool wk_text_sentencepiece_spaces(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    const char *text = in->text.data;
    size_t size = in->text.used, at = 0;
    while (step->clean && in->last && size > 0 && text[size - 1] == ' ')
        size--;
    while (step->clean && in->first && at < size && text[at] == ' ')
        at++;
    const wk_text_string mark = step->split ? (wk_text_string){MARK, 3} : (wk_text_string){" ", 1};
    if (at < size && step->prefix_space && in->first && !wk_text_put(op, &out->text, mark.data, mark.size))
        return false;
    while (at < size) {
        const char *space = memchr(text + at, ' ', size - at);
        const size_t end = space ? (size_t)(space - text) : size;
        if (!wk_text_put(op, &out->text, text + at, end - at) ||
            (space && !wk_text_put(op, &out->text, mark.data, mark.size)))
            return false;
        at = end + 1;
        while (step->clean && space && at < size && text[at] == ' ')
            at++;
    }
    return true;
}

static bool add_normalizers(const reader *from)
{
    wk_text_steps *steps = &from->tokenizer->normalizers;
    const message map = from->settings.charsmap;
    if (map.end > map.at) {
        wk_text_step *step = wk_text_step_add(from->op, steps, wk_text_precompiled);
        if (!step || !(step->charsmap = wk_text_charsmap_new(from->op, map.at, (size_t)(map.end - map.at))))
            return false;
        step->charsmap->whole = true;
    }
    wk_text_step *step = wk_text_step_add(from->op, steps, wk_text_sentencepiece_spaces);
    if (step) {
        step->prefix_space = from->settings.dummy_prefix;
        step->clean = from->settings.remove_extra;
        step->split = from->settings.escape;
    }
    return step != NULL;
}

static bool add_decoders(const reader *from)
{
    wk_text_steps *steps = &from->tokenizer->decoders;
    wk_text_step *replace = wk_text_step_add(from->op, steps, wk_text_decode_replace);
    if (!replace || !wk_text_string_set(from->op, &replace->pattern, MARK, 3) ||
        !wk_text_string_set(from->op, &replace->content, " ", 1) ||
        !wk_text_step_add(from->op, steps, wk_text_decode_byte_fallback) ||
        !wk_text_step_add(from->op, steps, wk_text_decode_fuse))
        return false;
    if (!from->settings.dummy_prefix)
        return true;
    wk_text_step *strip = wk_text_step_add(from->op, steps, wk_text_decode_strip);
    if (strip)
        strip->start = 1;
    return strip && wk_text_string_set(from->op, &strip->content, " ", 1);
}

/* control pieces are no text, and what the user defined is never cut */
static bool add_pieces(reader *from)
{
    wk_text_tokenizer *tokenizer = from->tokenizer;
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    for (size_t i = 0; i < vocabulary->count; i++) {
        const wk_text_token *token = &vocabulary->tokens[i];
        const unsigned char kind = from->kinds[i];
        wk_text_added added = {.content = {(char *)wk_text_of(vocabulary, token), token->size},
                               .id = token->id,
                               .special = kind == CONTROL,
                               .hidden = kind != USER_DEFINED};
        if (kind == UNKNOWN) {
            tokenizer->model.unknown_id = token->id;
            added.content = (wk_text_string){" \xE2\x81\x87 ", 5}; // how it is decoded
        }
        if ((kind == UNKNOWN || kind == CONTROL || kind == USER_DEFINED) &&
            !wk_text_added_add(from->op, tokenizer, &added))
            return false;
    }
    return wk_text_added_ready(from->op, tokenizer);
}

static bool ready_unigram(const reader *from)
{
    wk_text_tokenizer *tokenizer = from->tokenizer;
    wk_text_model *model = &tokenizer->model;
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    double least = 0;
    bool first = true, good = true;
    model->tokenize = wk_text_unigram;
    model->single = true;
    for (size_t i = 0; good && i < vocabulary->count; i++) {
        if (from->kinds[i] != NORMAL)
            continue;
        least = first || model->scores[i] < least ? model->scores[i] : least;
        first = false;
        good = wk_text_trie_add(from->op, &model->trie, wk_text_of(vocabulary, &vocabulary->tokens[i]),
                                vocabulary->tokens[i].size, (int32_t)i);
    }
    model->unknown_score = (float)least - 10.0f;
    wk_text_byte_ids(tokenizer);
    return good;
}

typedef struct scored {
    double score;
    uint32_t index;
} scored;

static int compare_scored(const void *a, const void *b) // the greatest first, of equals the first
{
    const scored *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : x->index < y->index ? -1 : 1;
}

static bool ready_bpe(const reader *from)
{
    wk_text_tokenizer *tokenizer = from->tokenizer;
    wk_text_model *model = &tokenizer->model;
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    model->tokenize = wk_text_bpe;
    model->fuse_unknown = true;
    scored *order = wk_alloc((vocabulary->count + 1) * sizeof *order);
    if (!order)
        return wk_out_of_memory(from->op, (vocabulary->count + 1) * sizeof *order);
    size_t count = 0;
    for (size_t i = 0; i < vocabulary->count; i++)
        if (from->kinds[i] == NORMAL)
            order[count++] = (scored){model->scores[i], (uint32_t)i};
    qsort(order, count, sizeof *order, compare_scored);
    bool good = true;
    uint32_t rank = 0;
    for (size_t i = 0; good && i < count; i++) {
        rank += i == 0 || order[i].score != order[i - 1].score;
        good = wk_text_merge_splits(from->op, tokenizer, &vocabulary->tokens[order[i].index], rank);
    }
    wk_free(order);
    const int64_t unknown = model->unknown_id;
    good = good && wk_text_bpe_ready(from->op, tokenizer);
    model->unknown_id = unknown;
    return good;
}

wk_text_tokenizer *wk_text_sentencepiece_processor(const char *path)
{
    const char *const op = "sentencepiece_processor";
    if (!path)
        return wk_fail(op, "path: is NULL");
    wk_file_map *map = wk_file_map_open(op, path);
    static const unsigned char nothing[1];
    const unsigned char *bytes = map && map->size > 0 ? map->bytes : nothing;
    reader from = {.op = op, .settings = {UNIGRAM, .dummy_prefix = true, .remove_extra = true, .escape = true}};
    from.tokenizer = map ? wk_text_tokenizer_new(op) : NULL;
    bool good = from.tokenizer && read_message(&from, (message){.at = bytes, .end = bytes + map->size}) &&
                (from.settings.model == UNIGRAM || from.settings.model == BPE ||
                 wk_fail(op, "path: expected a model of unigram or bpe, got kind %llu",
                         (unsigned long long)from.settings.model));
    if (good) {
        from.tokenizer->has_decoder = true;
        from.tokenizer->model.byte_fallback = from.settings.byte_fallback;
        good = add_normalizers(&from) && add_decoders(&from) && add_pieces(&from) &&
               (from.settings.model == BPE ? ready_bpe(&from) : ready_unigram(&from));
    }
    wk_free(from.kinds);
    if (map)
        wk_file_map_release(map);
    return wk_text_done(from.tokenizer, good);
}
