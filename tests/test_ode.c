/* odeint against the same formulas in doubles, and against what the equation has for an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"
#include "mirror.h"

/* x' = a x + t */
static double slope(double t, double x) { return -1.3 * x + t; }
static double exact(double t, double x0) { return (x0 + 1 / 1.69) * exp(-1.3 * t) + t / 1.3 - 1 / 1.69; }

static wk_tensor *slope_of(wk_tensor *t, wk_tensor *x, void *context)
{
    wk_tensor *a = context;
    assert_int_equal(t->ndim, 0);
    return wk_add(wk_mul(x, a), t);
}

static double step_of(const char *method, double t, double next, double x)
{
    const double dt = next - t, k1 = slope(t, x);
    if (strcmp(method, "euler") == 0)
        return x + dt * k1;
    if (strcmp(method, "midpoint") == 0)
        return x + dt * slope(t + dt / 2, x + dt / 2 * k1);
    if (strcmp(method, "heun") == 0)
        return x + dt / 2 * (k1 + slope(next, x + dt * k1));
    const double k2 = slope(t + dt / 2, x + dt / 2 * k1), k3 = slope(t + dt / 2, x + dt / 2 * k2);
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + slope(next, x + dt * k3));
}

static const char *const METHODS[] = {"euler", "midpoint", "heun", "rk4"};

TEST(formulas)
{
    const double grids[2][5] = {{0, 0.1, 0.4, 0.5, 1.0}, {1.0, 0.7, 0.65, 0.2, 0}};
    const wk_device devices[] = {wk_cpu, mirror};
    for (int method = 0; method < 4; method++)
        for (int grid = 0; grid < 2; grid++)
            for (int device = 0; device < 2; device++) {
                double start[6], states[30];
                wk_tensor *x = wk_randn((2, 3), .dtype = wk_float64), *a = wk_full((), -1.3, .dtype = wk_float64);
                wk_tensor *t = wk_tensor((5), grids[grid]);
                wk_tolist(x, start);
                wk_tensor *y = wk_odeint(slope_of, wk_to(x, devices[device]), wk_to(t, devices[device]),
                                         METHODS[method], wk_to(a, devices[device]));
                wk_unpack(y, T, A, B);
                assert_true(T == 5 && A == 2 && B == 3);
                wk_tolist(y, states);
                for (int i = 0; i < 6; i++) {
                    double at = start[i];
                    assert_close(states[i], at);
                    for (int k = 1; k < 5; k++) {
                        at = step_of(METHODS[method], grids[grid][k - 1], grids[grid][k], at);
                        assert_close(states[6 * k + i], at);
                    }
                }
            }
}

static double error_of(const char *method, int64_t steps)
{
    double error = 0;
    wk_scope
    {
        wk_tensor *x = wk_full((1), 2.0, .dtype = wk_float64), *a = wk_full((), -1.3, .dtype = wk_float64);
        wk_tensor *t = wk_linspace(0, 1, steps + 1, .dtype = wk_float64);
        error = fabs(wk_item(wk_select(wk_odeint(slope_of, x, t, method, a), 0, -1)) - exact(1, 2));
    }
    return error;
}

/* twice the steps: a half, a quarter, a sixteenth of the error */
TEST(orders)
{
    static const double expected[] = {2, 4, 4, 16};
    for (int method = 0; method < 4; method++) {
        const double ratio = error_of(METHODS[method], 20) / error_of(METHODS[method], 40);
        assert_true(fabs(ratio / expected[method] - 1) < 0.1);
    }
}

static wk_tensor *last_state(wk_tensors inputs, void *context)
{
    return wk_select(wk_odeint(slope_of, inputs.items[0], inputs.items[1], context, inputs.items[2]), 0, -1);
}

TEST(gradients)
{
    wk_tensor *x = wk_requires_grad_(wk_randn((3), .dtype = wk_float64), true), *a = leaf(-0.7);
    const double times[] = {0, 0.3, 1};
    wk_tensor *t = wk_requires_grad_(wk_tensor((3), times), true);
    char text[256];
    for (int method = 0; method < 4; method++) {
        char name[16];
        strcpy(name, METHODS[method]);
        if (!wk_autograd_gradcheck(last_state, name, WK_TENSORS(x, t, a), .text = text, .text_size = sizeof text))
            fail_msg("%s", text);
    }
}

static wk_tensor *of_another_shape(wk_tensor *t, wk_tensor *x, void *context)
{
    (void)context;
    return wk_add(wk_sum(x), t);
}
static wk_tensor *none(wk_tensor *t, wk_tensor *x, void *context)
{
    (void)t, (void)x, (void)context;
    return NULL;
}
static wk_tensor *still(wk_tensor *t, wk_tensor *x, void *context)
{
    (void)t, (void)context;
    return wk_zeros_like(x);
}

TEST(dtypes_and_errors)
{
    wk_tensor *t = wk_linspace(1, 0, 3);
    const wk_dtype dtypes[] = {wk_float16, wk_bfloat16, wk_float32, wk_float64, wk_complex64};
    for (int i = 0; i < 5; i++)
        for (int dims = 0; dims < 2; dims++) {
            wk_tensor *x = dims ? wk_ones((2), .dtype = dtypes[i]) : wk_ones((), .dtype = dtypes[i]);
            wk_tensor *y = wk_odeint(still, x, wk_to(t, wk_float64), "rk4");
            assert_int_equal(y->dtype, dtypes[i]);
            assert_true(wk_equal(wk_select(y, 0, 2), x));
        }
    wk_tensor *x = wk_ones((2));
    assert_true(wk_equal(wk_odeint(still, x, wk_ones((1))), wk_unsqueeze(x, 0)));
    assert_int_equal(wk_odeint(still, wk_ones((0, 3)), t)->numel, 0);
    wk_error error;
    wk_try(&error) assert_null(wk_odeint(of_another_shape, x, t));
    assert_message(error, "f: expected a slope of x's shape (2,), got ()");
    wk_try(&error) assert_null(wk_odeint(none, x, t));
    assert_message(error, "f: expected a slope");
    wk_try(&error) assert_null(wk_odeint(still, x, t, "dopri5"));
    assert_message(error, "method: expected");
    wk_try(&error) assert_null(wk_odeint(still, x, wk_ones((2, 2))));
    assert_message(error, "t: expected");
    wk_try(&error) assert_null(wk_odeint(still, x, wk_arange(3)));
    assert_message(error, "t: expected");
    wk_try(&error) assert_null(wk_odeint(NULL, x, t));
    assert_message(error, "f: expected a function");
    wk_try(&error) assert_null(wk_odeint(still, wk_arange(3), t));
    assert_message(error, "odeint");
}

/* of what a step makes, the state alone stays until the end */
TEST(memory)
{
    wk_tensor *x = wk_ones((1000)), *t = wk_linspace(0, 1, 11);
    wk_odeint(still, x, t, "rk4");
    const wk_memory_stats before = wk_memory_get_stats();
    wk_tensor *y = wk_odeint(still, x, t, "rk4");
    assert_true(wk_memory_get_stats().live_bytes - before.live_bytes < 4000 * 11 + 8000);
    assert_non_null(y);
}

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {UNIT(formulas), UNIT(orders), UNIT(gradients), UNIT(dtypes_and_errors),
                                       UNIT(memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
