/* Tensors as text: some 550 tensors of all dtypes, shapes, strides and options, held byte for byte to what PyTorch
   printed (golden/print.txt, which golden/print.py wrote). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wick/activation.h>
#include <wick/autograd.h>
#include <wick/error.h>
#include <wick/memory.h>
#include <wick/pointwise.h>
#include <wick/print.h>
#include <wick/view.h>

#include "core/tensor.h"

#include "mirror.h"

#ifndef WICK_GOLDEN
#define WICK_GOLDEN "tests/golden"
#endif

typedef struct golden_case {
    char dtype[16];
    int ndim;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS], offset;
    wk_printoptions options;
    int requires_grad, parameter;
    char *data;
    char *text;
} golden_case;

static void read_list(FILE *file, int ndim, int64_t *list)
{
    for (int dim = 0; dim < ndim; dim++)
        assert_int_equal(fscanf(file, "%" SCNd64, &list[dim]), 1);
}

static char *read_storage(FILE *file)
{
    size_t used = 0, room = 1 << 16;
    char *data = malloc(room);
    assert_non_null(data);
    for (int digit = getc(file); digit != '\n'; digit = getc(file)) { // "-" where there are none
        assert_int_not_equal(digit, EOF);
        if (digit == '-')
            continue;
        const char pair[3] = {(char)digit, (char)getc(file)};
        assert_true(used < room);
        data[used++] = (char)strtol(pair, NULL, 16);
    }
    return data;
}

static bool read_case(FILE *file, golden_case *golden)
{
    if (fscanf(file, "%15s %d shape", golden->dtype, &golden->ndim) != 2)
        return false;
    read_list(file, golden->ndim, golden->shape);
    assert_int_equal(fscanf(file, " strides"), 0);
    read_list(file, golden->ndim, golden->strides);
    wk_printoptions *options = &golden->options;
    assert_int_equal(fscanf(file,
                            " offset %" SCNd64 " precision %d threshold %" SCNd64 " edgeitems %" SCNd64
                            " linewidth %" SCNd64 " sci_mode %d requires_grad %d parameter %d\n",
                            &golden->offset, &options->precision, &options->threshold, &options->edgeitems,
                            &options->linewidth, &options->sci_mode, &golden->requires_grad, &golden->parameter),
                     8);
    if (options->threshold < 0)
        options->threshold = INT64_MAX;
    golden->data = read_storage(file);
    size_t length;
    assert_int_equal(fscanf(file, "%zu", &length), 1);
    assert_int_equal(getc(file), '\n');
    golden->text = calloc(1, length + 1);
    assert_non_null(golden->text);
    assert_int_equal(fread(golden->text, 1, length, file), length);
    return true;
}

static wk_tensor *make(const golden_case *golden)
{
    wk_dtype dtype = 1;
    while (dtype < WK_DTYPES && strcmp(wk_dtype_name(dtype), golden->dtype) != 0)
        dtype++;
    assert_true(dtype < WK_DTYPES);
    wk_tensor *x = wk_tensor_from_memory("test", golden->data + golden->offset * (int64_t)wk_dtype_size(dtype),
                                         golden->ndim, golden->shape, golden->strides, dtype, wk_cpu, NULL, NULL);
    assert_non_null(x);
    x->requires_grad = golden->requires_grad;
    x->is_parameter = golden->parameter;
    return x;
}

static void test_equal_to_pytorch(void **state)
{
    (void)state;
    FILE *file = fopen(WICK_GOLDEN "/print.txt", "r");
    assert_non_null(file);
    golden_case golden = {.ndim = 0};
    int cases = 0, wrong = 0;
    while (read_case(file, &golden)) {
        wk_scope
        {
            wk_set_printoptions_with(golden.options);
            char *text = wk_to_string(make(&golden));
            assert_non_null(text);
            cases++;
            if (strcmp(text, golden.text) != 0 && wrong++ < 5)
                print_error("case %d: expected\n%s\ngot\n%s\n", cases, golden.text, text);
            free(text);
        }
        free(golden.data);
        free(golden.text);
    }
    fclose(file);
    wk_set_printoptions(.profile = "default");
    assert_true(cases > 500);
    assert_int_equal(wrong, 0);
}

static wk_tensor *two_by_two(void)
{
    static float data[] = {1, 2.5f, -3, 4};
    return wk_tensor_from_memory("test", data, 2, (int64_t[]){2, 2}, NULL, wk_float32, wk_cpu, NULL, NULL);
}

static void assert_prints(const wk_tensor *x, const char *expected)
{
    char *text = wk_to_string(x);
    assert_string_equal(text, expected);
    free(text);
}

static void test_options(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = two_by_two();
        wk_set_printoptions(.precision = 1);
        assert_prints(x, "tensor([[ 1.0,  2.5],\n        [-3.0,  4.0]])");
        wk_set_printoptions(.sci_mode = true);
        assert_prints(x, "tensor([[ 1.0e+00,  2.5e+00],\n        [-3.0e+00,  4.0e+00]])");
        assert_int_equal(wk_get_printoptions().sci_mode, 1);
        wk_set_printoptions();
        assert_int_equal(wk_get_printoptions().sci_mode, -1);
        assert_int_equal(wk_get_printoptions().precision, 1);
        wk_set_printoptions(.profile = "short");
        assert_prints(x, "tensor([[ 1.00,  2.50],\n        [-3.00,  4.00]])");
        wk_set_printoptions(.profile = "full", .precision = 0);
        assert_true(wk_get_printoptions().threshold == INT64_MAX);
        assert_prints(x, "tensor([[ 1,  2],\n        [-3,  4]])");
        wk_error error;
        wk_try(&error) wk_set_printoptions(.profile = "tiny");
        assert_non_null(strstr(error.message, "got \"tiny\""));
        wk_try(&error) wk_set_printoptions(.precision = 100000);
        assert_true(error.set);
        assert_int_equal(wk_get_printoptions().precision, 0);
        wk_set_printoptions(.profile = "default");
    }
}

static void test_history(void **state)
{
    (void)state;
    static const char numbers[] = "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]]";
    char text[256];
    wk_scope
    {
        wk_tensor *x = wk_requires_grad_(two_by_two(), true);
        snprintf(text, sizeof text, "%s, requires_grad=True)", numbers);
        assert_prints(x, text);
        snprintf(text, sizeof text, "%s, grad_fn=<AddBackward0>)", numbers);
        assert_prints(wk_add(x, 0), text);
        snprintf(text, sizeof text, "%s)", numbers);
        assert_prints(wk_detach(x), text);
        assert_prints(wk_flatten(x), "tensor([ 1.0000,  2.5000, -3.0000,  4.0000], grad_fn=<ViewBackward0>)");
        assert_prints(wk_softmax(wk_mul(x, 0), 1), "tensor([[0.5000, 0.5000],\n        [0.5000, 0.5000]], "
                                                   "grad_fn=<SoftmaxBackward0>)");
    }
}

static void test_device(void **state)
{
    (void)state;
    wk_scope
    {
        mirror_start();
        wk_tensor *x = wk_to(two_by_two(), mirror);
        assert_prints(x, "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]], device='mirror:0')");
        assert_prints(wk_t(x), "tensor([[ 1.0000, -3.0000],\n        [ 2.5000,  4.0000]], device='mirror:0')");
    }
}

static void test_null_and_files(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) assert_null(wk_to_string(NULL));
    assert_string_equal(error.message, "print: x: expected a tensor, got NULL");
    wk_try(&error) wk_print("x", NULL);
    assert_true(error.set);
    wk_scope
    {
        char text[128] = "";
        FILE *file = fmemopen(text, sizeof text, "w");
        assert_non_null(file);
        wk_fprint(file, two_by_two());
        fclose(file);
        assert_string_equal(text, "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]])");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_to_pytorch), cmocka_unit_test(test_options),        cmocka_unit_test(test_history),
        cmocka_unit_test(test_device),           cmocka_unit_test(test_null_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
