/* Errors: what an uncaught one prints and how it ends the program (in a child process whose stderr is read back), what
   wk_try and host mode record, and that the funnel stands long texts, threads and errors inside errors.

   The functions that fail are this file's own, so that the test knows their names, lines and text. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wick/error.h>

#include "core/error_internal.h"

static char output[1 << 16]; // what the last child wrote to stderr

static void read_output(int from)
{
    size_t used = 0;
    ssize_t got;
    while (used < sizeof output - 1 && (got = read(from, output + used, sizeof output - 1 - used)) > 0)
        used += (size_t)got;
    output[used] = '\0';
    close(from);
}

/* Runs function in a child and returns its exit status, -1 where a signal ended it. */
static int run(void (*function)(void))
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        function();
        _exit(42); // it came back
    }
    close(ends[1]);
    read_output(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_shows(const char *part)
{
    if (!strstr(output, part))
        fail_msg("expected to see:\n%s\nin:\n%s", part, output);
}

/* The parts one after another. */
static void assert_order(const char *const *parts, size_t count)
{
    const char *rest = output;
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(rest, parts[i]);
        if (!found)
            fail_msg("expected to see, after what came before it:\n%s\nin:\n%s", parts[i], output);
        rest = found + strlen(parts[i]);
    }
}

static volatile int zero; // keeps the compiler from knowing too much

static void *fail_matmul(void)
{
    return wk_fail("matmul", "a and b: expected equal inner sizes, got (2, 3) and (4, 5)\nhint: wk_transpose(b, 0, 1)");
}

static void *same(void *first, void *second) { return first ? first : second; }

static inline __attribute__((always_inline)) void *inlined_forward(void *x)
{
    return same(x, fail_matmul()); // (B, L, D)
}
enum { INLINED_LINE = __LINE__ - 2 };

static __attribute__((noinline)) void outer_forward(void)
{
    void *x = inlined_forward(NULL);
    zero = x != NULL;
}
enum { OUTER_LINE = __LINE__ - 3 };

static void test_uncaught(void **state)
{
    (void)state;
    assert_int_equal(run(outer_forward), 1);
#if WICK_HAVE_LIBDW
    char outer[64], inlined[64];
    snprintf(outer, sizeof outer, "test_error.c\", line %d, in outer_forward\n", OUTER_LINE);
    snprintf(inlined, sizeof inlined, "test_error.c\", line %d, in inlined_forward\n", INLINED_LINE);
    const char *const parts[] = {
        "Traceback (most recent call last):\n  File \"",
        outer,
        "    void *x = inlined_forward(NULL);\n",
        "              ^^^^^^^^^^^^^^^^^^^^^\n",
        inlined,
        "    return same(x, fail_matmul()); // (B, L, D)\n",
        "                   ^^^^^^^^^^^^^\n",
        "in fail_matmul\n",
        "wick error in matmul: a and b: expected equal inner sizes, got (2, 3) and (4, 5)\n"
        "hint: wk_transpose(b, 0, 1)\n",
    };
    assert_order(parts, sizeof parts / sizeof parts[0]);
#endif
    assert_shows("\nwick error in matmul: a and b: expected equal inner sizes, got (2, 3) and (4, 5)\nhint: ");
    assert_null(strstr(output, "in wk_"));
    assert_null(strstr(output, "libc_start"));
    assert_null(strchr(output, '\033'));
}

static void say_goodbye(void) { dprintf(STDERR_FILENO, "goodbye\n"); }

static void fail_again(void)
{
    void *x = wk_fail("second", "while ending");
    dprintf(STDERR_FILENO, "second returned %p\n", x);
}

static void fail_with_exit_handlers(void)
{
    atexit(say_goodbye);
    atexit(fail_again);
    fail_matmul();
}

static void test_exit_handlers_run(void **state)
{
    (void)state;
    assert_int_equal(run(fail_with_exit_handlers), 1);
    const char *const parts[] = {"wick error in matmul", "wick error in second: while ending\n",
                                 "second returned (nil)\n", "goodbye\n"};
    assert_order(parts, sizeof parts / sizeof parts[0]);
}

static void fail_deep(int depth)
{
    if (depth)
        fail_deep(depth - 1);
    else
        fail_matmul();
    zero = depth;
}

static void fail_twenty_deep(void) { fail_deep(20 + zero); }
static void fail_endlessly_deep(void) { fail_deep(20000 + zero); }

static void test_recursion_is_folded(void **state)
{
    (void)state;
    assert_int_equal(run(fail_twenty_deep), 1);
#if WICK_HAVE_LIBDW
    assert_shows("  [the frame above 19 more times]\n");
#endif
    assert_int_equal(run(fail_endlessly_deep), 1);
#if WICK_HAVE_LIBDW
    assert_shows("+ more times]\n");
    assert_shows("in fail_endlessly_deep\n");
#endif
    assert_true(strlen(output) < 4096);
}

static void fail_without_traceback(void)
{
    setenv("WICK_TRACEBACK", "off", 1);
    fail_matmul();
}

static void fail_with_full_traceback(void)
{
    setenv("WICK_TRACEBACK", "full", 1);
    fail_matmul();
}

static void test_traceback_wishes(void **state)
{
    (void)state;
    assert_int_equal(run(fail_without_traceback), 1);
    assert_int_equal(strncmp(output, "wick error in matmul: ", 22), 0);
    assert_int_equal(run(fail_with_full_traceback), 1);
#if WICK_HAVE_LIBDW
    assert_shows("in wk_fail\n");
#endif
}

/* On a terminal there are colours, but not with NO_COLOR. */
static void on_terminal(const char *no_colour)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    const pid_t child = fork();
    if (child == 0) {
        setenv("NO_COLOR", no_colour, 1);
        dup2(terminal, STDERR_FILENO);
        close(terminal);
        close(master);
        outer_forward();
        _exit(42);
    }
    close(terminal);
    read_output(master);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void test_colours(void **state)
{
    (void)state;
    on_terminal("");
    assert_shows("\033[1;31mwick error in matmul\033[0m: ");
    on_terminal("1");
    assert_shows("wick error in matmul: ");
    assert_null(strchr(output, '\033'));
}

static void *fail_in_thread(void *name)
{
    if (name)
        pthread_setname_np(pthread_self(), name);
    fail_matmul();
    return NULL;
}

static void fail_in_worker(void)
{
    char name[] = "loader 3";
    pthread_t thread;
    pthread_create(&thread, NULL, fail_in_thread, name);
    pthread_join(thread, NULL);
}

static void fail_in_many_workers(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, fail_in_thread, NULL);
    pthread_join(threads[0], NULL);
    pause();
}

static void test_uncaught_in_threads(void **state)
{
    (void)state;
    assert_int_equal(run(fail_in_worker), 1);
    assert_shows("Traceback (most recent call last), in thread \"loader 3\":\n");
#if WICK_HAVE_LIBDW
    assert_shows("in fail_in_thread\n    fail_matmul();\n");
#endif
    assert_int_equal(run(fail_in_many_workers), 1);
    const char *first = strstr(output, "wick error");
    assert_non_null(first);
    assert_null(strstr(first + 1, "wick error")); // one thread alone tells
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
    const int status = run(outer_forward);
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

/* Frames of much text: recorded are the youngest, from a whole frame on. */
static void test_traceback_keeps_the_youngest(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) fail_deep(5 + zero);
    assert_true(strlen(error.traceback) < sizeof error.traceback);
    const size_t length = strlen(error.traceback);
    assert_int_equal(error.traceback[length - 1], '\n');
#if WICK_HAVE_LIBDW
    assert_non_null(strstr(error.traceback, "in fail_matmul\n"));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uncaught),
        cmocka_unit_test(test_exit_handlers_run),
        cmocka_unit_test(test_recursion_is_folded),
        cmocka_unit_test(test_traceback_wishes),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_uncaught_in_threads),
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
        cmocka_unit_test(test_traceback_keeps_the_youngest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
