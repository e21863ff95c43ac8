/* Errors that are caught: what wk_try and host mode record, per thread, nested and left early; NULL inputs, module
   paths, long texts, errors inside errors.  test_traceback.c has the uncaught ones. */
#define _GNU_SOURCE
#include "child.h"

#include <pthread.h>
#include <stdio.h>

#include <wick/error.h>

#include "core/error_internal.h"

static volatile int zero;

static void *fail_matmul(void)
{
    return wk_fail("matmul", "a and b: expected equal inner sizes, got (2, 3) and (4, 5)\nhint: wk_transpose(b, 0, 1)");
}

static void test_try_records(void **state)
{
    (void)state;
    wk_error error;
    int ran = 0;
    assert_false(wk_failing());
    wk_try(&error) { ran++; }
    assert_int_equal(ran, 1);
    assert_false(error.set);
    wk_try(&error)
    {
        assert_null(fail_matmul());
        assert_true(wk_failing());
        assert_null(wk_fail("softmax", "comes too late"));
    }
    assert_false(wk_failing());
    assert_true(error.set);
    assert_string_equal(error.op, "matmul");
    assert_string_equal(error.message, "matmul: a and b: expected equal inner sizes, got (2, 3) and (4, 5)\n"
                                       "hint: wk_transpose(b, 0, 1)");
    assert_string_equal(error.module, "");
    assert_int_equal(strncmp(error.traceback, "Traceback (most recent call last):\n", 35), 0);
#if WICK_HAVE_LIBDW
    assert_non_null(strstr(error.traceback, "in test_try_records\n    assert_null(fail_matmul());\n"));
#endif
    wk_try(&error) {}
    assert_false(error.set);
}

static void test_try_nests(void **state)
{
    (void)state;
    wk_error outer, inner;
    wk_try(&outer)
    {
        wk_try(&inner) { wk_fail("inner", "one"); }
        assert_true(inner.set);
        assert_false(wk_failing());
        wk_fail("outer", "two");
        wk_try(&inner)
        {
            assert_false(wk_failing());
            wk_fail("inner", "three");
        }
        assert_true(wk_failing());
    }
    assert_string_equal(outer.message, "outer: two");
    assert_string_equal(inner.message, "inner: three");
}

static int leave_by_return(wk_error *error)
{
    wk_try(error)
    {
        wk_fail("return", "left");
        return 1;
    }
    return 0;
}

static void test_try_restores(void **state)
{
    (void)state;
    wk_error outer, error;
    wk_try(&outer)
    {
        assert_int_equal(leave_by_return(&error), 1);
        assert_string_equal(error.op, "return");
        assert_false(wk_failing());
        wk_try(&error)
        {
            wk_fail("break", "left");
            break;
        }
        assert_string_equal(error.op, "break");
        assert_false(wk_failing());
        wk_try(&error)
        {
            wk_fail("goto", "left");
            goto out;
        }
        fail();
    out:
        assert_string_equal(error.op, "goto");
        assert_false(wk_failing());
        wk_fail("outer", "recorded outside");
    }
    assert_string_equal(outer.op, "outer");
}

static void *try_in_thread(void *argument)
{
    wk_error *error = argument;
    if (wk_failing())
        return NULL; // the other thread's error is none of ours
    for (int i = 0; i < 20; i++)
        wk_try(error) wk_fail("thread", "%p", argument);
    return argument;
}

static void test_try_is_per_thread(void **state)
{
    (void)state;
    wk_error mine, theirs[4];
    pthread_t threads[4];
    wk_try(&mine)
    {
        wk_fail("mine", "first");
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, try_in_thread, &theirs[i]), 0);
        for (int i = 0; i < 4; i++) {
            char message[64];
            void *result = NULL;
            pthread_join(threads[i], &result);
            assert_ptr_equal(result, &theirs[i]);
            snprintf(message, sizeof message, "thread: %p", result);
            assert_string_equal(theirs[i].message, message);
        }
    }
    assert_string_equal(mine.op, "mine");
}

static void try_nowhere(void) { wk_try(NULL) zero = 1; }

static void test_try_needs_a_place(void **state)
{
    (void)state;
    assert_int_equal(run(try_nowhere), 1);
    assert_shows("wick error in try: error: expected a place");
}

static void test_host_mode(void **state)
{
    (void)state;
    wk_error error;
    assert_null(wk_last_error());
    wk_host_mode(true);
    assert_null(fail_matmul());
    assert_null(wk_fail("softmax", "comes too late"));
    assert_true(wk_failing());
    assert_non_null(wk_last_error());
    assert_string_equal(wk_last_error()->op, "matmul");
    wk_try(&error)
    {
        assert_false(wk_failing());
        wk_fail("inside", "kept apart");
    }
    assert_string_equal(error.op, "inside");
    assert_string_equal(wk_last_error()->op, "matmul");
    wk_clear_error();
    assert_null(wk_last_error());
    assert_false(wk_failing());
    wk_host_mode(false);
}

static void pass_null(void) { wk_null_input("softmax", "x"); }

static void test_null_input(void **state)
{
    (void)state;
    assert_int_equal(run(pass_null), 1);
    assert_shows("wick error in softmax: x: expected a tensor, got NULL\n");
    wk_error error;
    wk_try(&error)
    {
        fail_matmul();
        assert_null(wk_null_input("softmax", "x"));
    }
    assert_string_equal(error.op, "matmul");
}

static void print_recorded(void)
{
    wk_error error;
    wk_try(&error) fail_matmul();
    wk_error_print(&error);
}

static void test_print_recorded(void **state)
{
    (void)state;
    assert_int_equal(run(print_recorded), 42);
    assert_shows("Traceback (most recent call last):\n");
    assert_shows("\nwick error in matmul: a and b: expected");
}

static void fail_uncaught(void) { fail_matmul(); }

static void name_module(char *text, size_t size)
{
    wk_fail("hook", "an error inside an error");
    snprintf(text, size, "%s", "blocks.0.attn.qkv (linear)");
}

static void test_module_path(void **state)
{
    (void)state;
    wk_error error;
    wk_error_set_module_path_hook(name_module);
    const int status = run(fail_uncaught);
    wk_try(&error) fail_matmul();
    wk_error_set_module_path_hook(NULL);
    assert_int_equal(status, 1);
    assert_shows("\n  in module blocks.0.attn.qkv (linear)\nwick error in matmul: ");
    assert_string_equal(error.op, "matmul");
    assert_string_equal(error.module, "blocks.0.attn.qkv (linear)");
}

static void test_long_texts(void **state)
{
    (void)state;
    char text[5000];
    wk_error error;
    for (size_t shift = 0; shift < 4; shift++) { // cut at each byte of a character
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4); // the euro sign
        wk_try(&error) wk_fail("op", "%s", text);
        const size_t length = strlen(error.message);
        assert_true(length < sizeof error.message && length > sizeof error.message - 8);
        assert_string_equal(error.message + length - 3, "...");
        assert_int_equal((length - 3 - strlen("op: ") - shift) % 3, 0);
        wk_try(&error) wk_fail(text, "message");
        assert_true(strlen(error.op) < sizeof error.op);
        assert_string_equal(error.message + strlen(error.message) - 9, ": message");
    }
    wk_try(&error) wk_fail(NULL, "nobody's");
    assert_string_equal(error.message, "nobody's");
}

static void test_assert(void **state)
{
    (void)state;
    wk_error error;
    bool held = false;
    wk_try(&error) held = wk_assert(1 + 1 == 2, "never");
    assert_true(held && !error.set);
    wk_try(&error) held = wk_assert(held == false, "expected %d channels", 3);
    assert_false(held);
    assert_string_equal(error.message, "assert: expected 3 channels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_try_records),
        cmocka_unit_test(test_try_nests),
        cmocka_unit_test(test_try_restores),
        cmocka_unit_test(test_try_is_per_thread),
        cmocka_unit_test(test_try_needs_a_place),
        cmocka_unit_test(test_host_mode),
        cmocka_unit_test(test_null_input),
        cmocka_unit_test(test_print_recorded),
        cmocka_unit_test(test_module_path),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_assert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
