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

/* ---------------------------------------------------------------- torchinfo's totals */

static wk_module *convolutions(void)
{
    return wk_nn_sequential(wk_nn_conv2d(3, 8, 3, .padding = 1, .bias = false), wk_nn_batch_norm2d(8), wk_nn_relu(),
                            wk_nn_max_pool2d(2), wk_nn_conv2d(8, 16, 3), wk_nn_group_norm(4, 16), wk_nn_silu(),
                            wk_nn_adaptive_avg_pool2d(1), wk_nn_flatten(), wk_nn_linear(16, 10));
}
static wk_module *lstm(void) { return wk_nn_lstm(8, 64, 2, .batch_first = true); }
static wk_module *lstm_both_ways(void) { return wk_nn_lstm(8, 64, 2, .batch_first = true, .bidirectional = true); }
static wk_module *transformer(void)
{
    return wk_nn_transformer_encoder(wk_nn_transformer_encoder_layer(32, 4, 512, .batch_first = true), 2);
}
static wk_module *words(void)
{
    return wk_nn_sequential(wk_nn_embedding(1000, 64), wk_nn_layer_norm(64), wk_nn_linear(64, 1000));
}

static const wk_shape shape_of_convolutions = {4, {32, 3, 64, 64}}, shape_of_lstm = {3, {64, 50, 8}},
                      shape_of_lstm_both_ways = {3, {64, 50, 8}}, shape_of_transformer = {3, {64, 50, 32}},
                      shape_of_words = {2, {16, 50}};

static void totals_are_torchinfo_s(void **state)
{
    (void)state;
#define TORCHINFO(name, parameters, input, both, of_parameters)                                                        \
    {                                                                                                                  \
        char text[4000] = "", expected[200], memory[200], digits[32], *end;                                            \
        FILE *file = fmemopen(text, sizeof text, "w");                                                                 \
        wk_module *model = name();                                                                                     \
        const wk_dtype dtype = shape_of_##name.ndim == 2 ? wk_int64 : wk_float32;                                      \
        assert_true(wk_summary_with((wk_summary_args){                                                                 \
            .module = model, .size = shape_of_##name, .dtype = dtype, .file = file, .depth = 9}));                     \
        fclose(file);                                                                                                  \
        wk_module_free(model);                                                                                         \
        snprintf(digits, sizeof digits, parameters >= 1000 ? "%d,%03d" : "%d%.0d", parameters / 1000,                  \
                 parameters % 1000);                                                                                   \
        snprintf(expected, sizeof expected, "parameters %s (%.2f MB)", digits, of_parameters / 1e6);                   \
        snprintf(memory, sizeof memory, "input %.2f MB, forward and backward %.2f MB, parameters %.2f MB\n",           \
                 input / 1e6, both / 1e6, of_parameters / 1e6);                                                        \
        end = strstr(text, "-----");                                                                                   \
        if (!end || !strstr(end, expected) || !strstr(end, memory))                                                    \
            fail_msg("%s: expected \"%s\" and \"%s\" in %s", #name, expected, memory, text);                           \
    }
#include "golden/summary.inc"
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_a_model),
        cmocka_unit_test(several_inputs_shared_and_unregistered),
        cmocka_unit_test(totals_are_torchinfo_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
