/* Hooks: on the gradient of a tensor, after a leaf's grad has grown; hooks that come and go while hooks run.  The
   numbers and the orders are PyTorch's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"

static wk_tensor *count_calls(wk_tensor *gradient, void *context)
{
    (void)gradient;
    ++*(int *)context;
    return NULL;
}

static wk_tensor *ten_times(wk_tensor *gradient, void *context)
{
    (void)context;
    return wk_mul(gradient, 10);
}
static wk_tensor *of_another_shape(wk_tensor *gradient, void *context)
{
    (void)context;
    return wk_add(gradient, wk_ones((2, 3, 4), .dtype = wk_float64));
}
static wk_tensor *that_fails(wk_tensor *gradient, void *context)
{
    (void)context;
    return wk_add(gradient, (wk_tensor *)NULL);
}

TEST(hooks)
{
    int calls = 0;
    wk_tensor *x = leaf(2), *h = wk_mul(x, 3);
    const int first = wk_register_hook(x, count_calls, &calls), second = wk_register_hook(x, ten_times, NULL);
    assert_true(first > 0 && second > 0 && first != second);
    assert_true(wk_register_hook(h, ten_times, NULL) > 0);
    wk_retain_grad(h);
    assert_true(wk_backward(wk_mul(h, h))); // dh = 12, times 10; dx = 360, times 10
    assert_int_equal(calls, 1);
    assert_close(wk_item(h->grad), 120);
    assert_close(wk_item(x->grad), 3600);
    wk_remove_hook(x, second);
    wk_zero_(x->grad);
    assert_true(wk_backward(wk_mul(x, 2)));
    assert_close(wk_item(x->grad), 2);
    assert_int_equal(calls, 2);
    wk_remove_hook(x, first);
    /* a tensor that is gone before backward has no grad to retain */
    wk_scope
    {
        h = wk_exp(wk_mul(x, 3));
        wk_retain_grad(h);
        h = wk_keep(wk_mul(h, 0));
    }
    assert_true(wk_backward(h));
    /* grad() sees hooks, too */
    wk_tensor *y = wk_mul(x, x), *gx;
    wk_register_hook(y, ten_times, NULL);
    assert_true(wk_autograd_grad((y), (x), (&gx)));
    assert_close(wk_item(gx), 40);
    /* a hook on a tensor that gets its gradient from two sides sees the sum, once */
    wk_tensor *z = wk_mul(x, 1);
    calls = 0;
    wk_register_hook(z, count_calls, &calls);
    wk_backward(wk_add(wk_mul(z, 2), wk_mul(z, 3)));
    assert_int_equal(calls, 1);
}

TEST(hooks_that_fail)
{
    wk_error error;
    wk_tensor *x = leaf(2);
    wk_try(&error) assert_int_equal(wk_register_hook(wk_ones(()), count_calls, NULL), 0);
    assert_message(error, "does not require grad");
    static wk_tensor_hook *const HOOKS[] = {of_another_shape, that_fails};
    static const char *const MESSAGES[] = {"hook: expected to replace a gradient of shape (), float64, got (2, 3, 4)",
                                           "add: b: expected a tensor, got NULL"};
    for (int i = 0; i < 4; i++) { // each hook on a leaf, and on the way to it
        wk_tensor *y = wk_mul(x, x), *on = i / 2 ? x : y;
        const int handle = wk_register_hook(on, HOOKS[i % 2], NULL);
        wk_try(&error) assert_false(wk_backward(y));
        assert_message(error, MESSAGES[i % 2]);
        wk_remove_hook(on, handle);
        assert_null(x->grad);
    }
    /* what was accumulated before stays; nothing is lost or kept that should not be, and the next backward works */
    wk_tensor *a = leaf(2), *b = leaf(3), *h = wk_mul(a, 1), *y = wk_mul(h, b);
    wk_register_hook(h, that_fails, NULL);
    wk_try(&error) assert_false(wk_backward(y));
    assert_null(a->grad);
    assert_close(wk_item(b->grad), 2);
    wk_try(&error) assert_false(wk_backward(y));
    assert_message(error, "a second time"); // the product's saved tensors were let go
    assert_true(wk_backward(wk_mul(wk_mul(a, 1), b)));
    assert_close(wk_item(a->grad), 3);
    assert_close(wk_item(b->grad), 4);
}

/* ---------------------------------------------------------------- who runs, and when */

static char order[256];

static wk_tensor *note(wk_tensor *gradient, void *context)
{
    const size_t used = strlen(order);
    snprintf(order + used, sizeof order - used, "%s%s %g", used ? ", " : "", (const char *)context, wk_item(gradient));
    return NULL;
}
static void note_grad(wk_tensor *leaf, void *context)
{
    const size_t used = strlen(order);
    snprintf(order + used, sizeof order - used, ", %s's grad %g", (const char *)context, wk_item(leaf->grad));
}

/* a leaf is finished as soon as its last edge has spoken, not at the end */
TEST(order_of_hooks)
{
    wk_tensor *x = leaf(2), *w = leaf(3), *h1 = wk_mul(x, 2), *h2 = wk_mul(h1, w), *h3 = wk_mul(h2, 2);
    wk_register_hook(h1, note, "h1");
    wk_register_hook(h2, note, "h2");
    wk_register_hook(h3, note, "h3");
    wk_register_hook(x, note, "x");
    wk_register_hook(w, note, "w");
    wk_register_post_accumulate_grad_hook(x, note_grad, "x");
    wk_register_post_accumulate_grad_hook(w, note_grad, "w");
    order[0] = '\0';
    assert_true(wk_backward(h3));
    assert_string_equal(order, "h3 1, h2 2, w 8, w's grad 8, h1 6, x 12, x's grad 12");
}

/* grad() runs the hooks of what it hands out and of what lies on the way, and no others; it accumulates nothing */
TEST(hooks_in_grad)
{
    wk_tensor *x = leaf(2), *w = leaf(3), *h = wk_mul(x, w), *k = wk_mul(h, 2), *y = wk_mul(k, w), *g, *g2;
    wk_register_hook(x, note, "x");
    wk_register_hook(w, note, "w");
    wk_register_hook(h, note, "h");
    wk_register_hook(k, note, "k");
    wk_register_hook(y, note, "y");
    wk_register_post_accumulate_grad_hook(x, note_grad, "x");
    wk_register_post_accumulate_grad_hook(w, note_grad, "w");
    order[0] = '\0';
    assert_true(wk_autograd_grad((y), (h), (&g), .retain_graph = true));
    assert_string_equal(order, "y 1, k 3, h 6");
    order[0] = '\0';
    assert_true(wk_autograd_grad((y), (x), (&g), .retain_graph = true));
    assert_string_equal(order, "y 1, k 3, h 6, x 18");
    order[0] = '\0';
    assert_true(wk_autograd_grad((y), (y), (&g), .retain_graph = true));
    assert_string_equal(order, "y 1");
    order[0] = '\0';
    wk_retain_grad(h);
    wk_retain_grad(k);
    assert_true(wk_autograd_grad((y), (k), (&g), .retain_graph = true));
    assert_string_equal(order, "y 1, k 3");
    assert_null(h->grad);
    assert_close(wk_item(k->grad), 3);
    order[0] = '\0';
    assert_true(wk_autograd_grad((y), (k, w), (&g, &g2), .retain_graph = true));
    assert_string_equal(order, "y 1, k 3, h 6, w 24");
    assert_close(wk_item(g), 3);
    assert_close(wk_item(g2), 24);
    wk_register_hook(x, ten_times, NULL);
    assert_true(wk_autograd_grad((y), (x, x), (&g, &g2)));
    assert_close(wk_item(g), 180);
    assert_close(wk_item(g2), 180);
    assert_null(x->grad);
    assert_null(w->grad);
}

/* no gradient, no hook */
TEST(hooks_without_a_gradient)
{
    int a_calls = 0, b_calls = 0;
    wk_tensor *x = wk_ones((4), .dtype = wk_float64, .requires_grad = true), *a, *b;
    wk_unbind(wk_reshape(x, (2, 2)), (&a, &b));
    wk_register_hook(a, count_calls, &a_calls);
    wk_register_hook(b, count_calls, &b_calls);
    assert_true(wk_backward(wk_sum(a)));
    assert_int_equal(a_calls, 1);
    assert_int_equal(b_calls, 0);
}

/* ---------------------------------------------------------------- after a leaf's grad has grown */

static void descend(wk_tensor *leaf, void *context)
{
    assert_false(wk_is_grad_enabled());
    *(int *)context += 1;
    assert_non_null(wk_sub_(leaf, wk_mul(leaf->grad, 0.1)));
    wk_release(leaf->grad);
    leaf->grad = NULL;
}

TEST(optimizer_in_backward)
{
    int steps = 0;
    wk_tensor *x = leaf(2), *w = leaf(3);
    const int of_x = wk_register_post_accumulate_grad_hook(x, descend, &steps);
    assert_true(of_x > 0 && wk_register_post_accumulate_grad_hook(w, descend, &steps) > 0);
    assert_true(wk_backward(wk_add(wk_mul(x, w), wk_mul(x, 5)))); // x is used twice, and moves once
    assert_int_equal(steps, 2);
    assert_close(wk_item(x), 2 - 0.8);
    assert_close(wk_item(w), 3 - 0.2);
    assert_null(x->grad);
    assert_null(w->grad);
    wk_remove_hook(x, of_x);
    assert_true(wk_backward(wk_mul(x, 5)));
    assert_close(wk_item(x->grad), 5);
    assert_int_equal(steps, 2);
    /* a leaf that backward starts at */
    assert_true(wk_backward(w));
    assert_int_equal(steps, 3);
    assert_close(wk_item(w), 2.7);
}

static void fails_after(wk_tensor *leaf, void *context)
{
    (void)context;
    wk_add(leaf, (wk_tensor *)NULL);
}

TEST(post_accumulate_hooks_refuse)
{
    wk_error error;
    wk_tensor *x = leaf(2), *y = wk_mul(x, 2);
    wk_try(&error) assert_int_equal(wk_register_post_accumulate_grad_hook(y, descend, NULL), 0);
    assert_message(error, "only leaves accumulate a grad");
    wk_try(&error) assert_int_equal(wk_register_post_accumulate_grad_hook(wk_ones(()), descend, NULL), 0);
    assert_message(error, "does not require grad");
    wk_try(&error) assert_int_equal(wk_register_post_accumulate_grad_hook(NULL, descend, NULL), 0);
    assert_message(error, "leaf: expected a tensor, got NULL");
    wk_register_post_accumulate_grad_hook(x, fails_after, NULL);
    wk_try(&error) assert_false(wk_backward(y));
    assert_message(error, "add: b: expected a tensor, got NULL");
    assert_close(wk_item(x->grad), 2);
}

/* ---------------------------------------------------------------- hooks that come and go meanwhile */

typedef struct coming_and_going {
    wk_tensor *on;
    int first, second, first_calls, second_calls, new_calls;
    bool post;
} coming_and_going;

static wk_tensor *count_new(wk_tensor *gradient, void *context)
{
    (void)gradient;
    ((coming_and_going *)context)->new_calls++;
    return NULL;
}
static void count_new_after(wk_tensor *leaf, void *context) { count_new(leaf, context); }

static wk_tensor *removes_and_registers(wk_tensor *gradient, void *context)
{
    (void)gradient;
    coming_and_going *c = context;
    c->first_calls++;
    wk_remove_hook(c->on, c->first);
    wk_remove_hook(c->on, c->second);
    for (int i = 0; i < 20; i++) { // the list moves in memory
        if (c->post)
            wk_register_post_accumulate_grad_hook(c->on, count_new_after, c);
        else
            wk_register_hook(c->on, count_new, c);
    }
    return NULL;
}
static void removes_and_registers_after(wk_tensor *leaf, void *context) { removes_and_registers(leaf, context); }

static void count_second_after(wk_tensor *leaf, void *context) { count_calls(leaf, context); }

TEST(hooks_that_come_and_go)
{
    for (int kind = 0; kind < 3; kind++) { // of a leaf, of a tensor on the way, after a leaf's grad has grown
        wk_tensor *x = leaf(2), *h = wk_mul(x, 3), *y = wk_mul(h, 2);
        coming_and_going c = {.on = kind == 1 ? h : x, .post = kind == 2};
        c.first = c.post ? wk_register_post_accumulate_grad_hook(c.on, removes_and_registers_after, &c)
                         : wk_register_hook(c.on, removes_and_registers, &c);
        c.second = c.post ? wk_register_post_accumulate_grad_hook(c.on, count_second_after, &c.second_calls)
                          : wk_register_hook(c.on, count_calls, &c.second_calls);
        assert_true(wk_backward(y, .retain_graph = true));
        assert_int_equal(c.first_calls, 1);
        assert_int_equal(c.second_calls, 1);
        assert_int_equal(c.new_calls, 0);
        assert_true(wk_backward(y));
        assert_int_equal(c.first_calls, 1);
        assert_int_equal(c.second_calls, 1);
        assert_int_equal(c.new_calls, 20);
    }
}

/* hooks stay with what a tensor was when it is written in place; its retained grad is of what it is */
TEST(hooks_and_writing_in_place)
{
    wk_tensor *x = leaf(2), *y = wk_mul(x, 1), *z;
    const int h1 = wk_register_hook(y, note, "h1");
    wk_retain_grad(y);
    wk_mul_(y, 3);
    wk_register_hook(y, note, "h2");
    z = wk_mul(y, 5);
    order[0] = '\0';
    assert_true(wk_backward(z, .retain_graph = true));
    assert_string_equal(order, "h2 5, h1 15");
    assert_close(wk_item(x->grad), 15);
    assert_close(wk_item(y->grad), 5);
    wk_remove_hook(y, h1);
    order[0] = '\0';
    assert_true(wk_backward(z));
    assert_string_equal(order, "h2 5");
    assert_close(wk_item(y->grad), 10);
    /* a view whose base is written */
    wk_tensor *w = wk_ones((2), .dtype = wk_float64, .requires_grad = true), *base = wk_mul(w, 1);
    wk_tensor *view = wk_select(base, 0, 0);
    wk_retain_grad(view);
    wk_mul_(base, 3);
    assert_true(wk_backward(wk_add(wk_sum(base), wk_mul(view, 10))));
    assert_close(wk_item(view->grad), 10);
    assert_close(wk_item(wk_select(w->grad, 0, 0)), 33);
    assert_close(wk_item(wk_select(w->grad, 0, 1)), 3);
}

TEST(retained_grad_is_its_own_memory)
{
    wk_tensor *x = wk_ones((2), .dtype = wk_float64, .requires_grad = true), *y = wk_mul(x, 1), *dy = wk_ones_like(x);
    wk_retain_grad(y);
    assert_true(wk_backward(y, .gradient = dy, .retain_graph = true));
    assert_ptr_not_equal(wk_data_ptr(y->grad), wk_data_ptr(dy));
    wk_tensor *first = wk_adopt(wk_retain(y->grad));
    assert_true(wk_backward(y, .gradient = dy));
    assert_close(wk_item(wk_select(first, 0, 0)), 1);
    assert_close(wk_item(wk_select(y->grad, 0, 0)), 2);
}

/* ---------------------------------------------------------------- one allocation after another fails */

TEST(short_memory)
{
    bool fine = false;
    for (int64_t n = 0; n < 5000 && !fine; n++) {
        const wk_memory_stats at_start = wk_memory_get_stats();
        wk_error error;
        wk_scope
        {
            int calls = 0;
            wk_tensor *x = leaf(2), *w = leaf(3), *h = wk_mul(x, w), *y = h, *g;
            for (int i = 0; i < 40; i++)
                y = wk_add(y, wk_mul(h, wk_mul(x, i)));
            wk_retain_grad(h);
            wk_register_hook(h, ten_times, NULL);
            wk_register_hook(x, count_calls, &calls);
            wk_register_post_accumulate_grad_hook(x, note_grad, "x");
            order[0] = '\0';
            wk_memory_fail_after(n);
            wk_try(&error)
            {
                fine = wk_backward(y, .retain_graph = true) && wk_backward(y, .create_graph = true) &&
                       wk_autograd_grad((y), (x), (&g));
            }
            wk_memory_fail_after(-1);
            assert_int_equal(fine, !error.set);
            if (!fine)
                assert_message(error, "out of memory");
            if (x->grad)
                wk_detach_(x->grad); // from create_graph
            if (w->grad)
                wk_detach_(w->grad);
            if (h->grad)
                wk_detach_(h->grad);
            assert_true(wk_backward(wk_mul(x, w)));
        }
        assert_int_equal(wk_memory_get_stats().live_tensors, at_start.live_tensors);
        assert_int_equal(wk_memory_get_stats().live_blocks, at_start.live_blocks);
    }
    assert_true(fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(hooks),
        UNIT(hooks_that_fail),
        UNIT(order_of_hooks),
        UNIT(hooks_in_grad),
        UNIT(hooks_without_a_gradient),
        UNIT(optimizer_in_backward),
        UNIT(post_accumulate_hooks_refuse),
        UNIT(hooks_that_come_and_go),
        UNIT(hooks_and_writing_in_place),
        UNIT(retained_grad_is_its_own_memory),
        UNIT(short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
