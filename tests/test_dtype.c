/* dtypes: names, sizes, kinds, and promotion as PyTorch answers for each pair (golden/promotion.py, result_type.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "ops/pointwise.h"

static wk_dtype named(const char *name)
{
    for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++)
        if (strcmp(wk_dtype_name(dtype), name) == 0)
            return dtype;
    return wk_dtype_default;
}

static void test_promotion(void **state)
{
    (void)state;
    FILE *file = fopen(WICK_GOLDEN "/promotion.txt", "r");
    assert_non_null(file);
    int count = 0;
    for (char a[16], b[16], both[16]; fscanf(file, "%15s %15s %15s", a, b, both) == 3; count++) {
        assert_true(named(a) && named(b));
        assert_string_equal(wk_dtype_name(wk_promote_types(named(a), named(b))), both);
    }
    fclose(file);
    assert_int_equal(count, (WK_DTYPES - 1) * (WK_DTYPES - 1));
    for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++) { // no dtype yet, and one
        assert_int_equal(wk_promote_types(wk_dtype_default, dtype), dtype);
        assert_int_equal(wk_promote_types(dtype, wk_dtype_default), dtype);
    }
}

/* one operand of result_type.txt: "1" and "0" are dims */
static wk_operand operand_of(wk_dtype dtype, const char *dims)
{
    if (strcmp(dims, "number") != 0)
        return WK_OPERAND(wk_empty_with((wk_factory_args){.size = {atoi(dims), {1}}, .dtype = dtype}));
    return dtype == wk_bool ? WK_OPERAND((bool)true) : dtype == wk_int64 ? WK_OPERAND(3) : WK_OPERAND(2.5);
}

static void test_result_type(void **state)
{
    (void)state;
    FILE *file = fopen(WICK_GOLDEN "/result_type.txt", "r");
    assert_non_null(file);
    int count = 0;
    char a[16], a_dims[16], b[16], b_dims[16], both[16];
    for (; fscanf(file, "%15s %15s %15s %15s %15s", a, a_dims, b, b_dims, both) == 5; count++)
        wk_scope
        {
            const wk_operand x = operand_of(named(a), a_dims), y = operand_of(named(b), b_dims);
            assert_string_equal(wk_dtype_name(wk_result_type((wk_operand[]){x, y}, 2)), both);
            assert_string_equal(wk_dtype_name(wk_result_type((wk_operand[]){y, x}, 2)), both);
        }
    fclose(file);
    assert_int_equal(count, 374);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        wk_dtype dtype;
        size_t size;
        bool integral, floating, complex;
    } rows[] = {{wk_bool, 1, true, false, false},      {wk_uint8, 1, true, false, false},
                {wk_int64, 8, true, false, false},     {wk_float16, 2, false, true, false},
                {wk_bfloat16, 2, false, true, false},  {wk_float64, 8, false, true, false},
                {wk_complex64, 8, false, false, true}, {wk_complex128, 16, false, false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(wk_dtype_size(rows[i].dtype), rows[i].size);
        assert_int_equal(wk_dtype_is_integral(rows[i].dtype), rows[i].integral);
        assert_int_equal(wk_dtype_is_floating(rows[i].dtype), rows[i].floating);
        assert_int_equal(wk_dtype_is_complex(rows[i].dtype), rows[i].complex);
    }
    assert_string_equal(wk_dtype_name(WK_DTYPES), "unknown");
    assert_false(wk_dtype_is_floating(wk_dtype_default) || wk_dtype_is_integral(WK_DTYPES));
}

/* complex128 takes the ways that complex64 takes, and of whole numbers the same ones come back */
static wk_tensor *moved(wk_tensor *z, int way)
{
    wk_tensor *index = wk_tensor((3), ((int64_t[]){2, 0, 2})), *y = wk_zeros_like(z); // z (3, 40)
    wk_tensor *columns = wk_expand(wk_unsqueeze(index, 1), (3, 40));
    switch (way) {
    case 0: return wk_contiguous(wk_t(z));
    case 1: return wk_contiguous(wk_index(z, ":, ::3"));
    case 2: return wk_cat((z, wk_neg(z)));
    case 3: return wk_gather(z, 0, columns);
    case 4: return wk_scatter(y, 0, columns, z);
    case 5: return wk_scatter_add(y, 0, columns, z);
    case 6: return wk_index_select(z, 0, index);
    case 7: return wk_index_add(y, 0, index, z);
    case 8: return wk_mul(wk_add(z, 1), wk_sub(z, 2.5));
    case 9: return wk_tril(z);
    case 10: return wk_flip(z, (0, 1));
    case 11: return wk_where(wk_eq(z, 4), z, y);
    case 12: return wk_add_(wk_t(wk_clone(z)), wk_t(z));
    case 13: return wk_full_like(z, 3);
    default: return NULL;
    }
}

static void test_complex128(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *z = wk_to(wk_reshape(wk_arange(120), (3, 40)), wk_complex64), *wide = wk_to(z, wk_complex128);
        z = wk_contiguous(z);
        for (int i = 0; i < 120; i++) {
            ((float *)wk_data_ptr(z))[2 * i + 1] = (float)(i % 7);
            ((double *)wk_data_ptr(wide))[2 * i + 1] = i % 7;
        }
        for (int way = 0; way < 14; way++) {
            wk_tensor *expected = moved(z, way), *got = moved(wide, way);
            assert_int_equal(got->dtype, wk_complex128);
            assert_int_equal(wk_numel(got), wk_numel(expected));
            assert_true(wk_equal(wk_to(got, wk_complex64), expected));
        }
        wk_tensor *third = wk_div(wk_ones((2), .dtype = wk_float64), 3);
        wk_tensor *sum = wk_add(wk_zeros((2), .dtype = wk_complex64), third);
        assert_int_equal(sum->dtype, wk_complex128);
        assert_memory_equal(wk_data_ptr(sum), wk_data_ptr(third), 8);
        wk_error error;
        wk_try(&error) { assert_null(wk_amax(wide)); }
        assert_true(error.set && strstr(error.message, "complex128"));
        wk_try(&error) { assert_null(wk_exp(wide)); }
        assert_true(error.set && strstr(error.message, "complex128"));
    }
}

static void test_limits(void **state)
{
    (void)state;
    const struct {
        wk_dtype dtype;
        double max, eps, tiny;
        int bits;
    } floats[] = {
        {wk_float16, 65504, 0x1p-10, 0x1p-14, 16},
        {wk_bfloat16, 3.3895313892515355e38, 0.0078125, 1.1754943508222875e-38, 16},
        {wk_float32, 3.4028234663852886e38, 1.1920928955078125e-07, 1.1754943508222875e-38, 32},
        {wk_float64, 1.7976931348623157e308, 2.220446049250313e-16, 2.2250738585072014e-308, 64},
        {wk_complex64, 3.4028234663852886e38, 1.1920928955078125e-07, 1.1754943508222875e-38, 32},
    };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        const wk_float_info info = wk_finfo(floats[i].dtype);
        assert_true(info.max == floats[i].max && info.min == -info.max && info.eps == floats[i].eps);
        assert_true(info.tiny == floats[i].tiny && info.bits == floats[i].bits);
        wk_scope
        {
            const wk_dtype dtype = floats[i].dtype;
            wk_tensor *one = wk_full((), 1.0, .dtype = wk_dtype_to_real(dtype));
            assert_true(wk_item(wk_sub(wk_add(one, info.eps), one)) == info.eps);
            assert_true(wk_item(wk_full((), info.max, .dtype = wk_dtype_to_real(dtype))) == info.max);
        }
    }
    const wk_integer_info wide = wk_iinfo(wk_int64), narrow = wk_iinfo(wk_uint8);
    assert_true(wide.max == INT64_MAX && wide.min == INT64_MIN && wide.bits == 64);
    assert_true(narrow.max == 255 && narrow.min == 0 && wk_iinfo(wk_int8).min == -128);
    assert_true(wk_iinfo(wk_int16).max == INT16_MAX && wk_iinfo(wk_int32).min == INT32_MIN);
    wk_error error;
    wk_try(&error) { assert_int_equal(wk_finfo(wk_int64).bits, 0); }
    assert_non_null(strstr(error.message, "finfo: dtype: expected a floating or complex dtype, got int64"));
    wk_try(&error) { assert_int_equal(wk_iinfo(wk_bool).bits, 0); }
    assert_non_null(strstr(error.message, "iinfo: dtype: expected an integer dtype, got bool"));
}

static void test_default_dtype(void **state)
{
    (void)state;
    wk_set_default_dtype(wk_float64);
    wk_scope
    {
        assert_int_equal(wk_zeros((1))->dtype, wk_float64);
        assert_int_equal(wk_arange(2.)->dtype, wk_float64);
        assert_int_equal(wk_arange(2)->dtype, wk_int64);
    }
    wk_set_default_dtype(wk_float32);
    assert_int_equal(wk_get_default_dtype(), wk_float32);
    wk_error error;
    wk_try(&error) wk_set_default_dtype(wk_int64);
    assert_true(error.set && strstr(error.message, "dtype: expected a floating dtype, got int64"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promotion),  cmocka_unit_test(test_result_type), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_complex128), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_default_dtype),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
