/* What an uncaught error prints and how it ends the program: frames, lines and source text, threads, deep and inlined
   calls, exit handlers, colours, a lack of memory.  The functions that fail are this file's own, so that the test knows
   their names, lines and text. */
#define _GNU_SOURCE
#include "child.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <wick.h>

#include "core/error_internal.h"
#include "core/source_line.h"

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
    snprintf(outer, sizeof outer, "test_traceback.c\", line %d, in outer_forward\n", OUTER_LINE);
    snprintf(inlined, sizeof inlined, "test_traceback.c\", line %d, in inlined_forward\n", INLINED_LINE);
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

typedef struct {
    wk_module_base base;
    wk_module *mlp;
} pair;

static wk_tensor *pair_forward(void *module, wk_tensor *x)
{
    pair *self = module;
    x = wk_add(x, wk_forward(self->mlp, x)); // (B, D)
    return wk_softmax(wk_matmul(x, x), -1);
}
enum { FORWARD_LINE = __LINE__ - 3 };

static pair *pair_new(int64_t inner)
{
    pair *self = wk_module_new(pair, pair_forward);
    wk_add_module(self, mlp, wk_nn_sequential(wk_nn_linear(4, inner), wk_nn_linear(8, 4)));
    return self;
}

static void run_pair(int64_t inner)
{
    wk_module *model = wk_nn_sequential(pair_new(inner));
    wk_scope
    wk_forward(model, wk_ones((3, 4)));
}

static void fail_in_layer(void) { run_pair(9); }
static void fail_in_forward(void) { run_pair(8); }

/* Inside a module: the user's lines, the layers in between on a line each, and the path of the module. */
static void test_in_module(void **state)
{
    (void)state;
    char line[64], next[64];
    snprintf(line, sizeof line, "test_traceback.c\", line %d, in pair_forward\n", FORWARD_LINE);
    snprintf(next, sizeof next, "test_traceback.c\", line %d, in pair_forward\n", FORWARD_LINE + 1);
    assert_int_equal(run(fail_in_layer), 1);
    const char *const layer[] = {
#if WICK_HAVE_LIBDW
        "in run_pair\n    wk_forward(model, wk_ones((3, 4)));\n",
        "  in wick: sequential_forward (nn/",
        line,
        "    x = wk_add(x, wk_forward(self->mlp, x)); // (B, D)\n"
        "                  ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  in wick: sequential_forward (nn/",
        "  in wick: linear_forward (nn/linear.c:",
#endif
        "  in module 0.mlp.1 (linear)\nwick error in linear: ",
        "\nhint: ",
    };
    assert_order(layer, sizeof layer / sizeof layer[0]);
    assert_int_equal(run(fail_in_forward), 1);
    const char *const forward[] = {
#if WICK_HAVE_LIBDW
        next,
        "    return wk_softmax(wk_matmul(x, x), -1);\n"
        "                      ^^^^^^^^^^^^^^^\n",
#endif
        "  in module 0 (pair)\nwick error in matmul: ",
        "(3, 4)",
    };
    assert_order(forward, sizeof forward / sizeof forward[0]);
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

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static long spare_kilobytes;

static void fail_without_memory(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1)
        _exit(43);
    fclose(file);
    const rlim_t limit = (rlim_t)(pages * sysconf(_SC_PAGESIZE) + spare_kilobytes * 1024);
    setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
    wk_fail("empty", "out of memory");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (spare_kilobytes = 0; spare_kilobytes < 4000; spare_kilobytes += 100) {
        assert_int_equal(run(fail_without_memory), 1);
        assert_shows("wick error in empty: out of memory\n");
    }
}
#else
static void test_out_of_memory(void **state) { (void)state; } // sanitizers need the address space themselves
#endif

static void fail_without_traceback(void)
{
    setenv("WICK_TRACEBACK", "off", 1);
    fail_matmul();
}

static void fail_with_full_traceback(void)
{
    setenv("WICK_TRACEBACK", "full", 1);
    wk_null_input("matmul", "a");
}

static void test_traceback_wishes(void **state)
{
    (void)state;
    assert_int_equal(run(fail_without_traceback), 1);
    assert_int_equal(strncmp(output, "wick error in matmul: ", 22), 0);
    assert_int_equal(run(fail_with_full_traceback), 1);
#if WICK_HAVE_LIBDW
    assert_shows("in wk_null_input\n");
#endif
}

/* On a terminal there are colours, but not with NO_COLOR. */
static void on_terminal(const char *no_colour)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    const bool there = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0;
    const int terminal = there ? open(ptsname(master), O_RDWR | O_NOCTTY) : -1;
    if (terminal < 0) {
        print_message("SKIPPED: no pseudo-terminal can be opened here\n");
        skip();
    }
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

/* Which call of a line is underlined: '<' in place of the compiler's column, the marks below. */
static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *directory, *file, *path;
    } rows[] = {
        {"/u/build", "../main.c", "/u/main.c"},
        {"/u/build", "/tmp/main.c", "/tmp/main.c"},
        {"/u", "./a/./b/../c.c", "/u/a/c.c"},
        {"/u", ".a/b.c", "/u/.a/b.c"},
        {"/u", "..a/.b/c.c", "/u/..a/.b/c.c"},
        {"/u", "a//b.c", "/u/a/b.c"},
        {NULL, "../../a.c", "../../a.c"},
        {NULL, "a/../../b.c", "../b.c"},
        {NULL, "b/.x/../c.c", "b/c.c"},
        {"/", "a.c", "/a.c"},
        {"/u", NULL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const wk_frame frame = {.file = rows[i].file, .directory = rows[i].directory};
        char path[64], little[8];
        wk_source_path(&frame, path, sizeof path);
        assert_string_equal(path, rows[i].path);
        wk_source_path(&frame, little, sizeof little); // whole or empty
        assert_true(!*little || strcmp(little, rows[i].path) == 0);
    }
}

static void test_marks(void **state)
{
    (void)state;
    static const struct {
        const char *line, *column, *callee, *marks;
    } rows[] = {
        {"  return wk_add(x, wk_mul(x, y)); // wk_mul(", "         <", "wk_mul_with", "                 ^^^^^^^^^^^^"},
        {"  return wk_add(x, wk_mul(x, y));", "         <", "wk_add_with", "       ^^^^^^^^^^^^^^^^^^^^^^^"},
        {"x = wk_matmul(wk_softmax(wk_matmul(q, k)), v);", "              <", "wk_matmul",
         "                         ^^^^^^^^^^^^^^^"},
        {"x = wk_matmul(wk_softmax(wk_matmul(q, k)), v);", "    <", "wk_matmul",
         "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"},
        {"x = wk_add(wk_add(x, y), z);", "    <", "wk_add_with", ""},
        {"x = wk_add(wk_add(x, y), z);", "", "wk_add_with", ""},
        {"x = wk_cat((a, \")\", b), 0) + 1;", "    <", "wk_cat_tensors", "    ^^^^^^^^^^^^^^^^^^^^^^"},
        {"y = self->act(x), 0;", "    <", "gelu_forward", ""},
        {"y = act(x), 0;", "    <", "gelu_forward", "    ^^^^^^"},
        {"y = wk_call(cross, self->attn, x) + 1;", "    <", "cross_forward", "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"},
        {"y = wk_forward(self, x);", "    <", "other_forward", ""},
        {"\twk_backward(loss);", " <", "wk_backward_with", ""}, // all of it
        {"\u00e4 = f(\"\u00e4\", g(1));", "            <", "g", "           ^^^^"},
        {"x = wk_add(y,", "    <", "wk_add_with", "    ^^^^^^^^^"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[] = "/tmp/wick_test_XXXXXX";
        const int file = mkstemp(path);
        assert_true(file >= 0);
        dprintf(file, "first\n%s\n", rows[i].line);
        close(file);
        wk_source_line source;
        const bool found = wk_source_read(path, 2, (int)strlen(rows[i].column), rows[i].callee, &source);
        const bool behind = wk_source_read(path, 3, 0, NULL, &(wk_source_line){.text = ""});
        unlink(path);
        assert_true(found);
        assert_false(behind);
        if (strcmp(source.marks, rows[i].marks) != 0)
            fail_msg("expected\n%s\n%s\ngot\n%s\n%s", source.text, rows[i].marks, source.text, source.marks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uncaught),
        cmocka_unit_test(test_in_module),
        cmocka_unit_test(test_exit_handlers_run),
        cmocka_unit_test(test_recursion_is_folded),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_traceback_wishes),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_uncaught_in_threads),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_traceback_keeps_the_youngest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
