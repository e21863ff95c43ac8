/* Matrix products on plain arrays against three loops: every layout of A and B, strided rows, odd and empty sizes,
   bias, batches that repeat a matrix; and the same bits for one thread and two. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/run.h"
#include "kernels/half.h"
#include "kernels/matmul.h"

static double *numbers(int64_t count)
{
    double *x = malloc((size_t)(count + 1) * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)(rand() % 2001 - 1000) / 500;
    return x;
}

/* the same numbers in a dtype of the kernels */
static void *converted(const double *x, int64_t count, wk_dtype dtype)
{
    char *y = malloc((size_t)(count + 1) * 8);
    for (int64_t i = 0; i < count; i++)
        switch (dtype) {
        case wk_float32:
            ((float *)y)[i] = (float)x[i];
            break;
        case wk_float16:
            ((uint16_t *)y)[i] = wk_float16_of_float((float)x[i]);
            break;
        case wk_bfloat16:
            ((uint16_t *)y)[i] = wk_bfloat16_of_float((float)x[i]);
            break;
        case wk_int64:
            ((int64_t *)y)[i] = (int64_t)(x[i] * 4);
            break;
        case wk_uint8:
            ((uint8_t *)y)[i] = (uint8_t)(int64_t)(x[i] * 4);
            break;
        default:
            ((double *)y)[i] = x[i];
            break;
        }
    return y;
}

static double read_number(const void *x, int64_t i, wk_dtype dtype)
{
    switch (dtype) {
    case wk_float32:
        return ((const float *)x)[i];
    case wk_float16:
        return wk_float_of_float16(((const uint16_t *)x)[i]);
    case wk_bfloat16:
        return wk_float_of_bfloat16(((const uint16_t *)x)[i]);
    case wk_int64:
        return (double)((const int64_t *)x)[i];
    case wk_uint8:
        return ((const uint8_t *)x)[i];
    default:
        return ((const double *)x)[i];
    }
}

/* how far a result may be from the truth: of the size of its terms, and (a half is rounded at the end) of itself */
static double tolerance(wk_dtype dtype, double terms, double result)
{
    switch (dtype) {
    case wk_float64:
        return 1e-13 * (terms + 3);
    case wk_float32:
        return 3e-6 * (terms + 3);
    case wk_float16:
        return 3e-6 * (terms + 3) + 0x1p-11 * fabs(result);
    case wk_bfloat16:
        return 3e-6 * (terms + 3) + 0x1p-8 * fabs(result);
    default:
        return 0;
    }
}

typedef struct product_case {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    int64_t gap; // extra elements between rows
    bool bias;
    int64_t batches;
    bool repeat_b; // one B for the whole batch
} product_case;

static void check(product_case c, wk_dtype dtype)
{
    const int64_t lda = (c.transpose_a ? c.m : c.k) + c.gap, ldb = (c.transpose_b ? c.k : c.n) + c.gap;
    const int64_t ldc = c.n + c.gap;
    const int64_t a_size = (c.transpose_a ? c.k : c.m) * lda, b_size = (c.transpose_b ? c.n : c.k) * ldb;
    const int64_t c_size = c.m * ldc;
    double *numbers_a = numbers(a_size * c.batches), *numbers_b = numbers(b_size * c.batches);
    double *numbers_c = numbers(c_size * c.batches), *numbers_bias = numbers(ldc);
    void *a = converted(numbers_a, a_size * c.batches, dtype), *b = converted(numbers_b, b_size * c.batches, dtype);
    void *before = converted(numbers_c, c_size * c.batches, dtype), *bias = converted(numbers_bias, ldc, dtype);
    void *y = converted(numbers_c, c_size * c.batches, dtype), *again = converted(numbers_c, c_size * c.batches, dtype);
    wk_matmul_work work = {.a = a, .b = b, .bias = c.bias ? bias : NULL, .c = y, .m = c.m, .n = c.n, .k = c.k};
    work.a_row = c.transpose_a ? 1 : lda, work.a_column = c.transpose_a ? lda : 1;
    work.b_row = c.transpose_b ? 1 : ldb, work.b_column = c.transpose_b ? ldb : 1;
    work.c_row = ldc;
    work.batch_ndim = 1, work.batch_shape[0] = c.batches, work.a_batch[0] = a_size;
    work.b_batch[0] = c.repeat_b ? 0 : b_size, work.c_batch[0] = c_size;

    wk_set_num_threads(2);
    assert_true(wk_run_on("matmul", wk_cpu, dtype, matmul, &work));
    wk_set_num_threads(1);
    work.c = again;
    assert_true(wk_run_on("matmul", wk_cpu, dtype, matmul, &work));
    wk_set_num_threads(2);
    assert_memory_equal(y, again, (size_t)(c_size * c.batches) * wk_dtype_size(dtype));

    for (int64_t batch = 0; batch < c.batches; batch++)
        for (int64_t i = 0; i < c.m; i++)
            for (int64_t j = 0; j < ldc; j++) {
                const int64_t place = batch * c_size + i * ldc + j;
                const double old = read_number(before, place, dtype);
                double sum = 0, size = 1;
                for (int64_t p = 0; j < c.n && p < c.k; p++) {
                    const double x =
                        read_number(a, batch * a_size + (c.transpose_a ? p * lda + i : i * lda + p), dtype);
                    const int64_t from = c.repeat_b ? 0 : batch * b_size;
                    const double z = read_number(b, from + (c.transpose_b ? j * ldb + p : p * ldb + j), dtype);
                    sum += x * z;
                    size += fabs(x * z);
                }
                double expected = sum + (c.bias ? read_number(bias, j, dtype) : 0);
                if (j >= c.n)
                    expected = old; // between rows nothing is written
                if (dtype == wk_uint8)
                    expected = (uint8_t)(int64_t)expected;
                if (fabs(read_number(y, place, dtype) - expected) > tolerance(dtype, size, expected))
                    fail_msg("%s, %lld x %lld x %lld, transposed %d %d, bias %d: [%lld, %lld] is %.9g, expected %.9g",
                             wk_dtype_name(dtype), (long long)c.m, (long long)c.n, (long long)c.k, c.transpose_a,
                             c.transpose_b, c.bias, (long long)i, (long long)j, read_number(y, place, dtype), expected);
            }
    free(numbers_a), free(numbers_b), free(numbers_c), free(numbers_bias);
    free(a), free(b), free(before), free(bias), free(y), free(again);
}

static const int64_t SIZES[][3] = {{1, 1, 1},       {2, 3, 4},   {0, 3, 4},    {3, 0, 4},     {3, 4, 0},
                                   {1, 40, 33},     {40, 1, 33}, {1, 1, 1000}, {17, 24, 17},  {13, 33, 31},
                                   {12, 32, 300},   {25, 65, 7}, {97, 49, 50}, {128, 10, 96}, {300, 200, 64},
                                   {100, 130, 600}, {7, 5, 513}};

static void every_layout(void **state)
{
    (void)state;
    const wk_dtype dtypes[] = {wk_float32, wk_float64, wk_float16, wk_bfloat16, wk_int64, wk_uint8};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++)
        for (int layout = 0; layout < 4; layout++)
            for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
                product_case c = {SIZES[s][0], SIZES[s][1], SIZES[s][2], layout & 1, layout & 2, 0, false, 1, false};
                check(c, dtypes[d]);
                c.gap = 3;
                check(c, dtypes[d]);
                c.bias = true;
                check(c, dtypes[d]);
                c.batches = 3, c.repeat_b = layout & 1;
                check(c, dtypes[d]);
            }
}

/* large enough to be cut into tiles by rows and by columns */
static void tiled(void **state)
{
    (void)state;
    for (int layout = 0; layout < 4; layout++) {
        for (int half = 0; half < 3; half++) {
            const wk_dtype dtype = half == 0 ? wk_float32 : half == 1 ? wk_float16 : wk_bfloat16;
            check((product_case){1000, 96, 96, layout & 1, layout & 2, 0, true, 1, false}, dtype);
            check((product_case){96, 150, 1001, layout & 1, layout & 2, 1, false, 1, false}, dtype);
            check((product_case){900, 800, 2, layout & 1, layout & 2, 0, true, 1, false}, dtype);
        }
        check((product_case){333, 222, 111, layout & 1, layout & 2, 0, false, 2, true}, wk_float64);
    }
}

/* what C held is forgotten, NaN too; k = 0 leaves zeros */
static void old_nan(void **state)
{
    (void)state;
    float a[64 * 64], b[64 * 64], c[64 * 64];
    for (int i = 0; i < 64 * 64; i++)
        a[i] = b[i] = 1, c[i] = NAN;
    wk_matmul_work work = {.a = a, .b = b, .c = c, .m = 64, .n = 64, .k = 64, .a_row = 64, .a_column = 1, .b_row = 64};
    work.b_column = 1, work.c_row = 64;
    for (int size = 1; size <= 64; size++) {
        work.m = work.n = size;
        work.k = size % 8 ? size : 0;
        assert_true(wk_run_on("matmul", wk_cpu, wk_float32, matmul, &work));
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) {
                assert_true(c[i * 64 + j] == (float)work.k);
                c[i * 64 + j] = NAN;
            }
    }
}

/* a complex product by four real ones */
static void complex_numbers(void **state)
{
    (void)state;
    enum { M = 5, N = 7, K = 9 };
    for (int wide = 0; wide < 2; wide++) {
        const wk_dtype dtype = wide ? wk_complex128 : wk_complex64, part = wide ? wk_float64 : wk_float32;
        double *x = numbers(2 * M * K), *z = numbers(2 * K * N);
        void *a = converted(x, 2 * M * K, part), *b = converted(z, 2 * K * N, part), *y = malloc(16 * M * N);
        const wk_matmul_work work = {.a = a,
                                     .b = b,
                                     .c = y,
                                     .m = M,
                                     .n = N,
                                     .k = K,
                                     .a_row = K,
                                     .a_column = 1,
                                     .b_row = 1,
                                     .b_column = K,
                                     .c_row = N};
        assert_true(wk_run_on("matmul", wk_cpu, dtype, matmul, &work));
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++) {
                double re = 0, im = 0;
                for (int p = 0; p < K; p++) {
                    const double *u = x + 2 * (i * K + p), *v = z + 2 * (j * K + p);
                    re += u[0] * v[0] - u[1] * v[1];
                    im += u[0] * v[1] + u[1] * v[0];
                }
                assert_true(fabs(read_number(y, 2 * (i * N + j), part) - re) <= tolerance(part, 40, 0));
                assert_true(fabs(read_number(y, 2 * (i * N + j) + 1, part) - im) <= tolerance(part, 40, 0));
            }
        free(x), free(z), free(a), free(b), free(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layout), cmocka_unit_test(tiled),
                                       cmocka_unit_test(old_nan), cmocka_unit_test(complex_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
