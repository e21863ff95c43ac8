/* Element-wise ops on tensors larger than a piece, a buffer and a thread's range: equal to the same op on parts of
   them, in every layout and mix of dtypes, and the same bits on any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <wick.h>

#include "kernels/cpu/parallel.h"

/* values of both signs, no two neighbours alike, small enough for every dtype */
static wk_tensor *numbers(int64_t rows, int64_t columns, wk_dtype dtype)
{
    wk_tensor *x = wk_reshape(wk_arange(rows * columns), (rows, columns));
    x = wk_sub(wk_remainder(wk_mul(x, 37), 101), dtype == wk_uint8 || dtype == wk_bool ? 0 : 50);
    return wk_to(dtype == wk_bool ? wk_remainder(x, 2) : x, dtype);
}

static wk_tensor *fresh(wk_tensor *x, wk_tensor *y) { return wk_add(wk_mul(x, y), 1); }
static wk_tensor *comparison(wk_tensor *x, wk_tensor *y) { return wk_lt(x, y); }
static wk_tensor *choice(wk_tensor *x, wk_tensor *y) { return wk_where(wk_gt(x, 3), x, y); }
static wk_tensor *function(wk_tensor *x, wk_tensor *y) { return wk_exp(wk_div(wk_add(x, y), 64)); }
static wk_tensor *in_place(wk_tensor *x, wk_tensor *y) { return wk_mul_(wk_clone(x), wk_to(y, x->dtype)); }
static wk_tensor *cast(wk_tensor *x, wk_tensor *y) { return wk_to(wk_to(x, wk_float16), y->dtype); }
static wk_tensor *(*const OPS[])(wk_tensor *, wk_tensor *) = {fresh, comparison, choice, function, in_place, cast};
#define OP_COUNT (int)(sizeof OPS / sizeof *OPS)

/* op of whole tensors against op of parts: rows from..from+count */
static void check_parts(int op, wk_tensor *x, wk_tensor *y)
{
    wk_set_num_threads(1);
    wk_tensor *whole = OPS[op](x, y);
    for (int threads = 2; threads <= 3; threads++) {
        wk_set_num_threads(threads);
        assert_true(wk_equal(whole, OPS[op](x, y)));
    }
    const int64_t step = x->shape[0] / 7 + 1;
    for (int64_t from = 0; from < x->shape[0]; from += step)
        wk_scope
        {
            const int64_t count = from + step <= x->shape[0] ? step : x->shape[0] - from;
            wk_tensor *part =
                OPS[op](wk_narrow(x, 0, from, count), y->shape[0] == 1 ? y : wk_narrow(y, 0, from, count));
            assert_true(wk_allclose(wk_narrow(whole, 0, from, count), part, .rtol = 1e-6, .atol = 0));
        }
}

static void large(void **state)
{
    (void)state;
    static const struct {
        int64_t rows, columns;
    } SHAPES[] = {{3, 20011}, {20011, 3}, {131, 257}, {1, 40009}};
    static const wk_dtype DTYPES[][2] = {{wk_float32, wk_float32}, {wk_float64, wk_float32}, {wk_int32, wk_float32},
                                         {wk_float16, wk_bfloat16}, {wk_uint8, wk_int64}, {wk_bfloat16, wk_float32},
                                         {wk_int64, wk_bool}};
    for (size_t shape = 0; shape < sizeof SHAPES / sizeof *SHAPES; shape++)
        for (size_t pair = 0; pair < sizeof DTYPES / sizeof *DTYPES; pair++)
            for (int op = 0; op < OP_COUNT; op++)
                wk_scope
                {
                    const int64_t rows = SHAPES[shape].rows, columns = SHAPES[shape].columns;
                    wk_tensor *x = numbers(rows, columns, DTYPES[pair][0]),
                              *y = numbers(rows, columns, DTYPES[pair][1]);
                    check_parts(op, x, y);
                    if (op % 3 != (int)pair % 3)
                        continue; // the other layouts by turns
                    wk_tensor *turned = wk_transpose(numbers(columns, rows, DTYPES[pair][0]), 0, 1);
                    check_parts(op, turned, y);
                    check_parts(op, x, wk_narrow(y, 0, 0, 1));                                     // (1, columns)
                    check_parts(op, x,
                                wk_narrow(wk_expand(wk_narrow(y, 1, 1, 1), (-1, columns)), 0, 0, rows)); // stride 0
                    check_parts(op, wk_slice(numbers(rows, 2 * columns, DTYPES[pair][0]), 1, 1, 2 * columns, 2), y);
                }
    wk_set_num_threads(2);
}

/* what the gradient does not need may be written over, as in PyTorch */
static void saves_nothing(void **state)
{
    (void)state;
    static wk_tensor *(*const FUNCTIONS[])(wk_tensor *) = {wk_neg, wk_floor, wk_round, wk_sign};
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        wk_scope
        {
            wk_tensor *x = wk_full((3), INFINITY, .requires_grad = true), *y = FUNCTIONS[i](x);
            wk_add_(y, 1);
            wk_backward(wk_sum(wk_mul(y, INFINITY)));
            assert_true(wk_equal(x->grad, wk_full((3), i == 0 ? -INFINITY : 0)));
        }
}

/* operands in different orders of memory, larger than what is walked as it lies: copies in the result's order */
static void test_large_mixed_layouts(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_permute(wk_randn((40, 30, 20)), (2, 0, 1)), *y = wk_randn((20, 40, 30));
        wk_tensor *row = wk_randn((40, 30));
        wk_tensor *dense = wk_contiguous(x), *halves = wk_to(wk_transpose(y, 0, 2), wk_float16);
        assert_true(wk_equal(wk_add(x, y), wk_add(dense, y)));
        assert_true(wk_equal(wk_add(x, row), wk_add(dense, row)));
        assert_true(wk_equal(wk_sub(row, x), wk_sub(row, dense)));
        assert_true(wk_equal(wk_where(wk_gt(y, 0), x, wk_transpose(halves, 0, 2)),
                             wk_where(wk_gt(y, 0), dense, wk_contiguous(wk_transpose(halves, 0, 2)))));
        wk_tensor *into = wk_clone(y);
        wk_mul_(into, x);
        assert_true(wk_equal(into, wk_mul(y, dense)));
        const int64_t bytes = wk_memory_get_stats().live_bytes;
        wk_scope
        {
            wk_tensor *z = wk_add(x, y);
            assert_true(wk_memory_get_stats().live_bytes - bytes < 2 * z->numel * 4); // the copy has gone
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_mixed_layouts),
        cmocka_unit_test(large),
        cmocka_unit_test(saves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
