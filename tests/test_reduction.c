/* Reductions, running sums and sorting at sizes that golden files do not hold: halves give the bits of float32 rounded
   once, in one stage and in two, for short rows and long ones, narrow columns and wide ones; and the bits are the same
   for one thread and three. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "check.h"

static wk_tensor *indices_of_max(wk_tensor *x, int dim)
{
    wk_tensor *indices = NULL;
    wk_max(x, dim, (NULL, &indices));
    return indices;
}
static wk_tensor *indices_of_sort(wk_tensor *x, int dim)
{
    wk_tensor *indices = NULL;
    wk_sort(x, (NULL, &indices), .dim = dim);
    return indices;
}
static wk_tensor *indices_of_median(wk_tensor *x, int dim)
{
    wk_tensor *indices = NULL;
    wk_median(x, dim, (NULL, &indices));
    return indices;
}

#define EACH_WAY(WAY)                                                                                                  \
    WAY(wk_sum(x, dim))                                                                                                \
    WAY(wk_sum(x))                                                                                                     \
    WAY(wk_mean(x, dim))                                                                                               \
    WAY(wk_mean(x))                                                                                                    \
    WAY(wk_prod(x, dim))                                                                                               \
    WAY(wk_amax(x, dim))                                                                                               \
    WAY(wk_amin(x))                                                                                                    \
    WAY(wk_norm(x, 2, dim))                                                                                            \
    WAY(wk_norm(x))                                                                                                    \
    WAY(wk_var(x, dim))                                                                                                \
    WAY(wk_std(x))                                                                                                     \
    WAY(wk_cumsum(x, dim))                                                                                             \
    WAY(wk_sort(x, (NULL, NULL), .dim = dim, .descending = true))                                                      \
    WAY(wk_topk(x, wk_size(x, dim) / 2, (NULL, NULL), .dim = dim))                                                     \
    WAY(wk_topk(x, 1, (NULL, NULL), .dim = dim, .largest = false))                                                     \
    WAY(wk_argmin(x, dim))                                                                                             \
    WAY(indices_of_max(x, dim))                                                                                        \
    WAY(indices_of_sort(x, dim))                                                                                       \
    WAY(indices_of_median(x, dim))

#define COUNT(call) +1
enum { WAYS = EACH_WAY(COUNT) };

static wk_tensor *way_of(int way, wk_tensor *x, int dim)
{
#define RETURN(call)                                                                                                   \
    if (way-- == 0)                                                                                                    \
        return call;
    EACH_WAY(RETURN)
    return NULL;
}

static void assert_same_bits(const wk_tensor *a, const wk_tensor *b)
{
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(wk_numel(a), wk_numel(b));
    assert_memory_equal(wk_data_ptr(a), wk_data_ptr(b), (size_t)(wk_numel(a) * wk_element_size(a)));
}

/* about 1, so that products stay small; float32 */
enum { SHAPES = 5 };
static wk_tensor *numbers(int i)
{
    static const wk_shape shapes[SHAPES] = {
        {2, {1, 70000}}, {2, {7, 300}}, {2, {70, 5}}, {2, {9000, 3}}, {3, {2, 600, 40}}};
    wk_manual_seed(i);
    return wk_add(wk_mul(wk_randn_with((wk_rand_args){.size = shapes[i]}), 0.02), 1);
}

static void test_halves(void **state)
{
    (void)state;
    static const wk_dtype HALVES[] = {wk_float16, wk_bfloat16};
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < SHAPES; i++)
            for (int way = 0; way < WAYS; way++)
                wk_scope
                {
                    wk_tensor *x = wk_to(numbers(i), HALVES[half]), *wide = wk_to(x, wk_float32);
                    for (int dim = 0; dim < 2; dim++) {
                        wk_tensor *y = way_of(way, wide, dim);
                        assert_same_bits(way_of(way, x, dim), wk_is_floating_point(y) ? wk_to(y, HALVES[half]) : y);
                    }
                }
}

/* what a dtype asks for is not rounded to the half's own first */
static void test_wide_results(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        wk_scope
        {
            wk_tensor *x = wk_to(numbers(i), wk_bfloat16), *wide = wk_to(x, wk_float32);
            for (int dim = 0; dim < 2; dim++) {
                assert_same_bits(wk_sum(x, dim, .dtype = wk_float32), wk_sum(wide, dim));
                assert_same_bits(wk_mean(x, dim, .dtype = wk_float32), wk_mean(wide, dim));
                assert_same_bits(wk_prod(x, dim, .dtype = wk_float32), wk_prod(wide, dim));
            }
            assert_same_bits(wk_sum(x, (), .dtype = wk_float32), wk_sum(wide));
        }
}

static void test_threads(void **state)
{
    (void)state;
    static const wk_dtype DTYPES[] = {wk_float32, wk_float64, wk_float16, wk_int64, wk_complex64};
    const int threads = wk_get_num_threads();
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < SHAPES; i++)
            for (int way = 0; way < WAYS; way++)
                wk_scope
                {
                    wk_tensor *x = wk_to(wk_mul(numbers(i), 3), DTYPES[k]), *y[2] = {NULL, NULL};
                    for (int dim = 0; dim < 2; dim++) {
                        wk_error error;
                        for (int three = 0; three < 2; three++) {
                            wk_set_num_threads(three ? 3 : 1);
                            wk_try(&error) y[three] = way_of(way, x, dim); // not every dtype has them all
                        }
                        if (!error.set)
                            assert_same_bits(y[0], y[1]);
                    }
                }
    wk_set_num_threads(threads);
}

/* a median is where a stable sort has it, whatever the order and the number of equals */
static void test_median(void **state)
{
    (void)state;
    static const wk_dtype DTYPES[] = {wk_float32, wk_float64, wk_bfloat16, wk_int64, wk_uint8};
    for (int k = 0; k < 5; k++)
        for (int64_t n = 1; n < 3000; n += n < 40 ? 1 : n)
            wk_scope
            {
                wk_tensor *draws = wk_mul(wk_rand((4, n)), 100), *line = wk_unsqueeze(wk_arange(n), 0);
                wk_tensor *some[] = {draws, wk_floor(wk_div(draws, 10)), wk_zeros((1, n)), line, wk_neg(line),
                                     wk_abs(wk_sub(line, n / 2)), wk_remainder(line, 7)};
                for (int i = 0; i < 7; i++) {
                    wk_tensor *x = wk_to(wk_abs(some[i]), DTYPES[k]), *indices = indices_of_sort(x, 1), *y = NULL;
                    wk_tensor *at = NULL;
                    wk_median(x, 1, (&y, &at));
                    indices = wk_squeeze(wk_contiguous(wk_narrow(indices, 1, (n - 1) / 2, 1)), 1);
                    assert_same_bits(at, indices);
                    assert_same_bits(y, wk_squeeze(wk_gather(x, 1, wk_unsqueeze(indices, 1)), 1));
                    if (wk_size(x, 0) == 1)
                        assert_same_bits(wk_median(x), y);
                    if (k < 2) {
                        wk_tensor *q = wk_full((1), 0.3, .dtype = x->dtype);
                        assert_same_bits(wk_quantile(x, 0.3, .dim = 1), wk_squeeze(wk_quantile(x, q, .dim = 1), 0));
                    }
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_halves, open_test, close_test),
        cmocka_unit_test_setup_teardown(test_wide_results, open_test, close_test),
        cmocka_unit_test_setup_teardown(test_threads, open_test, close_test),
        cmocka_unit_test_setup_teardown(test_median, open_test, close_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
