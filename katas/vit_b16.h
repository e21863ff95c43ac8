/* The vision transformer of torchvision, name for name: checkpoints of vit_b_16 and its kin load strictly.
   (B, 3, size, size) -> (B, classes).  vit.h is the smaller one to learn from; here a class token is classified.

   "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929 */
#ifndef KATAS_VIT_B16_H
#define KATAS_VIT_B16_H

#include <stdio.h>

#include <wick.h>

/* ---------------------------------------------------------------- block: x + attention(ln_1(x)), x + mlp(ln_2(x)) */

typedef struct vit_b16_block {
    wk_module_base base;
    wk_module *ln_1, *self_attention, *ln_2, *mlp;
} vit_b16_block;

static wk_tensor *vit_b16_block_forward(void *module, wk_tensor *x)
{
    vit_b16_block *self = module;
    wk_tensor *h = wk_forward(self->ln_1, x);                                        // (B, N, D)
    x = wk_add(x, wk_nn_multihead_attention_forward(self->self_attention, h, h, h)); // (B, N, D)
    return wk_add(x, wk_forward(self->mlp, wk_forward(self->ln_2, x)));              // (B, N, D)
}

static vit_b16_block *vit_b16_block_new(int64_t dim, int64_t heads, int64_t mlp)
{
    vit_b16_block *self = wk_module_new(vit_b16_block, vit_b16_block_forward);
    wk_add_module(self, ln_1, wk_nn_layer_norm((dim), .eps = 1e-6));
    wk_add_module(self, self_attention, wk_nn_multihead_attention(dim, heads, .batch_first = true));
    wk_add_module(self, ln_2, wk_nn_layer_norm((dim), .eps = 1e-6));
    wk_add_module(self, mlp, // mlp.0 and mlp.3 have weights; dropout does nothing here, but counts
                  wk_nn_sequential(wk_nn_linear(dim, mlp), wk_nn_gelu(), wk_nn_dropout(0), wk_nn_linear(mlp, dim),
                                   wk_nn_dropout(0)));
    return self;
}

/* ---------------------------------------------------------------- encoder */

typedef struct vit_b16_encoder {
    wk_module_base base;
    wk_tensor *pos_embedding; // (1, N, D)
    wk_module *layers, *ln;
} vit_b16_encoder;

static wk_tensor *vit_b16_encoder_forward(void *module, wk_tensor *x)
{
    vit_b16_encoder *self = module;
    x = wk_forward(self->layers, wk_add(x, self->pos_embedding)); // (B, N, D)
    return wk_forward(self->ln, x);
}

/* ---------------------------------------------------------------- the whole */

typedef struct vit_b16 {
    wk_module_base base;
    wk_module *conv_proj, *heads;
    vit_b16_encoder *encoder;
    wk_tensor *class_token; // (1, 1, D)
} vit_b16;

static wk_tensor *vit_b16_forward(void *module, wk_tensor *x)
{
    vit_b16 *self = module;
    x = wk_forward(self->conv_proj, x);                                       // (B, D, H/P, W/P)
    x = wk_transpose(wk_flatten(x, 2), 1, 2);                                 // (B, N - 1, D)
    wk_tensor *token = wk_expand(self->class_token, (wk_size(x, 0), -1, -1)); // (B, 1, D)
    x = wk_forward(self->encoder, wk_cat((token, x), .dim = 1));              // (B, N, D)
    return wk_forward(self->heads, wk_select(x, 1, 0));                       // (B, classes)
}

typedef struct vit_b16_config {
    int64_t image, patch, dim, depth, heads, mlp, classes;
} vit_b16_config;

static const vit_b16_config VIT_B16 = {
    .image = 224, .patch = 16, .dim = 768, .depth = 12, .heads = 12, .mlp = 3072, .classes = 1000};

static vit_b16 *vit_b16_new(vit_b16_config config)
{
    const int64_t side = config.image / config.patch, N = side * side + 1, D = config.dim;

    vit_b16_encoder *encoder = wk_module_new(vit_b16_encoder, vit_b16_encoder_forward);
    wk_add_parameter(encoder, pos_embedding, wk_mul(wk_randn((1, N, D)), 0.02));
    wk_add_module(encoder, layers, wk_nn_sequential());
    for (int64_t i = 0; i < config.depth; i++) {
        char name[48];
        snprintf(name, sizeof name, "encoder_layer_%lld", (long long)i);
        wk_module_add_module(encoder->layers, name, vit_b16_block_new(D, config.heads, config.mlp));
    }
    wk_add_module(encoder, ln, wk_nn_layer_norm((D), .eps = 1e-6));

    vit_b16 *self = wk_module_new(vit_b16, vit_b16_forward);
    wk_add_parameter(self, class_token, wk_zeros((1, 1, D)));
    wk_add_module(self, conv_proj, wk_nn_conv2d(3, D, config.patch, .stride = config.patch));
    wk_add_module(self, encoder, encoder);
    wk_add_module(self, heads, wk_nn_sequential());
    wk_module_add_module(self->heads, "head", wk_nn_linear(D, config.classes));
    return self;
}

#endif
