/* A scope that only grows: once, at 100,000 tensors, the program is asked whether a wk_scope is missing. */
#include "child.h"

#include <stdio.h>
#include <stdlib.h>

#include <wick.h>

static void fills_the_root_scope(void)
{
    wk_tensor *x = wk_ones((2));
    for (int i = 0; i < 45000; i++) {
        wk_tensor *y = x;
        for (int k = 0; k < 4; k++)
            y = wk_neg(x);
        wk_add(y, 1);
    }
    exit(0);
}

static void fills_a_scope(void)
{
    wk_scope for (int i = 0; i < 110000; i++) wk_ones((1));
    exit(0);
}

static void lets_go(void)
{
    wk_tensor *x = wk_ones((2));
    wk_for_each_step (step, 0, 110000)
        wk_neg(x);
    exit(0);
}

static void asks(void **state)
{
    (void)state;
    assert_int_equal(run(fills_the_root_scope), 0);
    assert_shows("wick: the root scope holds 100");
    assert_shows("is a wk_scope missing?\nhint: wk_for_each_step");
    assert_null(strstr(strstr(output, "hint:") + 1, "hint:")); // once
#if WICK_HAVE_LIBDW
    assert_shows("most of them made at ");
    assert_shows("test_missing_scope.c:15 (wk_neg)");
#endif
    assert_int_equal(run(fills_a_scope), 0);
    assert_shows("the scope at ");
    assert_shows("test_missing_scope.c:23 holds 1");
    assert_int_equal(run(lets_go), 0);
    assert_string_equal(output, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(asks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
