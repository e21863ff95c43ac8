/* backward and grad: what accumulates, what is freed, what is refused; modes; graphs deep enough to end any recursion.
    Numbers are small enough to check by hand: y = 3 x^2 at x = 2 has slope 12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"

/* ---------------------------------------------------------------- backward */

static wk_tensor *count_calls(wk_tensor *gradient, void *context)
{
    (void)gradient;
    ++*(int *)context;
    return NULL;
}

TEST(accumulates)
{
    wk_tensor *x = leaf(2);
    assert_true(wk_is_leaf(x));
    assert_null(x->grad);
    assert_true(wk_backward(wk_mul(3, wk_mul(x, x))));
    assert_close(wk_item(x->grad), 12);
    assert_true(wk_backward(wk_mul(x, 5)));
    assert_close(wk_item(x->grad), 17);
    assert_false(x->grad->requires_grad);
    wk_zero_(x->grad);
    assert_true(wk_backward(x)); // of a leaf itself
    assert_close(wk_item(x->grad), 1);
}

TEST(gradient_is_its_own_memory)
{
    wk_tensor *x = wk_ones((3), .dtype = wk_float64, .requires_grad = true), *dy = wk_ones_like(x);
    assert_true(wk_backward(wk_add(x, 0), .gradient = dy));
    assert_ptr_not_equal(wk_data_ptr(x->grad), wk_data_ptr(dy));
    wk_fill_(dy, 7);
    assert_close(wk_item(wk_select(x->grad, 0, 1)), 1);
    /* two leaves that get the same gradient do not share it */
    wk_tensor *a = leaf(1), *b = leaf(1);
    wk_backward(wk_add(a, b));
    assert_ptr_not_equal(wk_data_ptr(a->grad), wk_data_ptr(b->grad));
    /* an expanded gradient is written out */
    wk_tensor *w = wk_ones((2, 3), .requires_grad = true);
    wk_backward(wk_sum(w));
    assert_true(wk_is_contiguous(w->grad));
}

TEST(grads_grow_in_place)
{
    wk_tensor *x = wk_ones((3), .requires_grad = true);
    assert_true(wk_backward(wk_sum(wk_mul(x, 2))));
    wk_tensor *first = wk_adopt(wk_retain(x->grad));
    assert_true(wk_backward(wk_sum(wk_mul(x, 2))));
    assert_ptr_equal(x->grad, first);
    assert_close(wk_item(wk_select(first, 0, 2)), 4);
    /* where the sum is remembered it is a new one */
    assert_true(wk_backward(wk_sum(wk_mul(x, 2)), .create_graph = true));
    assert_ptr_not_equal(x->grad, first);
    assert_close(wk_item(wk_select(first, 0, 2)), 4);
    assert_close(wk_item(wk_select(x->grad, 0, 2)), 6);
    wk_detach_(x->grad);
    /* what a backward starts with is never written into, whoever else holds the gradients on the way */
    wk_tensor *y = wk_ones((3), .requires_grad = true), *dy = wk_ones((3)), *h = wk_add(y, 0);
    assert_true(wk_backward(wk_add(wk_add(h, h), wk_add(h, y)), .gradient = dy));
    assert_close(wk_item(wk_select(dy, 0, 0)), 1);
    assert_close(wk_item(wk_select(y->grad, 0, 0)), 4);
    /* of another dtype than x: cast, as every gradient on the way */
    assert_true(wk_backward(wk_mul(y, 2), .gradient = wk_ones((3), .dtype = wk_float64)));
    assert_int_equal(y->grad->dtype, wk_float32);
    assert_close(wk_item(wk_select(y->grad, 0, 0)), 6);
}

TEST(refuses)
{
    wk_error error;
    wk_tensor *x = wk_ones((3), .requires_grad = true), *y = wk_mul(x, x);
    wk_try(&error) assert_false(wk_backward(y));
    assert_message(error, "expected one element where no gradient is given, got shape (3,)");
    wk_try(&error) assert_false(wk_backward(y, .gradient = wk_ones((2))));
    assert_message(error, "gradient: expected x's shape (3,), got (2,)");
    wk_try(&error) assert_false(wk_backward(wk_ones(())));
    assert_message(error, "expected a tensor that requires grad");
    wk_try(&error) assert_false(wk_backward(NULL));
    assert_message(error, "expected a tensor, got NULL");
    assert_null(x->grad);
    wk_tensor *loss = wk_sum(y);
    assert_true(wk_backward(loss));
    wk_try(&error) assert_false(wk_backward(loss));
    assert_message(error, "a second time");
    assert_message(error, ".retain_graph = true");
    assert_close(wk_item(wk_select(x->grad, 0, 0)), 2); // untouched by the backward that failed
}

TEST(retains_the_graph)
{
    wk_tensor *x = leaf(2), *y = wk_mul(x, x);
    assert_true(wk_backward(y, .retain_graph = true));
    assert_true(wk_backward(y, .retain_graph = true));
    assert_true(wk_backward(y));
    assert_close(wk_item(x->grad), 12);
    /* a graph that saved nothing may be walked again, as in PyTorch */
    wk_tensor *z = wk_add(x, 1);
    assert_true(wk_backward(z));
    assert_true(wk_backward(z));
    assert_close(wk_item(x->grad), 14);
}

TEST(diamonds_and_many_uses)
{
    wk_tensor *x = leaf(3), *a = wk_mul(x, 2), *b = wk_mul(x, x), *y = wk_mul(a, b); // 2 x^3
    for (int i = 0; i < 5; i++)
        y = wk_add(y, wk_mul(a, x)); // + 5 * 2 x^2
    assert_true(wk_backward(y));
    assert_close(wk_item(x->grad), 6 * 9 + 5 * 4 * 3);
}

TEST(version_of_saved_tensors)
{
    wk_error error;
    wk_tensor *x = leaf(2), *y = wk_mul(x, 1), *z = wk_mul(y, y);
    wk_add_(y, 1);
    wk_try(&error) assert_false(wk_backward(z));
    assert_message(error, "was changed in place");
    assert_null(x->grad);
    /* by another tensor on the same memory */
    y = wk_mul(x, 1);
    z = wk_exp(y);
    wk_no_grad wk_zero_(wk_detach(z));
    wk_try(&error) assert_false(wk_backward(z));
    assert_message(error, "exp_backward");
    /* add saves nothing: writes do not matter */
    y = wk_mul(x, 1);
    z = wk_add(y, y);
    wk_mul_(y, 10);
    assert_true(wk_backward(z));
    assert_close(wk_item(x->grad), 2);
    /* lerp keeps its ends for the weight's gradient alone, abs of complex numbers not what it returns */
    y = wk_mul(leaf(3), 1);
    z = wk_lerp(y, wk_ones_like(y), wk_full_like(y, 0.5));
    wk_zero_(y);
    assert_true(wk_backward(z));
    z = wk_abs(wk_polar(wk_add(x, 1), wk_ones_like(x)));
    wk_mul_(z, 2);
    assert_true(wk_backward(z));
    assert_close(wk_item(x->grad), 4);
}

TEST(deep_graphs)
{
    const int DEPTH = 100000;
    wk_tensor *x = leaf(1), *y = x;
    wk_scope
    {
        wk_tensor *chain = wk_mul(x, 1);
        for (int i = 0; i < DEPTH; i++)
            chain = wk_add(chain, 1e-6);
        y = wk_keep(chain);
    }
    assert_true(wk_backward(y));
    assert_close(wk_item(x->grad), 1);
    /* and let go without having been walked, with results saved on the way */
    wk_scope
    {
        wk_tensor *chain = wk_mul(x, 1);
        for (int i = 0; i < DEPTH; i++)
            chain = wk_tanh(chain);
        for (int i = 0; i < 1000; i++)
            chain = wk_unsqueeze(wk_squeeze(chain), 0);
    }
}

TEST(wide_graphs)
{
    wk_tensor *x = leaf(1), *sum = wk_mul(x, 0), *leaves[300];
    for (int i = 0; i < 300; i++) {
        leaves[i] = leaf(i);
        sum = wk_add(sum, wk_mul(leaves[i], x));
    }
    assert_true(wk_backward(sum));
    assert_close(wk_item(x->grad), 299 * 150);
    for (int i = 0; i < 300; i++)
        assert_close(wk_item(leaves[i]->grad), 1);
}

/* a view made before its base had a gradient follows the base, whatever stands beside it in a call */
TEST(views_older_than_the_gradient)
{
    wk_tensor *x = leaf(3), *base = wk_ones((2), .dtype = wk_float64), *view = wk_select(base, 0, 0);
    wk_mul_(base, x);
    assert_true(wk_backward(wk_add(x, view), .retain_graph = true)); // 2 x
    assert_close(wk_item(x->grad), 2);
    wk_tensor *other = wk_select(base, 0, 1);
    wk_mul_(base, 2);
    int calls = 0;
    assert_true(wk_register_hook(other, count_calls, &calls) > 0);
    assert_true(wk_backward(wk_mul(other, 5)));
    assert_close(wk_item(x->grad), 12);
    assert_int_equal(calls, 1);
}

TEST(views_made_under_no_grad)
{
    wk_error error;
    wk_tensor *x = wk_ones((2), .requires_grad = true), *base = wk_mul(x, 1), *view = NULL, *of_view = NULL;
    wk_no_grad
    {
        view = wk_select(base, 0, 0);
        assert_non_null(wk_mul_(view, 3)); // inside: the user's own business
    }
    assert_false(view->requires_grad);
    of_view = wk_unsqueeze(view, 0);
    wk_try(&error) assert_null(wk_mul_(view, 2));
    assert_message(error, "a view made inside wk_no_grad");
    wk_try(&error) assert_null(wk_fill_(of_view, 2));
    assert_message(error, "a view made inside wk_no_grad");
    assert_close(wk_item(wk_select(base, 0, 0)), 3);
    wk_mul_(base, 2);
    assert_false(wk_mul(view, 2)->requires_grad);
    assert_non_null(wk_mul_(wk_detach(base), 2)); // detach says that it is meant
}

TEST(dtypes_on_the_way)
{
    wk_tensor *x = wk_ones((2, 1), .requires_grad = true);
    wk_tensor *y = wk_mul(wk_to(x, wk_float64), wk_ones((3), .dtype = wk_float64));
    assert_true(wk_backward(wk_sum(wk_to(y, wk_float16))));
    assert_int_equal(x->grad->dtype, wk_float32);
    assert_int_equal(x->grad->shape[1], 1);
    assert_close(wk_item(wk_select(wk_flatten(x->grad), 0, 1)), 3);
}

/* ---------------------------------------------------------------- grad */

TEST(grad_leaves_grad_alone)
{
    wk_tensor *x = leaf(2), *w = leaf(3), *y = wk_mul(wk_mul(x, x), w), *gx, *gw;
    assert_true(wk_autograd_grad((y), (x, w), (&gx, &gw)));
    assert_close(wk_item(gx), 12);
    assert_close(wk_item(gw), 4);
    assert_null(x->grad);
    assert_null(w->grad);
    /* with respect to a tensor on the way */
    wk_tensor *h = wk_mul(x, x), *z = wk_exp(h), *gh;
    assert_true(wk_autograd_grad((z), (h, x), (&gh, &gx)));
    assert_close(wk_item(gh), exp(4));
    assert_close(wk_item(gx), 4 * exp(4));
    /* of several outputs, with gradients for them */
    wk_tensor *a = wk_mul(x, 2), *b = wk_mul(x, x);
    assert_true(wk_autograd_grad((a, b), (x), (&gx), .grad_outputs = WK_TENSORS(leaf(10), leaf(1))));
    assert_close(wk_item(gx), 24);
    /* of one output twice, and of an input itself */
    wk_tensor *same = leaf(7), *square = wk_mul(x, x);
    assert_true(wk_autograd_grad((square, square, x), (x), (&gx)));
    assert_close(wk_item(gx), 9);
    assert_true(wk_autograd_grad((x), (x), (&gx), .grad_outputs = WK_TENSORS(same)));
    assert_ptr_equal(gx, same);
}

TEST(grad_unused)
{
    wk_error error;
    wk_tensor *x = leaf(2), *other = leaf(1), *gx = x, *g = x;
    wk_tensor *y = wk_mul(x, x);
    wk_try(&error) assert_false(wk_autograd_grad((y), (x, other), (&gx, &g), .retain_graph = true));
    assert_message(error, "number 1, of shape (), was not used");
    assert_null(gx);
    assert_true(wk_autograd_grad((y), (x, other), (&gx, &g), .allow_unused = true));
    assert_close(wk_item(gx), 4);
    assert_null(g);
    wk_try(&error) assert_false(wk_autograd_grad((wk_mul(x, x)), (wk_ones(())), (&g)));
    assert_message(error, "does not require grad");
}

TEST(higher_derivatives)
{
    wk_tensor *x = leaf(2), *y = wk_pow(x, 5), *g = y;
    const double expected[] = {80, 160, 240, 240, 120};
    for (int order = 0; order < 5; order++) {
        wk_tensor *next;
        assert_true(wk_autograd_grad((g), (x), (&next), .create_graph = true));
        assert_close(wk_item(next), expected[order]);
        g = next;
    }
    /* backward with create_graph gives a grad that has a history; the cycle x -> grad -> x must be cut by hand */
    wk_tensor *z = wk_mul(wk_mul(x, x), x);
    assert_true(wk_backward(z, .create_graph = true));
    assert_true(x->grad->requires_grad);
    wk_tensor *second;
    assert_true(wk_autograd_grad((x->grad), (x), (&second)));
    assert_close(wk_item(second), 12);
    wk_detach_(x->grad);
}

TEST(third_derivatives_of_functions)
{
    wk_error error;
    wk_tensor *x = leaf(0.5), *first, *second, *third;
    assert_true(wk_autograd_grad((wk_tanh(x)), (x), (&first), .create_graph = true));
    assert_true(wk_autograd_grad((first), (x), (&second), .create_graph = true));
    const double t = tanh(0.5);
    assert_close(wk_item(second), -2 * t * (1 - t * t));
    wk_try(&error) assert_false(wk_autograd_grad((second), (x), (&third)));
    assert_message(error, "a third was asked for");
}

TEST(gradient_penalty)
{
    /* |d f / d x|^2 as a loss: its gradient reaches w */
    wk_tensor *x = leaf(0.7), *w = leaf(1.3), *gx;
    wk_tensor *y = wk_sin(wk_mul(w, x)); // gx = w cos(w x)
    assert_true(wk_autograd_grad((y), (x), (&gx), .create_graph = true));
    assert_true(wk_backward(wk_square(gx)));
    const double c = cos(0.91), s = sin(0.91);
    assert_close(wk_item(w->grad), 2 * 1.3 * c * (c - 1.3 * 0.7 * s));
}

/* ---------------------------------------------------------------- modes, leaves */

static wk_tensor *early_return(wk_tensor *x)
{
    wk_no_grad return wk_mul(x, 2);
    return NULL;
}

TEST(grad_modes)
{
    wk_tensor *x = leaf(2);
    assert_true(wk_is_grad_enabled());
    wk_no_grad
    {
        assert_false(wk_is_grad_enabled());
        assert_false(wk_mul(x, x)->requires_grad);
        wk_enable_grad
        {
            assert_true(wk_is_grad_enabled());
            assert_true(wk_mul(x, x)->requires_grad);
            wk_no_grad assert_false(wk_is_grad_enabled());
            assert_true(wk_is_grad_enabled());
        }
        assert_false(wk_is_grad_enabled());
    }
    assert_true(wk_is_grad_enabled());
    assert_false(early_return(x)->requires_grad);
    assert_true(wk_is_grad_enabled());
    for (int i = 0; i < 3; i++)
        wk_no_grad
        {
            if (i == 1)
                break; // leaves the block, not the loop
            assert_false(wk_is_grad_enabled());
        }
    assert_true(wk_is_grad_enabled());
    wk_no_grad goto out;
out:
    assert_true(wk_is_grad_enabled());
    wk_set_grad_enabled(false);
    assert_false(wk_mul(x, x)->requires_grad);
    wk_set_grad_enabled(true);
    /* a leaf made where grad is off is a leaf all the same, and may be written there */
    wk_no_grad
    {
        assert_true(leaf(1)->requires_grad);
        assert_non_null(wk_add_(x, 1));
    }
    assert_true(wk_is_leaf(x) && x->requires_grad);
    assert_close(wk_item(x), 3);
}

TEST(requires_grad_and_detach)
{
    wk_error error;
    wk_tensor *x = wk_ones((2), .dtype = wk_float64);
    assert_ptr_equal(wk_requires_grad_(x, true), x);
    wk_tensor *y = wk_mul(x, 2), *d = wk_detach(y);
    assert_false(wk_is_leaf(y));
    assert_true(wk_is_leaf(d) && !d->requires_grad);
    assert_ptr_equal(wk_data_ptr(d), wk_data_ptr(y));
    wk_try(&error) assert_null(wk_requires_grad_(y, false));
    assert_message(error, "only a leaf");
    wk_try(&error) assert_null(wk_requires_grad_(wk_ones((2), .dtype = wk_int64), true));
    assert_message(error, "got int64");
    wk_try(&error) assert_null(wk_add_(x, 1));
    assert_message(error, "a leaf that requires grad cannot be written in place");
    wk_try(&error) assert_null(wk_zero_(wk_select(x, 0, 0)));
    assert_message(error, "seen through a view");
    assert_ptr_equal(wk_detach_(y), y);
    assert_true(wk_is_leaf(y) && !y->requires_grad);
    wk_requires_grad_(x, false);
    assert_false(wk_mul(x, 2)->requires_grad);
    /* comparison and integers carry no gradient */
    wk_requires_grad_(x, true);
    assert_false(wk_gt(x, 0)->requires_grad);
    assert_false(wk_to(x, wk_int64)->requires_grad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(accumulates), UNIT(gradient_is_its_own_memory), UNIT(grads_grow_in_place), UNIT(refuses),
        UNIT(retains_the_graph),
        UNIT(diamonds_and_many_uses), UNIT(version_of_saved_tensors), UNIT(deep_graphs), UNIT(wide_graphs),
        UNIT(views_older_than_the_gradient), UNIT(views_made_under_no_grad), UNIT(dtypes_on_the_way),
        UNIT(grad_leaves_grad_alone), UNIT(grad_unused), UNIT(higher_derivatives),
        UNIT(third_derivatives_of_functions), UNIT(gradient_penalty), UNIT(grad_modes), UNIT(requires_grad_and_detach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
