/* Models as torchvision and transformers have them (katas/resnet.h, ..): whole ones take the names and shapes that the
   real classes save, strictly; small ones, with weights made by a formula, give the same logits
   (tests/golden/models.py). */
#include "answers.h"
#include "formula.h"

#include "../katas/convnext.h"
#include "../katas/gpt2.h"
#include "../katas/llama.h"
#include "../katas/resnet.h"
#include "../katas/vit_b16.h"

/* ---------------------------------------------------------------- small ones answer alike */

static void sees_alike(const char *name, void *module, int64_t size, double tolerance)
{
    wk_module_eval(module);
    fill(module, NULL);
    wk_no_grad
    {
        wk_tensor *logits = wk_forward(module, input(wk_empty((2, 3, size, size))));
        assert_near(name, wk_index(logits, ":, ::25"), answer("%s", name), tolerance);
    }
    wk_module_free(module);
}

static wk_tensor *tokens(void)
{
    wk_tensor *x = wk_empty((2, 9), .dtype = wk_int64);
    int64_t *out = wk_data_ptr(x);
    for (int64_t i = 0; i < x->numel; i++)
        out[i] = number(seed_of("input"), i) % 60;
    return x;
}

/* all at once; and with a cache, the first five and then one at a time */
typedef wk_tensor *forward_from(void *module, wk_tensor *tokens, int64_t position, void *caches);

static void writes_alike(const char *name, void *module, forward_from *forward, wk_module *caches, const char *tied)
{
    wk_module_eval(module);
    fill(module, tied);
    wk_no_grad
    {
        wk_tensor *expected = answer("%s", name);
        assert_near(name, wk_forward(module, tokens()), expected, 3e-6);
        wk_tensor *part = wk_call(forward, module, wk_narrow(tokens(), 1, 0, 5), 0, caches);
        assert_near(name, part, wk_narrow(expected, 1, 0, 5), 3e-6);
        for (int64_t i = 5; i < 9; i++) {
            part = wk_call(forward, module, wk_narrow(tokens(), 1, i, 1), i, caches);
            assert_near(name, part, wk_narrow(expected, 1, i, 1), 3e-6);
        }
    }
    wk_module_free(caches);
    wk_module_free(module);
}

static void test_resnet18(void **state) { (void)state, sees_alike("resnet18", resnet_new(RESNET18), 64, 1e-5); }
static void test_resnet50(void **state) { (void)state, sees_alike("resnet50", resnet_new(RESNET50), 64, 1e-5); }

static void test_vit(void **state)
{
    (void)state;
    vit_b16 *model = vit_b16_new(
        (vit_b16_config){.image = 32, .patch = 8, .dim = 16, .depth = 2, .heads = 2, .mlp = 48, .classes = 100});
    sees_alike("vit_b16", model, 32, 3e-6);
}

static void test_convnext(void **state)
{
    (void)state;
    convnext *model = convnext_new((convnext_config){.dims = {8, 16, 24, 32}, .blocks = {1, 2, 1, 1}, .classes = 100});
    sees_alike("convnext", model, 64, 3e-6);
}

static wk_module *two_caches(int64_t heads, int64_t dim)
{
    return wk_nn_module_list(wk_kv_cache(2, heads, 9, dim), wk_kv_cache(2, heads, 9, dim));
}

static void test_gpt2(void **state)
{
    (void)state;
    gpt2 *model = gpt2_new((gpt2_config){.vocabulary = 60, .length = 32, .dim = 24, .depth = 2, .heads = 3});
    writes_alike("gpt2", model, gpt2_forward, two_caches(3, 8), "transformer.wte.weight");
}

static void test_llama(void **state)
{
    (void)state;
    llama_config config = {.vocabulary = 60,
                           .length = 32,
                           .dim = 24,
                           .hidden = 40,
                           .depth = 2,
                           .heads = 6,
                           .kv_heads = 2,
                           .theta = 10000,
                           .eps = 1e-5};
    writes_alike("llama", llama_new(config), llama_forward, two_caches(2, 4), NULL);
    config.qkv_bias = true;
    writes_alike("qwen2", llama_new(config), llama_forward, two_caches(2, 4), NULL);
    config.qkv_bias = false;
    config.tied = true;
    config.theta = 500;
    writes_alike("llama_tied", llama_new(config), llama_forward, two_caches(2, 4), "model.embed_tokens.weight");
    config.tied = false;
    config.theta = 10000;
    config.heads = 2, config.kv_heads = 1, config.head_dim = 16;
    config.rope_factor = 8, config.rope_low = 1, config.rope_high = 4, config.rope_length = 16;
    writes_alike("llama3", llama_new(config), llama_forward, two_caches(1, 16), NULL);
}

/* ---------------------------------------------------------------- whole ones take what the real classes save */

static wk_tensor *zeros_of(const char *text)
{
    wk_shape shape = {0, {0}};
    for (char *end; *text >= '0' && *text <= '9'; text = *end == 'x' ? end + 1 : end)
        shape.sizes[shape.ndim++] = strtoll(text, &end, 10);
    return wk_expand_with(wk_select(wk_zeros((1)), 0, 0), shape, NULL);
}

/* the names and shapes of models.txt, those of a line like "h.{0-11}.ln_1.weight 768" for each layer */
static wk_dict *whole(const char *model)
{
    char path[512], line[256], section[64] = "";
    int64_t expected = 0;
    wk_dict *state = wk_dict_new();
    snprintf(path, sizeof path, "%s/models.txt", WICK_GOLDEN);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        char key[200], shape[40], name[256];
        long long count;
        if (sscanf(line, "[%63[^]]] %lld", section, &count) == 2) {
            if (strcmp(section, model) == 0)
                expected = count;
            continue;
        }
        if (strcmp(section, model) != 0)
            continue;
        assert_int_equal(sscanf(line, "%199s %39s", key, shape), 2);
        wk_scope
        {
            char *brace = strchr(key, '{'), *rest = brace ? strchr(brace, '}') + 1 : NULL;
            const long last = brace ? strtol(strchr(brace, '-') + 1, NULL, 10) : 0;
            for (long layer = 0; layer <= last; layer++) {
                if (brace)
                    snprintf(name, sizeof name, "%.*s%ld%s", (int)(brace - key), key, layer, rest);
                wk_dict_set(state, brace ? name : key, zeros_of(shape));
            }
        }
    }
    fclose(file);
    assert_true(expected > 0);
    assert_int_equal(wk_dict_count(state), expected);
    return state;
}

static void takes(const char *name, void *module)
{
    wk_dict *state = whole(name);
    assert_true(wk_module_load_state_dict(module, state));
    wk_dict_free(state);
    wk_module_free(module);
}

static void test_whole(void **state)
{
    (void)state;
    takes("resnet18", resnet_new(RESNET18));
    takes("resnet50", resnet_new(RESNET50));
    takes("vit_b16", vit_b16_new(VIT_B16));
    takes("convnext", convnext_new(CONVNEXT_TINY));
    takes("gpt2", gpt2_new(GPT2));
    takes("llama", llama_new(LLAMA_135M));
}

static int setup(void **state)
{
    (void)state;
    return read_answers("models");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resnet18), cmocka_unit_test(test_resnet50), cmocka_unit_test(test_vit),
        cmocka_unit_test(test_convnext), cmocka_unit_test(test_gpt2),     cmocka_unit_test(test_llama),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
