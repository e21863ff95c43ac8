/* What an op says to something that is no tensor: one of a scope that has closed, x + 1, a number.  Every op of the op
   table, in each of its arguments, and every other function of the public headers that takes a tensor: an error that
   names the op and the argument, and never a crash.

   test_dead_tensors [OP] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "op_table.h"

#define MAX_ROWS 512
static const op_row *rows[MAX_ROWS];
static int row_count;
static const char *only;

void op_table_add(const op_row *row)
{
    if (row_count < MAX_ROWS)
        rows[row_count++] = row;
}
void op_table_add_bad(const bad_row *row) { (void)row; }

static int dead_line; // of the scope that closed
static wk_tensor *dead(void)
{
    wk_tensor *x = NULL;
    dead_line = __LINE__ + 1;
    wk_scope x = wk_ones((2, 3));
    return x;
}

static int failures;

static void check_error(const char *op, int argument, const char *what, const wk_error *error, const char *expected)
{
    if (!error->set)
        fprintf(stderr, "  %s: argument %d is %s: no error\n", op, argument, what);
    else if (!strstr(error->message, expected))
        fprintf(stderr, "  %s: argument %d is %s: \"%s\"\n", op, argument, what, error->message);
    failures += !error->set || !strstr(error->message, expected);
}

/* ---------------------------------------------------------------- the op table */

static void run_row(const op_row *row, golden_case *c)
{
    char closed[64];
    for (int i = 0; i < c->inputs; i++)
        for (int what = 0; c->input[i].tensor.dtype && what < 3; what++)
            wk_scope
            {
                for (int k = 0; k < c->inputs; k++)
                    c->given[k] = c->input[k].tensor.dtype ? op_lay_out(&c->input[k].tensor, PLAIN) : NULL;
                c->given[i] = what == 0 ? dead() : what == 1 ? wk_ones((2)) + 1 : (wk_tensor *)(uintptr_t)3;
                c->made_count = 0;
                snprintf(closed, sizeof closed, "test_dead_tensors.c:%d, which has closed", dead_line);
                wk_error error;
                wk_try(&error) row->run(c);
                check_error(row->name, i, what == 0 ? "a dead tensor" : what == 1 ? "x + 1" : "a number", &error,
                            what == 0 ? closed : "expected a tensor, got an address that is none");
            }
}

static void ops(void **state)
{
    (void)state;
    failures = 0;
    for (int i = 0; i < row_count; i++) {
        if (only && strcmp(rows[i]->name, only) != 0)
            continue;
        char path[512];
        golden_file golden;
        snprintf(path, sizeof path, "%s/%s.golden", WICK_GOLDEN, rows[i]->family);
        assert_true(golden_read(path, &golden));
        int tried = 0;
        for (int n = 0; n < golden.count && tried < 4; n++) { // several cases: an argument may be left out in one
            golden_case *c = &golden.cases[n];
            if (c->fails || strcmp(c->op, rows[i]->name) != 0)
                continue;
            run_row(rows[i], c);
            tried++;
        }
        golden_free(&golden);
    }
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv)
{
    setenv("WICK_TRACEBACK", "off", 0);
    if (!getenv("WICK_CHECK")) { // asked for as a user does: before the program starts
        setenv("WICK_CHECK", "1", 1);
        execv("/proc/self/exe", argv);
    }
    only = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {cmocka_unit_test(ops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
