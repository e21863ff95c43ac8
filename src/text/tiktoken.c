/* tiktoken's files of ranks: lines of a token's bytes in base64 and its rank, which is its id.  What cuts texts into
   words, and which special tokens there are, is known by the encoding's name. */
#include "core/alloc.h"
#include "core/text.h"
#include "io/file.h"
#include "reader.h"

#define LETTERS_LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define LETTERS_UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"

static const char cl100k_pattern[] =
    CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char o200k_pattern[] = "[^\\r\\n\\p{L}\\p{N}]?[" LETTERS_UPPER "]*[" LETTERS_LOWER "]+" CONTRACTION "?"
                                    "|[^\\r\\n\\p{L}\\p{N}]?[" LETTERS_UPPER "]+[" LETTERS_LOWER "]*" CONTRACTION "?"
                                    "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

typedef struct known_encoding {
    const char *name, *pattern;
    struct {
        const char *token;
        int64_t id;
    } specials[6];
} known_encoding;
static const known_encoding encodings[] = {
    {"gpt2", wk_text_gpt2_pattern, {{"<|endoftext|>", 50256}}},
    {"r50k_base", wk_text_gpt2_pattern, {{"<|endoftext|>", 50256}}},
    {"p50k_base", wk_text_gpt2_pattern, {{"<|endoftext|>", 50256}}},
    {"p50k_edit",
     wk_text_gpt2_pattern,
     {{"<|endoftext|>", 50256}, {"<|fim_prefix|>", 50281}, {"<|fim_middle|>", 50282}, {"<|fim_suffix|>", 50283}}},
    {"cl100k_base",
     cl100k_pattern,
     {{"<|endoftext|>", 100257},
      {"<|fim_prefix|>", 100258},
      {"<|fim_middle|>", 100259},
      {"<|fim_suffix|>", 100260},
      {"<|endofprompt|>", 100276}}},
    {"o200k_base", o200k_pattern, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
};

static const known_encoding *find_encoding(const char *name)
{
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (strcmp(encodings[i].name, name) == 0)
            return &encodings[i];
    return NULL;
}

static bool read_line(const char *op, const char *line, size_t size, wk_text_bytes *token, wk_text_bytes *letters,
                      wk_text_tokenizer *tokenizer)
{
    const char *space = memchr(line, ' ', size);
    const size_t first = space ? (size_t)(space - line) : 0;
    int64_t rank = 0;
    bool good = first > 0 && first + 1 < size && size - first - 1 < 10;
    for (size_t i = first + 1; good && i < size; i++) {
        good = line[i] >= '0' && line[i] <= '9';
        rank = 10 * rank + line[i] - '0';
    }
    if (!good || rank >= UINT32_MAX)
        return wk_fail(op, "expected a token in base64, a space and its rank");
    token->used = letters->used = 0;
    return wk_text_base64(op, line, first, token) &&
           (token->used > 0 || wk_fail(op, "expected a token in base64, got none")) &&
           wk_text_put_letters(op, token->data, token->used, letters) &&
           wk_text_vocabulary_add(op, &tokenizer->vocabulary, letters->data, letters->used, rank);
}

static bool read_ranks(const char *op, const char *path, wk_text_tokenizer *tokenizer)
{
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return false;
    wk_text_bytes token = {0}, letters = {0};
    bool good = true;
    wk_text_span line;
    for (size_t at = 0; good && wk_text_next_line(map, &at, &line);)
        good = line.begin == line.end ||
               read_line(op, (const char *)map->bytes + line.begin, line.end - line.begin, &token, &letters, tokenizer);
    wk_free(token.data);
    wk_free(letters.data);
    wk_file_map_release(map);
    return good;
}

static bool ready(const char *op, wk_text_tokenizer *tokenizer)
{
    const wk_text_vocabulary *vocabulary = &tokenizer->vocabulary;
    for (int byte = 0; byte < 256; byte++) {
        char letter[4];
        const size_t size = (size_t)wk_text_encode_char(wk_text_letter_of_byte((unsigned char)byte), letter);
        if (!wk_text_vocabulary_find(vocabulary, letter, size))
            return wk_fail(op, "path: expected a token for each of the 256 bytes; there is none for %02x", byte);
    }
    bool good = true;
    for (size_t i = 0; good && i < vocabulary->count; i++)
        good = wk_text_merge_splits(op, tokenizer, &vocabulary->tokens[i], vocabulary->tokens[i].id + 1);
    return good && wk_text_bpe_ready(op, tokenizer);
}

wk_text_tokenizer *wk_text_get_encoding(const char *name, const char *path)
{
    const char *const op = "get_encoding";
    if (!name || !path)
        return wk_fail(op, "%s: is NULL", name ? "path" : "name");
    const known_encoding *encoding = find_encoding(name);
    if (!encoding)
        return wk_fail(op, "name: expected gpt2, r50k_base, p50k_base, p50k_edit, cl100k_base or o200k_base, got %s",
                       wk_shown(name, (wk_shown_text){0}));
    wk_text_tokenizer *tokenizer = wk_text_tokenizer_new(op);
    if (!tokenizer)
        return NULL;
    tokenizer->model.tokenize = wk_text_bpe;
    tokenizer->model.ignore_merges = true;
    tokenizer->has_decoder = true;
    wk_text_step *step = wk_text_step_add(op, &tokenizer->pre_tokenizers, wk_text_byte_level);
    if (step) {
        step->behavior = WK_TEXT_ISOLATED;
        step->regex = wk_text_regex_new(op, encoding->pattern, strlen(encoding->pattern), false);
    }
    bool good = step && step->regex && read_ranks(op, path, tokenizer) && ready(op, tokenizer) &&
                wk_text_step_add(op, &tokenizer->decoders, wk_text_decode_byte_level);
    for (int i = 0; good && i < 6 && encoding->specials[i].token; i++) {
        const wk_text_added token = {
            .content = {(char *)encoding->specials[i].token, strlen(encoding->specials[i].token)},
            .id = encoding->specials[i].id,
            .special = true};
        good = wk_text_added_add(op, tokenizer, &token);
    }
    return wk_text_done(tokenizer, good && wk_text_added_ready(op, tokenizer));
}
