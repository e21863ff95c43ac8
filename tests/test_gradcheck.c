/* gradcheck and gradgradcheck find what is wrong, say where, and pass what is right. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

static wk_tensor *float64_leaf(int64_t n)
{
    wk_tensor *x = wk_linspace(-0.8, 1.1, n, .dtype = wk_float64);
    return wk_requires_grad_(x, true);
}

static wk_tensor *right(wk_tensors inputs, void *context)
{
    (void)context;
    return wk_mul(wk_tanh(inputs.items[0]), inputs.items[1]);
}

/* y = x^2, with a gradient off by what context says at element 2, and a second one without history */
static void square_forward(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    wk_ctx_save_for_backward(ctx, inputs);
    outputs.items[0] = wk_mul(inputs.items[0], inputs.items[0]);
}
static void square_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    const double *off = wk_ctx_context(ctx);
    wk_tensor *slope = wk_mul(wk_ctx_saved_tensor(ctx, 0), 2), *error = wk_zeros_like(slope);
    if (*off != 0)
        wk_fill_(wk_select(error, 0, 2), *off);
    else
        slope = wk_detach(slope);
    dx.items[0] = wk_mul(dy.items[0], wk_add(slope, error));
}
static const wk_autograd_function SQUARE = {"square", square_forward, square_backward};
static wk_tensor *wrong(wk_tensors inputs, void *context)
{
    wk_tensor *y = NULL;
    wk_autograd_function_apply(&SQUARE, context, (inputs.items[0]), (&y));
    return y;
}

static wk_tensor *wrong_of_many(wk_tensors inputs, void *context)
{
    return wk_mul(wk_expand(wrong(inputs, context), (30, -1)), wk_linspace(0.5, 1.5, 5, .dtype = wk_float64));
}
static wk_tensor *of_float32(wk_tensors inputs, void *context)
{
    (void)context;
    return wk_to(inputs.items[0], wk_float32);
}
static wk_tensor *constant(wk_tensors inputs, void *context)
{
    (void)context;
    return wk_ones_like(inputs.items[0]);
}

static void test_right(void **state)
{
    (void)state;
    wk_scope wk_ones((2)); // the thread's own tables
    const wk_memory_stats before = wk_memory_get_stats();
    wk_scope
    {
        char text[256] = "";
        wk_tensors inputs = WK_TENSORS(float64_leaf(5), float64_leaf(5));
        assert_true(wk_autograd_gradcheck(right, NULL, inputs, .text = text, .text_size = sizeof text));
        assert_true(wk_autograd_gradgradcheck(right, NULL, inputs));
        assert_true(wk_autograd_gradcheck(constant, NULL, inputs));
        assert_string_equal(text, "");
        assert_null(inputs.items[0]->grad);
        assert_true(fabs(wk_item(wk_select(inputs.items[0], 0, 0)) + 0.8) < 1e-15); // put back
    }
    assert_int_equal(wk_memory_get_stats().live_blocks, before.live_blocks);
}

static void test_wrong(void **state)
{
    (void)state;
    wk_error error;
    wk_scope
    {
        char text[256] = "";
        double off = 0.01;
        wk_tensors x = WK_TENSORS(float64_leaf(5));
        assert_false(wk_autograd_gradcheck(wrong, &off, x, .text = text, .text_size = sizeof text));
        assert_non_null(strstr(text, "gradcheck: d output element 2 / d input 0, element 2 (at 0.15): gradient 0.31"));
        assert_non_null(strstr(text, "finite difference 0.3"));
        assert_true(wk_autograd_gradcheck(wrong, &off, x, .atol = 0.1));
        /* more outputs than are looked at one by one */
        assert_false(wk_autograd_gradcheck(wrong_of_many, &off, x, .text = text, .text_size = sizeof text));
        assert_non_null(strstr(text, "a random projection of the output / d input 0, element 2"));
        /* a gradient that is right, but forgets its own history */
        off = 0;
        assert_true(wk_autograd_gradcheck(wrong, &off, x));
        assert_false(wk_autograd_gradgradcheck(wrong, &off, x, .text = text, .text_size = sizeof text));
        assert_non_null(strstr(text, "gradgradcheck: d output element 0 / d input 0, element 0"));

        assert_false(wk_autograd_gradcheck(of_float32, NULL, x, .text = text, .text_size = sizeof text));
        assert_non_null(strstr(text, "expected float64, got float32"));
        wk_try(&error)
            assert_false(wk_autograd_gradcheck(right, NULL, WK_TENSORS(wk_ones((2), .requires_grad = true))));
        assert_non_null(strstr(error.message, "expected a float64 leaf"));
        wk_try(&error) assert_false(wk_autograd_gradcheck(right, NULL, WK_TENSORS(NULL)));
        assert_true(error.set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
