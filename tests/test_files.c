/* Files are not believed.  One of another kind is named; a name in it or of it reaches no terminal as it is; a header
   that promises what the file cannot hold takes no memory; a gzip file is whole or an error; names that are many, or
   made to collide, take no more each; and what is pending or broken is neither saved nor loaded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include <wick.h>

#include "core/dict.h"
#include "core/text.h"
#include "fails.h"

static char path[128];

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* ---------------------------------------------------------------- other kinds of files */

#define BYTES(text) text, sizeof text - 1

static void test_other_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message, *hint;
    } files[] = {
        {BYTES("PK\3\4\24\0\0\0\0\0archive/data.pkl...."), "as torch.save writes it (.pt, .pth)\nhint: ", "wk_load"},
        {BYTES("PK\3\4\24\0\0\0\0\0weight.npy....."), "numpy's .npz, a zip archive", "wk_numpy_load_npz"},
        {BYTES("PK\3\4\24\0\0\0\0\0text"), "a zip archive", "unzip"},
        {BYTES("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20"), "old versions of torch.save", "wk_load"},
        {BYTES("\x80\x04\x95\0\0\0\0\0\0\0"), "a pickle of Python's", "torch.save"},
        {BYTES("GGUF\3\0\0\0\1\0\0\0"), "a GGUF file", "the safetensors that it was made from"},
        {BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3 not deflated"), "a gzip file", "gunzip"},
        {BYTES("\x93NUMPY\1\0v\0{"), "numpy's .npy", "wk_numpy_load"},
        {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a PNG picture", "wk_vision_read_image"},
        {BYTES("\xff\xd8\xff\xe0\0\x10JFIF"), "a JPEG picture", "wk_vision_read_image"},
        {BYTES("<!doctype html><html>"), "a web page", "download"},
        {BYTES("version https://git-lfs.github.com/spec/v1\n"), "git-lfs", "git lfs pull"},
        {BYTES("\0\0\x08\1\0\0\0\1a"), "an IDX file", "wk_data_load_idx"},
        {BYTES("\x3d\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}     a"),
         "a safetensors file", "wk_safetensors_load_file"},
        {BYTES("\1\2\3"), "it has 3 bytes, and begins with 01 02 03", ""},
        {BYTES(""), "it has 0 bytes, and begins with none", ""},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int loader = 0; loader < 4; loader++) {
            static const char *const readers[] = {"wk_safetensors_load_file", "wk_numpy_load", "wk_data_load_idx",
                                                  "wk_vision_read_image"};
            const bool gzip = loader == 2 && files[i].bytes[0] == 0x1f; // which it reads
            if (strcmp(files[i].hint, readers[loader]) == 0 || gzip)
                continue;
            write_file(files[i].bytes, files[i].size);
            wk_error error;
            wk_try(&error)
            {
                void *loaded = loader == 0   ? (void *)wk_safetensors_load_file(path)
                               : loader == 1 ? (void *)wk_numpy_load(path)
                               : loader == 2 ? (void *)wk_data_load_idx(path)
                                             : (void *)wk_vision_read_image(path);
                assert_null(loaded);
            }
            if (!strstr(error.message, files[i].message) || !strstr(error.message, files[i].hint))
                fail_msg("%s: expected \"%s\" and \"%s\", got %s", readers[loader], files[i].message, files[i].hint,
                         error.message);
        }
}

/* ---------------------------------------------------------------- names that a terminal would obey */

static void assert_harmless(const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        const int length = wk_utf8_length(text, left);
        assert_true(length > 0 && ((unsigned char)*text >= ' ' || *text == '\n') && *text != 0x7f);
        assert_false(length == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0);
        text += length;
        left -= (size_t)length;
    }
}

static void test_names_on_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } names[] = {{"weight", "weight"},
                 {"\x1b[31mred", "\\x1b[31mred"},
                 {"a\nhint: run this\t\r", "a\\nhint: run this\\t\\r"},
                 {"\xff\xc3(", "\\xff\\xc3("},
                 {"\xc2\x9b\x31m", "\\xc2\\x9b1m"}, // a control character of two bytes
                 {"\xe2\x80\xae"
                  "txt",
                  "\\xe2\\x80\\xaetxt"},              // text that turns around
                 {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, // half of a pair
                 {"\xc0\x80\xf5\x80\x80\x80", "\\xc0\\x80\\xf5\\x80\\x80\\x80"},
                 {"h\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", "h\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(wk_shown(names[i].text, (wk_shown_text){0}), names[i].shown);
    char many[1000];
    memset(many, '\x1b', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    const char *shown = wk_shown(many, (wk_shown_text){0});
    assert_true(strlen(shown) < WK_SHOWN && strcmp(shown + strlen(shown) - 3, "...") == 0);

    /* a path, a tensor's name, a text's name, a dtype, and what no one escaped */
    wk_error error;
    wk_try(&error) assert_null(wk_safetensors_load_file("/nowhere/\x1b]0;title\a\nhint: x"));
    assert_harmless(error.message);
    assert_non_null(strstr(error.message, "/nowhere/\\x1b]0;title\\x07\\nhint: x: No such file"));
    static const char *const headers[] = {
        "{\"\\u001b[2J\\n\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"\\u001b[2J\\n\":{\"dtype\":\"F32\"}}", "{\"\\u001b[2J\\n\":7}",
        "{\"a\":{\"dtype\":\"\\u001b[2J\\n\",\"shape\":[1],\"data_offsets\":[0,0]}}",
        "{\"__metadata__\":{\"\\u001b[2J\\n\":\"\",\"\\u001b[2J\\n\":\"\"}}"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char bytes[256] = {(char)strlen(headers[i])};
        memcpy(bytes + 8, headers[i], strlen(headers[i]));
        write_file(bytes, 8 + strlen(headers[i]));
        wk_try(&error) assert_null(wk_safetensors_load_file(path));
        assert_harmless(error.message);
        if (!strstr(error.message, "\\x1b[2J\\n"))
            fail_msg("%s", error.message);
    }
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        void *model = wk_nn_linear(1, 1);
        wk_dict_set(dict, "\x1b[2J\n", wk_zeros((1)));
        assert_fails(wk_module_load_state_dict(model, dict), "not in the module: \"\\x1b[2J\\n\"");
        wk_module_free(model);
    }
    wk_dict_free(dict);
    wk_try(&error) wk_fail("net", "a name: %s", "\x1b[2J\xff");
    assert_string_equal(error.message, "net: a name: ?[2J?");
}

/* ---------------------------------------------------------------- more than a file can hold */

static void put32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* a header, and a chunk of pixels with nothing in it */
static size_t small_png(unsigned char *bytes, uint32_t width, uint32_t height, int depth, int kind)
{
    memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    put32(bytes + 16, width);
    put32(bytes + 20, height);
    memcpy(bytes + 24, (unsigned char[]){(unsigned char)depth, (unsigned char)kind, 0, 0, 0}, 5);
    put32(bytes + 29, (uint32_t)crc32(0, bytes + 12, 17));
    memcpy(bytes + 33, "\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
    return 45;
}

static void test_small_files_take_little(void **state)
{
    (void)state;
    static const struct {
        uint32_t width, height;
        int depth, kind;
        bool limit;
    } pictures[] = {{1, 2147483647, 1, 0, true}, {2147483647, 1, 8, 6, true}, {1000, 1000000, 8, 0, false},
                    {1, 1000000, 1, 0, false},   {46340, 46340, 8, 0, false}, {1000000, 1000000, 16, 6, false},
                    {1, 1000001, 8, 2, true}};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        unsigned char bytes[64];
        write_file(bytes, small_png(bytes, pictures[i].width, pictures[i].height, pictures[i].depth, pictures[i].kind));
        const int64_t before = wk_memory_get_stats().peak_bytes;
        assert_fails(wk_vision_read_image(path),
                     pictures[i].limit ? "read_image: " : "more pixels than the file can hold");
        assert_true(wk_memory_get_stats().peak_bytes - before < 1 << 18);
    }
    unsigned char chunk[64]; // a text that says it has a gigabyte
    const size_t size = small_png(chunk, 1, 1, 8, 0);
    put32(chunk + 33, 1 << 30);
    memcpy(chunk + 37, "zTXt", 4);
    write_file(chunk, size);
    const int64_t before = wk_memory_get_stats().peak_bytes;
    assert_fails(wk_vision_read_image(path), "read_image: ");
    assert_true(wk_memory_get_stats().peak_bytes - before < 1 << 18);

    static const char idx[] = "\0\0\x08\2\x7f\xff\xff\xff\x7f\xff\xff\xff";
    write_file(idx, sizeof idx - 1);
    assert_fails(wk_data_load_idx(path), "more than the file's 12 bytes can hold");
    gzFile packed = gzopen(path, "wb");
    gzwrite(packed, idx, sizeof idx - 1);
    gzclose(packed);
    assert_fails(wk_data_load_idx(path), "bytes can hold");
    static const char npy[] = "\x93NUMPY\1\0\x46\0{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,)}";
    write_file(npy, sizeof npy - 1);
    assert_fails(wk_numpy_load(path), "numpy_load: ");
}

/* ---------------------------------------------------------------- gzip */

static void test_gzip_is_whole(void **state)
{
    (void)state;
    static const char idx[] = "\0\0\x08\1\0\0\0\x08wickwick";
    unsigned char bytes[256];
    z_stream stream = {.next_in = (Bytef *)idx, .avail_in = 16, .next_out = bytes, .avail_out = sizeof bytes};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    const size_t size = sizeof bytes - stream.avail_out;
    wk_scope
    {
        write_file(bytes, size);
        assert_int_equal(wk_numel(wk_data_load_idx(path)), 8);
        for (size_t cut = 2; cut < size; cut++) {
            write_file(bytes, cut);
            assert_fails(wk_data_load_idx(path), "cut off");
        }
        bytes[size] = 0;
        write_file(bytes, size + 1);
        assert_fails(wk_data_load_idx(path), "1 bytes follow the end of its gzip data");
        for (size_t at = size - 8; at < size; at++) { // the checksum and the length
            bytes[at] ^= 1;
            write_file(bytes, size);
            assert_fails(wk_data_load_idx(path), "its gzip data is broken: incorrect");
            bytes[at] ^= 1;
        }
        memcpy(bytes + size, bytes, size); // a second member: more of the same, as gzip has it
        write_file(bytes, 2 * size);
        assert_fails(wk_data_load_idx(path), "holds more than");
    }
}

/* ---------------------------------------------------------------- many names */

static wk_dict *many(int64_t count)
{
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        wk_tensor *x = wk_zeros((1));
        char name[48];
        for (int64_t i = 0; i < count; i++) {
            snprintf(name, sizeof name, "layers.%lld.weight", (long long)i);
            wk_dict_set(dict, name, x);
        }
    }
    return dict;
}

/* blocks that loading a file of so many names takes at most */
static int64_t blocks_to_load(int64_t count)
{
    wk_dict *dict = many(count);
    assert_true(wk_dict_longest_search(dict) < 64);
    assert_true(wk_safetensors_save_file(dict, path));
    wk_dict_free(dict);
    const int64_t before = wk_memory_get_stats().live_blocks;
    dict = wk_safetensors_load_file(path);
    assert_int_equal(wk_dict_count(dict), count);
    const int64_t blocks = wk_memory_get_stats().live_blocks - before;
    wk_dict_free(dict);
    return blocks;
}

static void test_many_names(void **state)
{
    (void)state;
    const int64_t few = blocks_to_load(1000), more = blocks_to_load(10000);
    assert_true(more <= 10 * few); // the same for each
    /* names that a hash without a secret, FNV-1a, would put in one place: found by trying */
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        wk_tensor *x = wk_zeros((1));
        char name[32];
        for (int64_t i = 0; wk_dict_count(dict) < 500; i++) {
            uint64_t hash = 1469598103934665603u;
            snprintf(name, sizeof name, "%lld", (long long)i);
            for (const char *c = name; *c; c++)
                hash = (hash ^ (unsigned char)*c) * 1099511628211u;
            if ((hash & 1023) == 0)
                wk_dict_set(dict, name, x);
        }
    }
    assert_true(wk_dict_longest_search(dict) < 64);
    wk_dict_free(dict);
}

/* ---------------------------------------------------------------- while an error is pending */

static void test_pending_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(0);
        void *model = wk_nn_linear(2, 1);
        wk_optimizer *adam = wk_optim_adam(wk_module_parameters(model), .lr = 0.5);
        wk_lr_scheduler *schedule = wk_optim_step_lr(adam, 2);
        wk_dict *dict = wk_module_state_dict(model), *options = wk_optim_state_dict(adam),
                *epochs = wk_lr_scheduler_state_dict(schedule);
        adam->param_groups[0].lr = 0.25;
        wk_tensor *picture = wk_zeros((2, 2), .dtype = wk_uint8);
        unlink(path);
        wk_error error;
        wk_try(&error)
        {
            wk_fail("here", "something");
            assert_false(wk_safetensors_save_file(dict, path));
            assert_false(wk_numpy_save(path, wk_module_parameters(model).items[0]));
            assert_false(wk_vision_write_png(picture, path));
            assert_false(wk_module_load_state_dict(model, dict));
            assert_false(wk_optim_load_state_dict(adam, options));
            assert_false(wk_lr_scheduler_load_state_dict(schedule, epochs));
        }
        assert_string_equal(error.message, "here: something");
        assert_true(access(path, F_OK) != 0);
        assert_true(adam->param_groups[0].lr == 0.25);

        /* states that are broken change nothing */
        static const struct {
            const char *key, *text, *message;
        } texts[] = {{"param_groups.0.lr", "fast", "param_groups.0.lr: expected a number"},
                     {"param_groups.0.lr", "-1", "param_groups.0.lr: expected a number"},
                     {"param_groups.0.lr", "0.1 ", "param_groups.0.lr: expected a number"},
                     {"param_groups.0.betas.0", "nan", "param_groups.0.betas.0: expected a number"}};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            wk_dict *broken = wk_dict_copy(options);
            wk_dict_set_text(broken, texts[i].key, texts[i].text);
            assert_fails(wk_optim_load_state_dict(adam, broken), texts[i].message);
            wk_dict_free(broken);
        }
        const float nan_step = NAN, steps[] = {1, 2};
        wk_dict_set(options, "state.0.exp_avg", wk_zeros((1, 2)));
        wk_dict_set(options, "state.1.step", wk_tensor((), &nan_step));
        assert_fails(wk_optim_load_state_dict(adam, options), "state.1.step: expected a whole number");
        wk_dict_set(options, "state.1.step", wk_tensor((2), steps));
        assert_fails(wk_optim_load_state_dict(adam, options), "");
        wk_dict_set_text(epochs, "last_lr.0", "fast");
        assert_fails(wk_lr_scheduler_load_state_dict(schedule, epochs), "is not that of such a schedule");
        assert_true(adam->param_groups[0].lr == 0.25);
        wk_dict_free(options);
        options = wk_optim_state_dict(adam);
        assert_null(wk_dict_get(options, "state.0.exp_avg"));
        wk_dict_free(dict);
        wk_dict_free(options);
        wk_dict_free(epochs);
        wk_lr_scheduler_free(schedule);
        wk_optim_free(adam);
        wk_module_free(model);
    }
}

int main(void)
{
    strcpy(path, "/tmp/wick_test_files_XXXXXX");
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_names_on_a_terminal),
        cmocka_unit_test(test_small_files_take_little),
        cmocka_unit_test(test_gzip_is_whole),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_pending_errors),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
