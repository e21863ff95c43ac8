/* wk_detect_anomaly: NaN and infinity are found at the op and the module that make them, forward and backward; a
   backward that fails shows the forward call; what PyTorch computes without NaN is let through. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "op_table.h"

#define assert_message(error, part)                                                                                    \
    do {                                                                                                               \
        assert_true((error).set);                                                                                      \
        if (!strstr((error).message, part))                                                                            \
            fail_msg("expected \"%s\" in \"%s\"", part, (error).message);                                              \
    } while (0)

static wk_error error;
#define FORWARD(call, name, part)                                                                                      \
    do {                                                                                                               \
        wk_scope                                                                                                       \
        wk_detect_anomaly wk_try(&error) assert_null(call);                                                            \
        assert_string_equal(error.op, name);                                                                           \
        assert_message(error, part);                                                                                   \
    } while (0)
#define FINE(call)                                                                                                     \
    do {                                                                                                               \
        wk_scope                                                                                                       \
        wk_detect_anomaly wk_try(&error) assert_non_null(call);                                                        \
        assert_false(error.set);                                                                                       \
    } while (0)

static void test_forward(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_tensor((2, 2), ((float[]){1, 2, 3, -1})), *bad = wk_div(x, 0), *nan = wk_mul(bad, 0);
        wk_tensor *mask = wk_gt(x, 1);
        FORWARD(wk_log(x), "log", "NaN at (1, 1), and no input is");
        FORWARD(wk_log(wk_transpose(x, 0, 1)), "log", "NaN at (1, 1)");
        FORWARD(wk_div(x, 0), "div", "infinite at (0, 0), and the input is finite");
        FORWARD(wk_div(x, wk_zeros((2, 2))), "div", "infinite at (0, 0)");
        FORWARD(wk_exp(wk_mul(x, 1000)), "exp", "infinite at (0, 0)");
        FORWARD(wk_matmul(wk_full((2, 2), 1e30), wk_full((2, 2), 1e30)), "matmul", "infinite");
        FORWARD(wk_mul(nan, 2), "mul", "input 0 has NaN");
        FORWARD(wk_add(x, nan), "add", "input 1 has NaN");
        FORWARD(wk_softmax(wk_full((2, 2), -INFINITY), 1), "softmax", "NaN at (0, 0), and no input is");
        FORWARD(wk_mean(wk_zeros((0))), "mean", "NaN");
        FORWARD(wk_sqrt_(wk_clone(x)), "sqrt_", "NaN at (1, 1)");
        /* of infinity there may be infinity, and numbers may be infinite */
        FINE(wk_mul(bad, 2));
        FINE(wk_masked_fill(x, mask, -INFINITY));
        FINE(wk_where(mask, x, -INFINITY));
        FINE(wk_softmax(wk_masked_fill(x, mask, -INFINITY), 0));
        FINE(wk_triu(wk_full((2, 2), -INFINITY)));
        FINE(wk_pad(x, (1, 1), .value = INFINITY));
        FINE(wk_clamp(x, -INFINITY, 1));
        FINE(wk_kl_div(wk_zeros((2)), wk_tensor((2), ((float[]){0, 1}))));
        FORWARD(wk_to(wk_mul(x, 1e30), wk_float16), "to_copy", "infinite");
        FINE(wk_where(wk_isnan(nan), 0, x));
        /* memory that nobody wrote is nobody's result */
        FINE(wk_copy_(wk_select(wk_empty((2, 2)), 0, 0), wk_select(x, 0, 0)));
        /* off, and off again behind the block */
        assert_false(wk_is_anomaly_enabled());
        assert_non_null(wk_log(x));
        wk_set_detect_anomaly(true);
        wk_try(&error) assert_null(wk_log(x));
        assert_true(wk_is_anomaly_enabled());
        wk_set_detect_anomaly(false);
        assert_non_null(wk_log(x));
    }
}

typedef struct {
    wk_module_base base;
    wk_module *inner;
} logarithm;

static wk_tensor *logarithm_forward(void *module, wk_tensor *x)
{
    logarithm *self = module;
    return self->inner ? wk_forward(self->inner, x) : wk_sqrt(x); // the line that is shown
}
enum { LINE = __LINE__ - 2 };

static wk_module *logarithms(void)
{
    logarithm *outer = wk_module_new(logarithm, logarithm_forward),
              *inner = wk_module_new(logarithm, logarithm_forward);
    wk_add_module(outer, inner, inner);
    return (wk_module *)outer;
}

/* the module that ran is named; of a backward, its forward call, line and module */
static void test_places(void **state)
{
    (void)state;
    wk_module *model = logarithms();
    wk_scope
    wk_detect_anomaly
    {
        wk_try(&error) wk_forward(model, wk_full((2), -1.0));
        assert_string_equal(error.op, "sqrt");
        assert_string_equal(error.module, "inner (logarithm)");

        wk_tensor *x = wk_requires_grad_(wk_zeros((2)), true), *y = wk_forward(model, x);
        wk_try(&error) wk_backward(wk_sum(y));
        assert_string_equal(error.op, "sqrt_backward");
        assert_message(
            error, "the gradient of input 0, of shape (2,), is infinite at (0,), and what came from above is finite");
        const char *place = strstr(error.traceback, "The forward call that recorded sqrt_backward:\n");
        assert_non_null(place);
        assert_non_null(strstr(place, "  in module inner (logarithm)\n"));
        const char *wish = getenv("WICK_TRACEBACK");
        if (!wish || strcmp(wish, "off") != 0) {
            assert_non_null(strstr(place, "in logarithm_forward"));
#if WICK_HAVE_LIBDW
            char line[32];
            snprintf(line, sizeof line, "line %d, in logarithm", LINE);
            assert_non_null(strstr(place, line));
#endif
        }
    }
    wk_module_free(model);
}

static void test_backward(void **state)
{
    (void)state;
    wk_scope
    {
        /* the famous trap: where keeps the value out, and not the gradient */
        wk_tensor *x = wk_requires_grad_(wk_zeros((3)), true);
        wk_scope
        wk_detect_anomaly wk_try(&error)
        {
            wk_tensor *y = wk_where(wk_gt(x, 0), wk_sqrt(x), 1);
            wk_backward(wk_sum(y));
        }
        assert_string_equal(error.op, "sqrt_backward");
        assert_message(error, "is NaN at (0,), and what came from above is finite");

        /* another failure: a saved tensor that was changed */
        wk_tensor *z = wk_requires_grad_(wk_ones((2)), true);
        wk_scope
        wk_detect_anomaly wk_try(&error)
        {
            wk_tensor *y = wk_exp(z), *w = wk_mul(y, y);
            wk_add_(y, 1);
            wk_backward(wk_sum(w));
        }
        assert_string_equal(error.op, "mul_backward");
        assert_message(error, "changed in place");
        assert_non_null(strstr(error.traceback, "The forward call that recorded mul_backward:\n"));
        /* recorded without: the hint says how to see it */
        wk_scope
        wk_try(&error)
        {
            wk_tensor *y = wk_exp(z), *w = wk_mul(y, y);
            wk_add_(y, 1);
            wk_backward(wk_sum(w));
        }
        assert_message(error, "wk_set_detect_anomaly(true)");
        assert_null(strstr(error.traceback, "The forward call"));
    }
}

/* ---------------------------------------------------------------- no false alarm */

#define MAX_ROWS 1024
static const op_row *rows[MAX_ROWS];
static int row_count, alarms;

void op_table_add(const op_row *row)
{
    if (row_count < MAX_ROWS)
        rows[row_count++] = row;
}
void op_table_add_bad(const bad_row *row) { (void)row; }

static bool all_finite(const golden_tensor *x)
{
    for (int64_t i = 0; x->dtype && i < x->numel; i++)
        for (int part = 0; part <= wk_dtype_is_complex(x->dtype); part++)
            if (!isfinite(golden_element(x, i, part)))
                return false;
    return true;
}

/* in PyTorch's answer everything is finite, gradients too */
static bool is_tame(const golden_case *c)
{
    bool tame = !c->fails;
    for (int i = 0; tame && i < GOLDEN_MAX; i++)
        tame = all_finite(&c->input[i].tensor) && all_finite(&c->result[i]) && all_finite(&c->gradient[i]);
    return tame;
}

static void run_case(const op_row *row, golden_case *c)
{
    const bool in_place = row->name[strlen(row->name) - 1] == '_';
    wk_tensor *outputs[GOLDEN_MAX], *dys[GOLDEN_MAX], *leaves[GOLDEN_MAX], *gradients[GOLDEN_MAX] = {0};
    wk_tensor **places[GOLDEN_MAX];
    int count = 0, leaf_count = 0;
    for (int i = 0; i < c->inputs; i++) {
        c->given[i] = c->input[i].tensor.dtype ? op_lay_out(&c->input[i].tensor, PLAIN) : NULL;
        if (!c->gradient[i].dtype || row->gradient == NONE)
            continue;
        places[leaf_count] = &gradients[leaf_count];
        leaves[leaf_count++] = wk_requires_grad_(c->given[i], true);
        if (i == 0 && in_place)
            c->given[i] = wk_clone(c->given[i]);
    }
    c->made_count = 0;
    wk_tensor *y = row->run(c);
    for (int i = 0; i < (c->made_count ? c->made_count : 1) && leaf_count; i++) {
        wk_tensor *result = c->made_count ? c->made[i] : y;
        if (!result || !result->requires_grad || !c->dy[i].dtype)
            continue;
        dys[count] = op_lay_out(&c->dy[i], PLAIN);
        outputs[count++] = result;
    }
    if (count)
        wk_autograd_grad_with((wk_autograd_grad_args){.outputs = {count, outputs},
                                                      .inputs = {leaf_count, leaves},
                                                      .results = {leaf_count, places},
                                                      .grad_outputs = {count, dys},
                                                      .allow_unused = true});
}

static void test_no_false_alarm(void **state)
{
    (void)state;
    golden_file golden = {0};
    const char *family = "";
    alarms = 0;
    setenv("WICK_TRACEBACK", "off", 1); // of every node that is recorded
    for (int r = 0; r < row_count; r++) {
        if (strcmp(rows[r]->family, family) != 0) {
            char path[512];
            golden_free(&golden);
            family = rows[r]->family;
            snprintf(path, sizeof path, "%s/%s.golden", WICK_GOLDEN, family);
            assert_true(golden_read(path, &golden));
        }
        for (int i = 0; i < golden.count; i++) {
            golden_case *c = &golden.cases[i];
            if (strcmp(c->op, rows[r]->name) != 0 || !is_tame(c))
                continue;
            wk_scope
            wk_detect_anomaly wk_try(&error) run_case(rows[r], c);
            if (!error.set || ++alarms > 20)
                continue;
            char what[512];
            golden_describe(c, what, sizeof what);
            fprintf(stderr, "  %s: %s\n", what, error.message);
        }
    }
    golden_free(&golden);
    assert_int_equal(alarms, 0);
}

int main(void)
{
    setenv("WICK_WARNINGS", "off", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_no_false_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
