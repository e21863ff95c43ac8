/* State dicts: what they hold, what loads and what does not; dictionaries in parts. */
#include "net.h"

static void state_dicts_load(void **state)
{
    (void)state;
    wk_scope
    {
        net *from = net_new(), *to = net_new();
        wk_dict *values = wk_module_state_dict(from);
        assert_false(wk_equal(from->attn->proj->weight, to->attn->proj->weight));
        assert_true(wk_module_load_state_dict(to, values));
        assert_true(wk_equal(from->attn->proj->weight, to->attn->proj->weight));
        assert_true(to->attn->proj->weight->requires_grad);

        wk_fill_(wk_dict_get(values, "scale"), 5); // the same memory as the module's
        assert_true(wk_item(wk_select(from->scale, 0, 0)) == 5);
        assert_true(wk_dict_remove(values, "attn.qkv.weight"));
        wk_dict_set(values, "extra", wk_zeros((1)));
        assert_fails(wk_module_load_state_dict(to, values),
                     "missing from the state: \"attn.qkv.weight\"\nnot in the module: \"extra\"");
        assert_true(wk_item(wk_select(to->scale, 0, 0)) == 2);
        wk_dict *missing = wk_dict_new(), *unexpected = wk_dict_new();
        assert_true(wk_module_load_state_dict(to, values, .strict = false, .missing_keys = missing,
                                              .unexpected_keys = unexpected));
        CHECK_KEYS(missing, "attn.qkv.weight");
        CHECK_KEYS(unexpected, "extra");
        assert_true(wk_item(wk_select(to->scale, 0, 0)) == 5);

        wk_dict_set(values, "mean", wk_ones((7)));
        wk_dict_set(values, "scale", wk_ones((8)));
        assert_fails(wk_module_load_state_dict(to, values, .strict = false),
                     "size mismatch for mean: (7,) in the state, (8,) in the module");
        assert_true(wk_item(wk_select(to->scale, 0, 0)) == 5);
        wk_dict_free(missing);
        wk_dict_free(unexpected);
        wk_dict_free(values);
        wk_module_free(from);
        wk_module_free(to);
    }
}

/* in files of others: prefixes, one name of a tied weight, no num_batches_tracked, other dtypes */
static void states_from_elsewhere(void **state)
{
    (void)state;
    wk_scope
    {
        wk_dict *other = wk_dict_new();
        wk_module *to = wk_nn_module_dict(), *model = wk_nn_module_dict();
        wk_module_add_module(to, "model", model);
        wk_module_add_module(model, "embed", wk_nn_embedding(3, 2));
        wk_module_add_module(model, "norm", wk_nn_batch_norm1d(2));
        wk_module_add_module(model, "head", wk_nn_linear(2, 3, .bias = false));
        wk_module_register_parameter(wk_module_get_submodule(model, "head"), "weight",
                                     wk_module_get_parameter(model, "embed.weight"));
        wk_dict *values = wk_module_state_dict(to);
        CHECK_KEYS(values, "model.embed.weight", "model.norm.weight", "model.norm.bias", "model.norm.running_mean",
                   "model.norm.running_var", "model.norm.num_batches_tracked", "model.head.weight");

        /* what a file has that was saved by safetensors, in half */
        wk_dict_set(other, "model.head.weight", wk_full((3, 2), 0.5, .dtype = wk_float16));
        wk_dict_set(other, "model.norm.weight", wk_full((2), 1.5, .dtype = wk_bfloat16));
        wk_dict_set(other, "model.norm.bias", wk_ones((2)));
        wk_dict_set(other, "model.norm.running_mean", wk_ones((2), .dtype = wk_float64));
        wk_dict_set(other, "model.norm.running_var", wk_ones((2)));
        assert_true(wk_module_load_state_dict(to, other));
        wk_tensor *tied = wk_module_get_parameter(to, "model.embed.weight");
        assert_true(tied->dtype == wk_float32 && wk_item(wk_sum(tied)) == 3);
        assert_true(wk_item(wk_sum(wk_module_get_parameter(to, "model.norm.weight"))) == 3);
        wk_dict *missing = wk_dict_new();
        assert_true(wk_module_load_state_dict(to, other, .strict = false, .missing_keys = missing));
        assert_int_equal(wk_dict_count(missing), 0);

        /* without any name of it, it is missing */
        wk_dict_remove(other, "model.head.weight");
        assert_fails(wk_module_load_state_dict(to, other),
                     "missing from the state: \"model.embed.weight\", \"model.head.weight\"");

        /* longer and shorter names */
        wk_dict *wrapped = wk_dict_new();
        wk_dict_update(wrapped, values, "module._orig_mod.");
        assert_fails(wk_module_load_state_dict(to, wrapped), "wk_dict_consume_prefix(state, \"module._orig_mod.\")");
        assert_true(wk_dict_consume_prefix(wrapped, "module._orig_mod."));
        assert_true(wk_module_load_state_dict(to, wrapped));
        assert_true(wk_dict_consume_prefix(wrapped, "model."));
        assert_fails(wk_module_load_state_dict(to, wrapped), "wk_module_get_submodule(module, \"model\")");
        assert_true(wk_module_load_state_dict(wk_module_get_submodule(to, "model"), wrapped));
        wk_dict_free(wrapped);
        wk_dict_free(missing);
        wk_dict_free(values);
        wk_dict_free(other);
        wk_module_free(to);
    }
}

static void dictionaries_join_and_part(void **state)
{
    (void)state;
    wk_scope
    {
        wk_dict *all = wk_dict_new(), *one = wk_dict_new();
        wk_dict_set(one, "x", wk_ones((2)));
        wk_dict_set(one, "y", wk_zeros((2)));
        wk_dict_set(one, "x", wk_full((2), 7.0));
        wk_dict_set_number(one, "step", 0.1);
        wk_dict_set_text(one, "note", "hello");
        assert_true(wk_dict_update(all, one, "model."));
        wk_dict_set(all, "other", wk_ones((1)));
        CHECK_KEYS(all, "model.x", "model.y", "other");
        wk_dict *part = wk_dict_part(all, "model.");
        CHECK_KEYS(part, "x", "y");
        assert_true(wk_item(wk_sum(wk_dict_get(part, "x"))) == 14);
        assert_true(wk_dict_number(part, "step", 0) == 0.1);
        assert_true(wk_dict_number(part, "none", 3) == 3);
        assert_string_equal(wk_dict_text(part, "note"), "hello");
        assert_null(wk_dict_get(part, "other"));
        wk_dict_free(part);
        wk_dict_free(one);
        wk_dict_free(all);
    }
}

/* more keys than are looked through one after another: found, in order, also after some went */
static void large_dictionaries(void **state)
{
    (void)state;
    char key[32];
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        for (int round = 0; round < 2; round++) // the second sets what is there
            for (int i = 0; i < 1000; i++) {
                snprintf(key, sizeof key, "layer.%d", i);
                assert_true(wk_dict_set(dict, key, wk_full((1), i + round)));
                assert_true(wk_dict_set_number(dict, key, i));
            }
    }
    assert_int_equal(wk_dict_count(dict), 1000);
    assert_int_equal(wk_dict_text_count(dict), 1000);
    for (int i = 0; i < 1000; i += 3) {
        snprintf(key, sizeof key, "layer.%d", i);
        assert_true(wk_dict_remove(dict, key));
        assert_false(wk_dict_remove(dict, key));
    }
    for (int i = 0, left = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "layer.%d", i);
        assert_true(wk_dict_number(dict, key, -1) == i);
        if (i % 3 == 0) {
            assert_null(wk_dict_get(dict, key));
            continue;
        }
        assert_string_equal(wk_dict_key_at(dict, left), key);
        assert_ptr_equal(wk_dict_value_at(dict, left++), wk_dict_get(dict, key));
        assert_true(wk_item(wk_dict_get(dict, key)) == i + 1);
    }
    wk_dict_free(dict);
    wk_error error; // every allocation fails in turn
    for (int64_t n = 0, ended = 0; !ended; n++) {
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_dict *texts = wk_dict_new();
            for (int i = 0; texts && i < 140 && !error.set; i++) {
                snprintf(key, sizeof key, "%d", i);
                wk_dict_set_number(texts, key, i);
            }
            wk_dict_free(texts);
        }
        wk_memory_fail_after(-1);
        ended = !error.set;
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_dicts_load),
        cmocka_unit_test(states_from_elsewhere),
        cmocka_unit_test(dictionaries_join_and_part),
        cmocka_unit_test(large_dictionaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
