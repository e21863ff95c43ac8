/* Layers start from PyTorch's values and compute what it computes, gradients too. */
#include "layers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("nn");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

/* ---------------------------------------------------------------- makers, named as in golden/nn.py */

static wk_module *linear(void) { return wk_nn_linear(7, 5); }
static wk_module *linear_without_bias(void) { return wk_nn_linear(4, 9, .bias = false); }
static wk_module *linear_float64(void) { return wk_nn_linear(3, 2, .dtype = wk_float64); }
static wk_module *conv2d(void) { return wk_nn_conv2d(4, 6, 3, .stride = 2, .padding = 1); }
static wk_module *conv2d_patches(void) { return wk_nn_conv2d(1, 16, 4, 4); }
static wk_module *conv2d_groups(void)
{
    return wk_nn_conv2d(4, 8, wk_per_dim(3, 2), .stride = wk_per_dim(1, 2), .padding = wk_per_dim(2, 1),
                        .dilation = wk_per_dim(2, 1), .groups = 2, .bias = false);
}
static wk_module *conv1d(void) { return wk_nn_conv1d(3, 5, 3, .padding = 1); }
static wk_module *conv3d(void)
{
    return wk_nn_conv3d(2, 4, wk_per_dim(2, 1, 3), .padding = wk_per_dim(1, 0, 1), .groups = 2);
}
static wk_module *conv1d_circular(void)
{
    return wk_nn_conv1d(3, 4, 4, .padding = WK_SAME, .padding_mode = "circular");
}
static wk_module *conv2d_reflect(void)
{
    return wk_nn_conv2d(2, 3, wk_per_dim(3, 2), 2, wk_per_dim(2, 1), .padding_mode = "reflect");
}
static wk_module *conv_transpose1d(void) { return wk_nn_conv_transpose1d(4, 6, 3, 2, .groups = 2, .bias = false); }
static wk_module *conv_transpose2d(void)
{
    return wk_nn_conv_transpose2d(3, 4, wk_per_dim(3, 2), 2, 1, wk_per_dim(1, 0), .dilation = wk_per_dim(1, 2));
}
static wk_module *conv_transpose3d(void) { return wk_nn_conv_transpose3d(2, 3, 2, wk_per_dim(2, 1, 1)); }
static wk_module *layer_norm(void) { return wk_nn_layer_norm((6)); }
static wk_module *layer_norm_2d(void) { return wk_nn_layer_norm((3, 6), 1e-3, .bias = false); }
static wk_module *layer_norm_plain(void) { return wk_nn_layer_norm((6), .elementwise_affine = false); }
static wk_module *rms_norm(void) { return wk_nn_rms_norm((6)); }
static wk_module *group_norm(void) { return wk_nn_group_norm(2, 6); }
static wk_module *embedding(void) { return wk_nn_embedding(10, 4); }
static wk_module *embedding_padding(void) { return wk_nn_embedding(10, 4, .padding_idx = -1); }
static wk_module *gelu(void) { return wk_nn_gelu(); }
static wk_module *gelu_tanh(void) { return wk_nn_gelu(.approximate = "tanh"); }
static wk_module *softmax(void) { return wk_nn_softmax(.dim = 1); }
static wk_module *softsign(void) { return wk_nn_softsign(); }
static wk_module *flatten(void) { return wk_nn_flatten(); }
static wk_module *mlp(void)
{
    return wk_nn_sequential(wk_nn_linear(6, 16), wk_nn_relu(), wk_nn_sequential(wk_nn_linear(16, 16), wk_nn_silu()),
                            wk_nn_tanh(), wk_nn_linear(16, 3), wk_nn_sigmoid(), wk_nn_identity());
}
static wk_module *attention(void) { return wk_nn_multihead_attention(8, 2); }
static wk_module *attention_batch_first(void) { return wk_nn_multihead_attention(8, 2, .batch_first = true); }
static wk_module *attention_without_weights(void)
{
    return wk_nn_multihead_attention(8, 2, .batch_first = true, .bias = false);
}
static wk_module *attention_one_sequence(void) { return wk_nn_multihead_attention(8, 2, .kdim = 6, .vdim = 4); }
static wk_module *encoder_layer(void) { return wk_nn_transformer_encoder_layer(8, 2, 16, .dropout = 0); }
static wk_module *encoder_layer_norm_first(void)
{
    return wk_nn_transformer_encoder_layer(8, 2, 16, 0, .activation = "gelu", .batch_first = true, .norm_first = true);
}
static wk_module *encoder_layer_masks(void)
{
    return wk_nn_transformer_encoder_layer(8, 2, 16, 0, .batch_first = true, .bias = false);
}
static wk_module *encoder(void)
{
    return wk_nn_transformer_encoder(wk_nn_transformer_encoder_layer(8, 2, 16, 0, .batch_first = true), 3,
                                     wk_nn_layer_norm((8)));
}
static wk_module *decoder_layer(void) { return wk_nn_transformer_decoder_layer(8, 2, 16, .dropout = 0); }
static wk_module *decoder_layer_norm_first(void)
{
    return wk_nn_transformer_decoder_layer(8, 2, 16, 0, .activation = "gelu", .batch_first = true, .norm_first = true);
}
static wk_module *decoder_layer_masks(void)
{
    return wk_nn_transformer_decoder_layer(8, 2, 16, 0, .batch_first = true, .bias = false);
}
static wk_module *decoder(void)
{
    return wk_nn_transformer_decoder(wk_nn_transformer_decoder_layer(8, 2, 16, 0, .batch_first = true), 3,
                                     wk_nn_layer_norm((8)));
}
static wk_module *cross_entropy_loss(void)
{
    wk_module *loss = NULL;
    wk_scope loss = wk_nn_cross_entropy_loss(.weight = wk_tensor((3), ((float[]){1, 2, 0.5})), .label_smoothing = 0.1);
    return loss;
}
static wk_module *mse_loss(void) { return wk_nn_mse_loss("sum"); }

/* ---------------------------------------------------------------- calls: results in order */

static wk_tensors loss(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_loss(module, in[0], in[1]);
    return (wk_tensors){1, out};
}
static wk_tensors attend(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_multihead_attention_forward(module, in[0], in[1], in[2], .weights = &out[1]);
    return (wk_tensors){2, out};
}
static wk_tensors attend_without_weights(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_multihead_attention_forward(module, in[0], in[1], in[2]);
    return (wk_tensors){1, out};
}
static wk_tensors attend_each_head(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_multihead_attention_forward(module, in[0], in[1], in[2], .attn_mask = in[3],
                                               .average_attn_weights = false, .weights = &out[1]);
    return (wk_tensors){2, out};
}
static wk_tensors attend_padding(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_multihead_attention_forward(module, in[0], in[1], in[2], in[3], .weights = &out[1]);
    return (wk_tensors){2, out};
}
static wk_tensors attend_both_masks(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] =
        wk_nn_multihead_attention_forward(module, in[0], in[1], in[2], .key_padding_mask = in[3], .attn_mask = in[4]);
    return (wk_tensors){1, out};
}
static wk_tensors attend_float_mask(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_multihead_attention_forward(module, in[0], in[1], in[2], .attn_mask = in[3], .weights = &out[1]);
    return (wk_tensors){2, out};
}
static wk_tensors encode_with_masks(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_transformer_encoder_layer_forward(module, in[0], .src_mask = in[1], .src_key_padding_mask = in[2]);
    return (wk_tensors){1, out};
}
static wk_tensors decode(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_transformer_decoder_layer_forward(module, in[0], in[1]);
    return (wk_tensors){1, out};
}
static wk_tensors decode_with_masks(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_transformer_decoder_layer_forward(module, in[0], in[1], in[2], in[3], .tgt_key_padding_mask = in[4],
                                                     .memory_key_padding_mask = in[5]);
    return (wk_tensors){1, out};
}
static wk_tensors decode_causally(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] =
        wk_nn_transformer_decoder_layer_forward(module, in[0], in[1], .tgt_is_causal = true, .memory_is_causal = true);
    return (wk_tensors){1, out};
}
static wk_tensors decode_in_stack(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_transformer_decoder_forward(module, in[0], in[1], .tgt_mask = in[2]);
    return (wk_tensors){1, out};
}

static const layer_case LAYERS[] = {{"linear", linear, forward},
                                    {"linear_without_bias", linear_without_bias, forward},
                                    {"linear_float64", linear_float64, forward},
                                    {"conv2d", conv2d, forward},
                                    {"conv2d_patches", conv2d_patches, forward},
                                    {"conv2d_groups", conv2d_groups, forward},
                                    {"conv1d", conv1d, forward},
                                    {"conv3d", conv3d, forward},
                                    {"conv1d_circular", conv1d_circular, forward},
                                    {"conv2d_reflect", conv2d_reflect, forward},
                                    {"conv_transpose1d", conv_transpose1d, forward},
                                    {"conv_transpose2d", conv_transpose2d, forward},
                                    {"conv_transpose3d", conv_transpose3d, forward},
                                    {"layer_norm", layer_norm, forward},
                                    {"layer_norm_2d", layer_norm_2d, forward},
                                    {"layer_norm_plain", layer_norm_plain, forward},
                                    {"rms_norm", rms_norm, forward},
                                    {"group_norm", group_norm, forward},
                                    {"embedding", embedding, forward},
                                    {"embedding_padding", embedding_padding, forward},
                                    {"gelu", gelu, forward},
                                    {"gelu_tanh", gelu_tanh, forward},
                                    {"softmax", softmax, forward},
                                    {"softsign", softsign, forward},
                                    {"flatten", flatten, forward},
                                    {"mlp", mlp, forward},
                                    {"attention", attention, attend},
                                    {"attention_batch_first", attention_batch_first, attend},
                                    {"attention_without_weights", attention_without_weights, attend_without_weights},
                                    {"attention_each_head", attention_batch_first, attend_each_head},
                                    {"attention_padding", attention_batch_first, attend_padding},
                                    {"attention_both_masks", attention_batch_first, attend_both_masks},
                                    {"attention_float_mask", attention, attend_float_mask},
                                    {"attention_one_sequence", attention_one_sequence, attend},
                                    {"encoder_layer", encoder_layer, forward},
                                    {"encoder_layer_norm_first", encoder_layer_norm_first, forward},
                                    {"encoder_layer_masks", encoder_layer_masks, encode_with_masks},
                                    {"encoder", encoder, forward},
                                    {"decoder_layer", decoder_layer, decode},
                                    {"decoder_layer_norm_first", decoder_layer_norm_first, decode},
                                    {"decoder_layer_masks", decoder_layer_masks, decode_with_masks},
                                    {"decoder_layer_causal", decoder_layer, decode_causally},
                                    {"decoder", decoder, decode_in_stack},
                                    {"cross_entropy_loss", cross_entropy_loss, loss},
                                    {"mse_loss", mse_loss, loss}};

LAYER_TESTS(LAYERS)

static void printed_forms(void **state)
{
    (void)state;
    const char *expected = "sequential(\n"
                           "  (0): linear(in_features=6, out_features=16, bias=True)\n"
                           "  (1): relu()\n"
                           "  (2): sequential(\n"
                           "    (0): linear(in_features=16, out_features=16, bias=True)\n"
                           "    (1): silu()\n"
                           "  )\n"
                           "  (3): tanh()\n"
                           "  (4): linear(in_features=16, out_features=3, bias=True)\n"
                           "  (5): sigmoid()\n"
                           "  (6): identity()\n"
                           ")\n";
    prints(mlp(), expected);
    prints(wk_nn_conv1d(3, 5, 3, .padding = 1), "conv1d(3, 5, kernel_size=(3,), stride=(1,), padding=(1,))\n");
    prints(wk_nn_conv3d(2, 4, wk_per_dim(1, 2, 3), .padding = WK_SAME, .groups = 2, .bias = false,
                        .padding_mode = "reflect"),
           "conv3d(2, 4, kernel_size=(1, 2, 3), stride=(1, 1, 1), padding=same, groups=2, bias=False, "
           "padding_mode=reflect)\n");
    prints(wk_nn_conv2d(3, 4, 3, .stride = 2, .dilation = wk_per_dim(1, 2)),
           "conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), dilation=(1, 2))\n");
    prints(wk_nn_conv_transpose2d(4, 6, 3, 2, 1, 1, 2, true, 1),
           "conv_transpose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1), "
           "groups=2)\n");
}

/* each branch of a decoder layer has a dropout of its own: with all of them at 1 nothing is added to the target */
static void dropouts_of_a_decoder(void **state)
{
    (void)state;
    wk_scope
    {
        wk_nn_transformer_decoder_layer *layer = (void *)decoder_layer_norm_first();
        wk_tensor *tgt = wk_randn((2, 5, 8)), *memory = wk_randn((2, 4, 8));
        wk_nn_dropout *each[] = {(void *)layer->dropout1, (void *)layer->dropout2, (void *)layer->dropout3};
        for (int i = 0; i < 3; i++)
            each[i]->p = 1;
        assert_true(wk_equal(wk_nn_transformer_decoder_layer_forward(layer, tgt, memory), tgt));
        for (int i = 0; i < 3; i++) {
            each[i]->p = 0;
            assert_false(wk_equal(wk_nn_transformer_decoder_layer_forward(layer, tgt, memory), tgt));
            each[i]->p = 1;
        }
        wk_module_free(layer);
    }
}

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    assert_fails(wk_nn_linear(-1, 2), "in_features");
    assert_fails(wk_nn_conv2d(3, 4, 2, .groups = 2), "groups");
    assert_fails(wk_nn_conv2d(3, 4, 0), "kernel_size: expected at least 1, got 0");
    assert_fails(wk_nn_conv2d(3, 4, wk_per_dim(3, 3, 3)), "nn_conv2d: kernel_size: expected one number for all dims");
    assert_fails(wk_nn_conv2d(3, 4, 3, .stride = wk_per_dim(-1, 1)), "stride: expected at least 1, got -1");
    assert_fails(wk_nn_conv2d(3, 4, 3, 2, WK_SAME), "padding: WK_SAME needs stride 1, got 2");
    assert_fails(wk_nn_conv1d(3, 4, 3, .padding_mode = "mirror"), "padding_mode");
    assert_fails(wk_nn_conv_transpose3d(3, 4, 3, .padding = WK_SAME), "padding: expected numbers");
    assert_fails(wk_nn_embedding(4, 2, .padding_idx = 4), "padding_idx");
    assert_fails(wk_nn_embedding(4, 2, .padding_idx = -5), "padding_idx");
    assert_fails(wk_nn_dropout(1.5), "p: expected 0 to 1");
    assert_fails(wk_nn_gelu("erf"), "approximate");
    assert_fails(wk_nn_multihead_attention(8, 3), "multiple of num_heads");
    assert_fails(wk_nn_transformer_encoder_layer(8, 2, .activation = "swish"), "activation");
    assert_fails(wk_nn_transformer_decoder_layer(8, 2, .activation = NULL),
                 "activation: expected \"relu\" or \"gelu\"");
    assert_fails(wk_nn_transformer_decoder(decoder_layer(), 0), "num_layers: expected 1 or more, got 0");
    assert_fails(wk_nn_transformer_decoder(encoder_layer(), 2), "expected a wk_nn_transformer_decoder_layer");
    assert_fails(wk_nn_sequential(wk_nn_linear(2, 2), wk_nn_linear(-2, 2)), "in_features");
    assert_fails(wk_nn_mse_loss("average"), "reduction");
}

/* padding_idx from -V to V - 1: the layer's row is zero, and its gradient too */
static void padding_at_both_ends(void **state)
{
    (void)state;
    for (int64_t padding = -4; padding < 4; padding++)
        wk_scope
    {
        wk_nn_embedding *layer = (wk_nn_embedding *)wk_nn_embedding(4, 2, .padding_idx = padding);
        wk_backward(wk_sum(wk_forward(layer, wk_arange(4))));
        wk_tensor *counts = wk_sum(wk_embedding(wk_arange(4), wk_ones((4, 2), .requires_grad = true), padding));
        assert_true(wk_item(counts) == 8);
        for (int64_t row = 0; row < 4; row++) {
            const bool padded = row == (padding + 4) % 4;
            assert_true((wk_item(wk_norm(wk_select(layer->weight, 0, row))) == 0) == padded);
            assert_true(wk_item(wk_sum(wk_select(layer->weight->grad, 0, row))) == (padded ? 0 : 2));
        }
        wk_module_free(layer);
    }
}

/* a query, key or value that is not there is named; dropout is for training alone, and leaves only the bias at 1 */
static void attention_is_careful(void **state)
{
    (void)state;
    wk_scope
    {
        wk_nn_multihead_attention *layer = (wk_nn_multihead_attention *)wk_nn_multihead_attention(4, 2, .dropout = 1);
        wk_tensor *x = wk_randn((3, 2, 4)), *weights = x;
        assert_fails(wk_nn_multihead_attention_forward(layer, NULL, x, x), "query: expected a tensor, got NULL");
        assert_fails(wk_nn_multihead_attention_forward(layer, x, NULL, x), "key: expected a tensor, got NULL");
        assert_fails(wk_nn_multihead_attention_forward(layer, x, x, NULL, .weights = &weights),
                     "value: expected a tensor, got NULL");
        assert_null(weights);
        for (int training = 0; training < 2; training++) {
            wk_module_train(layer, training);
            wk_tensor *y = wk_nn_multihead_attention_forward(layer, x, x, x);
            wk_tensor *same = wk_nn_multihead_attention_forward(layer, x, x, x, .weights = &weights);
            assert_true((wk_item(wk_norm(y)) == 0) == training); // biases begin at 0
            assert_true((wk_item(wk_norm(same)) == 0) == training);
            assert_true((wk_item(wk_norm(weights)) == 0) == training);
        }
        wk_module_free(layer);
    }
}

/* torch.nn.init.calculate_gain */
static void gains(void **state)
{
    (void)state;
    assert_true(wk_nn_init_calculate_gain("linear", 0) == 1 && wk_nn_init_calculate_gain("sigmoid", 0) == 1);
    assert_true(wk_nn_init_calculate_gain("tanh", 0) == 1.6666666666666667);
    assert_true(wk_nn_init_calculate_gain("relu", 0) == 1.4142135623730951);
    assert_true(wk_nn_init_calculate_gain("selu", 0) == 0.75);
    assert_true(wk_nn_init_calculate_gain("leaky_relu", 0.2) == 1.3867504905630728);
    wk_error error;
    wk_try(&error) assert_true(isnan(wk_nn_init_calculate_gain("gelu", 0)));
    assert_true(error.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_pytorchs),
        cmocka_unit_test(layers_without_memory_fail_cleanly),
        cmocka_unit_test(padding_at_both_ends),
        cmocka_unit_test(attention_is_careful),
        cmocka_unit_test(printed_forms),
        cmocka_unit_test(dropouts_of_a_decoder),
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(gains),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
