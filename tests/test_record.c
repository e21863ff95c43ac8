/* What an op gives wk_record and its backward reads (autograd/node.h): the op's own struct, the function that stands in
   for the backward under create_graph, the name that users see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"

#include "autograd/node.h"

typedef struct scaled_kept {
    double by;
    long double wide; // the strictest alignment that a C compiler asks for by itself
    wk_shape shape;
    char letter;
} scaled_kept;

static int plain_calls, composed_calls;

/* dx = by dy, by a path without a gradient */
static void scaled_backward(wk_node *node, wk_tensor *dy)
{
    const scaled_kept *kept = node->kept;
    assert_false(wk_is_grad_enabled());
    assert_int_equal((uintptr_t)kept % 16, 0);
    assert_int_equal(kept->letter, 'w');
    assert_int_equal(kept->shape.ndim, 2);
    assert_true(kept->wide == 0.25L);
    plain_calls++;
    wk_accumulate(node, 0, wk_mul(dy, kept->by));
}

static void scaled_in_ops(wk_node *node, wk_tensor *dy)
{
    const scaled_kept *kept = node->kept;
    assert_true(wk_is_grad_enabled());
    composed_calls++;
    wk_accumulate(node, 0, wk_mul(dy, kept->by));
}

static wk_tensor *scaled(wk_tensor *x, double by)
{
    wk_tensor *y = WK_WITHOUT_GRAD(wk_mul(x, by));
    return wk_record(y, scaled_backward, WK_INPUTS(x), WK_SAVED(x, y), .composed = scaled_in_ops,
                     WK_KEPT(scaled_kept, .by = by, .wide = 0.25L, .shape = WK_SHAPE(2, 3), .letter = 'w'));
}

TEST(keeps_a_struct)
{
    wk_tensor *x = leaf(2), *y = scaled(x, 3);
    assert_non_null(y);
    plain_calls = composed_calls = 0;
    assert_true(wk_backward(wk_mul(y, y)));
    assert_close(wk_item(x->grad), 36);
    assert_int_equal(plain_calls, 1);
    assert_int_equal(composed_calls, 0);
}

TEST(composed_under_create_graph)
{
    wk_tensor *x = leaf(2), *dy = leaf(5), *gx, *g_dy;
    plain_calls = composed_calls = 0;
    assert_true(wk_autograd_grad((scaled(x, 3)), (x), (&gx), .grad_outputs = WK_TENSORS(dy), .create_graph = true));
    assert_close(wk_item(gx), 15);
    assert_int_equal(plain_calls, 0);
    assert_int_equal(composed_calls, 1);
    assert_true(wk_autograd_grad((gx), (dy), (&g_dy)));
    assert_close(wk_item(g_dy), 3);
}

/* y = a + 2 b; notes who asked for what */
static int wanted;

static void noted_backward(wk_node *node, wk_tensor *dy)
{
    wanted = wk_needs(node, 0) | wk_needs(node, 1) << 1;
    wk_accumulate(node, 0, dy);
    wk_accumulate(node, 1, wk_mul(dy, 2));
}

/* an input needs a gradient where it leads to one that was asked for */
TEST(needs)
{
    wk_tensor *a = leaf(1), *b = leaf(2), *constant = wk_ones(()), *ga, *gb, *h = wk_mul(b, 3);
    wk_tensor *y = WK_WITHOUT_GRAD(wk_add(a, wk_mul(h, 2)));
    y = wk_record(y, noted_backward, WK_INPUTS(a, h));
    assert_true(wk_autograd_grad((y), (a), (&ga)));
    assert_int_equal(wanted, 1);
    assert_true(wk_autograd_grad((y), (b), (&gb), .retain_graph = true));
    assert_int_equal(wanted, 2);
    assert_close(wk_item(gb), 6);
    assert_true(wk_autograd_grad((y), (h, a), (&gb, &ga)));
    assert_int_equal(wanted, 3);
    assert_close(wk_item(gb), 2);
    assert_true(wk_backward(y));
    assert_int_equal(wanted, 3);
    y = wk_record(WK_WITHOUT_GRAD(wk_add(a, constant)), noted_backward, WK_INPUTS(a, constant));
    assert_true(wk_backward(y));
    assert_int_equal(wanted, 1);
}

TEST(names)
{
    wk_tensor *x = leaf(2), *y = WK_WITHOUT_GRAD(wk_mul(x, 1));
    assert_string_equal(scaled(x, 1)->grad_fn->name, "scaled_backward");
    y = wk_record(y, scaled_backward, WK_INPUTS(x), .name = "halved_backward");
    assert_string_equal(y->grad_fn->name, "halved_backward");
    assert_null(y->grad_fn->kept);
}

TEST(without_grad)
{
    wk_tensor *x = leaf(2);
    wk_tensor *y = WK_WITHOUT_GRAD(wk_add(wk_mul(x, 2), WK_WITHOUT_GRAD(wk_mul(x, x))));
    assert_false(y->requires_grad);
    assert_close(wk_item(y), 8);
    assert_true(wk_is_grad_enabled());
    wk_no_grad
    {
        assert_close(WK_WITHOUT_GRAD(wk_item(x)), 2);
        assert_false(wk_is_grad_enabled());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(keeps_a_struct),
        UNIT(composed_under_create_graph),
        UNIT(needs),
        UNIT(names),
        UNIT(without_grad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
