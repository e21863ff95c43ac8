/* The encoder of a transformer, a layer and a stack of them. */
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/pointwise.h>

#include "layer.h"

typedef wk_nn_transformer_encoder_layer layer;
typedef wk_nn_transformer_encoder encoder;
typedef wk_nn_transformer_encoder_forward_args call;

/* ---------------------------------------------------------------- a layer */

static wk_tensor *attend(layer *self, wk_tensor *x, const call *with)
{
    x = wk_nn_multihead_attention_forward(self->self_attn, x, x, x, .attn_mask = with->src_mask,
                                          .key_padding_mask = with->src_key_padding_mask, .is_causal = with->is_causal);
    return wk_forward(self->dropout1, x);
}

static wk_tensor *feed_forward(layer *self, wk_tensor *x)
{
    x = wk_forward(self->linear1, x);
    x = wk_forward(self->dropout, self->gelu ? wk_gelu(x) : wk_relu(x));
    return wk_forward(self->dropout2, wk_forward(self->linear2, x));
}

static wk_tensor *layer_call(void *module, wk_tensor *x, const call *with)
{
    layer *self = module;
    if (self->norm_first) {
        x = wk_add(x, attend(self, wk_forward(self->norm1, x), with));
        return wk_add(x, feed_forward(self, wk_forward(self->norm2, x)));
    }
    x = wk_forward(self->norm1, wk_add(x, attend(self, x, with)));
    return wk_forward(self->norm2, wk_add(x, feed_forward(self, x)));
}

static wk_tensor *layer_forward(void *module, wk_tensor *x) { return layer_call(module, x, &(call){0}); }

wk_tensor *wk_nn_transformer_encoder_layer_forward_with(call args)
{
    if (!wk_module_check_type("transformer_encoder_layer", args.module, "transformer_encoder_layer"))
        return NULL;
    WK_REQUIRE("transformer_encoder_layer", args.x);
    return wk_call(layer_call, args.module, args.x, &args);
}

wk_module *wk_nn_transformer_encoder_layer_with(wk_nn_transformer_encoder_layer_args args)
{
    const char *activation = args.activation ? args.activation : "(null)";
    const bool gelu = strcmp(activation, "gelu") == 0;
    if (!gelu && strcmp(activation, "relu") != 0)
        return wk_fail("nn_transformer_encoder_layer", "activation: expected \"relu\" or \"gelu\", got \"%s\"",
                       activation);
    layer *self = wk_module_new(wk_nn_transformer_encoder_layer, layer_forward);
    if (!self)
        return NULL;
    self->norm_first = args.norm_first;
    self->gelu = gelu;
    const int64_t E = args.d_model, F = args.dim_feedforward;
    const wk_nn_layer_norm_args norm = {.normalized_shape = WK_SHAPE(E), .eps = args.layer_norm_eps,
                                        .elementwise_affine = true,      .bias = args.bias,
                                        .device = args.device,           .dtype = args.dtype};
    const bool fine =
        wk_add_module(self, self_attn,
                      wk_nn_multihead_attention(E, args.nhead, args.dropout, args.bias, .batch_first = args.batch_first,
                                                .device = args.device, .dtype = args.dtype)) &&
        wk_add_module(self, linear1, wk_nn_linear(E, F, args.bias, args.device, args.dtype)) &&
        wk_add_module(self, dropout, wk_nn_dropout(args.dropout)) &&
        wk_add_module(self, linear2, wk_nn_linear(F, E, args.bias, args.device, args.dtype)) &&
        wk_add_module(self, norm1, wk_nn_layer_norm_with(norm)) &&
        wk_add_module(self, norm2, wk_nn_layer_norm_with(norm)) &&
        wk_add_module(self, dropout1, wk_nn_dropout(args.dropout)) &&
        wk_add_module(self, dropout2, wk_nn_dropout(args.dropout));
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- a stack */

static wk_tensor *encoder_call(void *module, wk_tensor *input, const call *with)
{
    encoder *self = module;
    wk_tensor *x = input;
    wk_for_each_module (child, self->layers) {
        call args = *with;
        args.module = child;
        args.x = x;
        wk_tensor *y = wk_nn_transformer_encoder_layer_forward_with(args);
        if (x != input)
            wk_scope_release(x);
        x = y;
    }
    return self->norm ? wk_forward(self->norm, x) : x;
}

static wk_tensor *encoder_forward(void *module, wk_tensor *x) { return encoder_call(module, x, &(call){0}); }

wk_tensor *wk_nn_transformer_encoder_forward_with(call args)
{
    if (!wk_module_check_type("transformer_encoder", args.module, "transformer_encoder"))
        return NULL;
    WK_REQUIRE("transformer_encoder", args.x);
    return wk_call(encoder_call, args.module, args.x, &args);
}

wk_module *wk_nn_transformer_encoder_with(wk_module *of, int64_t num_layers, wk_module *norm)
{
    const char *const op = "nn_transformer_encoder";
    bool fine = wk_module_check_type(op, of, "transformer_encoder_layer");
    if (fine && num_layers < 1)
        fine = wk_fail(op, "num_layers: expected 1 or more, got %lld", (long long)num_layers) != NULL;
    encoder *self = fine ? wk_module_new(wk_nn_transformer_encoder, encoder_forward) : NULL;
    fine = self && wk_add_module(self, layers, wk_nn_module_list());
    if (!fine) {
        wk_module_free(self);
        wk_module_free(of);
        wk_module_free(norm);
        return NULL;
    }
    fine = wk_nn_module_list_append(self->layers, of) != NULL;
    for (int64_t i = 1; fine && i < num_layers; i++)
        fine = wk_nn_module_list_append(self->layers, wk_module_deepcopy(of)) != NULL;
    if (norm)
        fine = wk_add_module(self, norm, norm) != NULL && fine;
    return wk_layer_ready(self, fine);
}
