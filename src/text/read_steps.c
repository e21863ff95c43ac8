/* The normalizer, the pre_tokenizer and the decoder of a tokenizer.json. */
#include "reader.h"

#include "core/alloc.h"
#include "charsmap.h"

#define DEEPEST 8 // sequences inside of each other

/* GPT-2's pattern */
const char wk_text_gpt2_pattern[] = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static bool read_text(const wk_text_reader *reader, const wk_json_value *object, const char *key, wk_text_string *to)
{
    bool good = true;
    const wk_json_value *value = wk_text_read(reader, object, key, WK_JSON_STRING, &good);
    if (!value)
        return good && wk_text_wrong(reader, "%s: expected a string", key);
    return wk_text_string_set(reader->op, to, value->string, value->size);
}

/* {"String": "..."} or {"Regex": "..."} */
static bool read_pattern(const wk_text_reader *reader, const wk_json_value *object, wk_text_step *step)
{
    const wk_json_value *pattern = wk_json_get(&reader->tree, object, "pattern");
    const wk_json_value *text = wk_json_get(&reader->tree, pattern, "String");
    const wk_json_value *regex = wk_json_get(&reader->tree, pattern, "Regex");
    if (pattern && pattern->kind == WK_JSON_STRING)
        text = pattern;
    if (text && text->kind == WK_JSON_STRING)
        return wk_text_string_set(reader->op, &step->pattern, text->string, text->size);
    if (!regex || regex->kind != WK_JSON_STRING)
        return wk_text_wrong(reader, "pattern: expected a String or a Regex");
    step->regex = wk_text_regex_new(reader->op, regex->string, regex->size, true);
    return step->regex != NULL;
}

static wk_text_step *add(const wk_text_reader *reader, wk_text_steps *steps, wk_text_run *run)
{
    return wk_text_step_add(reader->op, steps, run);
}

typedef bool read_step(const wk_text_reader *reader, const wk_json_value *value, int depth);

static bool read_sequence(const wk_text_reader *reader, const wk_json_value *value, const char *key, int depth,
                          read_step *read)
{
    bool good = true;
    const wk_json_value *items = wk_text_read(reader, value, key, WK_JSON_ARRAY, &good);
    if (!good || depth == DEEPEST)
        return good && wk_text_wrong(reader, "%s: are nested too deep", key);
    for (const wk_json_value *one = wk_json_first(&reader->tree, items); good && one;
         one = wk_json_next(&reader->tree, one))
        good = read(reader, one, depth + 1);
    return good;
}

static const char *name_of(const wk_text_reader *reader, const wk_json_value *value)
{
    const wk_json_value *type = wk_json_get(&reader->tree, value, "type");
    return type && type->kind == WK_JSON_STRING ? type->string : "";
}

/* ---------------------------------------------------------------- normalizers */

static int base64_value(char c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(letters, c) : NULL;
    return found ? (int)(found - letters) : -1;
}

bool wk_text_base64(const char *op, const char *text, size_t size, wk_text_bytes *out)
{
    uint32_t bits = 0;
    int count = 0;
    while (size > 0 && text[size - 1] == '=')
        size--;
    for (size_t i = 0; i < size; i++) {
        const int value = base64_value(text[i]);
        if (value < 0)
            return wk_fail(op, "expected base64, got %s", wk_shown((char[]){text[i], '\0'}, (wk_shown_text){0}));
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (!wk_text_put(op, out, &(char){(char)(bits >> count)}, 1))
                return false;
        }
    }
    return true;
}

static bool read_precompiled(const wk_text_reader *reader, const wk_json_value *value)
{
    bool good = true;
    const wk_json_value *text = wk_text_read(reader, value, "precompiled_charsmap", WK_JSON_STRING, &good);
    if (!text) // none: the text stays
        return good;
    wk_text_bytes bytes = {0};
    wk_text_step *step = add(reader, &reader->tokenizer->normalizers, wk_text_precompiled);
    good = step && wk_text_base64(reader->op, text->string, text->size, &bytes) &&
           (step->charsmap = wk_text_charsmap_new(reader->op, (unsigned char *)bytes.data, bytes.used));
    wk_free(bytes.data);
    return good;
}

static bool read_bert_normalizer(const wk_text_reader *reader, const wk_json_value *value)
{
    bool good = true;
    wk_text_step *step = add(reader, &reader->tokenizer->normalizers, wk_text_bert_normalizer);
    if (!step)
        return false;
    step->clean = wk_text_read_bool(reader, value, "clean_text", true, &good);
    step->chinese = wk_text_read_bool(reader, value, "handle_chinese_chars", true, &good);
    step->lowercase = wk_text_read_bool(reader, value, "lowercase", true, &good);
    step->accents = wk_text_read_bool(reader, value, "strip_accents", step->lowercase, &good);
    return good;
}

bool wk_text_read_normalizer(const wk_text_reader *reader, const wk_json_value *value, int depth)
{
    static const char *const forms[] = {
        [WK_TEXT_NFC] = "NFC", [WK_TEXT_NFD] = "NFD", [WK_TEXT_NFKC] = "NFKC", [WK_TEXT_NFKD] = "NFKD"};
    wk_text_steps *steps = &reader->tokenizer->normalizers;
    const char *const name = name_of(reader, value);
    bool good = true;
    if (strcmp(name, "Sequence") == 0)
        return read_sequence(reader, value, "normalizers", depth, wk_text_read_normalizer);
    if (strcmp(name, "BertNormalizer") == 0)
        return read_bert_normalizer(reader, value);
    if (strcmp(name, "Precompiled") == 0)
        return read_precompiled(reader, value);
    for (int form = WK_TEXT_NFC; form <= WK_TEXT_NFKD; form++)
        if (strcmp(name, forms[form]) == 0) {
            wk_text_step *step = add(reader, steps, wk_text_unicode_form);
            if (step)
                step->form = (wk_text_form)form;
            return step != NULL;
        }
    wk_text_run *const run = strcmp(name, "Strip") == 0          ? wk_text_strip
                             : strcmp(name, "StripAccents") == 0 ? wk_text_strip_accents
                             : strcmp(name, "Lowercase") == 0    ? wk_text_lowercase
                             : strcmp(name, "Nmt") == 0          ? wk_text_nmt
                             : strcmp(name, "Replace") == 0      ? wk_text_replace
                             : strcmp(name, "Prepend") == 0      ? wk_text_prepend_text
                             : strcmp(name, "ByteLevel") == 0    ? wk_text_byte_letters
                                                                 : NULL;
    wk_text_step *step = run ? add(reader, steps, run) : NULL;
    if (!step)
        return run ? false
                   : wk_text_wrong(reader, "normalizer: there is none named %s", wk_shown(name, (wk_shown_text){0}));
    step->left = wk_text_read_bool(reader, value, "strip_left", true, &good);
    step->right = wk_text_read_bool(reader, value, "strip_right", true, &good);
    step->lowercase = run == wk_text_lowercase;
    if (run == wk_text_prepend_text)
        return good && read_text(reader, value, "prepend", &step->content);
    return good && (run != wk_text_replace ||
                    (read_pattern(reader, value, step) && read_text(reader, value, "content", &step->content)));
}

/* ---------------------------------------------------------------- pre-tokenizers */

static bool read_behavior(const wk_text_reader *reader, const wk_json_value *value, wk_text_step *step)
{
    static const char *const names[] = {"removed", "isolated", "mergedwithprevious", "mergedwithnext", "contiguous"};
    bool good = true;
    const wk_json_value *behavior = wk_text_read(reader, value, "behavior", WK_JSON_STRING, &good);
    char plain[24] = "";
    size_t used = 0;
    for (const char *at = behavior ? behavior->string : ""; *at && used < sizeof plain - 1; at++)
        if (*at != '_')
            plain[used++] = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    for (int i = WK_TEXT_REMOVED; i <= WK_TEXT_CONTIGUOUS; i++)
        if (strcmp(plain, names[i]) == 0) {
            step->behavior = (wk_text_behavior)i;
            return good;
        }
    return good && wk_text_wrong(reader, "behavior: expected Removed, Isolated, Contiguous or Merged..., got %s",
                                 behavior ? wk_shown(behavior->string, (wk_shown_text){0}) : "none");
}

/* prepend_scheme, or add_prefix_space of older files */
static bool read_metaspace(const wk_text_reader *reader, const wk_json_value *value, wk_text_step *step)
{
    bool good = true;
    const wk_json_value *mark = wk_text_read(reader, value, "replacement", WK_JSON_STRING, &good);
    const wk_json_value *scheme = wk_text_read(reader, value, "prepend_scheme", WK_JSON_STRING, &good);
    step->split = wk_text_read_bool(reader, value, "split", true, &good);
    step->prepend = wk_text_read_bool(reader, value, "add_prefix_space", true, &good) ? WK_TEXT_ALWAYS : WK_TEXT_NEVER;
    if (scheme)
        step->prepend = wk_text_is(scheme, "always")  ? WK_TEXT_ALWAYS
                        : wk_text_is(scheme, "first") ? WK_TEXT_FIRST
                                                      : WK_TEXT_NEVER;
    size_t length = 0;
    if (mark && mark->size > 0)
        wk_text_char(mark->string, &length);
    if (mark && length != mark->size)
        return good && wk_text_wrong(reader, "replacement: expected one character");
    return good &&
           wk_text_string_set(reader->op, &step->content, mark ? mark->string : "\xE2\x96\x81", mark ? mark->size : 3);
}

bool wk_text_read_pre_tokenizer(const wk_text_reader *reader, const wk_json_value *value, int depth)
{
    static const struct {
        const char *name;
        wk_text_run *run;
    } kinds[] = {{"BertPreTokenizer", wk_text_bert_pre_tokenizer},
                 {"ByteLevel", wk_text_byte_level},
                 {"Metaspace", wk_text_metaspace},
                 {"Split", wk_text_split},
                 {"CharDelimiterSplit", wk_text_split},
                 {"Whitespace", wk_text_split},
                 {"WhitespaceSplit", wk_text_whitespace_split},
                 {"Punctuation", wk_text_punctuation},
                 {"Digits", wk_text_digits}};
    const char *const name = name_of(reader, value);
    if (strcmp(name, "Sequence") == 0)
        return read_sequence(reader, value, "pretokenizers", depth, wk_text_read_pre_tokenizer);
    size_t kind = 0;
    while (kind < sizeof kinds / sizeof *kinds && strcmp(name, kinds[kind].name) != 0)
        kind++;
    if (kind == sizeof kinds / sizeof *kinds)
        return wk_text_wrong(reader, "pre_tokenizer: there is none named %s", wk_shown(name, (wk_shown_text){0}));
    wk_text_step *step = add(reader, &reader->tokenizer->pre_tokenizers, kinds[kind].run);
    bool good = step != NULL;
    if (!good)
        return false;
    step->individual = wk_text_read_bool(reader, value, "individual_digits", false, &good);
    step->prefix_space = wk_text_read_bool(reader, value, "add_prefix_space", true, &good);
    step->behavior = WK_TEXT_ISOLATED;
    if (step->run == wk_text_byte_level) {
        if (good && wk_text_read_bool(reader, value, "use_regex", true, &good))
            step->regex = wk_text_regex_new(reader->op, wk_text_gpt2_pattern, strlen(wk_text_gpt2_pattern), true);
        return good && (step->regex || !wk_text_read_bool(reader, value, "use_regex", true, &good));
    }
    if (step->run == wk_text_metaspace)
        return good && read_metaspace(reader, value, step);
    if (strcmp(name, "Whitespace") == 0) {
        static const char words[] = "\\w+|[^\\w\\s]+";
        step->behavior = WK_TEXT_REMOVED;
        step->invert = true;
        step->regex = wk_text_regex_new(reader->op, words, strlen(words), false);
        return step->regex != NULL;
    }
    if (strcmp(name, "CharDelimiterSplit") == 0) {
        step->behavior = WK_TEXT_REMOVED;
        return good && read_text(reader, value, "delimiter", &step->pattern);
    }
    if (step->run == wk_text_split) {
        step->invert = wk_text_read_bool(reader, value, "invert", false, &good);
        return good && read_pattern(reader, value, step) && read_behavior(reader, value, step);
    }
    return good && (step->run != wk_text_punctuation || !wk_json_get(&reader->tree, value, "behavior") ||
                    read_behavior(reader, value, step));
}

/* ---------------------------------------------------------------- decoders */

bool wk_text_read_decoder(const wk_text_reader *reader, const wk_json_value *value, int depth)
{
    static const struct {
        const char *name;
        wk_text_run *run;
    } kinds[] = {{"ByteLevel", wk_text_decode_byte_level},
                 {"WordPiece", wk_text_decode_wordpiece},
                 {"Metaspace", wk_text_decode_metaspace},
                 {"BPEDecoder", wk_text_decode_bpe},
                 {"ByteFallback", wk_text_decode_byte_fallback},
                 {"Fuse", wk_text_decode_fuse},
                 {"Strip", wk_text_decode_strip},
                 {"Replace", wk_text_decode_replace}};
    const char *const name = name_of(reader, value);
    if (strcmp(name, "Sequence") == 0)
        return read_sequence(reader, value, "decoders", depth, wk_text_read_decoder);
    size_t kind = 0;
    while (kind < sizeof kinds / sizeof *kinds && strcmp(name, kinds[kind].name) != 0)
        kind++;
    if (kind == sizeof kinds / sizeof *kinds)
        return wk_text_wrong(reader, "decoder: there is none named %s", wk_shown(name, (wk_shown_text){0}));
    wk_text_step *step = add(reader, &reader->tokenizer->decoders, kinds[kind].run);
    bool good = step != NULL;
    if (!good)
        return false;
    step->cleanup = wk_text_read_bool(reader, value, "cleanup", true, &good);
    step->start = wk_text_read_size(reader, value, "start", 0, &good);
    step->stop = wk_text_read_size(reader, value, "stop", 0, &good);
    if (step->run == wk_text_decode_metaspace)
        return good && read_metaspace(reader, value, step);
    if (step->run == wk_text_decode_bpe)
        return good && read_text(reader, value, "suffix", &step->content);
    if (step->run == wk_text_decode_wordpiece)
        return good && read_text(reader, value, "prefix", &step->content);
    if (step->run == wk_text_decode_replace && !read_pattern(reader, value, step))
        return false;
    return good && ((step->run != wk_text_decode_strip && step->run != wk_text_decode_replace) ||
                    read_text(reader, value, "content", &step->content));
}
