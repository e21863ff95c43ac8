/* Layers held against PyTorch's (tests/golden/layers.py): their state, what they give, gradients, and memory that runs
   out. */
#ifndef WICK_TESTS_LAYERS_H
#define WICK_TESTS_LAYERS_H

#include "answers.h"

/* calls a layer: its results in order */
typedef wk_tensors call(wk_module *module, wk_tensor **in, wk_tensor **out);

__attribute__((unused)) static wk_tensors forward(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_forward(module, in[0]);
    return (wk_tensors){1, out};
}

typedef struct layer_case {
    const char *name; // as in the script
    wk_module *(*make)(void);
    call *call;
} layer_case;

static int64_t place_of(const wk_dict *dict, const char *key)
{
    for (int64_t i = 0; i < wk_dict_count(dict); i++)
        if (strcmp(wk_dict_key_at(dict, i), key) == 0)
            return i;
    fail_msg("no key %s", key);
    return -1;
}

/* every key of the answer with its bits, and no other, those of a dtype in their order (files have wider ones first) */
static void check_state(const char *name, wk_module *module)
{
    char prefix[100], what[200];
    snprintf(prefix, sizeof prefix, "%s/state/", name);
    wk_dict *state = wk_module_state_dict(module), *expected = wk_dict_part(answers, prefix);
    assert_int_equal(wk_dict_count(state), wk_dict_count(expected));
    for (int64_t i = 0; i < wk_dict_count(state); i++) {
        wk_tensor *value = wk_dict_value_at(state, i);
        const int64_t place = place_of(expected, wk_dict_key_at(state, i));
        snprintf(what, sizeof what, "%s, %s at the start", name, wk_dict_key_at(state, i));
        const bool is_norm = strstr(wk_dict_key_at(state, i), "weight_g") != NULL; // a sum, in another order
        assert_near(what, value, wk_dict_value_at(expected, place), is_norm ? 1e-7 : 0);
        for (int64_t before = 0; before < i; before++)
            if (wk_dict_value_at(state, before)->dtype == value->dtype)
                assert_true(place_of(expected, wk_dict_key_at(state, before)) < place);
    }
    wk_dict_free(state);
    wk_dict_free(expected);
}

/* what a call changes, and nothing else */
static void check_state_after(const char *name, wk_module *module)
{
    char what[200];
    wk_dict *state = wk_module_state_dict(module);
    for (int64_t i = 0; i < wk_dict_count(state); i++) {
        const char *key = wk_dict_key_at(state, i);
        wk_tensor *after = find_answer("%s/after/%s", name, key);
        snprintf(what, sizeof what, "%s, %s afterwards", name, key);
        assert_near(what, wk_dict_value_at(state, i), after ? after : answer("%s/state/%s", name, key),
                    after                     ? 2e-6
                    : strstr(key, "weight_g") ? 1e-7
                                              : 0);
    }
    wk_dict_free(state);
}

static void check_results(const char *name, wk_module *module, call *run)
{
    char what[200];
    wk_tensor *in[6] = {0}, *out[4] = {0};
    for (int i = 0; i < 6 && find_answer("%s/in%d", name, i); i++) {
        in[i] = wk_clone(answer("%s/in%d", name, i));
        if (find_answer("%s/dx%d", name, i))
            wk_requires_grad_(in[i], true);
    }
    const wk_tensors results = run(module, in, out);
    for (int i = 0; i < results.count; i++) {
        snprintf(what, sizeof what, "%s, result %d", name, i);
        assert_near(what, results.items[i], answer("%s/out%d", name, i), 2e-6);
    }
    assert_null(find_answer("%s/out%d", name, (int)results.count));
    assert_true(wk_backward(out[0], .gradient = answer("%s/dy", name)));
    for (int i = 0; i < 6 && in[i]; i++)
        if (find_answer("%s/dx%d", name, i)) {
            snprintf(what, sizeof what, "%s, gradient of input %d", name, i);
            assert_near(what, in[i]->grad, answer("%s/dx%d", name, i), 5e-6);
        }
    const wk_dict *parameters = wk_module_named_parameters(module);
    for (int64_t i = 0; i < wk_dict_count(parameters); i++) {
        snprintf(what, sizeof what, "%s, gradient of %s", name, wk_dict_key_at(parameters, i));
        assert_near(what, wk_dict_value_at(parameters, i)->grad,
                    answer("%s/grad/%s", name, wk_dict_key_at(parameters, i)), 5e-6);
    }
}

static void check_layers(const layer_case *layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wk_scope
    {
        wk_manual_seed(0);
        wk_module *module = layers[i].make();
        assert_non_null(module);
        check_state(layers[i].name, module);
        check_results(layers[i].name, module, layers[i].call);
        check_state_after(layers[i].name, module);
        wk_module_free(module);
    }
}

/* allocations of making, calling and differentiating a layer fail, each of the first 40 and some of the others: an
   error each time, and nothing is left */
static void check_layers_without_memory(const layer_case *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool done = false;
        for (int64_t allocation = 0; !done; allocation += 1 + allocation / 40) {
            const int64_t before = wk_memory_get_stats().live_blocks;
            wk_scope
            {
                wk_error err;
                wk_module *module = NULL;
                wk_tensor *in[6] = {0}, *out[4] = {0};
                for (int k = 0; k < 6 && find_answer("%s/in%d", layers[i].name, k); k++)
                    in[k] = answer("%s/in%d", layers[i].name, k);
                wk_try(&err)
                {
                    wk_memory_fail_after(allocation);
                    module = layers[i].make();
                    if (module)
                        layers[i].call(module, in, out);
                    if (out[0] && out[0]->requires_grad)
                        wk_backward(out[0], .gradient = answer("%s/dy", layers[i].name));
                    wk_memory_fail_after(-1);
                }
                done = !err.set;
                if (!done && module == NULL)
                    assert_null(out[0]);
                wk_module_free(module);
            }
            if (!done && allocation > 2 && wk_memory_get_stats().live_blocks > before)
                fail_msg("%s: %lld blocks are left after allocation %lld failed", layers[i].name,
                         (long long)(wk_memory_get_stats().live_blocks - before), (long long)allocation);
        }
    }
}

/* the two tests of a table of layers */
#define LAYER_TESTS(layers)                                                                                            \
    static void layers_are_pytorchs(void **state)                                                                      \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        check_layers(layers, sizeof layers / sizeof *layers);                                                          \
    }                                                                                                                  \
    static void layers_without_memory_fail_cleanly(void **state)                                                       \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        check_layers_without_memory(layers, sizeof layers / sizeof *layers);                                           \
    }

static void prints(wk_module *module, const char *expected)
{
    char text[1000] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    wk_module_print(module, file);
    fclose(file);
    wk_module_free(module);
    assert_string_equal(text, expected);
}

#endif
