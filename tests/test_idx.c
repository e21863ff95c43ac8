/* IDX files, good and broken, gzipped and plain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>

#include <wick.h>

#include "leaks.h"

static char path[64];
static void write_file(const void *bytes, size_t size, bool packed)
{
    strcpy(path, "/tmp/wick_test_data_XXXXXX");
    close(mkstemp(path));
    if (packed) {
        gzFile file = gzopen(path, "wb");
        assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
        gzclose(file);
    } else {
        FILE *file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
    }
}

static void test_idx(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};
    static const unsigned char ints[] = {0, 0, 12, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254};
    static const unsigned char halves[] = {0, 0, 14, 0, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
    for (int packed = 0; packed < 2; packed++)
        wk_scope
    {
        write_file(bytes, sizeof bytes, packed);
        wk_tensor *x = wk_data_load_idx(path);
        unlink(path);
        assert_true(x->dtype == wk_uint8 && x->ndim == 2 && x->shape[0] == 2 && x->shape[1] == 3);
        assert_memory_equal(wk_data_ptr(x), bytes + 12, 6);
        write_file(ints, sizeof ints, packed);
        x = wk_data_load_idx(path);
        unlink(path);
        assert_true(x->dtype == wk_int32 && ((int32_t *)wk_data_ptr(x))[0] == 258 &&
                    ((int32_t *)wk_data_ptr(x))[1] == -2);
        write_file(halves, sizeof halves, packed);
        x = wk_data_load_idx(path);
        unlink(path);
        assert_true(x->dtype == wk_float64 && x->ndim == 0 && wk_item(x) == 1.5);
    }
}

static void test_broken_idx(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[48];
        size_t size;
        const char *message;
    } files[] = {
        {{0}, 0, "no IDX file"},
        {{0, 0, 8}, 3, "no IDX file"},
        {{1, 0, 8, 1, 0, 0, 0, 0}, 8, "no IDX file"},
        {{0, 0, 7, 1, 0, 0, 0, 0}, 8, "no IDX file"},
        {{0, 0, 8, 200, 0, 0, 0, 0}, 8, "at most 8 dims, got 200"},
        {{0, 0, 8, 3, 0, 0, 0, 1, 0, 0}, 10, "cut off"},
        {{0, 0, 8, 1, 0, 0, 0, 9, 1, 2}, 10, "cut off"},
        {{0, 0, 8, 1, 0, 0, 0, 1, 1, 2}, 10, "holds more"},
        {{0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 255, 255}, 12, "its header announces"},
        {{0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 16, "its header announces"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int packed = 0; packed < 2; packed++) {
            write_file(files[i].bytes, files[i].size, packed);
            wk_error error;
            wk_try(&error) { assert_null(wk_data_load_idx(path)); }
            assert_true(error.set);
            if (!strstr(error.message, files[i].message))
                fail_msg("file %zu: %s", i, error.message);
            unlink(path);
        }
    wk_error error;
    wk_try(&error) { wk_data_load_idx("/nowhere/at/all.gz"); }
    assert_true(error.set && strstr(error.message, "/nowhere/at/all.gz: No such file or directory"));
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        TEST(test_idx),
        TEST(test_broken_idx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
