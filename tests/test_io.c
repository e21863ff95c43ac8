/* safetensors and .npy: the bytes that Python's libraries write (tests/golden/io_files.py), read and written; files
   that are broken on purpose, by hand and by thousands of mutations; and writing whole or not at all. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "leaks.h"

#define COUNT 6
static const char odd_name[] = "odd \"name\"\n\xc3\xa9/";
static char folder[64], path[128];

static char *read_all(const char *from, size_t *size)
{
    FILE *file = fopen(from, "rb");
    if (!file)
        fail_msg("%s is not there", from);
    char *bytes = malloc(1 << 16);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void write_all(const char *to, const void *bytes, size_t size)
{
    FILE *file = fopen(to, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void assert_same_files(const char *got, const char *expected)
{
    size_t got_size, expected_size;
    char *a = read_all(got, &got_size), *b = read_all(expected, &expected_size);
    assert_int_equal(got_size, expected_size);
    assert_memory_equal(a, b, got_size);
    free(a);
    free(b);
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

/* the tensors of io_files.py, in an order of our own */
static wk_dict *all_dtypes(void)
{
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        wk_tensor *ramp = wk_reshape(wk_arange(COUNT), (2, 3));
        wk_tensor *quarters = wk_div(ramp, 4);
        wk_dict_set(dict, "weight", quarters);
        wk_dict_set(dict, "bias", wk_to(wk_select(quarters, 0, 0), wk_float64));
        wk_dict_set(dict, "half", wk_to(quarters, wk_float16));
        wk_dict_set(dict, "bfloat", wk_to(quarters, wk_bfloat16));
        static const bool mask[] = {false, true, false, true, false, true};
        wk_dict_set(dict, "mask", wk_tensor((2, 3), mask));
        wk_dict_set(dict, "bytes", wk_to(wk_mul(ramp, 50), wk_uint8));
        wk_dict_set(dict, "signed", wk_to(wk_neg(ramp), wk_int8));
        wk_dict_set(dict, "short", wk_to(wk_mul(ramp, -1000), wk_int16));
        wk_dict_set(dict, "int", wk_to(wk_mul(ramp, -100000), wk_int32));
        /* not contiguous: written row by row all the same */
        wk_dict_set(dict, "long", wk_t(wk_contiguous(wk_t(wk_mul(ramp, -1000000000000000)))));
        wk_tensor *complex = wk_empty((2, 3), .dtype = wk_complex64);
        for (int i = 0; i < COUNT; i++) {
            ((float *)wk_data_ptr(complex))[2 * i] = (float)i;
            ((float *)wk_data_ptr(complex))[2 * i + 1] = 1;
        }
        wk_dict_set(dict, "complex", complex);
        wk_dict_set(dict, "step", wk_tensor((), (int64_t[]){7}));
        wk_dict_set(dict, "empty", wk_zeros((0, 3)));
        wk_dict_set(dict, odd_name, wk_ones((1)));
    }
    wk_dict_set_text(dict, "epoch", "six \"6\"\t");
    return dict;
}

static void test_bytes_of_python(void **state)
{
    (void)state;
    wk_dict *dict = all_dtypes();
    assert_true(wk_safetensors_save_file(dict, path));
    wk_dict_free(dict);
    assert_same_files(path, WICK_GOLDEN "/io_all.safetensors");
    dict = wk_dict_new();
    assert_true(wk_safetensors_save_file(dict, path));
    wk_dict_free(dict);
    assert_same_files(path, WICK_GOLDEN "/io_none.safetensors");
    assert_int_equal(files_in_folder(), 1);
}

static void test_load(void **state)
{
    (void)state;
    wk_dict *loaded = wk_safetensors_load_file(WICK_GOLDEN "/io_all.safetensors"), *expected = all_dtypes();
    assert_int_equal(wk_dict_count(loaded), 14);
    assert_string_equal(wk_dict_text(loaded, "epoch"), "six \"6\"\t");
    assert_string_equal(wk_dict_key_at(loaded, 0), "long");
    assert_string_equal(wk_dict_key_at(loaded, 13), "mask");
    for (int64_t i = 0; i < 14; i++)
        wk_scope
    {
        const char *key = wk_dict_key_at(expected, i);
        wk_tensor *a = wk_dict_get(loaded, key), *b = wk_contiguous(wk_dict_value_at(expected, i));
        assert_non_null(a);
        assert_true(a->dtype == b->dtype && a->ndim == b->ndim && wk_numel(a) == wk_numel(b));
        for (int dim = 0; dim < a->ndim; dim++)
            assert_int_equal(a->shape[dim], b->shape[dim]);
        if (wk_numel(a) > 0)
            assert_memory_equal(wk_data_ptr(a), wk_data_ptr(b), (size_t)(wk_numel(a) * wk_element_size(a)));
    }
    /* tensors outlive the dictionary; writes stay in memory */
    wk_scope
    {
        wk_tensor *weight = wk_adopt(wk_retain(wk_dict_get(loaded, "weight")));
        wk_dict_free(loaded);
        wk_fill_(weight, 3);
        assert_true(wk_item(wk_sum(weight)) == 18);
    }
    loaded = wk_safetensors_load_file(WICK_GOLDEN "/io_all.safetensors");
    wk_scope
    {
        assert_true(wk_item(wk_sum(wk_dict_get(loaded, "weight"))) == 3.75);
    }
    /* a new file in the old one's place leaves what is mapped alone */
    assert_true(wk_safetensors_save_file(loaded, path));
    wk_dict *again = wk_safetensors_load_file(path);
    assert_true(wk_safetensors_save_file(expected, path) && wk_safetensors_save_file(again, path));
    assert_same_files(path, WICK_GOLDEN "/io_all.safetensors");
    wk_dict_free(again);
    wk_dict_free(loaded);
    wk_dict_free(expected);
}

/* ---------------------------------------------------------------- broken files */

static void write_safetensors(const char *header, uint64_t announced, size_t data_bytes)
{
    char bytes[2048] = "";
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((announced ? announced : length) >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++)
        bytes[8 + length + i] = (char)i;
    write_all(path, bytes, 8 + length + data_bytes);
}

static void test_broken_files(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t announced;
        size_t data_bytes;
        const char *message;
    } files[] = {
        {"", 0, 0, "is no safetensors file: it has 8 bytes"},
        {"{}", 3, 0, "is cut off"},
        {"{}", UINT64_MAX, 0, "at most 100000000 bytes, got 18446744073709551615"},
        {"{}", UINT64_MAX - 7, 0, "at most 100000000 bytes"},
        {"[]", 0, 0, "is no safetensors file: it has 10 bytes"},
        {" {}", 0, 0, "is no safetensors file"},
        {"{}", 0, 4, "cover 0 bytes of its 4"},
        {"{} {}", 0, 0, "not JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}",
         0, 4, "a: is there twice"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 4, "a: has two of shape"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, 0, "__metadata__: a: is there twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, 0, "__metadata__: is there twice"},
        {"{\"\xff\":{}}", 0, 0, "a string is not UTF-8"},
        {"{\"a\\u0000b\":{}}", 0, 0, "not JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 0, 8, "F32 (1,) does not fit its 8 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 0, 4, "not in the file's 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 0, 4, "not in the file"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 0, 4,
         "a: expected a whole number, 0 or more, at byte 48"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0.0,4.0]}}", 0, 4, "a whole number"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 0, 4, "expected a ,"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}", 0, 4, "not JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 0, 4, "0 or more"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 0, 4, "expected a ["},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 0, 4,
         "at most 8 dims, got more"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}", 0, 4, "does not fit"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, 0, "does not fit"},
        {"{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 4, "dtype F99"},
        {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 4, "a: expected a string"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 0, 0, "with dtype, shape"},
        {"{\"a\":7}", 0, 0, "expected a {"},
        {"{\"a\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}", 0, 3, "bools 0 or 1, got 2"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[2,5]}}",
         0, 5, "b: expected its data to begin at 3"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]}}",
         0, 5, "b: expected its data to begin at 3"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 0, 5, "cover 3 bytes of its 5"},
        {"{\"__metadata__\":{\"a\":1}}", 0, 0, "expected a string"},
        {"{\"__metadata__\":[]}", 0, 0, "expected a {"},
    };
    wk_error error;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_safetensors(files[i].header, files[i].announced, files[i].data_bytes);
        wk_try(&error) { assert_null(wk_safetensors_load_file(path)); }
        if (!error.set || !strstr(error.message, files[i].message))
            fail_msg("%s\nexpected: %s\ngot: %s", files[i].header, files[i].message, error.message);
    }
    /* escapes of one to four bytes */
    write_safetensors(
        "{\"\\u0041\\u00e9\\u071F\\ud83D\\ude00\\/\\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 0,
        1);
    wk_dict *names = wk_safetensors_load_file(path);
    assert_string_equal(wk_dict_key_at(names, 0), "A\xc3\xa9\xdc\x9f\xf0\x9f\x98\x80/\n");
    wk_dict_free(names);
    static char deep[1900];
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"a\":", 5);
    write_safetensors(deep, 0, 0);
    wk_try(&error) { assert_null(wk_safetensors_load_file(path)); }
    assert_true(error.set && strstr(error.message, "not JSON"));
    wk_try(&error) { assert_null(wk_safetensors_load_file("/nowhere/x.safetensors")); }
    assert_true(error.set && strstr(error.message, "/nowhere/x.safetensors: No such file or directory"));
    wk_try(&error) { assert_null(wk_safetensors_load_file("/tmp")); }
    assert_true(error.set && strstr(error.message, "/tmp: is not a file"));
}

static uint32_t next_random(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

/* one change: a byte, a digit, a cut, a piece moved */
static size_t mutate(char *bytes, size_t size)
{
    static const char telling[] = "{}[]\",:-0123456789 \\FIUB\xff\x80\n";
    const size_t at = next_random() % size, other = next_random() % size;
    switch (next_random() % 6) {
    case 0:
        bytes[at] ^= (char)(1 << next_random() % 8);
        return size;
    case 1:
        return at + 1;
    case 2:
        memmove(bytes + at, bytes + other, size - (at > other ? at : other));
        return size;
    case 3: // in the header's length
        bytes[next_random() % 8] = (char)next_random();
        return size;
    default:
        bytes[at] = telling[next_random() % (sizeof telling - 1)];
        return size;
    }
}

static void load_whatever(bool npy)
{
    wk_error error;
    wk_try(&error)
    {
        wk_scope
        {
            double sum = 0;
            if (npy) {
                wk_tensor *x = wk_numpy_load(path);
                sum += x && !wk_is_complex(x) ? wk_item(wk_sum(wk_to(x, wk_float64))) : 0;
            } else {
                wk_dict *dict = wk_safetensors_load_file(path);
                for (int64_t i = 0; dict && i < wk_dict_count(dict); i++)
                    if (!wk_is_complex(wk_dict_value_at(dict, i)))
                        sum += wk_item(wk_sum(wk_to(wk_dict_value_at(dict, i), wk_float64)));
                wk_dict_free(dict);
            }
            (void)sum;
        }
    }
}

static void test_mutated_files(void **state)
{
    (void)state;
    static const char *const seeds[] = {"/io_all.safetensors", "/io_float32.npy", "/io_fortran.npy", "/io_bool.npy"};
    for (int seed = 0; seed < 4; seed++) {
        char from[256];
        snprintf(from, sizeof from, "%s%s", WICK_GOLDEN, seeds[seed]);
        size_t size;
        char *good = read_all(from, &size), *bytes = malloc(size);
        for (int turn = 0; turn < (seed == 0 ? 3000 : 700); turn++) {
            memcpy(bytes, good, size);
            size_t left = size;
            for (uint32_t changes = 1 + next_random() % 3; changes > 0; changes--)
                left = mutate(bytes, left < 9 ? size : left);
            write_all(path, bytes, left);
            load_whatever(seed > 0);
        }
        free(good);
        free(bytes);
    }
}

/* ---------------------------------------------------------------- whole or not at all */

static void test_failed_writes_leave_the_old_file(void **state)
{
    (void)state;
    wk_dict *dict = all_dtypes();
    assert_true(wk_safetensors_save_file(dict, path));
    chmod(path, 0640);
    wk_error error;

    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    wk_try(&error) { assert_false(wk_safetensors_save_file(dict, path)); }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(error.set && strstr(error.message, "could not be written: File too large"));
    assert_same_files(path, WICK_GOLDEN "/io_all.safetensors");
    assert_int_equal(files_in_folder(), 1);

    wk_try(&error) { assert_false(wk_safetensors_save_file(dict, "/nowhere/x.safetensors")); }
    assert_true(error.set && strstr(error.message, "/nowhere/x.safetensors: could not be created: No such file"));
    wk_try(&error) { assert_false(wk_safetensors_save_file(dict, "/dev/null")); }
    assert_true(error.set && strstr(error.message, "is not a file"));
    wk_try(&error)
    {
        wk_dict_set(dict, "__metadata__", wk_dict_get(dict, "step"));
        assert_false(wk_safetensors_save_file(dict, path));
    }
    assert_true(error.set && strstr(error.message, "place of the texts"));
    wk_dict_remove(dict, "__metadata__");
    wk_dict_set(dict, "not \xff text", wk_dict_get(dict, "step"));
    wk_try(&error) { assert_false(wk_safetensors_save_file(dict, path)); }
    assert_true(error.set && strstr(error.message, "expected UTF-8"));
    assert_same_files(path, WICK_GOLDEN "/io_all.safetensors");
    wk_dict_free(dict);

    /* through a link: the file behind it, whose mode stays */
    char link[160];
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(path, link), 0);
    dict = wk_dict_new();
    assert_true(wk_safetensors_save_file(dict, link));
    wk_dict_free(dict);
    assert_same_files(path, WICK_GOLDEN "/io_none.safetensors");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    unlink(link);
    unlink(path);
}

/* every allocation fails in turn */
static void test_allocations_that_fail(void **state)
{
    (void)state;
    wk_dict *dict = all_dtypes();
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            if (wk_safetensors_save_file(dict, path))
                wk_dict_free(wk_safetensors_load_file(path));
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 1000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
        assert_true(files_in_folder() <= 1);
    }
    wk_dict_free(dict);
}

/* ---------------------------------------------------------------- .npy */

static void test_numpy(void **state)
{
    (void)state;
    static const struct {
        const char *name, *key;
        bool same_bytes;
    } files[] = {{"io_float32", "weight", true},  {"io_bool", "mask", true},       {"io_int64_0d", "step", true},
                 {"io_complex64_1d", NULL, true}, {"io_big_endian", "int", false}, {"io_fortran", "weight", false},
                 {"io_complex128", "complex", true}, {"io_big_endian_complex128", "complex", false}};
    wk_dict *dict = all_dtypes();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        wk_scope
    {
        char golden[256];
        snprintf(golden, sizeof golden, "%s/%s.npy", WICK_GOLDEN, files[i].name);
        wk_tensor *expected =
            files[i].key ? wk_dict_get(dict, files[i].key) : wk_select(wk_dict_get(dict, "complex"), 0, 0);
        wk_tensor *x = wk_numpy_load(golden), *dense = wk_contiguous(wk_to(x, expected->dtype));
        assert_int_equal(wk_numel(x), wk_numel(expected));
        assert_int_equal(x->ndim, expected->ndim);
        assert_memory_equal(wk_data_ptr(dense), wk_data_ptr(expected), (size_t)(wk_numel(x) * wk_element_size(dense)));
        assert_true(wk_numpy_save(path, x));
        if (files[i].same_bytes)
            assert_same_files(path, golden);
        wk_tensor *again = wk_contiguous(wk_to(wk_numpy_load(path), expected->dtype));
        assert_memory_equal(wk_data_ptr(again), wk_data_ptr(expected), (size_t)(wk_numel(x) * wk_element_size(again)));
    }
    wk_error error;
    wk_try(&error) { assert_false(wk_numpy_save(path, wk_dict_get(dict, "bfloat"))); }
    assert_true(error.set && strstr(error.message, "numpy has no bfloat16\nhint"));
    wk_scope
    {
        wk_dict_set(dict, "wide", wk_to(wk_dict_get(dict, "complex"), wk_complex128));
        wk_dict_set(dict, "beside", wk_zeros((1))), wk_dict_set(dict, "behind", wk_zeros((1)));
    }
    wk_try(&error) { assert_false(wk_safetensors_save_file(dict, path)); }
    assert_true(error.set && strstr(error.message, "wide: safetensors has no complex128\nhint"));
    wk_try(&error) { assert_null(wk_numpy_load(WICK_GOLDEN "/io_all.safetensors")); }
    assert_true(error.set && strstr(error.message, "is no .npy file"));
    wk_dict_free(dict);
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    strcpy(folder, "/tmp/wick_test_io_XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_of_python),
        TEST(test_load),
        TEST(test_broken_files),
        TEST(test_mutated_files),
        TEST(test_failed_writes_leave_the_old_file),
        TEST(test_allocations_that_fail),
        TEST(test_numpy),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
