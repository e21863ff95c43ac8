/* Blocks that models write themselves, as layers. */
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/cast.h>
#include <wick/join.h>
#include <wick/nn_blocks.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "layer.h"

/* ---------------------------------------------------------------- drop_path, layer_scale */

typedef struct wk_nn_drop_path {
    wk_module_base base;
    double drop_prob;
    bool scale_by_keep;
} wk_nn_drop_path;

static wk_tensor *drop_path_forward(void *module, wk_tensor *x)
{
    const wk_nn_drop_path *self = module;
    return wk_drop_path(x, self->drop_prob, self->base.training, self->scale_by_keep);
}

static void drop_path_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "drop_prob=%.3f", ((const wk_nn_drop_path *)module)->drop_prob);
}

wk_module *wk_nn_drop_path_with(wk_nn_drop_path_args args)
{
    if (!(args.drop_prob >= 0 && args.drop_prob <= 1))
        return wk_fail("nn_drop_path", "drop_prob: expected 0 to 1, got %g", args.drop_prob);
    wk_nn_drop_path *self = wk_module_new(wk_nn_drop_path, drop_path_forward, .extra_repr = drop_path_repr);
    if (self) {
        self->drop_prob = args.drop_prob;
        self->scale_by_keep = args.scale_by_keep;
    }
    return (wk_module *)self;
}

static wk_tensor *layer_scale_forward(void *module, wk_tensor *x)
{
    return wk_mul(x, ((const wk_nn_layer_scale *)module)->gamma);
}

wk_module *wk_nn_layer_scale_with(wk_nn_layer_scale_args args)
{
    wk_nn_layer_scale *self = wk_module_new(wk_nn_layer_scale, layer_scale_forward);
    bool fine = self != NULL;
    if (self)
        wk_scope
    fine = wk_add_parameter(self, gamma,
                            wk_full((args.dim), args.init_values, .dtype = args.dtype, .device = args.device)) != NULL;
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- mlp, swiglu, geglu */

static wk_tensor *mlp_forward(void *module, wk_tensor *x)
{
    wk_nn_mlp *self = module;
    x = wk_forward(self->drop, wk_gelu(wk_forward(self->fc1, x)));
    return wk_forward(self->drop, wk_forward(self->fc2, x));
}

static wk_tensor *swiglu_forward(void *module, wk_tensor *x)
{
    wk_nn_swiglu *self = module;
    return wk_forward(self->w2, wk_mul(wk_silu(wk_forward(self->w1, x)), wk_forward(self->w3, x)));
}

static wk_tensor *geglu_forward(void *module, wk_tensor *x)
{
    wk_nn_geglu *self = module;
    x = wk_forward(self->proj, x);
    const int64_t half = x ? x->shape[x->ndim - 1] / 2 : 0;
    return x ? wk_mul(wk_narrow(x, -1, 0, half), wk_gelu(wk_narrow(x, -1, half, half))) : NULL;
}

static void fill_in(wk_nn_feed_forward_args *args)
{
    args->hidden_features = args->hidden_features ? args->hidden_features : args->in_features;
    args->out_features = args->out_features ? args->out_features : args->in_features;
}

wk_module *wk_nn_mlp_with(wk_nn_feed_forward_args args)
{
    wk_nn_mlp *self = wk_module_new(wk_nn_mlp, mlp_forward);
    fill_in(&args);
    const int64_t hidden = args.hidden_features;
    return wk_layer_ready(
        self,
        self && wk_add_module(self, fc1, wk_nn_linear(args.in_features, hidden, args.bias, args.device, args.dtype)) &&
            wk_add_module(self, fc2, wk_nn_linear(hidden, args.out_features, args.bias, args.device, args.dtype)) &&
            wk_add_module(self, drop, wk_nn_dropout(args.drop)));
}

wk_module *wk_nn_swiglu_with(wk_nn_feed_forward_args args)
{
    if (args.multiple_of < 1)
        return wk_fail("nn_swiglu", "multiple_of: expected 1 or more, got %lld", (long long)args.multiple_of);
    wk_nn_swiglu *self = wk_module_new(wk_nn_swiglu, swiglu_forward);
    fill_in(&args);
    const int64_t hidden = (args.hidden_features + args.multiple_of - 1) / args.multiple_of * args.multiple_of;
    return wk_layer_ready(
        self,
        self && wk_add_module(self, w1, wk_nn_linear(args.in_features, hidden, args.bias, args.device, args.dtype)) &&
            wk_add_module(self, w2, wk_nn_linear(hidden, args.out_features, args.bias, args.device, args.dtype)) &&
            wk_add_module(self, w3, wk_nn_linear(args.in_features, hidden, args.bias, args.device, args.dtype)));
}

wk_module *wk_nn_geglu_with(wk_nn_geglu_args args)
{
    wk_nn_geglu *self = wk_module_new(wk_nn_geglu, geglu_forward);
    return wk_layer_ready(self, self && wk_add_module(self, proj,
                                                      wk_nn_linear(args.in_features, 2 * args.out_features, args.bias,
                                                                   args.device, args.dtype)));
}

/* ---------------------------------------------------------------- patch_embed, timestep_embedder */

static wk_tensor *patch_embed_forward(void *module, wk_tensor *x)
{
    return wk_transpose(wk_flatten(wk_forward(((wk_nn_patch_embed *)module)->proj, x), 2), 1, 2);
}

wk_module *wk_nn_patch_embed_with(wk_nn_patch_embed_args args)
{
    wk_nn_patch_embed *self = wk_module_new(wk_nn_patch_embed, patch_embed_forward);
    return wk_layer_ready(
        self, self && wk_add_module(self, proj,
                                    wk_nn_conv2d(args.in_chans, args.embed_dim, args.patch_size, args.patch_size,
                                                 .bias = args.bias, .device = args.device, .dtype = args.dtype)));
}

static wk_tensor *timestep_embedder_forward(void *module, wk_tensor *t)
{
    wk_nn_timestep_embedder *self = module;
    wk_tensor *x = wk_timestep_embedding(t, self->frequency_embedding_size);
    const wk_tensor *weight = wk_module_get_parameter(self->mlp, "0.weight");
    return x && weight ? wk_forward(self->mlp, wk_to(x, weight->dtype)) : NULL;
}

wk_module *wk_nn_timestep_embedder_with(wk_nn_timestep_embedder_args args)
{
    wk_nn_timestep_embedder *self = wk_module_new(wk_nn_timestep_embedder, timestep_embedder_forward);
    if (!self)
        return NULL;
    self->frequency_embedding_size = args.frequency_embedding_size;
    wk_module *const first =
        wk_nn_linear(args.frequency_embedding_size, args.hidden_size, true, args.device, args.dtype);
    return wk_layer_ready(self, wk_add_module(self, mlp,
                                              wk_nn_sequential(first, wk_nn_silu(),
                                                               wk_nn_linear(args.hidden_size, args.hidden_size, true,
                                                                            args.device, args.dtype))) != NULL);
}
