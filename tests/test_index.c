/* Joins and indexing beyond what the op table asks: the same sums on any number of threads, lists that live as long as
   their scope, indices that printf's conversions bring, and every allocation failing in turn without a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "kernels/cpu/parallel.h"

/* ---------------------------------------------------------------- threads */

static wk_tensor *sums(int threads)
{
    wk_manual_seed(3);
    wk_tensor *source = wk_randn((4000, 200)), *index = wk_randint(0, 37, (4000));
    wk_tensor *places = wk_randint(0, 37, (4000, 200));
    wk_set_num_threads(threads);
    wk_tensor *rows = wk_index_add(wk_zeros((37, 200)), 0, index, source);
    wk_tensor *elements = wk_scatter_add(wk_zeros((37, 200)), 0, places, source);
    wk_tensor *last = wk_index_copy(wk_zeros((37, 200)), 0, index, source);
    return wk_stack((rows, elements, last));
}

static void sums_are_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    const int before = wk_get_num_threads();
    wk_scope
    {
        wk_tensor *one = sums(1), *three = sums(3);
        assert_memory_equal(wk_data_ptr(one), wk_data_ptr(three), (size_t)wk_numel(one) * sizeof(float));
    }
    wk_set_num_threads(before);
}

/* several outer dims of several blocks of columns, of which threads take stretches: as each row added by itself */
static void sums_of_several_outers_and_blocks(void **state)
{
    (void)state;
    const int before = wk_get_num_threads();
    wk_scope
    {
        wk_manual_seed(5);
        wk_tensor *source = wk_randn((5, 40, 1000)), *index = wk_randint(0, 7, (40));
        wk_tensor *expected = wk_zeros((5, 7, 1000));
        for (int64_t i = 0; i < 40; i++)
            wk_add_(wk_select(expected, 1, wk_item_int64(wk_select(index, 0, i))), wk_select(source, 1, i));
        for (int threads = 1; threads <= 3; threads++) {
            wk_set_num_threads(threads);
            assert_true(wk_equal(wk_index_add(wk_zeros((5, 7, 1000)), 1, index, source), expected));
            assert_true(wk_allclose(wk_index_add(wk_zeros((5, 7, 1000)), 1, index, source, .alpha = 0.5),
                                    wk_mul(expected, 0.5)));
        }
    }
    wk_set_num_threads(before);
}

static wk_tensor *half_sums(int threads, wk_dtype dtype)
{
    wk_manual_seed(3);
    wk_tensor *source = wk_to(wk_randn((3000, 300)), dtype), *index = wk_randint(0, 37, (3000));
    wk_tensor *places = wk_randint(0, 37, (3000, 300)), *zeros = wk_zeros((37, 300), .dtype = dtype);
    wk_tensor *narrow = wk_slice(source, 1, 0, 5, 1);
    wk_set_num_threads(threads);
    wk_tensor *rows = wk_index_add(zeros, 0, index, source, .alpha = 0.5);
    wk_tensor *narrow_rows = wk_index_add(wk_slice(zeros, 1, 0, 5, 1), 0, index, narrow);
    wk_tensor *elements = wk_scatter_add(zeros, 0, places, source);
    return wk_cat((rows, narrow_rows, elements), 1);
}

/* each sum is float32's, rounded once, on any number of threads */
static void sums_of_halves_round_once(void **state)
{
    (void)state;
    const int before = wk_get_num_threads();
    for (wk_dtype dtype = wk_float16; dtype <= wk_bfloat16; dtype++) {
        wk_scope
        {
            wk_tensor *one = half_sums(1, dtype), *three = half_sums(3, dtype);
            assert_memory_equal(wk_data_ptr(one), wk_data_ptr(three), (size_t)wk_numel(one) * 2);
            wk_manual_seed(3);
            wk_tensor *source = wk_to(wk_to(wk_randn((3000, 300)), dtype), wk_float32);
            wk_tensor *index = wk_randint(0, 37, (3000));
            wk_tensor *rows = wk_to(wk_index_add(wk_zeros((37, 300)), 0, index, source, .alpha = 0.5), dtype);
            assert_true(wk_equal(rows, wk_slice(one, 1, 0, 300, 1)));
            rows = wk_to(wk_index_add(wk_zeros((37, 300)), 0, index, source), dtype);
            assert_true(wk_equal(wk_slice(rows, 1, 0, 5, 1), wk_slice(one, 1, 300, 305, 1)));
        }
    }
    wk_set_num_threads(before);
}

/* ---------------------------------------------------------------- indices out of range */

static void nothing_is_written_after_a_bad_index(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_zeros((3, 2)), *ones = wk_ones((2, 2)), *index = wk_arange(2, 4), *error_free = wk_clone(x);
        wk_tensor *places = wk_stack((index, index), 1);
        wk_error errors[7];
        wk_try(&errors[0]) wk_index_add_(x, 0, index, ones);
        wk_try(&errors[1]) wk_index_copy_(x, 0, index, ones);
        wk_try(&errors[2]) wk_index_fill_(x, 0, index, 1);
        wk_try(&errors[3]) wk_scatter_(x, 0, places, ones);
        wk_try(&errors[4]) wk_scatter_add_(x, 0, places, ones);
        wk_try(&errors[5]) wk_index_put_(x, ("%p", index), 1);
        wk_try(&errors[6]) wk_index_put_(x, ("%p", index), 1, .accumulate = true);
        for (int i = 0; i < 7; i++) {
            assert_true(errors[i].set);
            assert_non_null(
                strstr(errors[i].message, "index: 3 is out of range for dim 0 of (3, 2), which has size 3"));
        }
        assert_true(wk_equal(x, error_free));
        wk_index_add_(x, 0, wk_arange(1, 3), ones); // the queue goes on
        assert_true(wk_item(wk_sum(x)) == 4);
    }
}

/* ---------------------------------------------------------------- gradients that lie side by side */

static void gradients_of_unbind_are_joined(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_requires_grad_(wk_randn((3, 2, 4)), true);
        for (int dim = 0; dim < 3; dim++)
            for (int turned = 0; turned < 2; turned++) {
                wk_tensors parts = wk_unbind(x, .dim = dim), dys = wk_unbind(wk_randn((3, 2, 4)), .dim = dim);
                for (int64_t i = 0; turned && i < dys.count / 2; i++) { // not in the order of memory
                    wk_tensor *first = dys.items[i];
                    dys.items[i] = dys.items[dys.count - 1 - i];
                    dys.items[dys.count - 1 - i] = first;
                }
                wk_tensor *dx = NULL, **place = &dx;
                wk_autograd_grad_with((wk_autograd_grad_args){
                    .outputs = parts, .inputs = {1, &x}, .results = {1, &place}, .grad_outputs = dys});
                assert_true(wk_equal(dx, wk_stack(dys, dim)));
            }
    }
}

/* ---------------------------------------------------------------- lists and strings */

static void lists_belong_to_their_scope(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_arange(12), *kept = NULL;
        const int64_t live = wk_memory_get_stats().live_tensors;
        wk_scope
        {
            wk_tensors parts = wk_chunk(wk_reshape(x, (3, 4)), 3);
            assert_int_equal(parts.count, 3);
            kept = wk_keep(parts.items[2]);
        }
        assert_int_equal(wk_memory_get_stats().live_tensors, live + 1);
        assert_int_equal(wk_item_int64(wk_index(kept, "0, 1")), 9);
    }
}

static void conversions_are_numbers(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_reshape(wk_arange(24), (2, 3, 4));
        const int64_t n = 1;
        assert_int_equal(wk_item_int64(wk_index(x, "%d, %ld, %zu", 1, n, (size_t)2)), 18);
        assert_int_equal(wk_item_int64(wk_index(x, "-%d,%lld , -%u", 1, 2LL, 4u)), 20);
        assert_int_equal(wk_size(wk_index(x, "..., -%ld:", n + 1), -1), 2);
        wk_index_put_(x, ("%ld, :, %d", n, 0), 7);
        assert_int_equal(wk_item_int64(wk_sum(wk_index(x, "1, :, 0"))), 21);
    }
}

static void an_index_out_of_range_is_pointed_at(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) wk_scope
    wk_index(wk_zeros((2, 3)), ":, %d", -4);
    assert_true(error.set);
    assert_non_null(strstr(error.message, "index -4 is out of range for a dim of size 3, in x of shape (2, 3)\n"
                                          "    [:, -4]\n"
                                          "        ^"));
}

/* ---------------------------------------------------------------- when memory is short */

static void many_ops(void)
{
    wk_tensor *x = wk_requires_grad_(wk_rand((3, 4, 5)), true), *a, *b, *c;
    wk_tensor *i = wk_full((2), 1), *mask = wk_gt(wk_rand((3, 4)), 0.5);
    wk_unbind(x, (&a, &b, &c));
    wk_tensors halves = wk_split(wk_stack((a, b, c, a), -1), (1, 3), .dim = -1);
    wk_backward(wk_sum(wk_cat(halves, 2)));
    wk_tensor *y = wk_mul(x, 2);
    wk_index_put_(y, ("%p, :, %p", i, i), 3);
    wk_index_put_(y, (":, 1"), wk_sum(x));
    wk_index_put_(y, ("%p", mask), 1.5, .accumulate = true);
    wk_backward(wk_sum(wk_index(y, "%p, ..., 1:", i)));
    wk_backward(wk_sum(wk_gather(wk_scatter_add(x, 1, wk_full((3, 1, 2), 2), x), 2, wk_full((1, 2, 2), 3))));
    wk_backward(wk_sum(wk_index_add(x, 0, i, wk_slice(x, 0, 0, 2, 1), .alpha = 2)));
    wk_backward(wk_sum(wk_masked_select(x, wk_unsqueeze(mask, -1))));
    wk_backward(wk_sum(wk_repeat(x, (2, 2, 1, 1))));
    wk_tensor *turned = wk_roll(wk_flip(x, (0, 1)), 1, 2);
    wk_backward(wk_sum(wk_pad(wk_pad(turned, (1, 1, -1, 1)), (1, 1), .mode = "reflect")));
    wk_backward(wk_add(wk_sum(wk_triu(x, 1)), wk_sum(wk_diagonal(x))));
    wk_backward(wk_sum(wk_unfold(x, 1, 2, 1)));
    wk_backward(wk_sum(wk_repeat_interleave(x, wk_full((4), 2), 1)));
    wk_meshgrid((wk_arange(3), wk_arange(2)), (&a, &b));
    wk_nonzero(wk_one_hot(wk_randint(0, 4, (5))));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) wk_scope
    many_ops();
    assert_false(error.set);
    const wk_memory_stats before = wk_memory_get_stats();
    for (int n = 0; n == 0 || error.set; n++) {
        wk_memory_fail_after(n);
        wk_try(&error) wk_scope
        many_ops();
        wk_memory_fail_after(-1);
        const wk_memory_stats after = wk_memory_get_stats();
        assert_int_equal(after.live_tensors, before.live_tensors);
        assert_int_equal(after.live_blocks, before.live_blocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_same_on_any_number_of_threads),
        cmocka_unit_test(sums_of_several_outers_and_blocks),
        cmocka_unit_test(sums_of_halves_round_once),
        cmocka_unit_test(nothing_is_written_after_a_bad_index),
        cmocka_unit_test(gradients_of_unbind_are_joined),
        cmocka_unit_test(lists_belong_to_their_scope),
        cmocka_unit_test(conversions_are_numbers),
        cmocka_unit_test(an_index_out_of_range_is_pointed_at),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
