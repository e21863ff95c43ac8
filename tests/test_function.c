/* Functions with a backward of the user's own (torch.autograd.Function). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"

/* (a, b) -> (a b, a + b), with a's gradient left out where context says so */
static void product_and_sum(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    assert_false(wk_is_grad_enabled());
    wk_ctx_save_for_backward(ctx, inputs);
    outputs.items[0] = wk_mul(inputs.items[0], inputs.items[1]);
    outputs.items[1] = wk_add(inputs.items[0], inputs.items[1]);
}
static void product_and_sum_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    wk_tensor *a = wk_ctx_saved_tensor(ctx, 0), *b = wk_ctx_saved_tensor(ctx, 1);
    const bool *without_a = wk_ctx_context(ctx);
    if (!*without_a)
        dx.items[0] = wk_add(wk_mul(dy.items[0], b), dy.items[1]);
    dx.items[1] = wk_add(wk_mul(dy.items[0], a), dy.items[1]);
}
static const wk_autograd_function PRODUCT_AND_SUM = {"product_and_sum", product_and_sum, product_and_sum_backward};

static void narrow_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    (void)ctx, (void)dy;
    dx.items[0] = dx.items[1] = wk_ones((2));
}
static const wk_autograd_function NARROW = {"narrow", product_and_sum, narrow_backward};

/* a gradient of another shape: the error has the function's name */
TEST(gradients_of_another_shape)
{
    wk_error error;
    wk_tensor *a = wk_requires_grad_(wk_ones((3)), true), *b = wk_ones((3)), *p, *s;
    assert_true(wk_autograd_function_apply(&NARROW, NULL, (a, b), (&p, &s)));
    wk_try(&error) assert_false(wk_backward(wk_sum(p)));
    assert_message(error, "narrow: gradient: expected the input's shape (3,), got (2,)");
}

TEST(user_functions)
{
    wk_error error;
    bool without_a = false;
    wk_tensor *a = leaf(2), *b = leaf(5), *p, *s, *ga, *gb;
    assert_true(wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s)));
    assert_close(wk_item(p), 10);
    assert_close(wk_item(s), 7);
    assert_true(wk_backward(wk_add(p, wk_mul(s, 100))));
    assert_close(wk_item(a->grad), 105);
    assert_close(wk_item(b->grad), 102);
    /* one output alone: the other's gradient is zeros */
    wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s));
    assert_true(wk_autograd_grad((p), (a, b), (&ga, &gb)));
    assert_close(wk_item(ga), 5);
    /* its gradient has a gradient: d (b da) / db = 1 */
    wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s));
    assert_true(wk_autograd_grad((p), (a), (&ga), .create_graph = true));
    assert_true(wk_autograd_grad((ga), (b), (&gb)));
    assert_close(wk_item(gb), 1);
    /* NULL: no gradient for an input */
    without_a = true;
    wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s));
    assert_true(wk_autograd_grad((p), (a, b), (&ga, &gb), .allow_unused = true));
    assert_null(ga);
    assert_close(wk_item(gb), 2);
    /* twice through it */
    without_a = false;
    wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s));
    assert_true(wk_backward(p));
    wk_try(&error) assert_false(wk_backward(p));
    assert_message(error, "a second time");
    /* without a gradient to remember, and with a NULL input */
    wk_no_grad assert_true(wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, b), (&p, &s)));
    assert_false(p->requires_grad);
    wk_try(&error) assert_false(wk_autograd_function_apply(&PRODUCT_AND_SUM, &without_a, (a, NULL), (&p, &s)));
    assert_message(error, "product_and_sum");
    assert_null(p);
}

static void third_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    dx.items[0] = wk_mul(dy.items[0], wk_ctx_saved_tensor(ctx, 3)), dx.items[1] = NULL;
}
static const wk_autograd_function THIRD = {"third", product_and_sum, third_backward};

TEST(a_tensor_that_was_not_saved)
{
    wk_error error;
    wk_tensor *a = leaf(2), *b = leaf(5), *p, *s;
    assert_true(wk_autograd_function_apply(&THIRD, NULL, (a, b), (&p, &s)));
    wk_try(&error) assert_false(wk_backward(p));
    assert_message(error, "third: saved tensor 3: 2 were saved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(gradients_of_another_shape),
        UNIT(user_functions),
        UNIT(a_tensor_that_was_not_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
