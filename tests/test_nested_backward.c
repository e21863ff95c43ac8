/* Backward inside of backward: from a hook and from a function's backward, over the same graph; and from two threads at
   once.  What a walk knows of a graph is its own, so that none disturbs another.  The numbers are PyTorch's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>

#include "check.h"

typedef struct inner {
    wk_tensor *y, *wrt;
    int calls;
    bool retain_graph, create_graph;
    double first, second; // derivatives
} inner;

static wk_tensor *runs_backward(wk_tensor *gradient, void *context)
{
    (void)gradient;
    inner *in = context;
    if (in->calls++ == 0)
        assert_true(wk_backward(in->y, .retain_graph = in->retain_graph));
    return NULL;
}
static void runs_backward_after(wk_tensor *leaf, void *context) { runs_backward(leaf, context); }

static wk_tensor *runs_grad(wk_tensor *gradient, void *context)
{
    (void)gradient;
    inner *in = context;
    wk_tensor *g, *g2;
    if (in->calls++ > 0)
        return NULL;
    assert_true(wk_autograd_grad((in->y), (in->wrt), (&g), .retain_graph = true, .create_graph = in->create_graph));
    in->first = wk_item(g);
    if (in->create_graph) {
        assert_true(wk_autograd_grad((g), (in->wrt), (&g2), .retain_graph = true));
        in->second = wk_item(g2);
    }
    assert_false(wk_is_grad_enabled());
    return NULL;
}

TEST(backward_inside_a_hook_over_the_same_graph)
{
    /* on the way: y = x^4 at 2, slope 32, twice */
    wk_tensor *x = leaf(2), *h = wk_mul(x, x), *y = wk_mul(h, h);
    inner in = {.y = y, .retain_graph = true};
    const int handle = wk_register_hook(h, runs_backward, &in);
    assert_true(wk_backward(y, .retain_graph = true));
    assert_int_equal(in.calls, 2);
    assert_close(wk_item(x->grad), 64);
    wk_remove_hook(h, handle);
    assert_true(wk_backward(y));
    assert_close(wk_item(x->grad), 96);
    /* on a leaf, whose gradient is complete but not yet in its grad */
    wk_tensor *w = leaf(5);
    x = leaf(2);
    h = wk_mul(x, w);
    y = wk_mul(h, h);
    in = (inner){.y = y, .retain_graph = true};
    wk_register_hook(w, runs_backward, &in);
    assert_true(wk_backward(y, .retain_graph = true));
    assert_close(wk_item(x->grad), 200);
    assert_close(wk_item(w->grad), 80);
    /* after its grad has grown */
    w = leaf(5);
    x = leaf(2);
    h = wk_mul(x, w);
    y = wk_mul(h, h);
    in = (inner){.y = y, .retain_graph = true};
    wk_register_post_accumulate_grad_hook(w, runs_backward_after, &in);
    assert_true(wk_backward(y, .retain_graph = true));
    assert_int_equal(in.calls, 2);
    assert_close(wk_item(x->grad), 200);
    assert_close(wk_item(w->grad), 80);
}

TEST(backward_inside_a_hook_that_frees_the_graph)
{
    wk_error error;
    wk_tensor *x = leaf(2), *h = wk_mul(x, x), *y = wk_mul(h, h);
    inner in = {.y = y};
    wk_register_hook(h, runs_backward, &in);
    wk_try(&error) assert_false(wk_backward(y, .retain_graph = true));
    assert_message(error, "a second time");
    assert_close(wk_item(x->grad), 32);
    assert_int_equal(in.calls, 2);
}

TEST(grad_inside_a_hook)
{
    for (int create = 0; create < 2; create++) {
        wk_tensor *x = leaf(2), *h = wk_mul(x, x), *y = wk_mul(h, h);
        inner in = {.y = y, .wrt = x, .create_graph = create};
        wk_register_hook(h, runs_grad, &in);
        assert_true(wk_backward(y, .retain_graph = true));
        assert_close(in.first, 32);
        assert_close(in.second, create ? 48 : 0);
        assert_close(wk_item(x->grad), 32);
    }
}

/* ten deep, each over the whole graph */
static wk_tensor *runs_deeper(wk_tensor *gradient, void *context)
{
    inner *in = context;
    (void)gradient;
    if (++in->calls <= 10)
        assert_true(wk_backward(in->y, .retain_graph = true));
    return NULL;
}

TEST(backward_inside_backward_inside_backward)
{
    wk_tensor *x = leaf(2), *h = wk_mul(x, x), *y = h;
    for (int i = 0; i < 100; i++) // more steps than lie on the stack
        y = wk_add(y, wk_mul(h, h));
    inner in = {.y = y};
    wk_register_hook(h, runs_deeper, &in);
    assert_true(wk_backward(y, .retain_graph = true));
    assert_int_equal(in.calls, 11);
    assert_close(wk_item(x->grad), 11 * (4 + 100 * 32));
}

/* ---------------------------------------------------------------- in a function's backward */

/* x^3, computed again in backward */
static void cube_again(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    wk_ctx_save_for_backward(ctx, inputs);
    outputs.items[0] = wk_mul(wk_mul(inputs.items[0], inputs.items[0]), inputs.items[0]);
}
static void cube_again_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    wk_enable_grad
    {
        wk_tensor *x = wk_requires_grad_(wk_detach(wk_ctx_saved_tensor(ctx, 0)), true);
        assert_true(wk_backward(wk_mul(wk_mul(x, x), x), .gradient = dy.items[0]));
        dx.items[0] = wk_mul(x->grad, 1);
    }
}
static const wk_autograd_function CUBE_AGAIN = {"cube_again", cube_again, cube_again_backward};

TEST(checkpointing)
{
    wk_tensor *x = leaf(2), *y;
    assert_true(wk_autograd_function_apply(&CUBE_AGAIN, NULL, (wk_mul(x, 1)), (&y)));
    assert_true(wk_backward(wk_mul(y, 5)));
    assert_close(wk_item(x->grad), 60);
}

/* x y, whose backward walks the graph that it stands in, and lets that graph's saved tensors go while it reads them */
static void twice(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    wk_ctx_save_for_backward(ctx, inputs);
    outputs.items[0] = wk_mul(inputs.items[0], inputs.items[1]);
}
static void twice_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    inner *in = wk_ctx_context(ctx);
    wk_tensor *a = wk_ctx_saved_tensor(ctx, 0), *b = wk_ctx_saved_tensor(ctx, 1);
    if (in->calls++ == 0)
        assert_true(wk_backward(in->y));
    dx.items[0] = wk_mul(dy.items[0], b);
    dx.items[1] = wk_mul(dy.items[0], a);
}
static const wk_autograd_function TWICE = {"twice", twice, twice_backward};

TEST(function_that_walks_its_own_graph)
{
    wk_error error;
    inner in = {0};
    wk_tensor *x = leaf(2), *w = leaf(3), *y;
    wk_scope
    { // nothing but the graph holds what is saved
        assert_true(wk_autograd_function_apply(&TWICE, &in, (wk_add(x, 0), wk_add(w, 0)), (&y)));
        wk_keep(y);
    }
    in.y = y;
    assert_true(wk_backward(y, .retain_graph = true));
    assert_int_equal(in.calls, 2);
    assert_close(wk_item(x->grad), 6);
    assert_close(wk_item(w->grad), 4);
    wk_try(&error) assert_false(wk_backward(y)); // the inner one let them go
    assert_message(error, "a second time");
}

/* ---------------------------------------------------------------- two threads, one graph */

typedef struct asks {
    wk_tensor *y, *x;
    bool right;
} asks;

static void *asks_for_gradients(void *context)
{
    asks *a = context;
    a->right = true;
    for (int i = 0; i < 200; i++)
        wk_scope
        {
            wk_tensor *g;
            a->right &= wk_autograd_grad((a->y), (a->x), (&g), .retain_graph = true) && close_to(wk_item(g), 32);
        }
    return NULL;
}

TEST(threads_share_a_graph)
{
    wk_tensor *x = leaf(2), *h = wk_mul(x, x), *y = wk_mul(h, h);
    asks of[2] = {{y, x, false}, {y, x, false}};
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, asks_for_gradients, &of[0]), 0);
    asks_for_gradients(&of[1]);
    pthread_join(other, NULL);
    assert_true(of[0].right && of[1].right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(backward_inside_a_hook_over_the_same_graph),
        UNIT(backward_inside_a_hook_that_frees_the_graph),
        UNIT(grad_inside_a_hook),
        UNIT(backward_inside_backward_inside_backward),
        UNIT(checkpointing),
        UNIT(function_that_walks_its_own_graph),
        UNIT(threads_share_a_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
