/* Tokenizers: characters, GPT-2's and BERT's files, tokenizer.json; what is padded and cut; what is no tokenizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "leaks.h"

static char vocab_path[64], merges_path[64];
static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_ids(wk_tensor *ids, int count, const int64_t *expected)
{
    assert_non_null(ids);
    assert_int_equal(wk_numel(ids), count);
    for (int i = 0; i < count; i++)
        assert_int_equal(((int64_t *)wk_data_ptr(ids))[i], expected[i]);
}
#define IDS(...)                                                                                                       \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }

static void assert_text(char *text, const char *expected)
{
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void test_characters(void **state)
{
    (void)state;
    wk_text_tokenizer *tokenizer = wk_text_character_tokenizer("hé llo\n");
    assert_int_equal(wk_text_vocab_size(tokenizer), 6); // \n, space, h, l, o, é
    assert_int_equal(wk_text_token_to_id(tokenizer, "é"), 5);
    assert_int_equal(wk_text_token_to_id(tokenizer, "x"), -1);
    assert_string_equal(wk_text_id_to_token(tokenizer, 2), "h");
    assert_null(wk_text_id_to_token(tokenizer, 6));
    wk_scope
    {
        wk_tensor *ids = wk_text_encode(tokenizer, "ohé");
        assert_ids(ids, IDS(4, 2, 5));
        assert_text(wk_text_decode(tokenizer, ids), "ohé");
    }
    wk_error error;
    wk_try(&error) assert_null(wk_text_encode(tokenizer, "hello")); // e is none of them
    assert_true(error.set && strstr(error.message, "'e', at byte 1, is not in the vocabulary of 6 characters"));
    wk_text_tokenizer_free(tokenizer);
}

static wk_text_tokenizer *byte_level_tokenizer(void)
{
    write_file(vocab_path, "{\"h\":0,\"e\":1,\"l\":2,\"o\":3,\"\\u0120\":4,\"he\":5,\"ll\":6,\"hell\":7,\"hello\":8,"
                           "\"\\u0120hello\":9,\"\\u00c3\":10,\"\\u00a9\":11,\"<|endoftext|>\":12}");
    write_file(merges_path, "#version: 0.2\nh e\nl l\nhe ll\nhell o\n\xC4\xA0 hello\n");
    wk_text_tokenizer *tokenizer = wk_text_byte_level_bpe_tokenizer(vocab_path, merges_path);
    assert_non_null(tokenizer);
    return tokenizer;
}

static void test_byte_level_bpe(void **state)
{
    (void)state;
    wk_text_tokenizer *tokenizer = byte_level_tokenizer();
    wk_scope
    {
        wk_tensor *ids = wk_text_encode(tokenizer, "hello hello<|endoftext|>é helo");
        assert_ids(ids, IDS(8, 9, 12, 10, 11, 4, 5, 2, 3));
        assert_text(wk_text_decode(tokenizer, ids, .skip_special_tokens = false), "hello hello<|endoftext|>é helo");
        assert_text(wk_text_decode(tokenizer, ids), "hello helloé helo");
        assert_ids(wk_text_encode(tokenizer, ""), 0, NULL);
    }
    wk_text_tokenizer_free(tokenizer);
}

static void test_bert(void **state)
{
    (void)state;
    write_file(vocab_path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\n,\ncafe\n中\n");
    wk_text_tokenizer *tokenizer = wk_text_bert_wordpiece_tokenizer(vocab_path);
    assert_non_null(tokenizer);
    wk_scope
    {
        wk_tensor *ids = wk_text_encode(tokenizer, "Unaffable, CAFÉ中[MASK]xyz");
        assert_ids(ids, IDS(2, 5, 6, 7, 8, 9, 10, 4, 1, 3));
        assert_text(wk_text_decode(tokenizer, ids), "unaffable, cafe 中");
        assert_ids(wk_text_encode(tokenizer, "un", .pair = "cafe", .add_special_tokens = true), IDS(2, 5, 3, 9, 3));
        wk_text_batch batch = wk_text_encode_batch(tokenizer, ("un", "cafe , un"));
        assert_ids(wk_reshape(batch.input_ids, (-1)), IDS(2, 5, 3, 0, 0, 2, 9, 8, 5, 3));
        assert_ids(wk_reshape(batch.attention_mask, (-1)), IDS(1, 1, 1, 0, 0, 1, 1, 1, 1, 1));
        assert_true(wk_text_enable_truncation(tokenizer, 4));
        assert_ids(wk_text_encode(tokenizer, "un cafe , un"), IDS(2, 5, 9, 3));
        wk_text_no_truncation(tokenizer);
        assert_true(wk_text_enable_padding(tokenizer, .length = 5, .pad_id = 0, .direction = "left"));
        assert_ids(wk_text_encode(tokenizer, "un"), IDS(0, 0, 2, 5, 3));
        wk_text_no_padding(tokenizer);
        assert_ids(wk_text_encode(tokenizer, "un", .add_special_tokens = false), IDS(5));
    }
    wk_text_tokenizer_free(tokenizer);
}

/* ids and types of two texts, cut and padded, as Hugging Face's tokenizers does it */
static void test_pairs(void **state)
{
    (void)state;
    write_file(vocab_path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\n,\ncafe\n中\n");
    wk_text_tokenizer *t = wk_text_bert_wordpiece_tokenizer(vocab_path);
    const char *const a = "un cafe , 中 un cafe", *const b = "cafe , unaffable";
    wk_scope
    {
        assert_true(wk_text_enable_truncation(t, 9));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 5, 9, 8, 3, 9, 8, 5, 3));
        assert_true(wk_text_enable_truncation(t, 9, .direction = "left"));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 10, 5, 9, 3, 5, 6, 7, 3));
        assert_true(wk_text_enable_truncation(t, 7));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 5, 9, 3, 9, 8, 3));
        assert_true(wk_text_enable_truncation(t, 4));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 5, 3, 3));
        assert_true(wk_text_enable_truncation(t, 9, .strategy = "only_first"));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 5, 3, 9, 8, 5, 6, 7, 3));
        assert_true(wk_text_enable_truncation(t, 10, .strategy = "only_second", .direction = "left"));
        assert_ids(wk_text_encode(t, a, .pair = b), IDS(2, 5, 9, 8, 10, 5, 9, 3, 7, 3));
        wk_text_no_truncation(t);
        assert_ids(wk_text_encode(t, a, .pair = b, .add_special_tokens = false), IDS(5, 9, 8, 10, 5, 9, 9, 8, 5, 6, 7));
        assert_true(wk_text_enable_padding(t, .pad_to_multiple_of = 8, .pad_type_id = 1, .direction = "left"));
        wk_text_batch batch = wk_text_encode_batch(t, ("un", "cafe"), .pairs = (const char *[]){"un", "un , ,"});
        assert_ids(wk_reshape(batch.input_ids, (-1)), IDS(0, 0, 0, 2, 5, 3, 5, 3, 0, 2, 9, 3, 5, 8, 8, 3));
        assert_ids(wk_reshape(batch.token_type_ids, (-1)), IDS(1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1));
        assert_ids(wk_reshape(batch.attention_mask, (-1)), IDS(0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1));
    }
    wk_error error;
    wk_try(&error) assert_false(wk_text_enable_truncation(t, 9, .strategy = "shortest"));
    assert_true(error.set && strstr(error.message, "strategy: expected longest_first, only_first or only_second"));
    wk_text_tokenizer_free(t);
}

static void test_json(void **state)
{
    (void)state;
    write_file(vocab_path,
               "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"b\":1,\"?\":2},\"unk_token\":\"?\"},"
               "\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"}}");
    wk_text_tokenizer *tokenizer = wk_text_tokenizer_from_file(vocab_path);
    wk_scope
    {
        assert_ids(wk_text_encode(tokenizer, "a  b c"), IDS(0, 1, 2));
    }
    wk_text_tokenizer_free(tokenizer);
    wk_error error;
    write_file(vocab_path, "{\"model\":{\"type\":\"Other\"}}");
    wk_try(&error) assert_null(wk_text_tokenizer_from_file(vocab_path));
    assert_true(error.set &&
                strstr(error.message, "model.type: expected BPE, WordPiece, Unigram or WordLevel, got Other"));
}

static void test_stream(void **state)
{
    (void)state;
    wk_text_tokenizer *tokenizer = byte_level_tokenizer();
    wk_text_decode_stream *stream = wk_text_decode_stream_new(tokenizer);
    static const int64_t ids[] = {8, 9, 12, 10, 11, 4, 5};
    static const char *const pieces[] = {"hello", " hello", "", "", "é", " ", "he"};
    for (int i = 0; i < 7; i++)
        assert_string_equal(wk_text_decode_stream_step(stream, ids[i]), pieces[i]);
    wk_text_decode_stream_free(stream);
    wk_text_tokenizer_free(tokenizer);
}

static void test_get_batch(void **state)
{
    (void)state;
    wk_scope
    {
        wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 3);
        wk_tensor *data = wk_arange(20), *starts = wk_randint(0, 20 - 4, (3), .generator = generator);
        wk_generator_manual_seed(generator, 3);
        wk_sample batch = wk_text_get_batch(data, 3, 4, .generator = generator);
        assert_true(wk_size(batch.x, 0) == 3 && wk_size(batch.x, 1) == 4 && wk_size(batch.y, 1) == 4);
        const int64_t *x = wk_data_ptr(batch.x), *y = wk_data_ptr(batch.y), *first = wk_data_ptr(starts);
        for (int i = 0; i < 12; i++)
            assert_true(x[i] == first[i / 4] + i % 4 && y[i] == x[i] + 1);
        wk_generator_free(generator);
        wk_error error;
        wk_try(&error) assert_null(wk_text_get_batch(data, 3, 20).x);
        assert_true(error.set && strstr(error.message, "of more than block_size 20 numbers, got int64 (20,)"));
        wk_try(&error) assert_null(wk_text_get_batch(data, 3, -2).x);
        assert_true(error.set && strstr(error.message, "expected 0 or more and 1 or more, got 3 and -2"));
    }
}

static void test_read_file(void **state)
{
    (void)state;
    write_file(vocab_path, "one\ntwo");
    assert_text(wk_text_read_file(vocab_path, NULL), "one\ntwo");
    FILE *file = fopen(vocab_path, "wb");
    fwrite("a\0b", 1, 3, file);
    fclose(file);
    int64_t size = 0;
    assert_text(wk_text_read_file(vocab_path, &size), "a");
    assert_int_equal(size, 3);
    wk_error error;
    wk_try(&error) assert_null(wk_text_read_file(vocab_path, NULL));
    assert_true(error.set && strstr(error.message, "holds a NUL, where C's strings end"));
}

static void test_broken_files(void **state)
{
    (void)state;
    wk_error error;
    write_file(vocab_path, "IQ== 0\nIg== x\n");
    wk_try(&error) assert_null(wk_text_get_encoding("cl100k_base", vocab_path));
    assert_true(error.set && strstr(error.message, "expected a token in base64, a space and its rank"));
    write_file(vocab_path, "IQ== 0\n");
    wk_try(&error) assert_null(wk_text_get_encoding("cl100k_base", vocab_path));
    assert_true(error.set && strstr(error.message, "expected a token for each of the 256 bytes; there is none for 00"));
    wk_try(&error) assert_null(wk_text_get_encoding("cl99k", vocab_path));
    assert_true(error.set && strstr(error.message, "name: expected gpt2, "));
    wk_try(&error) assert_null(wk_text_sentencepiece_processor(vocab_path));
    assert_true(error.set && strstr(error.message, "is no model of SentencePiece"));
}

int main(void)
{
#ifndef WICK_HAVE_TEXT
    printf("SKIPPED: this wick was built without PCRE2 and utf8proc\n");
    return 77;
#endif
    snprintf(vocab_path, sizeof vocab_path, "/tmp/wick_test_text_%ld.vocab", (long)getpid());
    snprintf(merges_path, sizeof merges_path, "/tmp/wick_test_text_%ld.merges", (long)getpid());
    wk_error error;
    wk_scope
    wk_zeros((1)); // what the first tensor and the first error bring stays
    wk_try(&error) wk_text_character_tokenizer(NULL);
    const struct CMUnitTest tests[] = {
        TEST(test_characters),
        TEST(test_byte_level_bpe),
        TEST(test_bert),
        TEST(test_pairs),
        TEST(test_json),
        TEST(test_stream),
        TEST(test_get_batch),
        TEST(test_read_file),
        TEST(test_broken_files),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(vocab_path);
    unlink(merges_path);
    return failed;
}
