/* Activations with arguments, dropout of channels and losses as layers are PyTorch's. */
#include "layers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("nn_activation");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

static wk_tensors loss(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_loss(module, in[0], in[1]);
    return (wk_tensors){1, out};
}

/* ---------------------------------------------------------------- makers, named as in golden/nn_activation.py */

static wk_module *leaky_relu(void) { return wk_nn_leaky_relu(); }
static wk_module *leaky_relu_slope(void) { return wk_nn_leaky_relu(0.2); }
static wk_module *elu(void) { return wk_nn_elu(); }
static wk_module *elu_alpha(void) { return wk_nn_elu(0.5); }
static wk_module *softplus(void) { return wk_nn_softplus(); }
static wk_module *softplus_both(void) { return wk_nn_softplus(2, 1); }
static wk_module *glu(void) { return wk_nn_glu(); }
static wk_module *glu_dim(void) { return wk_nn_glu(1); }
static wk_module *prelu(void) { return wk_nn_prelu(); }
static wk_module *prelu_channels(void) { return wk_nn_prelu(4, 0.1); }
static wk_module *dropout1d(void) { return wk_nn_dropout1d(0.4); }
static wk_module *dropout2d(void) { return wk_nn_dropout2d(); }
static wk_module *dropout2d_one(void) { return wk_nn_dropout2d(); }
static wk_module *dropout1d_one(void) { return wk_nn_dropout1d(); }
static wk_module *dropout2d_eval(void) { return wk_module_eval(wk_nn_dropout2d()); }
static wk_module *l1_loss(void) { return wk_nn_l1_loss(); }
static wk_module *l1_loss_sum(void) { return wk_nn_l1_loss("sum"); }
static wk_module *smooth_l1_loss(void) { return wk_nn_smooth_l1_loss(); }
static wk_module *smooth_l1_loss_beta(void) { return wk_nn_smooth_l1_loss("none", 0.5); }
static wk_module *bce_with_logits_loss(void) { return wk_nn_bce_with_logits_loss(); }
static wk_module *pairwise_distance(void) { return wk_nn_pairwise_distance(); }
static wk_module *pairwise_distance_kept(void) { return wk_nn_pairwise_distance(1, 1e-3, true); }
static wk_module *bce_with_logits_loss_weights(void)
{
    wk_module *made = NULL;
    wk_scope
    made = wk_nn_bce_with_logits_loss(wk_tensor((3), ((float[]){1, 2, 0.5})), "sum",
                                      .pos_weight = wk_tensor((3), ((float[]){3, 1, 2})));
    return made;
}

static const layer_case LAYERS[] = {{"leaky_relu", leaky_relu, forward},
                                    {"leaky_relu_slope", leaky_relu_slope, forward},
                                    {"elu", elu, forward},
                                    {"elu_alpha", elu_alpha, forward},
                                    {"softplus", softplus, forward},
                                    {"softplus_both", softplus_both, forward},
                                    {"glu", glu, forward},
                                    {"glu_dim", glu_dim, forward},
                                    {"prelu", prelu, forward},
                                    {"prelu_channels", prelu_channels, forward},
                                    {"dropout1d", dropout1d, forward},
                                    {"dropout2d", dropout2d, forward},
                                    {"dropout2d_one", dropout2d_one, forward},
                                    {"dropout1d_one", dropout1d_one, forward},
                                    {"dropout2d_eval", dropout2d_eval, forward},
                                    {"l1_loss", l1_loss, loss},
                                    {"l1_loss_sum", l1_loss_sum, loss},
                                    {"smooth_l1_loss", smooth_l1_loss, loss},
                                    {"smooth_l1_loss_beta", smooth_l1_loss_beta, loss},
                                    {"bce_with_logits_loss", bce_with_logits_loss, loss},
                                    {"bce_with_logits_loss_weights", bce_with_logits_loss_weights, loss},
                                    {"pairwise_distance", pairwise_distance, loss},
                                    {"pairwise_distance_kept", pairwise_distance_kept, loss}};

LAYER_TESTS(LAYERS)

static void printed_forms(void **state)
{
    (void)state;
    prints(leaky_relu(), "leaky_relu(negative_slope=0.01)\n");
    prints(elu(), "elu(alpha=1.0)\n");
    prints(elu_alpha(), "elu(alpha=0.5)\n");
    prints(softplus(), "softplus(beta=1.0, threshold=20.0)\n");
    prints(glu(), "glu(dim=-1)\n");
    prints(prelu_channels(), "prelu(num_parameters=4)\n");
    prints(dropout2d(), "dropout2d(p=0.5)\n");
    prints(l1_loss(), "l1_loss()\n");
    prints(bce_with_logits_loss(), "bce_with_logits_loss()\n");
}

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    assert_fails(wk_nn_prelu(0), "nn_prelu: num_parameters: expected 1 or more, got 0");
    assert_fails(wk_nn_dropout2d(1.5), "nn_dropout2d: p: expected 0 to 1, got 1.5");
    assert_fails(wk_nn_l1_loss("average"), "nn_l1_loss: reduction: expected");
    assert_fails(wk_nn_bce_with_logits_loss(.reduction = "none at all"), "nn_bce_with_logits_loss: reduction");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_pytorchs),
        cmocka_unit_test(layers_without_memory_fail_cleanly),
        cmocka_unit_test(printed_forms),
        cmocka_unit_test(wrong_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
