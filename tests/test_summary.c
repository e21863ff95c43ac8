/* wk_summary: the page to the letter, and nothing changed by it. */
#include "net.h"

static void the_page_of_a_model(void **state)
{
    (void)state;
    const char *expected = "layer        type         output shape  parameters  multiply-adds\n"
                           "(the model)  net          (2, 3, 8)              8              -\n"
                           "blocks.0     linear       (2, 3, 8)             72            384\n"
                           "blocks.1     dropout      (2, 3, 8)              -              -\n"
                           "attn         attention    (2, 3, 8)              -            288\n"
                           "attn.qkv     linear       (2, 3, 24)           192          1,152\n"
                           "attn.proj    linear       (2, 3, 8)             72            384\n"
                           "-----------------------------------------------------------------\n"
                           "parameters 344 (0.00 MB), trainable 272; multiply-adds 2,208\n"
                           "memory: input 0.00 MB, forward and backward 0.00 MB, parameters 0.00 MB\n";
    char text[2000] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    net *model = net_new();
    wk_requires_grad_(model->attn->proj->weight, false);
    wk_requires_grad_(model->attn->proj->bias, false);
    wk_module_eval(model->attn);
    wk_manual_seed(3);
    assert_true(wk_summary(model, (2, 3, 8), .file = file));
    fclose(file);
    assert_string_equal(text, expected);
    assert_true(model->base.training && !model->attn->base.training);
    assert_null(model->scale->grad);
    wk_scope
    {
        wk_tensor *after = wk_rand((3));
        wk_manual_seed(3);
        assert_true(wk_equal(after, wk_rand((3))));
        wk_error err;
        wk_try(&err) assert_false(wk_summary(model, (2, 3, 7)));
        assert_string_equal(err.module, "blocks.0 (linear)");
    }
    assert_true(model->base.training && !model->attn->base.training);
    wk_module_free(model);
}

typedef struct pair {
    wk_module_base base;
    wk_module *shared, *first, *hidden; // hidden: nobody's child
} pair;

static wk_tensor *pair_forward(void *module, wk_tensor *x, wk_tensor *y)
{
    const pair *self = module;
    x = wk_add(wk_forward(self->shared, x), wk_forward(self->shared, y));
    return wk_forward(self->hidden, wk_forward(self->first, x));
}

static bool run_pair(void *module, void *context) { return wk_call(pair_forward, module, context, context); }

static void several_inputs_shared_and_unregistered(void **state)
{
    (void)state;
    const char *expected = "layer             type        output shape  parameters  multiply-adds\n"
                           "(the model)       pair        (500, 30)              -              -\n"
                           "shared (2 calls)  linear      (500, 10)            110        100,000\n"
                           "first             sequential  (500, 20)            220        100,000\n"
                           "(not registered)  linear      (500, 30)              -        300,000\n"
                           "---------------------------------------------------------------------\n"
                           "parameters 330 (0.00 MB), trainable 330; multiply-adds 500,000\n"
                           "memory: input 0.00 MB, forward and backward 0.28 MB, parameters 0.00 MB\n";
    char text[2000] = "";
    wk_scope
    {
        pair *model = wk_module_new(pair, NULL);
        wk_add_module(model, shared, wk_nn_linear(10, 10));
        wk_add_module(model, first, wk_nn_sequential(wk_nn_linear(10, 20), wk_nn_relu()));
        model->hidden = wk_nn_linear(20, 30);
        FILE *file = fmemopen(text, sizeof text, "w");
        assert_true(wk_summary(model, (), .call = run_pair, .context = wk_ones((500, 10)), .depth = 1, .file = file));
        fclose(file);
        assert_string_equal(text, expected);
        wk_module_free(model->hidden);
        wk_module_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_a_model),
        cmocka_unit_test(several_inputs_shared_and_unregistered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
