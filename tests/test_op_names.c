/* Every op of the op table names itself in its errors, as the user wrote it: in calls that PyTorch refuses, and where
   an input is NULL or of another shape.  (Other dtypes: test_every_dtype.c.)

   test_op_names [FAMILY [OP]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "family.h"
#include "op_table.h"

#define MAX_ROWS 512
#define CASES 12 // of an op, whose inputs get other shapes

static const op_row *rows[MAX_ROWS];
static int row_count, failures;

void op_table_add(const op_row *row)
{
    if (row_count < MAX_ROWS)
        rows[row_count++] = row;
}
void op_table_add_bad(const bad_row *row) { (void)row; }

/* rows that are two ways to call one op, and what macros call by their arguments */
static bool is_name_of(const char *op, const char *row)
{
    static const char *const same[][2] = {{"cross_entropy_weighted", "cross_entropy"},
                                          {"nll_loss_weighted", "nll_loss"},
                                          {"full_bool", "full"},
                                          {"squeeze_all", "squeeze"},
                                          {"squeeze_dim", "squeeze"},
                                          {"squeeze_dims", "squeeze"},
                                          {"movedims", "movedim"},
                                          {"complex_abs", "abs"},
                                          {"linear_vector", "linear"},
                                          {"repeat_interleave_sized", "repeat_interleave"},
                                          {"nonzero_columns", "nonzero"},
                                          {"round_decimals", "round"},
                                          {"round_decimals_", "round_"},
                                          {"div_rounding_", "div_"},
                                          {"scatter_with_reduce", "scatter"},
                                          {"linalg_norm_svd", "linalg_norm"},
                                          {"linalg_vector_norm", "norm"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(row, same[i][0]) == 0)
            row = same[i][1];
    return strcmp(op, row) == 0;
}

static void check_error(const golden_case *c, const char *how, const wk_error *error)
{
    const size_t length = strlen(error->op);
    const bool begins = strncmp(error->message, error->op, length) == 0 && error->message[length] == ':';
    if ((begins && is_name_of(error->op, c->op)) || (++failures > 6 && !getenv("WICK_OP_NAMES_ALL")))
        return;
    char what[512];
    golden_describe(c, what, sizeof what);
    fprintf(stderr, "  %s%s: %s\n", what, how, error->message);
}

/* the call, with an input put in the place of one of them; an error must carry the op's name */
static void attempt(const op_row *row, golden_case *c, int place, wk_tensor *with, const char *how)
{
    wk_error error;
    wk_scope
    {
        for (int i = 0; i < c->inputs; i++)
            c->given[i] = i == place ? with : c->input[i].tensor.dtype ? op_lay_out(&c->input[i].tensor, PLAIN) : NULL;
        c->made_count = 0;
        wk_try(&error) row->run(c);
    }
    if (error.set)
        check_error(c, how, &error);
}

static void check_shapes(const op_row *row, golden_case *c)
{
    static const wk_shape shapes[] = {{0},
                                      {1, {0}},
                                      {1, {7}},
                                      {2, {7, 11}},
                                      {2, {3, 4}},
                                      {3, {2, 7, 3}},
                                      {4, {1, 3, 5, 7}},
                                      {5, {1, 2, 1, 2, 3}},
                                      {8, {1, 1, 1, 1, 1, 1, 1, 2}}};
    for (int i = 0; i < c->inputs; i++) {
        if (!c->input[i].tensor.dtype)
            continue;
        attempt(row, c, i, NULL, ", NULL");
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
            wk_scope
        {
            wk_tensor *x = wk_full_with(
                (wk_factory_args){.size = shapes[k], .fill = WK_NUMBER(1), .dtype = c->input[i].tensor.dtype});
            char how[64];
            snprintf(how, sizeof how, ", input %d of %zu dims", i, (size_t)x->ndim);
            attempt(row, c, i, x, how);
        }
    }
}

static void test_row(void **state)
{
    const op_row *row = *state;
    /* adapters that permute, tensors in a string: and the ops have other rows */
    if (strcmp(row->family, "layout") == 0 || strcmp(row->family, "index_mixtures") == 0)
        return;
    failures = 0;
    int shaped = 0;
    read_family(row->family);
    for (int i = 0; i < golden.count; i++) {
        golden_case *c = &golden.cases[i];
        if (strcmp(c->op, row->name) != 0)
            continue;
        if (c->fails)
            attempt(row, c, -1, NULL, "");
        else if (shaped++ < CASES && strcmp(row->name, "tolist") != 0) // whose adapter has an array of the case's size
            check_shapes(row, c);
    }
    if (failures > 0)
        fail_msg("%s: %d errors have another name", row->name, failures);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MAX_ROWS];
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    setenv("WICK_WARNINGS", "off", 0);
    size_t count = 0;
    for (int i = 0; i < row_count; i++)
        if ((argc < 2 || strcmp(rows[i]->family, argv[1]) == 0) && (argc < 3 || strcmp(rows[i]->name, argv[2]) == 0))
            tests[count++] = (struct CMUnitTest){
                .name = rows[i]->name, .test_func = test_row, .initial_state = (void *)(uintptr_t)rows[i]};
    return _cmocka_run_group_tests("names in errors", tests, count, NULL, NULL);
}
