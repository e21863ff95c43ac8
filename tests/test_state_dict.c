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
        cmocka_unit_test(dictionaries_join_and_part),
        cmocka_unit_test(large_dictionaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
