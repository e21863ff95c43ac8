/* Tokenizers of every kind against the answers of the libraries they come from (golden/text.py), and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#define GOLDEN WICK_GOLDEN "/text/"

static wk_text_tokenizer *load(const char *kind, const char *file)
{
    char path[512];
    snprintf(path, sizeof path, GOLDEN "%s", file);
    if (strcmp(kind, "json") == 0)
        return wk_text_tokenizer_from_file(path);
    return strcmp(kind, "sentencepiece") == 0 ? wk_text_sentencepiece_processor(path)
                                              : wk_text_get_encoding(kind, path);
}

static char *unhex(const char *text)
{
    const size_t size = strlen(text) / 2;
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)strtol((char[]){text[2 * i], text[2 * i + 1], '\0'}, NULL, 16);
    bytes[size] = '\0';
    return bytes;
}

/* what differs is printed; 0: nothing */
static int differs(const wk_text_tokenizer *tokenizer, const char *name, const char *text, char *ids, const char *back)
{
    char got[4096] = "";
    wk_tensor *encoded = wk_text_encode(tokenizer, text);
    for (int64_t i = 0, used = 0; i < wk_numel(encoded); i++)
        used += snprintf(got + used, sizeof got - (size_t)used, i ? " %lld" : "%lld",
                         (long long)((int64_t *)wk_data_ptr(encoded))[i]);
    if (strcmp(got, ids) != 0) {
        print_error("%s: \"%s\"\n  expected %s\n  got      %s\n", name, text, ids, got);
        return 1;
    }
    char *decoded = wk_text_decode(tokenizer, encoded);
    const int wrong = strcmp(decoded, back) != 0;
    if (wrong)
        print_error("%s: \"%s\"\n  expected \"%s\"\n  got      \"%s\"\n", name, text, back, decoded);
    free(decoded);
    return wrong;
}

static void test_golden(void **state)
{
    (void)state;
    FILE *file = fopen(GOLDEN "text.golden", "r");
    assert_non_null(file);
    static char lines[4][8192];
    char last[8192] = "";
    wk_text_tokenizer *tokenizer = NULL;
    int wrong = 0, cases = 0;
    while (fgets(lines[0], sizeof lines[0], file)) {
        for (int i = 0; i < 4; i++) {
            if (i > 0)
                assert_non_null(fgets(lines[i], sizeof lines[i], file));
            lines[i][strcspn(lines[i], "\n")] = '\0';
        }
        if (strcmp(last, lines[0]) != 0) {
            strcpy(last, lines[0]);
            wk_text_tokenizer_free(tokenizer);
            char *space = strchr(lines[0], ' ');
            *space = '\0';
            tokenizer = load(lines[0], space + 1);
            assert_non_null(tokenizer);
        }
        char *text = unhex(lines[1]), *back = unhex(lines[3]);
        wk_scope
        wrong += differs(tokenizer, last, text, lines[2], back);
        free(text);
        free(back);
        cases++;
    }
    fclose(file);
    wk_text_tokenizer_free(tokenizer);
    assert_true(cases > 180);
    assert_int_equal(wrong, 0);
}

/* a long word is merged in a heap, a short one in a row: the same ids, and in time (an hour, were it quadratic) */
static void test_long_word(void **state)
{
    (void)state;
    wk_text_tokenizer *tokenizer = load("json", "llama3.json");
    const int64_t size = 1 << 20;
    char *text = malloc((size_t)size + 1);
    for (int64_t i = 0; i < size; i++)
        text[i] = "thecatand"[i % 9];
    text[size] = '\0';
    wk_scope
    {
        wk_tensor *ids = wk_text_encode(tokenizer, text);
        char *back = wk_text_decode(tokenizer, ids);
        assert_string_equal(back, text);
        free(back);
        text[90] = '\0';
        wk_tensor *some = wk_text_encode(tokenizer, text);
        text[54] = '\0';
        wk_tensor *few = wk_text_encode(tokenizer, text);
        const int64_t *of_few = wk_data_ptr(few), *of_some = wk_data_ptr(some), *of_all = wk_data_ptr(ids);
        for (int64_t i = 0; i + 4 < wk_numel(few); i++)
            assert_true(of_few[i] == of_some[i] && of_some[i] == of_all[i]);
    }
    free(text);
    wk_text_tokenizer_free(tokenizer);
}

static void test_invalid_utf8(void **state)
{
    (void)state;
    wk_text_tokenizer *tokenizer = load("json", "llama3.json");
    static const char *const texts[][2] = {
        {"a\xFF"
         "b",
         "a\xEF\xBF\xBD"
         "b"},
        {"\xE2\x82", "\xEF\xBF\xBD"},                                              // cut off
        {"\xE2\x28\xA1", "\xEF\xBF\xBD(\xEF\xBF\xBD"},                             // no second byte
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // too long for a NUL
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // a surrogate
        {"\xF0\x9F\x98", "\xEF\xBF\xBD"},                                          // three of four
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}}; // beyond the last
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wk_scope
    {
        char *back = wk_text_decode(tokenizer, wk_text_encode(tokenizer, texts[i][0]));
        assert_string_equal(back, texts[i][1]);
        free(back);
    }
    wk_text_tokenizer_free(tokenizer);
}

/* whatever allocation fails, it is an error, and nothing leaks */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"json", "bert.json"},
                                           {"json", "xlmr.json"},
                                           {"json", "llama3.json"},
                                           {"sentencepiece", "bpe.model"},
                                           {"o200k_base", "ranks.tiktoken"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool done = false;
        const int64_t before = wk_memory_get_stats().live_blocks;
        for (int64_t after = 0; !done; after += after < 40 ? 1 : after / 8) {
            wk_error error;
            wk_text_tokenizer *tokenizer = NULL;
            char *back = NULL;
            wk_memory_fail_after(after);
            wk_try(&error) wk_scope
            {
                tokenizer = load(files[i][0], files[i][1]);
                if (tokenizer)
                    back = wk_text_decode(tokenizer, wk_text_encode(tokenizer, "The caf\xC3\xA9 \xE6\x9D\xB1."));
            }
            wk_memory_fail_after(-1);
            done = !error.set;
            assert_true(error.set == !back);
            free(back);
            wk_text_tokenizer_free(tokenizer);
        }
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

int main(void)
{
#ifndef WICK_HAVE_TEXT
    printf("SKIPPED: this wick was built without PCRE2 and utf8proc\n");
    return 77;
#endif
    wk_error error;
    wk_scope
    wk_zeros((1)); // what the first tensor and the first error bring stays
    wk_try(&error) wk_text_character_tokenizer(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_long_word),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
