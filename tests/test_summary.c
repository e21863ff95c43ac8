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
                           "parameters 344 (0.00 MB), trainable 272; multiply-adds 2,208\n";
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
        wk_try (&err) assert_false(wk_summary(model, (2, 3, 7)));
        assert_string_equal(err.module, "blocks.0 (linear)");
    }
    assert_true(model->base.training && !model->attn->base.training);
    wk_module_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
