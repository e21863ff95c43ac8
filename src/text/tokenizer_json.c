/* Hugging Face's tokenizer.json: its sections, added tokens, templates. */
#include <stdarg.h>
#include <stdio.h>

#include <math.h>

#include "core/alloc.h"
#include "io/file.h"
#include "reader.h"

bool wk_text_wrong(const wk_text_reader *reader, const char *format, ...)
{
    char message[400];
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(message, sizeof message, format, values);
    va_end(values);
    if (length >= (int)sizeof message)
        wk_text_end(message, sizeof message);
    return wk_fail(reader->op, "%s: %s", reader->path, message);
}

const wk_json_value *wk_text_read(const wk_text_reader *reader, const wk_json_value *object, const char *key,
                                  wk_json_kind kind, bool *good)
{
    static const char *const names[] = {"null", "true or false", "a number", "a string", "an array", "an object"};
    const wk_json_value *value = wk_json_get(&reader->tree, object, key);
    if (!value || value->kind == WK_JSON_NULL)
        return NULL;
    if (value->kind == kind)
        return value;
    if (*good)
        wk_text_wrong(reader, "%s: expected %s, got %s", key, names[kind], names[value->kind]);
    *good = false;
    return NULL;
}

bool wk_text_read_bool(const wk_text_reader *reader, const wk_json_value *object, const char *key, bool otherwise,
                       bool *good)
{
    const wk_json_value *value = wk_text_read(reader, object, key, WK_JSON_BOOL, good);
    return value ? value->number != 0 : otherwise;
}

int64_t wk_text_read_size(const wk_text_reader *reader, const wk_json_value *object, const char *key, int64_t otherwise,
                          bool *good)
{
    const wk_json_value *value = wk_text_read(reader, object, key, WK_JSON_NUMBER, good);
    if (!value)
        return otherwise;
    if (value->number >= 0 && value->number <= 9e15 && value->number == floor(value->number))
        return (int64_t)value->number;
    if (*good)
        wk_text_wrong(reader, "%s: expected a whole number, 0 or more, got %g", key, value->number);
    *good = false;
    return otherwise;
}

bool wk_text_is(const wk_json_value *value, const char *text)
{
    return value && value->kind == WK_JSON_STRING && value->size == strlen(text) &&
           memcmp(value->string, text, value->size) == 0;
}

/* ---------------------------------------------------------------- added tokens */

static bool read_added(const wk_text_reader *reader, const wk_json_value *value)
{
    bool good = true;
    const wk_json_value *content = wk_text_read(reader, value, "content", WK_JSON_STRING, &good);
    wk_text_added token = {
        .id = wk_text_read_size(reader, value, "id", -1, &good),
        .special = wk_text_read_bool(reader, value, "special", false, &good),
        .single_word = wk_text_read_bool(reader, value, "single_word", false, &good),
        .lstrip = wk_text_read_bool(reader, value, "lstrip", false, &good),
        .rstrip = wk_text_read_bool(reader, value, "rstrip", false, &good),
    };
    token.normalized = wk_text_read_bool(reader, value, "normalized", !token.special, &good);
    if (!good)
        return false;
    if (!content || token.id < 0)
        return wk_text_wrong(reader, "added_tokens: expected objects with an id and content");
    if (token.single_word && !wk_text_unicode_load(reader->op))
        return false;
    /* of a token that the model has, the model's id counts */
    const int64_t known = wk_text_id_of(&reader->tokenizer->vocabulary, content->string, content->size);
    token.id = known >= 0 ? known : token.id;
    token.content = (wk_text_string){(char *)content->string, content->size};
    return wk_text_added_add(reader->op, reader->tokenizer, &token);
}

/* ---------------------------------------------------------------- templates */

/* ["[SEP]", 102] */
static bool read_pair(const wk_text_reader *reader, const wk_json_value *object, const char *key, int64_t *id)
{
    bool good = true;
    const wk_json_value *pair = wk_text_read(reader, object, key, WK_JSON_ARRAY, &good);
    const wk_json_value *token = wk_json_first(&reader->tree, pair);
    const wk_json_value *number = token ? wk_json_next(&reader->tree, token) : NULL;
    if (!number || number->kind != WK_JSON_NUMBER || !(number->number >= 0 && number->number <= UINT32_MAX))
        return good && wk_text_wrong(reader, "post_processor.%s: expected a token and its id", key);
    *id = (int64_t)number->number;
    return true;
}

static bool read_bert_processing(const wk_text_reader *reader, const wk_json_value *value, bool roberta)
{
    wk_text_template *alone = &reader->tokenizer->alone, *paired = &reader->tokenizer->paired;
    const char *const op = reader->op;
    const int64_t second = roberta ? 0 : 1;
    int64_t cls, sep;
    return read_pair(reader, value, "cls", &cls) && read_pair(reader, value, "sep", &sep) &&
           wk_text_template_add(op, alone, 0, cls, 0) && wk_text_template_add(op, alone, 1, 0, 0) &&
           wk_text_template_add(op, alone, 0, sep, 0) && wk_text_template_add(op, paired, 0, cls, 0) &&
           wk_text_template_add(op, paired, 1, 0, 0) && wk_text_template_add(op, paired, 0, sep, 0) &&
           (!roberta || wk_text_template_add(op, paired, 0, sep, 0)) &&
           wk_text_template_add(op, paired, 2, 0, second) && wk_text_template_add(op, paired, 0, sep, second);
}

/* the ids of a special token of a template */
static bool read_special(const wk_text_reader *reader, const wk_json_value *specials, const wk_json_value *name,
                         int64_t type_id, wk_text_template *to)
{
    const wk_json_value *special =
        name && name->kind == WK_JSON_STRING ? wk_json_get(&reader->tree, specials, name->string) : NULL;
    const wk_json_value *ids = wk_json_get(&reader->tree, special, "ids");
    if (!ids || ids->kind != WK_JSON_ARRAY)
        return wk_text_wrong(reader, "post_processor: a special token of the template has no ids");
    for (const wk_json_value *id = wk_json_first(&reader->tree, ids); id; id = wk_json_next(&reader->tree, id)) {
        if (id->kind != WK_JSON_NUMBER || !(id->number >= 0 && id->number <= UINT32_MAX))
            return wk_text_wrong(reader, "post_processor: expected ids of 0 to %u", UINT32_MAX);
        if (!wk_text_template_add(reader->op, to, 0, (int64_t)id->number, type_id))
            return false;
    }
    return true;
}

/* [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, ...] */
static bool read_template(const wk_text_reader *reader, const wk_json_value *value, const char *key,
                          wk_text_template *to)
{
    bool good = true;
    const wk_json_value *pieces = wk_text_read(reader, value, key, WK_JSON_ARRAY, &good);
    const wk_json_value *specials = wk_text_read(reader, value, "special_tokens", WK_JSON_OBJECT, &good);
    for (const wk_json_value *one = wk_json_first(&reader->tree, pieces); good && one;
         one = wk_json_next(&reader->tree, one)) {
        const wk_json_value *sequence = wk_json_get(&reader->tree, one, "Sequence");
        const wk_json_value *piece = sequence ? sequence : wk_json_get(&reader->tree, one, "SpecialToken");
        const wk_json_value *name = wk_json_get(&reader->tree, piece, "id");
        const int64_t type_id = wk_text_read_size(reader, piece, "type_id", 0, &good);
        if (!piece)
            return wk_text_wrong(reader, "post_processor.%s: expected Sequence or SpecialToken", key);
        if (sequence)
            good = good && wk_text_template_add(reader->op, to, wk_text_is(name, "B") ? 2 : 1, 0, type_id);
        else
            good = good && read_special(reader, specials, name, type_id, to);
    }
    return good;
}

bool wk_text_read_post_processor(const wk_text_reader *reader, const wk_json_value *value, int depth)
{
    wk_text_tokenizer *tokenizer = reader->tokenizer;
    const wk_json_value *type = wk_json_get(&reader->tree, value, "type");
    if (wk_text_is(type, "ByteLevel")) // moves offsets, which nobody asks for
        return true;
    if (wk_text_is(type, "Sequence") && depth < 4) {
        bool good = true;
        const wk_json_value *items = wk_text_read(reader, value, "processors", WK_JSON_ARRAY, &good);
        for (const wk_json_value *one = wk_json_first(&reader->tree, items); good && one;
             one = wk_json_next(&reader->tree, one))
            good = wk_text_read_post_processor(reader, one, depth + 1);
        return good;
    }
    if (tokenizer->alone.count > 0)
        return wk_text_wrong(reader, "post_processor: two templates, one after another, are not supported");
    if (wk_text_is(type, "BertProcessing") || wk_text_is(type, "RobertaProcessing"))
        return read_bert_processing(reader, value, wk_text_is(type, "RobertaProcessing"));
    if (wk_text_is(type, "TemplateProcessing"))
        return read_template(reader, value, "single", &tokenizer->alone) &&
               read_template(reader, value, "pair", &tokenizer->paired);
    return wk_text_wrong(reader, "post_processor: there is none named %s",
                         type && type->kind == WK_JSON_STRING ? wk_shown(type->string, (wk_shown_text){0}) : "none");
}

/* ---------------------------------------------------------------- truncation and padding */

static bool read_truncation(const wk_text_reader *reader, const wk_json_value *value)
{
    bool good = true;
    const wk_json_value *strategy = wk_json_get(&reader->tree, value, "strategy");
    const wk_json_value *direction = wk_json_get(&reader->tree, value, "direction");
    const int64_t most = wk_text_read_size(reader, value, "max_length", 512, &good);
    reader->tokenizer->truncation = (wk_text_limit){.enabled = true,
                                                    .max_length = most,
                                                    .only = wk_text_is(strategy, "OnlyFirst")    ? 1
                                                            : wk_text_is(strategy, "OnlySecond") ? 2
                                                                                                 : 0,
                                                    .left = wk_text_is(direction, "Left")};
    return good;
}

/* "strategy": "BatchLongest" or {"Fixed": 128} */
static bool read_padding(const wk_text_reader *reader, const wk_json_value *value)
{
    bool good = true;
    const wk_json_value *strategy = wk_json_get(&reader->tree, value, "strategy");
    reader->tokenizer->padding =
        (wk_text_pad){.enabled = true,
                      .length = wk_text_read_size(reader, strategy, "Fixed", 0, &good),
                      .multiple = wk_text_read_size(reader, value, "pad_to_multiple_of", 0, &good),
                      .id = wk_text_read_size(reader, value, "pad_id", 0, &good),
                      .type_id = wk_text_read_size(reader, value, "pad_type_id", 0, &good),
                      .left = wk_text_is(wk_json_get(&reader->tree, value, "direction"), "Left")};
    if (good && (reader->tokenizer->padding.length > INT32_MAX || reader->tokenizer->padding.multiple > INT32_MAX))
        return wk_text_wrong(reader, "padding: expected lengths under 2^31");
    return good;
}

/* ---------------------------------------------------------------- the whole */

typedef bool read_section(const wk_text_reader *reader, const wk_json_value *value);
static bool read_normalizer(const wk_text_reader *reader, const wk_json_value *value)
{
    return wk_text_read_normalizer(reader, value, 0);
}
static bool read_pre_tokenizer(const wk_text_reader *reader, const wk_json_value *value)
{
    return wk_text_read_pre_tokenizer(reader, value, 0);
}
static bool read_post_processor(const wk_text_reader *reader, const wk_json_value *value)
{
    return wk_text_read_post_processor(reader, value, 0);
}
static bool read_decoder(const wk_text_reader *reader, const wk_json_value *value)
{
    reader->tokenizer->has_decoder = true;
    return wk_text_read_decoder(reader, value, 0);
}

static bool read_sections(const wk_text_reader *reader)
{
    static const struct {
        const char *name;
        read_section *read;
    } sections[] = {{"normalizer", read_normalizer},         {"pre_tokenizer", read_pre_tokenizer},
                    {"post_processor", read_post_processor}, {"decoder", read_decoder},
                    {"truncation", read_truncation},         {"padding", read_padding}};
    const wk_json_value *root = reader->tree.values;
    bool good = wk_text_read_model(reader, wk_json_get(&reader->tree, root, "model"));
    for (size_t i = 0; good && i < sizeof sections / sizeof *sections; i++) {
        const wk_json_value *value = wk_text_read(reader, root, sections[i].name, WK_JSON_OBJECT, &good);
        good = good && (!value || sections[i].read(reader, value));
    }
    const wk_json_value *added = good ? wk_text_read(reader, root, "added_tokens", WK_JSON_ARRAY, &good) : NULL;
    for (const wk_json_value *one = wk_json_first(&reader->tree, added); good && one;
         one = wk_json_next(&reader->tree, one))
        good = read_added(reader, one);
    return good && wk_text_added_ready(reader->op, reader->tokenizer);
}

wk_json wk_text_json(const wk_file_map *map)
{
    static char nothing[1];
    char *begin = map->size > 0 ? (char *)map->bytes : nothing;
    return (wk_json){.begin = begin, .at = begin, .end = begin + map->size, .takes_nul = true};
}

static wk_text_tokenizer *read_tokenizer(const char *op, const char *path, const wk_file_map *map)
{
    wk_text_reader reader = {.op = op};
    wk_json json = wk_text_json(map);
    wk_shown(path, reader.path);
    if (!wk_json_tree_read(op, reader.path, &json, &reader.tree))
        return NULL;
    reader.tokenizer = wk_text_tokenizer_new(op);
    const bool good = reader.tokenizer && read_sections(&reader);
    wk_json_tree_free(&reader.tree);
    if (!good) {
        wk_text_tokenizer_free(reader.tokenizer);
        return NULL;
    }
    return reader.tokenizer;
}

wk_text_tokenizer *wk_text_tokenizer_from_file(const char *path)
{
    const char *const op = "tokenizer_from_file";
    if (!path)
        return wk_fail(op, "path: is NULL");
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    wk_text_tokenizer *tokenizer = read_tokenizer(op, path, map);
    wk_file_map_release(map);
    return tokenizer;
}
