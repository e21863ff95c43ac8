/* .npz archives: numpy's, our own, and broken ones.  Python's numpy: exchange.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "fails.h"

static char path[] = "/tmp/wick_test_npz_XXXXXX";

static void write_all(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static size_t read_all(const char *from, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

static void check_several(const wk_dict *dict)
{
    assert_non_null(dict);
    assert_int_equal(wk_dict_count(dict), 3);
    static const char *const keys[] = {"weight", "step", "zeros"};
    for (int i = 0; i < 3; i++)
        assert_string_equal(wk_dict_key_at(dict, i), keys[i]);
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, "weight"), wk_div(wk_reshape(wk_arange(6.), (2, 3)), 4)));
        assert_int_equal(wk_item_int64(wk_dict_get(dict, "step")), 7);
        assert_true(wk_equal(wk_dict_get(dict, "zeros"), wk_zeros((40, 3))));
    }
}

static void of_numpy(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/io_stored.npz", "tests/golden/io_deflated.npz"};
    for (int i = 0; i < 2; i++) {
        wk_dict *dict = wk_numpy_load_npz(files[i]);
        check_several(dict);
        assert_true(wk_numpy_savez(path, dict));
        wk_dict_free(dict);
        dict = wk_numpy_load_npz(path);
        check_several(dict);
        wk_dict_free(dict);

        /* cut off anywhere, or with any byte another: an error or a dictionary, and nothing read outside */
        unsigned char bytes[4096];
        const size_t size = read_all(files[i], bytes, sizeof bytes);
        assert_in_range(size, 100, sizeof bytes - 1);
        for (size_t cut = 0; cut < size; cut++) {
            write_all(bytes, cut);
            assert_fails(wk_numpy_load_npz(path), "");
        }
        for (size_t at = 0; at < size; at++) {
            bytes[at] ^= 0xff;
            write_all(bytes, size);
            wk_error error;
            wk_try(&error) dict = wk_numpy_load_npz(path);
            assert_int_equal(error.set, !dict);
            wk_dict_free(dict);
            bytes[at] ^= 0xff;
        }
    }
}

/* ---------------------------------------------------------------- archives made here */

static unsigned char *put(unsigned char *at, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        *at++ = (unsigned char)(value >> (8 * i));
    return at;
}

typedef struct part {
    const char *name;
    unsigned flags, method, entries;
    uint32_t packed, size; // announced; 0: as they are
    bool wrong_crc;
} part;

/* CRC-32, bit by bit */
static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

/* an archive with the file of one array, named so and announced so, p.entries times in the directory */
static void archive(part p)
{
    unsigned char bytes[2048], array[256], *at = bytes;
    wk_scope
    {
        assert_true(wk_numpy_save(path, wk_ones((2))));
    }
    const size_t size = read_all(path, array, sizeof array), name = strlen(p.name);
    const uint32_t crc = crc_of(array, size) ^ p.wrong_crc;
    at = put(put(put(put(at, 0x04034b50, 4), 20, 2), p.flags, 2), p.method, 2);
    at = put(put(put(put(put(put(at, 0, 4), crc, 4), size, 4), size, 4), name, 2), 0, 2);
    memcpy(at, p.name, name);
    memcpy(at + name, array, size);
    at += name + size;
    const size_t begin = (size_t)(at - bytes);
    for (unsigned i = 0; i < p.entries; i++) {
        at = put(put(put(put(put(at, 0x02014b50, 4), 20, 2), 20, 2), p.flags, 2), p.method, 2);
        at = put(put(put(put(at, 0, 4), crc, 4), p.packed ? p.packed : size, 4), p.size ? p.size : size, 4);
        at = put(put(put(at, name, 2), 0, 8), 0, 8); // no extra field, no comment, its offset 0
        memcpy(at, p.name, name);
        at += name;
    }
    at = put(put(put(put(at, 0x06054b50, 4), 0, 4), p.entries, 2), p.entries, 2);
    at = put(put(put(at, (uint64_t)(at - bytes) - begin - 12, 4), begin, 4), 0, 2);
    write_all(bytes, (size_t)(at - bytes));
}

static void broken_ones(void **state)
{
    (void)state;
    archive((part){.name = "x.npy", .entries = 1});
    wk_dict *dict = wk_numpy_load_npz(path);
    assert_int_equal(wk_dict_count(dict), 1);
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, "x"), wk_ones((2))));
    }
    wk_dict_free(dict);
    static const struct {
        part part;
        const char *words;
    } rows[] = {
        {{.name = "x.txt", .entries = 1}, "x.txt: is no .npy"},
        {{.name = ".npy", .entries = 1}, ".npy: is no .npy"},
        {{.name = "x.npy", .entries = 1, .flags = 1}, "x.npy: is encrypted"},
        {{.name = "x.npy", .entries = 1, .method = 12}, "packed in a way (12)"},
        {{.name = "x.npy", .entries = 1, .method = 8}, "does not inflate"},
        {{.name = "x.npy", .entries = 1, .method = 8, .size = 0xfffffff0u}, "announces 4294967280 bytes"},
        {{.name = "x.npy", .entries = 1, .size = 5}, "announces 5 bytes"},
        {{.name = "x.npy", .entries = 1, .wrong_crc = true}, "another CRC-32"},
        {{.name = "x.npy", .entries = 1, .packed = 4000, .size = 4000}, "more bytes than it"},
        {{.name = "x.npy", .entries = 1, .packed = 0xffffffffu}, "zip64 numbers are broken"},
        {{.name = "x.npy", .entries = 2}, "x.npy: is there twice"},
        {{.name = "x.npy", .entries = 9}, "is there twice"},
        {{.name = "a\nb.npy", .entries = 2}, "a\\nb.npy: is there twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        archive(rows[i].part);
        assert_fails(wk_numpy_load_npz(path), rows[i].words);
    }
    write_all("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22); // none in it
    dict = wk_numpy_load_npz(path);
    assert_int_equal(wk_dict_count(dict), 0);
    wk_dict_free(dict);
    assert_fails(wk_numpy_load_npz("tests/golden/io_bool.npy"), "is no .npz file, it is numpy's .npy");
    assert_fails(wk_numpy_load("tests/golden/io_stored.npz"), "hint: wk_numpy_load_npz");
    assert_fails(wk_numpy_load_npz("/nowhere/x.npz"), "/nowhere/x.npz");
}

static void saving(void **state)
{
    (void)state;
    wk_dict *dict = wk_dict_new();
    assert_true(wk_numpy_savez(path, dict));
    wk_dict *again = wk_numpy_load_npz(path);
    assert_int_equal(wk_dict_count(again), 0);
    wk_dict_free(again);
    wk_scope
    {
        wk_dict_set(dict, "t", wk_t(wk_reshape(wk_arange(6), (2, 3))));
        wk_dict_set(dict, "a/b \xc3\xa9", wk_zeros((0, 2), .dtype = wk_complex64));
        wk_dict_set_text(dict, "epoch", "6"); // left out
        assert_true(wk_numpy_savez(path, dict));
        again = wk_numpy_load_npz(path);
        assert_int_equal(wk_dict_count(again), 2);
        assert_int_equal(wk_dict_text_count(again), 0);
        assert_true(wk_equal(wk_dict_get(again, "t"), wk_dict_get(dict, "t")));
        assert_int_equal(wk_dict_get(again, "a/b \xc3\xa9")->dtype, wk_complex64);
        wk_dict_free(again);
        unsigned char first[4096], second[4096];
        const size_t size = read_all(path, first, sizeof first);
        assert_true(wk_numpy_savez(path, dict)); // the same bytes
        assert_int_equal(read_all(path, second, sizeof second), size);
        assert_memory_equal(first, second, size);

        wk_dict_set(dict, "half", wk_zeros((2), .dtype = wk_bfloat16));
        assert_fails(wk_numpy_savez(path, dict), "numpy has no bfloat16");
        assert_int_equal(read_all(path, second, sizeof second), size); // the old one is there
        assert_memory_equal(first, second, size);
    }
    assert_fails(wk_numpy_savez(path, NULL), "dict");
    assert_fails(wk_numpy_savez("/nowhere/x.npz", dict), "/nowhere/x.npz");
    wk_dict_free(dict);
    for (int64_t n = 0, ended = 0; !ended; n++) { // every allocation fails in turn
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_error error;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            dict = wk_numpy_load_npz("tests/golden/io_deflated.npz");
            if (dict)
                wk_numpy_savez(path, dict);
            wk_dict_free(dict);
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 1000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    close(mkstemp(path));
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_numpy), cmocka_unit_test(broken_ones),
                                       cmocka_unit_test(saving)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
