/* Activation checkpointing: the same bits of results and gradients, in less memory; inference mode; and what a function
   of the user's saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "check.h"

typedef struct {
    wk_module_base base;
    wk_module *fc1, *norm, *dropout, *fc2;
    int runs;
} block;

static wk_tensor *block_forward(void *module, wk_tensor *x)
{
    block *self = module;
    self->runs++;
    wk_tensor *h = wk_gelu(wk_forward(self->fc1, wk_forward(self->norm, x)));
    h = wk_forward(self->dropout, h);
    wk_add_(h, 1);
    return wk_add(x, wk_forward(self->fc2, h));
}

static block *block_new(void)
{
    block *self = wk_module_new(block, block_forward);
    wk_add_module(self, norm, wk_nn_layer_norm((8)));
    wk_add_module(self, fc1, wk_nn_linear(8, 32));
    wk_add_module(self, dropout, wk_nn_dropout(0.3));
    wk_add_module(self, fc2, wk_nn_linear(32, 8));
    return self;
}

typedef struct {
    block *blocks[2];
    bool autocast;
} model;

static wk_tensor *both(void *context, wk_tensor *x)
{
    model *m = context;
    return wk_forward(m->blocks[1], wk_forward(m->blocks[0], x));
}

/* one in the other */
static wk_tensor *inner_too(void *context, wk_tensor *x)
{
    model *m = context;
    return wk_checkpoint(wk_forward, m->blocks[1], (wk_checkpoint(wk_forward, m->blocks[0], (wk_mul(x, 1.0)))));
}

typedef enum { PLAIN, EACH, BOTH, NESTED, WRAPPED, WAYS } way;

static wk_tensor *run(model *m, wk_tensor *x, way how)
{
    wk_tensor *y = NULL;
    wk_autocast(wk_cpu, .enabled = m->autocast) switch (how)
    {
    case EACH:
        y = x;
        for (int i = 0; i < 2; i++)
            y = wk_checkpoint(wk_forward, m->blocks[i], (y));
        break;
    case BOTH:
        y = wk_checkpoint(both, m, (x));
        break;
    case NESTED:
        y = wk_checkpoint(inner_too, m, (x));
        break;
    default:
        y = both(m, x);
    }
    return y;
}

static void same_bits(const char *what, wk_tensor *a, wk_tensor *b)
{
    if (!a || !b || !wk_equal(a, b))
        fail_msg("%s differ", what);
}

/* results, gradients of x and of each parameter, and the next random number */
static void check_way(way how, bool autocast, bool x_learns, bool second)
{
    wk_tensor *expected[16], *got[16];
    for (int pass = 0; pass < 2; pass++) {
        wk_manual_seed(3);
        model m = {{block_new(), block_new()}, autocast};
        if (pass && how == WRAPPED)
            for (int i = 0; i < 2; i++)
                assert_ptr_equal(wk_checkpoint_wrapper(m.blocks[i]), m.blocks[i]);
        wk_tensor *x = wk_requires_grad_(wk_randn((16, 8)), x_learns), **into = pass ? got : expected;
        wk_tensor *y = run(&m, x, pass ? how : PLAIN);
        into[0] = wk_detach(y);
        wk_tensor *loss = wk_mean(wk_square(wk_to(y, wk_float32)));
        if (second) { // a penalty on the gradient of x
            wk_tensor *g;
            assert_true(wk_autograd_grad((loss), (x), (&g), .create_graph = true));
            loss = wk_add(loss, wk_sum(wk_square(g)));
        }
        assert_true(wk_backward(loss));
        into[1] = x_learns ? wk_clone(x->grad) : wk_ones(());
        int count = 2;
        for (int i = 0; i < 2; i++) {
            const wk_tensors parameters = wk_module_parameters(m.blocks[i]);
            for (int64_t k = 0; k < parameters.count; k++)
                into[count++] = wk_clone(parameters.items[k]->grad);
            assert_int_equal(m.blocks[i]->runs, !pass ? 1 : how == NESTED ? 3 : 2);
        }
        into[count++] = wk_rand((2));
        for (int i = 0; pass && i < count; i++)
            same_bits("gradients", got[i], expected[i]);
        for (int i = 0; i < 2; i++)
            wk_module_free(m.blocks[i]);
    }
}

TEST(the_same_bits)
{
    const int64_t tensors = wk_memory_get_stats().live_tensors;
    for (way how = EACH; how < WAYS; how++)
        for (int choice = 0; choice < 4; choice++)
            wk_scope
    check_way(how, choice & 1, choice & 2, false);
    for (way how = EACH; how < WAYS; how++)
        if (how != NESTED) // which runs once more for the second gradient
            wk_scope
    check_way(how, false, true, true);
    assert_int_equal(wk_memory_get_stats().live_tensors, tensors);
}

static int64_t bytes_after_forward(way how)
{
    int64_t bytes = 0;
    wk_scope
    {
        model m = {{block_new(), block_new()}, false};
        wk_tensor *x = wk_randn((1000, 8));
        const int64_t before = wk_memory_get_stats().live_bytes;
        wk_tensor *y = run(&m, x, how);
        bytes = wk_memory_get_stats().live_bytes - before;
        assert_true(wk_backward(wk_sum(y)));
        assert_true(wk_memory_get_stats().live_bytes - before < 100000); // y, and the grads of parameters
        for (int i = 0; i < 2; i++)
            wk_module_free(m.blocks[i]);
    }
    return bytes;
}

/* of 1000 x 8 float32: a result of each block, and of both */
TEST(activations_are_let_go)
{
    assert_true(bytes_after_forward(PLAIN) > 5 * 128000);
    assert_true(bytes_after_forward(EACH) < 3 * 32000);
    assert_true(bytes_after_forward(BOTH) < 2 * 32000);
    assert_true(bytes_after_forward(NESTED) < 2 * 32000);
}

static wk_tensor *masked(void *context, wk_tensor *x, wk_tensor *mask)
{
    return wk_mul(wk_exp(x), wk_mul(mask, *(double *)context));
}
static wk_tensor *weighed(void *context, wk_tensor *a, wk_tensor *b, wk_tensor *c)
{
    (void)context;
    return c ? wk_lerp(a, b, c) : wk_mul(a, b);
}
static wk_tensor *sum_of_exps(void *context, wk_tensors inputs)
{
    (void)context;
    wk_tensor *y = wk_exp(inputs.items[0]);
    for (int64_t i = 1; i < inputs.count; i++)
        y = wk_add(y, wk_exp(inputs.items[i]));
    return y;
}

TEST(functions_of_several_inputs)
{
    double two = 2;
    wk_tensor *x = wk_requires_grad_(wk_ones((2, 3)), true), *mask = wk_ones((3));
    wk_tensor *y = wk_checkpoint(masked, &two, (x, mask));
    assert_true(wk_backward(wk_sum(y), .retain_graph = true));
    assert_true(wk_backward(wk_sum(y)));
    wk_tensor *expected = wk_full((2, 3), 4 * exp(1.0));
    assert_true(wk_allclose(x->grad, expected));

    wk_tensor *a = wk_requires_grad_(wk_full((2), 3.0), true), *b = wk_requires_grad_(wk_full((2), 5.0), true);
    assert_true(wk_backward(wk_sum(wk_checkpoint(weighed, NULL, (a, b, NULL)))));
    assert_float_equal(wk_item(wk_sum(a->grad)), 10, 0);
    assert_float_equal(wk_item(wk_sum(b->grad)), 6, 0);
    wk_tensor *list[4] = {a, a, b, b};
    y = wk_checkpoint_with((wk_checkpoint_args){.function = WK_CHECKPOINTED(sum_of_exps), .inputs = {4, list}});
    wk_tensor *g;
    assert_true(wk_autograd_grad((wk_sum(y)), (a), (&g)));
    assert_true(wk_allclose(g, wk_mul(wk_exp(a), 2)));
    wk_no_grad assert_false(wk_checkpoint(masked, &two, (x, mask))->requires_grad);
}

/* ---------------------------------------------------------------- what goes wrong */

static wk_tensor *another_each_time(void *context, wk_tensor *x)
{
    int *runs = context;
    return (*runs)++ ? wk_sin(wk_exp(x)) : wk_exp(wk_sin(wk_exp(x)));
}
static wk_tensor *another_shape(void *context, wk_tensor *x)
{
    int *runs = context;
    return wk_sum(wk_exp((*runs)++ ? wk_index(x, "1:") : x));
}
static wk_tensor *draws(void *context, wk_tensor *x)
{
    (void)context;
    return wk_dropout(wk_exp(x), 0.5);
}
static wk_tensor *no_more(void *context, wk_tensor *x)
{
    int *runs = context;
    return (*runs)++ ? wk_fail("no_more", "x: enough") : wk_exp(x);
}

static wk_tensor *nothing(void *context, wk_tensor *x)
{
    (void)context, (void)x;
    return NULL;
}

TEST(what_goes_wrong_is_said)
{
    int runs = 0;
    wk_error error;
    wk_tensor *x = wk_requires_grad_(wk_ones((3)), true);
    wk_tensor *y = wk_checkpoint(another_each_time, &runs, (x));
    wk_try(&error) assert_false(wk_backward(wk_sum(y)));
    assert_string_equal(error.op, "checkpoint");
    runs = 0;
    y = wk_checkpoint(another_shape, &runs, (x));
    wk_try(&error) assert_false(wk_backward(wk_sum(y)));
    assert_string_equal(error.op, "checkpoint");
    runs = 0;
    y = wk_checkpoint(no_more, &runs, (x));
    wk_try(&error) assert_false(wk_backward(wk_sum(y)));
    assert_string_equal(error.op, "no_more");
    wk_tensor *z = wk_mul(x, 2);
    y = wk_checkpoint(draws, NULL, (z));
    wk_no_grad wk_mul_(z, 2); // the forward can not be repeated
    wk_try(&error) assert_false(wk_backward(wk_sum(y)));
    assert_non_null(strstr(error.message, "changed in place"));
    wk_try(&error) assert_null(wk_checkpoint(nothing, NULL, (x)));
    assert_string_equal(error.message, "checkpoint: function: expected a tensor, got NULL");
    wk_try(&error) assert_null(wk_checkpoint_with((wk_checkpoint_args){.inputs = {1, &x}}));
    assert_string_equal(error.op, "checkpoint");
    wk_try(&error) assert_null(wk_checkpoint(masked, NULL, (x)));
    assert_string_equal(error.op, "checkpoint");
    wk_manual_seed(0);
    y = wk_checkpoint(draws, NULL, (x), .preserve_rng_state = false);
    assert_true(wk_backward(wk_sum(y))); // of other places, most likely: the stream went on
}

TEST(without_memory)
{
    const int64_t tensors = wk_memory_get_stats().live_tensors;
    bool failed = true;
    for (int64_t n = 0; failed && n < 2000; n++)
        wk_scope
    {
        model m = {{block_new(), block_new()}, n % 2};
        wk_tensor *x = wk_randn((4, 8));
        wk_error error;
        wk_try(&error)
        {
            wk_memory_fail_after(n);
            wk_tensor *y = run(&m, x, n % 3 ? NESTED : EACH);
            wk_backward(wk_sum(y));
            wk_memory_fail_after(-1);
        }
        failed = error.set;
        for (int i = 0; i < 2; i++)
            wk_module_free(m.blocks[i]);
    }
    assert_false(failed);
    assert_int_equal(wk_memory_get_stats().live_tensors, tensors);
}

/* ---------------------------------------------------------------- inference mode */

TEST(inference_stays_out_of_gradients)
{
    wk_tensor *w = wk_requires_grad_(wk_ones((2)), true), *x = NULL, *seen = NULL;
    wk_inference_mode
    {
        assert_false(wk_is_grad_enabled());
        x = wk_mul(w, 3);
        wk_enable_grad assert_false(wk_mul(w, 2)->requires_grad);
        wk_inference_mode wk_add_(x, 1);
        assert_false(wk_is_grad_enabled());
        seen = wk_index(w, ":1"); // of memory from outside
    }
    assert_true(wk_is_grad_enabled());
    assert_true(wk_mul(w, 2)->requires_grad);
    wk_error error;
    wk_try(&error) assert_null(wk_mul(w, x));
    assert_non_null(strstr(error.message, "wk_inference_mode"));
    wk_try(&error) assert_null(wk_add_(x, 1));
    assert_non_null(strstr(error.message, "wk_inference_mode"));
    wk_try(&error) assert_null(wk_add_(wk_index(x, "0"), 1));
    assert_non_null(strstr(error.message, "wk_inference_mode"));
    wk_try(&error) assert_null(wk_requires_grad_(x, true));
    assert_non_null(strstr(error.message, "wk_inference_mode"));
    assert_true(wk_backward(wk_sum(wk_mul(w, wk_clone(x)))));
    assert_float_equal(wk_item(wk_sum(w->grad)), 8, 0);
    assert_true(wk_add(w, x)->requires_grad); // which saves neither
    wk_no_grad assert_non_null(wk_mul(w, x));
    wk_no_grad assert_non_null(wk_mul(wk_detach(seen), 2));
    for (int i = 0; i < 2; i++)
        wk_inference_mode
        {
            if (i == 0)
                continue;
            break;
        }
    assert_true(wk_is_grad_enabled());
    wk_tensor *after = wk_ones((2));
    assert_non_null(wk_add_(after, 1));
}

/* ---------------------------------------------------------------- saved_tensors */

static void product(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    wk_ctx_save_for_backward(ctx, inputs);
    outputs.items[0] = wk_mul(inputs.items[0], inputs.items[1]);
}
static void product_backward(wk_autograd_ctx *ctx, wk_tensors dy, wk_tensors dx)
{
    const wk_tensors saved = wk_ctx_saved_tensors(ctx);
    if (saved.count != 2)
        return;
    assert_ptr_equal(saved.items[1], wk_ctx_saved_tensor(ctx, 1));
    dx.items[0] = wk_mul(dy.items[0], saved.items[1]);
    dx.items[1] = wk_mul(dy.items[0], saved.items[0]);
}
static const wk_autograd_function PRODUCT = {"product", product, product_backward};

static void asks_in_forward(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs)
{
    assert_int_equal(wk_ctx_saved_tensors(ctx).count, 0);
    outputs.items[0] = wk_clone(inputs.items[0]);
}
static const wk_autograd_function ASKS = {"asks", asks_in_forward, product_backward};

TEST(saved_tensors_are_told)
{
    wk_tensor *a = wk_requires_grad_(wk_full((2), 3.0), true), *b = wk_full((2), 5.0), *y;
    assert_true(wk_autograd_function_apply(&PRODUCT, NULL, (a, b), (&y)));
    assert_true(wk_backward(wk_sum(y)));
    assert_float_equal(wk_item(wk_sum(a->grad)), 10, 0);
    assert_true(wk_autograd_function_apply(&PRODUCT, NULL, (a, b), (&y)));
    wk_mul_(b, 2);
    wk_error error;
    wk_try(&error) assert_false(wk_backward(wk_sum(y)));
    assert_string_equal(error.op, "product");
    assert_non_null(strstr(error.message, "changed in place"));
    wk_try(&error) assert_false(wk_autograd_function_apply(&ASKS, NULL, (a), (&y)));
    assert_string_equal(error.op, "asks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(the_same_bits),           UNIT(activations_are_let_go), UNIT(functions_of_several_inputs),
        UNIT(what_goes_wrong_is_said), UNIT(without_memory),         UNIT(inference_stays_out_of_gradients),
        UNIT(saved_tensors_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
