/* PyTorch's checkpoints: what torch.save wrote, whole and broken. */
#define _GNU_SOURCE // memfd_create
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "fails.h"
#include "mirror.h"

static char path[64]; // of a file in memory: thousands of versions of it are written
static int descriptor;

static void write_all(const void *bytes, size_t size)
{
    assert_int_equal(ftruncate(descriptor, 0), 0);
    assert_int_equal(pwrite(descriptor, bytes, size, 0), size);
}

static size_t read_all(const char *from, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

/* what load_files.py calls ramp */
static wk_tensor *ramp(void) { return wk_div(wk_reshape(wk_arange(6.), (2, 3)), 4); }

static void check_state(const wk_dict *state)
{
    assert_non_null(state);
    assert_int_equal(wk_dict_count(state), 2);
    assert_string_equal(wk_dict_key_at(state, 0), "fc.weight");
    assert_string_equal(wk_dict_key_at(state, 1), "fc.bias");
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(state, "fc.weight"), ramp()));
        assert_true(wk_equal(wk_dict_get(state, "fc.bias"), wk_tensor((2), ((float[]){1, -1}))));
        assert_false(wk_dict_get(state, "fc.weight")->requires_grad);
    }
}

static void states(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/load_state.pt", "tests/golden/load_legacy_state.pt",
                                        "tests/golden/load_deflated.pt", "tests/golden/load_big_endian.pt",
                                        "tests/golden/load_zip64.pt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        wk_dict *each = wk_load(files[i]);
        check_state(each);
        wk_dict_free(each);
    }
    wk_dict *dict = wk_load("tests/golden/load_state.pt");
    check_state(dict);
    void *linear = wk_nn_linear(3, 2);
    wk_dict *part = wk_dict_part(dict, "fc.");
    assert_true(wk_module_load_state_dict(linear, part));
    wk_module_free(linear);
    wk_dict_free(part);

    /* what is written into a tensor stays in memory; bytes of a mapping and copies are alike */
    wk_scope
    {
        wk_fill_(wk_dict_get(dict, "fc.weight"), 0);
    }
    wk_dict_free(dict);
    dict = wk_load("tests/golden/load_state.pt", .mmap = false, .map_location = wk_cpu);
    check_state(dict);
    wk_dict_free(dict);

    dict = wk_load("tests/golden/load_one.pt");
    assert_int_equal(wk_dict_count(dict), 1);
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, ""), ramp()));
    }
    wk_dict_free(dict);
}

static void check_tensors(const char *file)
{
    wk_dict *dict = wk_load(file);
    assert_non_null(dict);
    assert_int_equal(wk_dict_count(dict), 20);
    wk_scope
    {
        for (wk_dtype dtype = wk_uint8; dtype <= wk_float64; dtype++) {
            wk_tensor *x = wk_dict_get(dict, wk_dtype_name(dtype));
            assert_non_null(x);
            assert_int_equal(x->dtype, dtype);
            assert_true(wk_equal(x, wk_to_dtype(wk_mul(ramp(), 4), dtype)));
        }
        wk_tensor *conjugate = wk_dict_get(dict, "conjugate"), *complex = wk_dict_get(dict, "complex64");
        assert_true(wk_equal(wk_dict_get(dict, "bool"), wk_gt(ramp(), 0.5)));
        assert_true(wk_equal(wk_real(complex), ramp()));
        assert_true(wk_equal(wk_imag(complex), wk_add(ramp(), 1)));
        assert_true(wk_equal(wk_dict_get(dict, "complex128"), wk_to_dtype(complex, wk_complex128)));
        assert_true(wk_equal(conjugate, wk_conj(complex)));
        assert_int_equal(wk_item_int64(wk_dict_get(dict, "scalar")), 7);
        assert_true(wk_equal(wk_dict_get(dict, "empty"), wk_zeros((0, 3))));
        assert_true(wk_equal(wk_dict_get(dict, "row"), wk_index(ramp(), "1, 1:")));
        assert_true(wk_equal(wk_dict_get(dict, "expanded"), wk_full((3, 2), 2.5)));
        assert_int_equal(wk_dict_get(dict, "expanded")->strides[0], 0);
        wk_tensor *tied = wk_dict_get(dict, "tied"), *transposed = wk_dict_get(dict, "transposed");
        assert_int_equal(transposed->strides[0], 1);
        assert_int_equal(transposed->strides[1], 3);
        wk_fill_(tied, 9); // one memory
        assert_true(wk_equal(transposed, wk_full((3, 2), 9.)));
        assert_true(wk_equal(wk_dict_get(dict, "parameter"), tied));
        assert_true(wk_equal(wk_dict_get(dict, "row"), wk_full((2), 9.)));
    }
    wk_dict_free(dict);
}

static void tensors(void **state)
{
    (void)state;
    check_tensors("tests/golden/load_tensors.pt");
    check_tensors("tests/golden/load_legacy_tensors.pt");
}

static void check_texts(const wk_dict *dict, const char *const texts[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = wk_dict_text(dict, texts[i][0]);
        if (!text || strcmp(text, texts[i][1]) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", texts[i][0], texts[i][1], text ? text : "none");
    }
    assert_int_equal(wk_dict_text_count(dict), count);
}

/* PyTorch's own checkpoint of a training: wick takes the step that PyTorch took next */
static void trainings(void **state)
{
    (void)state;
    wk_dict *all = wk_load("tests/golden/load_training.pt");
    assert_non_null(all);
    wk_dict *own = wk_dict_part(all, "model."), *optimizer = wk_dict_part(all, "optimizer."),
            *after = wk_dict_part(all, "after.");
    void *model = wk_nn_linear(3, 2);
    assert_fails(wk_module_load_state_dict(model, all), "hint: wk_dict_part(state, \"model.module.\")");
    assert_true(wk_dict_consume_prefix(own, "module."));
    assert_true(wk_module_load_state_dict(model, own));
    wk_optimizer *adam = wk_optim_adam(wk_module_parameters(model), .lr = 1);
    assert_true(wk_optim_load_state_dict(adam, optimizer));
    assert_true(wk_dict_number(all, "epoch", 0) == 2);
    wk_scope
    {
        wk_optim_zero_grad(adam);
        wk_backward(wk_sum(wk_square(wk_forward(model, ramp()))));
        wk_optim_step(adam);
    }
    wk_dict *now = wk_module_state_dict(model);
    wk_scope
    for (int64_t i = 0; i < 2; i++)
        assert_true(wk_allclose(wk_dict_value_at(now, i), wk_dict_get(after, wk_dict_key_at(now, i)), .rtol = 1e-6,
                                .atol = 1e-7));
    /* older ones have the step as a number */
    wk_dict_remove(optimizer, "state.0.step");
    wk_dict_set_text(optimizer, "state.0.step", "7");
    assert_true(wk_optim_load_state_dict(adam, optimizer));
    wk_dict *again = wk_optim_state_dict(adam);
    wk_scope
    {
        assert_true(wk_item(wk_dict_get(again, "state.0.step")) == 7);
    }
    wk_dict *const dicts[] = {all, own, optimizer, after, now, again};
    for (int i = 0; i < 6; i++)
        wk_dict_free(dicts[i]);
    wk_optim_free(adam);
    wk_module_free(model);
}

static void check_bytes(const wk_dict *dict, const char *key, const char *bytes, int64_t size)
{
    wk_tensor *x = wk_dict_get(dict, key);
    assert_non_null(x);
    assert_int_equal(x->dtype, wk_uint8);
    assert_int_equal(wk_numel(x), size);
    assert_memory_equal(wk_data_ptr(x), bytes, (size_t)size);
}

static void values(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"epoch", "3"},
        {"below", "-4000000000"},
        {"large", "0x400000000000000001"},
        {"large_below", "-0x10000000000000000"},
        {"lr", "0.10000000000000001"},
        {"infinite", "inf"},
        {"yes", "1"},
        {"no", "0"},
        {"name", "caf\xc3\xa9 \"6\""},
        {"list", "5"},
        {"list.0", "1"},
        {"list.1", "2.5"},
        {"list.2", "x"},
        {"list.3", "0"},
        {"list.4.deep", "1"},
        {"list.4.deep.0", "1"},
        {"none_of_it", "0"},
        {"size", "2"},
        {"size.0", "4"},
        {"size.1", "5"},
        {"set", "1"},
        {"set.0", "9"},
        {"ordered.a", "1"},
        {"counter.a", "2"},
        {"counter.b", "1"},
        {"device", "cuda:1"},
        {"dtype", "torch.bfloat16"},
        {"keys.0", "zero"},
        {"keys.-1", "below"},
        {"keys.1.5", "real"},
        {"keys.True", "flag"},
        {"keys.None", "none"},
    };
    wk_dict *dict = wk_load("tests/golden/load_values.pt");
    assert_non_null(dict);
    check_texts(dict, texts, sizeof texts / sizeof *texts);
    assert_true(wk_dict_number(dict, "large", 0) == 0x400000000000000001p0);
    assert_int_equal(wk_dict_count(dict), 4);
    check_bytes(dict, "nul", "a\0b", 3);
    check_bytes(dict, "bytes", "\0\x7f\x80\xff", 4);
    check_bytes(dict, "array", "ab", 2);
    assert_int_equal(wk_dict_get(dict, "complex")->dtype, wk_complex128);
    assert_memory_equal(wk_data_ptr(wk_dict_get(dict, "complex")), ((double[]){1, 2}), 16);
    wk_dict_free(dict);
}

static void check_module(const char *file)
{
    static const char *const names[] = {"mean", "fc.weight", "fc.bias", "tied.weight", "tied.bias"};
    wk_dict *dict = wk_load(file);
    assert_non_null(dict);
    assert_int_equal(wk_dict_count(dict), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(wk_dict_key_at(dict, i), names[i]);
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, "fc.weight"), ramp()));
        assert_ptr_equal(wk_data_ptr(wk_dict_get(dict, "fc.weight")), wk_data_ptr(wk_dict_get(dict, "tied.weight")));
    }
    assert_string_equal(wk_dict_text(dict, "width"), "3");
    assert_string_equal(wk_dict_text(dict, "fc.in_features"), "3");
    wk_dict_free(dict);
}

static void modules(void **state)
{
    (void)state;
    check_module("tests/golden/load_module.pt");
    check_module("tests/golden/load_legacy_module.pt");
}

/* ---------------------------------------------------------------- saving */

static wk_dict *something(void)
{
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        wk_tensor *x = ramp(), *complex = wk_view_as_complex(wk_stack((x, wk_add(x, 1)), -1));
        wk_dict_set(dict, "weight", wk_t(x));
        wk_dict_set(dict, "row", wk_select(x, 0, 1));
        wk_dict_set(dict, "half", wk_to_dtype(x, wk_bfloat16));
        wk_dict_set(dict, "empty", wk_zeros((0, 2), .dtype = wk_int64));
        wk_dict_set(dict, "scalar", wk_ones((), .dtype = wk_bool));
        wk_dict_set(dict, "complex", complex);
        wk_dict_set(dict, "real", wk_real(complex));
    }
    wk_dict_set_number(dict, "epoch", 3);
    wk_dict_set_number(dict, "long", -4e9);
    wk_dict_set_number(dict, "lr", 0.1);
    wk_dict_set_number(dict, "best", INFINITY);
    wk_dict_set_text(dict, "name", "caf\xc3\xa9 06");
    return dict;
}

static void check_same(const wk_dict *a, const wk_dict *b)
{
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(wk_dict_count(a), wk_dict_count(b));
    assert_int_equal(wk_dict_text_count(a), wk_dict_text_count(b));
    wk_scope
    for (int64_t i = 0; i < wk_dict_count(a); i++) {
        wk_tensor *x = wk_dict_value_at(a, i), *y = wk_dict_value_at(b, i);
        assert_string_equal(wk_dict_key_at(a, i), wk_dict_key_at(b, i));
        assert_int_equal(x->dtype, y->dtype);
        assert_true(wk_equal(x, y));
        for (int dim = 0; dim < x->ndim; dim++)
            assert_int_equal(x->strides[dim], y->strides[dim]);
    }
    for (int64_t i = 0; i < wk_dict_text_count(a); i++)
        assert_string_equal(wk_dict_text_at(a, i), wk_dict_text(b, wk_dict_text_key_at(a, i)));
}

static char saved[] = "/tmp/wick_test_save_XXXXXX";

static void saving(void **state)
{
    (void)state;
    wk_dict *dict = something(), *again;
    unsigned char bytes[8192], golden[8192];
    assert_true(wk_save(dict, saved));
    const size_t size = read_all(saved, bytes, sizeof bytes);
    assert_int_equal(size, read_all("tests/golden/saved.pt", golden, sizeof golden)); // PyTorch has read it
    assert_memory_equal(bytes, golden, size);
    again = wk_load(saved);
    check_same(dict, again);
    wk_scope
    {
        wk_fill_(wk_dict_get(again, "weight"), 5);
        assert_true(wk_equal(wk_dict_get(again, "row"), wk_full((3), 5.))); // one memory, still
        wk_fill_(wk_dict_get(again, "real"), 4);
        assert_true(wk_equal(wk_real(wk_dict_get(again, "complex")), wk_full((2, 3), 4.)));
    }
    wk_dict_free(again);
    wk_dict_free(dict);

    /* a row of much is saved alone, an expanded number as one */
    dict = wk_dict_new();
    wk_scope
    {
        wk_dict_set(dict, "row", wk_select(wk_reshape(wk_arange(100000.), (1000, 100)), 0, 500));
        wk_dict_set(dict, "expanded", wk_expand(wk_ones((1)), (1000, 1000)));
    }
    assert_true(wk_save(dict, saved));
    assert_in_range(read_all(saved, bytes, sizeof bytes), 1000, 2000);
    again = wk_load(saved);
    check_same(dict, again);
    wk_dict_free(again);

    assert_true(wk_dict_set_text(dict, "row", "a text"));
    assert_fails(wk_save(dict, saved), "key row: names a tensor and a text");
    wk_dict_free(dict);
    dict = wk_dict_new();
    assert_true(wk_save(dict, saved));
    again = wk_load(saved);
    assert_int_equal(wk_dict_count(again), 0);
    wk_dict_free(again);
    wk_dict_set_text(dict, "a", "\xff");
    assert_fails(wk_save(dict, saved), "text a: \\xff: expected UTF-8");
    wk_dict_free(dict);
    assert_fails(wk_save(NULL, saved), "dict");
}

/* to a device and from it: tensors that share memory share it there, too */
static void devices(void **state)
{
    (void)state;
    mirror_start();
    wk_dict *there = wk_load("tests/golden/load_tensors.pt", .map_location = mirror);
    wk_dict *here = wk_load("tests/golden/load_tensors.pt");
    assert_int_equal(wk_dict_get(there, "bool")->device.type, WK_PRIVATE);
    assert_true(wk_save(there, saved));
    wk_dict *again = wk_load(saved);
    check_same(here, again);
    wk_scope
    {
        wk_fill_(wk_dict_get(there, "tied"), 9);
        assert_true(wk_equal(wk_to(wk_dict_get(there, "transposed"), wk_cpu), wk_full((3, 2), 9.)));
        wk_fill_(wk_dict_get(again, "tied"), 9);
        assert_true(wk_equal(wk_dict_get(again, "transposed"), wk_full((3, 2), 9.)));
    }
    wk_dict_free(there);
    wk_dict_free(here);
    wk_dict_free(again);
}

/* every allocation fails in turn: an error each time, and nothing left behind */
static void out_of_memory(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/load_tensors.pt", "tests/golden/load_legacy_module.pt",
                                        "tests/golden/load_values.pt"};
    for (int file = 0; file < 3; file++)
        for (int64_t n = 0, ended = 0; !ended; n++) {
            const int64_t before = wk_memory_get_stats().live_blocks;
            wk_error error;
            wk_memory_fail_after(n);
            wk_try(&error)
            {
                wk_dict *dict = wk_load(files[file]);
                if (dict)
                    wk_save(dict, saved);
                wk_dict_free(dict);
            }
            ended = !error.set;
            wk_memory_fail_after(-1);
            assert_true(n < 2000);
            assert_int_equal(wk_memory_get_stats().live_blocks, before);
        }
}

/* cut off anywhere, or with any byte another: an error or a dictionary, and nothing read outside */
static void broken(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/load_state.pt", "tests/golden/load_legacy_state.pt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        unsigned char bytes[4096];
        const size_t size = read_all(files[i], bytes, sizeof bytes);
        assert_in_range(size, 100, sizeof bytes - 1);
        for (size_t cut = 0; cut < size; cut++) {
            write_all(bytes, cut);
            assert_fails(wk_load(path), "");
        }
        for (size_t at = 0; at < size; at++) {
            wk_error error;
            wk_dict *dict = NULL;
            bytes[at] ^= 0xff;
            write_all(bytes, size);
            wk_try(&error) dict = wk_load(path);
            assert_int_equal(error.set, !dict);
            wk_dict_free(dict);
            bytes[at] ^= 0xff;
        }
    }
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    descriptor = memfd_create("load", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),  cmocka_unit_test(tensors),       cmocka_unit_test(values),
        cmocka_unit_test(modules), cmocka_unit_test(trainings),     cmocka_unit_test(saving),
        cmocka_unit_test(devices), cmocka_unit_test(out_of_memory), cmocka_unit_test(broken)};
    close(mkstemp(saved));
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(saved);
    return failed;
}
