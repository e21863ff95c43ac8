/* .npy files made here byte by byte: headers that are right, and those that are not. */
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

static char path[] = "/tmp/wick_test_npy_XXXXXX";

static void write_all(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* headers of each version, the sizes that they announce, and what follows them */
static void headers(void **state)
{
    (void)state;
#define HEADER(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }\n"
    static const char fine[] = HEADER("<i2", "False", "(2,)");
    static const struct {
        const char *text;
        int version, announced, data_bytes; // announced: the header's bytes, more than it has
        const char *message;                // NULL: loads
    } files[] = {
        {fine, 1, 0, 4, NULL},
        {fine, 2, 0, 4, NULL},
        {fine, 3, 0, 4, NULL},
        {fine, 0, 0, 4, "expected version 1 to 3 of the format, got 0"},
        {fine, 4, 0, 4, "expected version 1 to 3 of the format, got 4"},
        {fine, 1, 0, 3, "announces int16 (2,), but 3 bytes follow"},
        {fine, 1, 0, 5, "announces int16 (2,), but 5 bytes follow"},
        {fine, 1, 4, 4, "its header is not"}, // all of the file, but no data left
        {fine, 1, 5, 4, "is cut off"},
        {fine, 2, 5, 4, "is cut off"},
        {fine, 1, 1 << 15, 4, "is cut off"},
        {fine, 2, 1 << 16, 4, "is cut off"},
        {fine, 2, 1 << 24, 4, "is cut off"},
        {HEADER("|u1", "True", "()"), 1, 0, 1, NULL},
        {HEADER("=i4", "True", "(0, 3)"), 1, 0, 0, NULL},
        {HEADER("|u1", "False", "(1,1,1,1,1,1,1,1)"), 1, 0, 1, NULL},
        {HEADER("|u1", "False", "(1,1,1,1,1,1,1,1,1)"), 1, 0, 1, "at most 8 sizes"},
        {HEADER("|u1", "False", "(2)"), 1, 0, 2, "its header is not"},
        {HEADER("|u1", "False", "(2 2)"), 1, 0, 4, "its header is not"},
        {HEADER("|u1", "False", "(-1,)"), 1, 0, 4, "its header is not"},
        {HEADER("|u1", "False", "(9223372036854775807,)"), 1, 0, 1, "but 1 bytes follow"},
        {HEADER("|u1", "False", "(9223372036854775808,)"), 1, 0, 1, "its header is not"},
        {HEADER("<i4", "False", "(4611686018427387904, 4)"), 1, 0, 0, "but 0 bytes follow"},
        {HEADER("|b1", "False", "(2,)"), 1, 0, 2, NULL},
        {HEADER("|b1", "False", "(3,)"), 1, 0, 3, "expected bools 0 or 1, got 2"},
        {HEADER("<U4", "False", "(1,)"), 1, 0, 4, "numbers of the kind <U4"},
        {HEADER("|u1", "Maybe", "(1,)"), 1, 0, 1, "its header is not"},
        {"{'descr': '|u1', 'fortran_order': False}", 1, 0, 1, "its header is not"},
        {"{'descr': '|u1', 'shape': (1,)}", 1, 0, 1, "its header is not"},
        {"{'fortran_order': False, 'shape': (1,)}", 1, 0, 1, "its header is not"},
        {"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", 1, 0, 1, "its header is not"},
        {"{\"shape\": (1,), \"fortran_order\": False, \"descr\": \"|u1\"}", 1, 0, 1, NULL},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} 1", 1, 0, 1, "its header is not"},
        {"", 1, 0, 0, "its header is not"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        wk_scope
    {
        char bytes[512] = "\x93NUMPY";
        const size_t length = strlen(files[i].text), begin = files[i].version == 1 ? 10 : 12;
        const size_t announced = length + (size_t)files[i].announced;
        bytes[6] = (char)files[i].version;
        for (size_t byte = 0; byte < begin - 8; byte++)
            bytes[8 + byte] = (char)(announced >> (8 * byte));
        memcpy(bytes + begin, files[i].text, length);
        for (int byte = 0; byte < files[i].data_bytes; byte++)
            bytes[begin + length + (size_t)byte] = (char)byte;
        write_all(bytes, begin + length + (size_t)files[i].data_bytes);
        wk_error error;
        wk_tensor *x = NULL;
        wk_try(&error) x = wk_numpy_load(path);
        if (error.set != !x || error.set != (files[i].message != NULL) ||
            (error.set && !strstr(error.message, files[i].message)))
            fail_msg("file %zu: expected \"%s\", got \"%s\"", i, files[i].message ? files[i].message : "a tensor",
                     error.set ? error.message : "a tensor");
        if (files[i].text == fine && x)
            assert_memory_equal(wk_data_ptr(x), ((int16_t[]){0x0100, 0x0302}), 4);
        if (i == 0) // nor is a file that ends within its first words
            for (size_t size = 0; size < begin + length; size++) {
                write_all(bytes, size);
                wk_try(&error) assert_null(wk_numpy_load(path));
                assert_true(strstr(error.message, size < 10 ? "is no .npy file" : "is cut off"));
            }
    }
}

/* a new file has the rights that the process gives to new files */
static void rights(void **state)
{
    (void)state;
    static const mode_t masks[] = {022, 077, 0};
    const mode_t before = umask(0);
    for (int i = 0; i < 3; i++)
        wk_scope
    {
        umask(masks[i]);
        unlink(path);
        assert_true(wk_numpy_save(path, wk_ones((2))));
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0666 & ~masks[i]);
    }
    umask(before);
}

int main(void)
{
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers), cmocka_unit_test(rights)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
