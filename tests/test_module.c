/* Modules at large: names, order, sharing, modes, moving, hooks, calls, errors, and nothing left behind. */
#include "net.h"

/* ---------------------------------------------------------------- names and order */

static void names_and_order(void **state)
{
    (void)state;
    net *model = net_new();
    CHECK_KEYS(wk_module_named_parameters(model), "scale", "blocks.0.weight", "blocks.0.bias", "attn.qkv.weight",
               "attn.proj.weight", "attn.proj.bias");
    CHECK_KEYS(wk_module_named_buffers(model), "mean", "scratch");
    wk_dict *values = wk_module_state_dict(model);
    CHECK_KEYS(values, "scale", "mean", "blocks.0.weight", "blocks.0.bias", "attn.qkv.weight", "attn.proj.weight",
               "attn.proj.bias");
    wk_dict_free(values);
    const wk_modules modules = wk_module_modules(model);
    const char *const paths[] = {"", "blocks", "blocks.0", "blocks.1", "attn", "attn.qkv", "attn.proj"};
    assert_int_equal(modules.count, 7);
    for (int i = 0; i < 7; i++)
        assert_string_equal(modules.names[i], paths[i]);
    assert_int_equal(wk_module_children(model).count, 2);
    assert_int_equal(wk_module_parameter_count(model), 8 + 72 + 192 + 72);
    assert_ptr_equal(wk_module_get_submodule(model, "attn.proj"), model->attn->proj);
    assert_ptr_equal(wk_module_get_submodule(model, ""), model);
    assert_ptr_equal(wk_module_get_parameter(model, "attn.proj.bias"), model->attn->proj->bias);
    assert_ptr_equal(wk_module_get_buffer(model, "mean"), model->mean);
    assert_ptr_equal(wk_nn_module_list_index(model->blocks, -2), wk_module_get_submodule(model, "blocks.0"));
    assert_null(model->missing);
    assert_null(model->reserved);
    assert_true(model->scale->requires_grad && model->scale->is_parameter && !model->mean->requires_grad);
    nets_freed = 0;
    wk_module_free(model);
    assert_int_equal(nets_freed, 1);
}

static void what_is_shared_comes_once(void **state)
{
    (void)state;
    wk_module *embed = wk_nn_linear(4, 4, .bias = false), *head = wk_nn_linear(4, 4, .bias = false);
    wk_module *model = wk_nn_sequential(embed, wk_nn_relu(), head, embed);
    assert_true(wk_module_register_parameter(head, "weight", ((wk_nn_linear *)embed)->weight));
    assert_ptr_equal(((wk_nn_linear *)head)->weight, ((wk_nn_linear *)embed)->weight);
    CHECK_KEYS(wk_module_named_parameters(model), "0.weight");
    assert_int_equal(wk_module_modules(model).count, 4);
    wk_dict *values = wk_module_state_dict(model);
    CHECK_KEYS(values, "0.weight", "2.weight", "3.weight");
    wk_dict_free(values);
    wk_module_free(model);
}

static void a_list_that_fails_frees_each_once(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    wk_module *embed = wk_nn_linear(4, 4);
    wk_error err;
    wk_try (&err) assert_null(wk_nn_sequential(embed, wk_nn_linear(-1, 2), embed));
    assert_true(err.set);
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

static void a_child_replaced_is_freed(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    net *model = net_new();
    wk_add_module(model, attn, attention_new(8, 4));
    assert_int_equal(model->attn->heads, 4);
    assert_true(wk_module_add_module(model, "attn", attention_new(8, 1)));
    assert_int_equal(model->attn->heads, 1);
    assert_int_equal(wk_module_children(model).count, 2);
    wk_module_free(model);
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

/* ---------------------------------------------------------------- modes, gradients, moving */

static void count_types(wk_module *module, void *context) { strcat(strcat(context, module->type), " "); }

static void modes_and_gradients(void **state)
{
    (void)state;
    wk_scope
    {
        net *model = net_new();
        wk_tensor *x = wk_ones((2, 3, 8));
        wk_module_eval(model);
        assert_false(model->attn->proj->base.training);
        assert_true(wk_equal(wk_forward(model, x), wk_forward(model, x))); // no dropout
        wk_module_train(model);
        assert_true(model->attn->proj->base.training);
        wk_module_train(model, false);
        assert_false(model->base.training);
        char types[200] = "";
        wk_module_apply(model, count_types, types);
        assert_string_equal(types, "linear dropout module_list linear linear attention net ");
        wk_backward(wk_sum(wk_forward(model, x)));
        assert_non_null(model->scale->grad);
        wk_module_zero_grad(model);
        assert_null(model->scale->grad);
        wk_module_requires_grad_(model, false);
        assert_false(wk_forward(model, x)->requires_grad);
        wk_module_free(model);
    }
}

static void to_keeps_the_tensors(void **state)
{
    (void)state;
    wk_scope
    {
        net *model = net_new();
        wk_module_eval(model);
        wk_optimizer *optimizer = wk_optim_sgd(wk_module_parameters(model), .lr = 0.1);
        wk_tensor *scale = model->scale;
        wk_backward(wk_sum(wk_forward(model, wk_ones((1, 2, 8)))));
        assert_ptr_equal(wk_module_to(model, wk_float64), model);
        assert_ptr_equal(wk_module_get_parameter(model, "scale"), scale);
        assert_int_equal(scale->dtype, wk_float64);
        assert_int_equal(scale->grad->dtype, wk_float64);
        assert_int_equal(model->mean->dtype, wk_float64);
        assert_int_equal(model->scratch->dtype, wk_int64);
        assert_true(scale->requires_grad && scale->is_parameter);
        assert_true(wk_item(wk_select(scale, 0, 0)) == 2);
        assert_int_equal(wk_forward(model, wk_ones((1, 2, 8), .dtype = wk_float64))->dtype, wk_float64);
        assert_true(wk_optim_step(optimizer));
        assert_true(wk_item(wk_select(scale, 0, 0)) != 2);
        wk_module_to(model, wk_cpu);
        wk_module_to(model, wk_zeros((), .dtype = wk_float32));
        assert_int_equal(scale->dtype, wk_float32);
        wk_error err;
        wk_try (&err) assert_null(wk_module_to(model, wk_int64));
        assert_true(err.set);
        wk_optim_free(optimizer);
        wk_module_free(model);
    }
}

/* ---------------------------------------------------------------- calling */

static wk_tensor *twice(wk_module *module, wk_tensor *x, void *context)
{
    (void)module;
    ++*(int *)context;
    return wk_mul(x, 2);
}

static wk_tensor *plus_one(wk_module *module, wk_tensor *x, wk_tensor *y, void *context)
{
    (void)module;
    (void)context;
    assert_non_null(x);
    return wk_add(y, 1);
}

static wk_tensor *only_look(wk_module *module, wk_tensor *x, wk_tensor *y, void *context)
{
    (void)x;
    snprintf(context, 100, "%s of %d dims", module->type, y->ndim);
    return NULL;
}

static void hooks_run_in_order(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *model = wk_nn_identity();
        int calls = 0;
        char seen[100] = "";
        wk_hook_handle before = wk_module_register_forward_pre_hook(model, twice, &calls);
        wk_hook_handle after = wk_module_register_forward_hook(model, plus_one, NULL);
        wk_module_register_forward_hook(model, only_look, seen);
        wk_tensor *x = wk_full((2), 3.0);
        assert_true(wk_item(wk_select(wk_forward(model, x), 0, 0)) == 7);
        assert_int_equal(calls, 1);
        assert_string_equal(seen, "identity of 1 dims");
        wk_hook_remove(before);
        wk_hook_remove(after);
        assert_ptr_equal(wk_forward(model, x), x);
        assert_int_equal(calls, 1);
        wk_module_free(model);
    }
}

static wk_tensor *weighted(void *module, wk_tensor *a, wk_tensor *b)
{
    net *self = module;
    wk_tensor *unused = wk_add(a, b);
    (void)unused;
    return wk_mul(wk_add(a, b), self->scale);
}

typedef struct pair {
    wk_tensor *sum, *product;
} pair;

static pair both(void *module, wk_tensor *a, wk_tensor *b)
{
    (void)module;
    return (pair){wk_add(a, b), wk_mul(a, b)};
}

static void calls_of_several_inputs(void **state)
{
    (void)state;
    wk_scope
    {
        net *model = net_new();
        wk_tensor *a = wk_ones((8)), *b = wk_full((8), 2.0);
        const int64_t before = wk_memory_get_stats().live_tensors;
        wk_no_grad
        {
            wk_tensor *y = wk_call(weighted, model, a, b);
            assert_true(wk_item(wk_sum(y)) == 48);
            assert_int_equal(wk_memory_get_stats().live_tensors, before + 2);
            const pair result = wk_call(both, model, a, wk_call(weighted, model, a, b));
            assert_true(wk_item(wk_sum(result.sum)) == 56 && wk_item(wk_sum(result.product)) == 48);
        }
        wk_error err;
        wk_try (&err) {
            const pair result = wk_call(both, NULL, a, b);
            assert_null(result.sum);
        }
        assert_non_null(strstr(err.message, "expected a module, got NULL"));
        wk_module_free(model);
    }
}

static void inference_holds_two_layers(void **state)
{
    (void)state;
    wk_scope wk_no_grad
    {
        wk_module *model = wk_nn_sequential();
        for (int i = 0; i < 50; i++)
            wk_nn_sequential_append(model, wk_nn_linear(16, 16));
        wk_tensor *x = wk_ones((64, 16));
        wk_forward(model, x);
        const int64_t live = wk_memory_get_stats().live_bytes;
        int64_t peak = 0;
        char seen[100];
        wk_for_each_module (child, model)
            wk_module_register_forward_hook(child, only_look, seen);
        wk_tensor *y = wk_forward(model, x);
        peak = wk_memory_get_stats().live_bytes;
        assert_non_null(y);
        assert_true(peak - live < 3 * 64 * 16 * 4 + 50 * 200);
        wk_module_free(model);
    }
}

/* ---------------------------------------------------------------- errors */

static void errors_name_the_module(void **state)
{
    (void)state;
    wk_scope
    {
        net *model = net_new();
        wk_error err;
        wk_try (&err) assert_null(wk_forward(model, wk_ones((1, 2, 9))));
        assert_string_equal(err.module, "blocks.0 (linear)");
        wk_module_add_module(model->attn, "qkv", wk_nn_linear(8, 12));
        wk_try (&err) assert_null(wk_forward(model, wk_ones((1, 2, 8))));
        assert_string_equal(err.module, "attn (attention)");
        wk_try (&err) assert_null(wk_forward(model->blocks, wk_ones((1))));
        assert_non_null(strstr(err.message, "module_list has no forward of one input"));
        wk_try (&err) assert_null(wk_forward(model, wk_ones((2))));
        assert_string_equal(err.module, "blocks.0 (linear)");
        wk_module_free(model);
    }
}

static void wrong_use_is_an_error(void **state)
{
    (void)state;
    wk_scope
    {
        net *model = net_new();
        wk_tensor *x = wk_ones((8), .requires_grad = true);
        assert_fails(wk_module_add_module(model, "a.b", wk_nn_relu()), "must not contain a dot");
        assert_fails(wk_module_add_module(model, "", wk_nn_relu()), "expected a name");
        assert_fails(wk_module_add_module(model, "scale", wk_nn_relu()), "has a parameter \"scale\" already");
        assert_fails(wk_module_register_parameter(model, "attn", x), "has a module \"attn\" already");
        assert_fails(wk_module_register_parameter(model, "new", wk_mul(x, 2)), "not a leaf");
        assert_fails(wk_module_add_module(model->blocks, "loop", model), "cannot be inside itself");
        assert_fails(wk_module_get_submodule(model, "attn.key"), "attention has no module \"key\"");
        assert_fails(wk_module_get_parameter(model, "attn.proj.gain"), "linear has no parameter \"gain\"");
        assert_fails(wk_forward(x, x), "expected a module, got something else");
        assert_fails(wk_parameter(wk_zeros((2), .dtype = wk_int64)), "floating");
        assert_fails(wk_nn_module_list_index(model->blocks, 2), "out of range");
        wk_error err;
        wk_try (&err) wk_module_free(model->attn);
        assert_non_null(strstr(err.message, "belongs to a parent"));
        wk_module_free(model);
    }
}

/* ---------------------------------------------------------------- memory */

/* every allocation of making and training a model fails once */
static void nothing_leaks(void **state)
{
    (void)state;
    wk_scope wk_item(wk_sum(wk_ones((2)))); // what the thread keeps for good
    bool done = false;
    for (int64_t allocation = 0; !done; allocation++) {
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_scope
        {
            wk_error err;
            wk_module *model = NULL;
            wk_optimizer *optimizer = NULL;
            wk_dict *values = NULL;
            wk_try (&err) {
                wk_memory_fail_after(allocation);
                model = wk_nn_sequential(wk_nn_linear(4, 8), wk_nn_relu(), wk_nn_dropout(0.1), wk_nn_linear(8, 2));
                if (model)
                    optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = 0.1);
                for (int i = 0; i < 2 && optimizer; i++) {
                    wk_tensor *y = wk_forward(model, wk_ones((3, 4)));
                    wk_optim_zero_grad(optimizer);
                    wk_backward(wk_sum(y));
                    wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
                    wk_optim_step(optimizer);
                }
                if (model)
                    values = wk_module_state_dict(model);
                if (values)
                    wk_module_load_state_dict(model, values);
                wk_memory_fail_after(-1);
            }
            done = !err.set;
            wk_dict_free(values);
            wk_optim_free(optimizer);
            wk_module_free(model);
        }
        if (wk_memory_get_stats().live_blocks != before && allocation > 2)
            fail_msg("%lld blocks are left after allocation %lld failed",
                     (long long)(wk_memory_get_stats().live_blocks - before), (long long)allocation);
    }
}

static void children_by_name(void **state)
{
    (void)state;
    wk_module *dict = wk_nn_module_dict();
    wk_module_add_module(dict, "b", wk_nn_linear(2, 3));
    wk_module_add_module(dict, "a", wk_nn_relu());
    assert_non_null(wk_module_get_submodule(dict, "a"));
    wk_dict *saved = wk_module_state_dict(dict);
    assert_string_equal(wk_dict_key_at(saved, 0), "b.weight");
    assert_string_equal(wk_dict_key_at(saved, 1), "b.bias");
    assert_int_equal(wk_dict_count(saved), 2);
    wk_dict_free(saved);
    wk_module_free(dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_order),
        cmocka_unit_test(what_is_shared_comes_once),
        cmocka_unit_test(a_list_that_fails_frees_each_once),
        cmocka_unit_test(a_child_replaced_is_freed),
        cmocka_unit_test(modes_and_gradients),
        cmocka_unit_test(to_keeps_the_tensors),
        cmocka_unit_test(hooks_run_in_order),
        cmocka_unit_test(calls_of_several_inputs),
        cmocka_unit_test(inference_holds_two_layers),
        cmocka_unit_test(errors_name_the_module),
        cmocka_unit_test(wrong_use_is_an_error),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(children_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
