/* Checkpoints of several files, under an index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "fails.h"

static char folder[] = "/tmp/wick_test_sharded_XXXXXX";
static char path[128];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_index(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* shard `number` has the tensor "a" or "b", of its number */
static void write_shards(bool safetensors)
{
    for (int number = 1; number <= 2; number++) {
        wk_dict *dict = wk_dict_new();
        wk_scope
        {
            wk_dict_set(dict, number == 1 ? "a" : "b", wk_full((2), (double)number));
        }
        wk_dict_set_text(dict, "format", "pt");
        char name[32];
        snprintf(name, sizeof name, "model-%d.%s", number, safetensors ? "safetensors" : "bin");
        assert_true(safetensors ? wk_safetensors_save_file(dict, in_folder(name)) : wk_save(dict, in_folder(name)));
        wk_dict_free(dict);
    }
}

static void check(const wk_dict *dict)
{
    assert_non_null(dict);
    assert_int_equal(wk_dict_count(dict), 2);
    assert_string_equal(wk_dict_key_at(dict, 0), "b"); // in the order of the index
    assert_string_equal(wk_dict_text(dict, "format"), "pt");
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, "a"), wk_full((2), 1.)));
        assert_true(wk_equal(wk_dict_get(dict, "b"), wk_full((2), 2.)));
    }
}

static void both_kinds(void **state)
{
    (void)state;
    write_shards(true);
    write_index("model.safetensors.index.json",
                "{\"metadata\": {\"total_size\": 16},\n \"weight_map\": {\"b\": \"model-2.safetensors\", "
                "\"a\": \"model-1.safetensors\"}}");
    wk_dict *dict = wk_safetensors_load_file(in_folder("model.safetensors.index.json"));
    check(dict);
    wk_dict_free(dict);
    write_shards(false);
    write_index("model.bin.index.json", "{\"weight_map\": {\"b\": \"model-2.bin\", \"a\": \"model-1.bin\"}}");
    dict = wk_load(in_folder("model.bin.index.json"));
    check(dict);
    wk_dict_free(dict);
    assert_int_equal(chdir(folder), 0); // a path without a folder
    dict = wk_load("model.bin.index.json");
    check(dict);
    wk_dict_free(dict);
}

static void broken(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "is no index of a checkpoint: expected a {"},
        {"{}", "is no index of a checkpoint: expected one weight_map"},
        {"{\"weight_map\": {}} x", "something follows its end"},
        {"{\"weight_map\": {}, \"weight_map\": {}}", "is no index of a checkpoint"},
        {"{\"weight_map\": {\"a\": 1}}", "is no index of a checkpoint"},
        {"{\"weight_map\": {\"a\": \"../model-1.bin\"}}", "of its own folder, got ../model-1.bin"},
        {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", "of its own folder, got /etc/passwd"},
        {"{\"weight_map\": {\"a\": \"..\"}}", "of its own folder, got .."},
        {"{\"weight_map\": {\"a\": \"\"}}", "of its own folder, got "},
        {"{\"weight_map\": {\"a\": \"model-9.bin\"}}", "model-9.bin: No such file"},
        {"{\"weight_map\": {\"a\": \"model-2.bin\"}}", "a is not in model-2.bin"},
        {"{\"weight_map\": {\"a\": \"model-1.bin\", \"a\": \"model-1.bin\"}}", "a: is there twice"},
        {"{\"weight_map\": {\"a\": \"bad.index.json\"}}", "bad.index.json: is no .pt file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_index("bad.index.json", rows[i][0]);
        assert_fails(wk_load(in_folder("bad.index.json")), rows[i][1]);
    }
    assert_fails(wk_load(in_folder("none.index.json")), "No such file");
    for (int64_t n = 0, ended = 0; !ended; n++) { // every allocation fails in turn
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_error error;
        wk_memory_fail_after(n);
        wk_try(&error) wk_dict_free(wk_load(in_folder("model.bin.index.json")));
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 1000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

int main(void)
{
    assert_non_null(mkdtemp(folder));
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_kinds), cmocka_unit_test(broken)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const files[] = {"model-1.bin",         "model-2.bin",          "model-1.safetensors",
                                        "model-2.safetensors", "model.bin.index.json", "model.safetensors.index.json",
                                        "bad.index.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(in_folder(files[i]));
    rmdir(folder);
    return failed;
}
