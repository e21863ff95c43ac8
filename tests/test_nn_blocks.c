/* Blocks that models write themselves: state, results and gradients as by PyTorch's ops. */
#include "layers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("nn_blocks");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

static wk_module *mlp(void) { return wk_nn_mlp(4, 8); }
static wk_module *swiglu(void) { return wk_nn_swiglu(4, 5, .multiple_of = 4); }
static wk_module *geglu(void) { return wk_nn_geglu(4, 5); }
static wk_module *layer_scale(void) { return wk_nn_layer_scale(4); }
static wk_module *patch_embed(void) { return wk_nn_patch_embed(wk_per_dim(2, 4), 3, 5); }
static wk_module *timestep_embedder(void) { return wk_nn_timestep_embedder(4, 6); }
static wk_module *drop_path(void) { return wk_nn_drop_path(0.25); }

static const layer_case LAYERS[] = {{"mlp", mlp, forward},
                                    {"swiglu", swiglu, forward},
                                    {"geglu", geglu, forward},
                                    {"layer_scale", layer_scale, forward},
                                    {"patch_embed", patch_embed, forward},
                                    {"timestep_embedder", timestep_embedder, forward},
                                    {"drop_path", drop_path, forward}};

LAYER_TESTS(LAYERS)

static void printed_forms(void **state)
{
    (void)state;
    prints(drop_path(), "drop_path(drop_prob=0.250)\n");
}

static void positions(void **state)
{
    (void)state;
    wk_scope
    {
        assert_near("positions", wk_get_2d_sincos_pos_embed(8, 3), answer("sincos"), 1e-6);
        assert_fails(wk_get_2d_sincos_pos_embed(6, 3), "embed_dim: expected a multiple of 4");
        wk_module *still = wk_module_eval(drop_path());
        wk_tensor *x = wk_randn((3, 2));
        assert_true(wk_equal(wk_forward(still, x), x));
        wk_module_free(still);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_pytorchs),
        cmocka_unit_test(layers_without_memory_fail_cleanly),
        cmocka_unit_test(printed_forms),
        cmocka_unit_test(positions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
