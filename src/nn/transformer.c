/* The encoder and the decoder of a transformer: a layer, and a stack of them. */
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/pointwise.h>

#include "layer.h"

typedef wk_nn_transformer_encoder_layer layer;
typedef wk_nn_transformer_encoder encoder;
typedef wk_nn_transformer_encoder_forward_args call;
typedef wk_nn_transformer_encoder_layer_args layer_args;
typedef wk_nn_transformer_decoder_layer decoder_layer;
typedef wk_nn_transformer_decoder_forward_args decoder_call;

/* ---------------------------------------------------------------- a layer of the encoder */

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

/* whether it names one */
static bool find_activation(const char *op, const char *name, bool *gelu)
{
    *gelu = name && strcmp(name, "gelu") == 0;
    return *gelu || (name && strcmp(name, "relu") == 0) ||
           wk_fail(op, "activation: expected \"relu\" or \"gelu\", got \"%s\"", name ? name : "(null)");
}

static wk_module *new_norm(const layer_args *args)
{
    return wk_nn_layer_norm_with((wk_nn_layer_norm_args){.normalized_shape = WK_SHAPE(args->d_model),
                                                         .eps = args->layer_norm_eps,
                                                         .elementwise_affine = true,
                                                         .bias = args->bias,
                                                         .device = args->device,
                                                         .dtype = args->dtype});
}

static wk_module *new_linear(int64_t in, int64_t out, const layer_args *args)
{
    return wk_nn_linear(in, out, args->bias, args->device, args->dtype);
}

static wk_module *new_attention(const layer_args *args)
{
    return wk_nn_multihead_attention(args->d_model, args->nhead, args->dropout, args->bias,
                                     .batch_first = args->batch_first, .device = args->device, .dtype = args->dtype);
}

wk_module *wk_nn_transformer_encoder_layer_with(layer_args args)
{
    bool gelu;
    if (!find_activation("nn_transformer_encoder_layer", args.activation, &gelu))
        return NULL;
    layer *self = wk_module_new(wk_nn_transformer_encoder_layer, layer_forward);
    if (!self)
        return NULL;
    self->norm_first = args.norm_first;
    self->gelu = gelu;
    const int64_t E = args.d_model, F = args.dim_feedforward;
    const bool fine =
        wk_add_module(self, self_attn, new_attention(&args)) && wk_add_module(self, linear1, new_linear(E, F, &args)) &&
        wk_add_module(self, dropout, wk_nn_dropout(args.dropout)) &&
        wk_add_module(self, linear2, new_linear(F, E, &args)) && wk_add_module(self, norm1, new_norm(&args)) &&
        wk_add_module(self, norm2, new_norm(&args)) && wk_add_module(self, dropout1, wk_nn_dropout(args.dropout)) &&
        wk_add_module(self, dropout2, wk_nn_dropout(args.dropout));
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- a layer of the decoder */

static wk_tensor *attend_to_itself(decoder_layer *self, wk_tensor *x, const decoder_call *with)
{
    x = wk_nn_multihead_attention_forward(self->self_attn, x, x, x, .attn_mask = with->tgt_mask,
                                          .key_padding_mask = with->tgt_key_padding_mask,
                                          .is_causal = with->tgt_is_causal);
    return wk_forward(self->dropout1, x);
}

static wk_tensor *attend_to_memory(decoder_layer *self, wk_tensor *x, const decoder_call *with)
{
    x = wk_nn_multihead_attention_forward(
        self->multihead_attn, x, with->memory, with->memory, .attn_mask = with->memory_mask,
        .key_padding_mask = with->memory_key_padding_mask, .is_causal = with->memory_is_causal);
    return wk_forward(self->dropout2, x);
}

static wk_tensor *decoder_feed_forward(decoder_layer *self, wk_tensor *x)
{
    x = wk_forward(self->linear1, x);
    x = wk_forward(self->dropout, self->gelu ? wk_gelu(x) : wk_relu(x));
    return wk_forward(self->dropout3, wk_forward(self->linear2, x));
}

static wk_tensor *decoder_layer_call(void *module, const decoder_call *with)
{
    decoder_layer *self = module;
    wk_tensor *x = with->tgt;
    if (self->norm_first) {
        x = wk_add(x, attend_to_itself(self, wk_forward(self->norm1, x), with));
        x = wk_add(x, attend_to_memory(self, wk_forward(self->norm2, x), with));
        return wk_add(x, decoder_feed_forward(self, wk_forward(self->norm3, x)));
    }
    x = wk_forward(self->norm1, wk_add(x, attend_to_itself(self, x, with)));
    x = wk_forward(self->norm2, wk_add(x, attend_to_memory(self, x, with)));
    return wk_forward(self->norm3, wk_add(x, decoder_feed_forward(self, x)));
}

wk_tensor *wk_nn_transformer_decoder_layer_forward_with(decoder_call args)
{
    static const char OP[] = "transformer_decoder_layer";
    if (!wk_module_check_type(OP, args.module, OP))
        return NULL;
    WK_REQUIRE(OP, args.tgt);
    WK_REQUIRE(OP, args.memory);
    return wk_call(decoder_layer_call, args.module, &args);
}

wk_module *wk_nn_transformer_decoder_layer_with(layer_args args)
{
    bool gelu;
    if (!find_activation("nn_transformer_decoder_layer", args.activation, &gelu))
        return NULL;
    decoder_layer *self = wk_module_new(wk_nn_transformer_decoder_layer, NULL);
    if (!self)
        return NULL;
    self->norm_first = args.norm_first;
    self->gelu = gelu;
    const int64_t E = args.d_model, F = args.dim_feedforward;
    const bool fine = wk_add_module(self, self_attn, new_attention(&args)) &&
                      wk_add_module(self, multihead_attn, new_attention(&args)) &&
                      wk_add_module(self, linear1, new_linear(E, F, &args)) &&
                      wk_add_module(self, dropout, wk_nn_dropout(args.dropout)) &&
                      wk_add_module(self, linear2, new_linear(F, E, &args)) &&
                      wk_add_module(self, norm1, new_norm(&args)) && wk_add_module(self, norm2, new_norm(&args)) &&
                      wk_add_module(self, norm3, new_norm(&args)) &&
                      wk_add_module(self, dropout1, wk_nn_dropout(args.dropout)) &&
                      wk_add_module(self, dropout2, wk_nn_dropout(args.dropout)) &&
                      wk_add_module(self, dropout3, wk_nn_dropout(args.dropout));
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

static wk_tensor *decoder_stack_call(void *module, const decoder_call *with)
{
    encoder *self = module;
    wk_tensor *x = with->tgt;
    wk_for_each_module (child, self->layers) {
        decoder_call args = *with;
        args.module = child;
        args.tgt = x;
        wk_tensor *y = wk_nn_transformer_decoder_layer_forward_with(args);
        if (x != with->tgt)
            wk_scope_release(x);
        x = y;
    }
    return self->norm ? wk_forward(self->norm, x) : x;
}

wk_tensor *wk_nn_transformer_decoder_forward_with(decoder_call args)
{
    if (!wk_module_check_type("transformer_decoder", args.module, "transformer_decoder"))
        return NULL;
    WK_REQUIRE("transformer_decoder", args.tgt);
    WK_REQUIRE("transformer_decoder", args.memory);
    return wk_call(decoder_stack_call, args.module, &args);
}

/* self, made or NULL after an error, gets layers: `of` and copies of it; owns all three */
static wk_module *fill_stack(encoder *self, wk_module *of, int64_t num_layers, wk_module *norm)
{
    bool fine = self && wk_add_module(self, layers, wk_nn_module_list());
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

static bool check_stack(const char *op, wk_module *of, const char *type, int64_t num_layers)
{
    return wk_module_check_type(op, of, type) &&
           (num_layers >= 1 || wk_fail(op, "num_layers: expected 1 or more, got %lld", (long long)num_layers));
}

wk_module *wk_nn_transformer_encoder_with(wk_module *of, int64_t num_layers, wk_module *norm)
{
    const bool fine = check_stack("nn_transformer_encoder", of, "transformer_encoder_layer", num_layers);
    return fill_stack(fine ? wk_module_new(wk_nn_transformer_encoder, encoder_forward) : NULL, of, num_layers, norm);
}

wk_module *wk_nn_transformer_decoder_with(wk_module *of, int64_t num_layers, wk_module *norm)
{
    const bool fine = check_stack("nn_transformer_decoder", of, "transformer_decoder_layer", num_layers);
    return fill_stack(fine ? wk_module_new(wk_nn_transformer_decoder, NULL) : NULL, of, num_layers, norm);
}
