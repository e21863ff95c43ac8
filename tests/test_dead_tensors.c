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

/* ---------------------------------------------------------------- what is no op of the table */

static wk_tensor *D, *x; // a dead tensor, and a live one
static wk_module *layer, *loss, *attention, *encoder, *decoder, *careless; // the last gives a dead tensor
static wk_dict *dict;
static wk_tensor *same(wk_tensors inputs, void *context) { return (void)context, inputs.items[0]; }
static wk_tensor *no_hook(wk_tensor *gradient, void *context) { return (void)context, gradient; }
static void after(wk_tensor *leaf, void *context) { (void)leaf, (void)context; }
static void forward(wk_autograd_ctx *ctx, wk_tensors in, wk_tensors out) { (void)ctx, out.items[0] = in.items[0]; }
static void forward_saves(wk_autograd_ctx *ctx, wk_tensors in, wk_tensors out)
{
    wk_ctx_save_for_backward(ctx, WK_TENSORS(D));
    out.items[0] = in.items[0];
}
static void backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx) { (void)ctx, (void)dy, (void)dx; }
static const wk_autograd_function function = {"mine", forward, backward}, saves = {"saves", forward_saves, backward};
static wk_tensor *hands_out(void *module, wk_tensor *in) { return (void)module, (void)in, D; }

#define CLASSES (const char *const[]){"a", "b"}, 2

/* CALL(matmul, wk_matmul(D, x)): the error is matmul's */
#define CALL(op, ...)                                                                                                  \
    static void call_##op(void) { (void)(__VA_ARGS__); }
#define VOID(op, ...)                                                                                                  \
    static void call_##op(void) { __VA_ARGS__; }
#include "dead_calls.h"
#undef CALL
#undef VOID

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {
#define CALL(op, ...) {#op, call_##op},
#define VOID CALL
#include "dead_calls.h"
};

static void others(void **state)
{
    (void)state;
    failures = 0;
    layer = wk_nn_tanh();
    loss = wk_nn_mse_loss();
    attention = (wk_module *)wk_nn_multihead_attention(4, 2);
    encoder = wk_nn_transformer_encoder_layer(4, 2);
    decoder = wk_nn_transformer_decoder_layer(4, 2);
    const wk_module_args args = {.size = sizeof(wk_module), .type = "careless", .forward = hands_out};
    careless = wk_module_new_with(args);
    dict = wk_dict_new();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (only && strcmp(calls[i].name, only) != 0)
            continue;
        char closed[64];
        wk_scope
        {
            D = dead();
            x = wk_ones((2, 3));
            snprintf(closed, sizeof closed, "test_dead_tensors.c:%d, which has closed", dead_line);
            wk_error error;
            wk_try(&error) calls[i].call();
            check_error(calls[i].name, 0, "a dead tensor", &error, closed);
        }
    }
    wk_module *modules[] = {layer, loss, attention, encoder, decoder, careless};
    for (int i = 0; i < 6; i++)
        wk_module_free(modules[i]);
    wk_dict_free(dict);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(ops), cmocka_unit_test(others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
