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
    wk_try (&error)
        wk_scope wk_index(wk_zeros((2, 3)), ":, %d", -4);
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
    wk_try (&error)
        wk_scope many_ops();
    assert_false(error.set);
    const wk_memory_stats before = wk_memory_get_stats();
    for (int n = 0; n == 0 || error.set; n++) {
        wk_memory_fail_after(n);
        wk_try (&error)
            wk_scope many_ops();
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
        cmocka_unit_test(lists_belong_to_their_scope),
        cmocka_unit_test(conversions_are_numbers),
        cmocka_unit_test(an_index_out_of_range_is_pointed_at),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
