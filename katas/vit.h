/* A vision transformer, as small as it can be and still be one: (B, C, H, W) -> (B, classes).

   An image is cut into patches by a convolution whose stride is its kernel; each patch becomes a token; blocks of
   attention and mlp let tokens look at each other and think; the mean of all tokens is classified.

   "An Image is Worth 16x16 Words", https://arxiv.org/abs/2010.11929; mean instead of a class token:
   "Better plain ViT baselines", https://arxiv.org/abs/2205.01580. */
#ifndef KATAS_VIT_H
#define KATAS_VIT_H

#include <wick.h>

/* ---------------------------------------------------------------- attention: tokens look at each other */

typedef struct vit_attention {
    wk_module_base base;
    wk_module *qkv, *proj;
    int64_t heads;
} vit_attention;

static wk_tensor *vit_attention_forward(void *module, wk_tensor *x)
{
    vit_attention *self = module;
    wk_unpack(x, B, L, D);
    const int64_t H = self->heads;

    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_forward(self->qkv, x);                 // (B, L, 3*D)
    qkv = wk_reshape(qkv, (B, L, 3, H, D / H));                // (B, L, 3, H, D/H)
    wk_unbind(wk_permute(qkv, (2, 0, 3, 1, 4)), (&q, &k, &v)); // 3 x (B, H, L, D/H)
    x = wk_scaled_dot_product_attention(q, k, v);              // (B, H, L, D/H)
    x = wk_flatten(wk_transpose(x, 1, 2), 2);                  // (B, L, D)
    return wk_forward(self->proj, x);                          // (B, L, D)
}

static vit_attention *vit_attention_new(int64_t dim, int64_t heads)
{
    vit_attention *self = wk_module_new(vit_attention, vit_attention_forward);
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim));
    wk_add_module(self, proj, wk_nn_linear(dim, dim));
    self->heads = heads;
    return self;
}

/* ---------------------------------------------------------------- block: x + attention(norm(x)), x + mlp(norm(x)) */

typedef struct vit_block {
    wk_module_base base;
    wk_module *norm1, *norm2, *fc1, *fc2;
    vit_attention *attn;
} vit_block;

static wk_tensor *vit_block_forward(void *module, wk_tensor *x)
{
    vit_block *self = module;
    x = wk_add(x, wk_forward(self->attn, wk_forward(self->norm1, x))); // (B, L, D)
    wk_tensor *h = wk_forward(self->fc1, wk_forward(self->norm2, x));  // (B, L, 4*D)
    return wk_add(x, wk_forward(self->fc2, wk_gelu(h)));               // (B, L, D)
}

static vit_block *vit_block_new(int64_t dim, int64_t heads)
{
    vit_block *self = wk_module_new(vit_block, vit_block_forward);
    wk_add_module(self, norm1, wk_nn_layer_norm((dim)));
    wk_add_module(self, attn, vit_attention_new(dim, heads));
    wk_add_module(self, norm2, wk_nn_layer_norm((dim)));
    wk_add_module(self, fc1, wk_nn_linear(dim, 4 * dim));
    wk_add_module(self, fc2, wk_nn_linear(4 * dim, dim));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct vit {
    wk_module_base base;
    wk_module *patch_embed, *blocks, *norm, *head;
    wk_tensor *pos_embed; // (1, N, D)
} vit;

static wk_tensor *vit_forward(void *module, wk_tensor *x)
{
    vit *self = module;
    x = wk_forward(self->patch_embed, x);            // (B, D, H/P, W/P)
    x = wk_transpose(wk_flatten(x, 2), 1, 2);        // (B, N, D)
    x = wk_add(x, self->pos_embed);                  // (B, N, D)
    x = wk_forward(self->blocks, x);                 // (B, N, D)
    x = wk_mean(wk_forward(self->norm, x), (1));     // (B, D)
    return wk_forward(self->head, x);                // (B, classes)
}

typedef struct vit_config {
    int64_t image, channels, patch, dim, depth, heads, classes; // image: H
    int64_t width;                                              // W; 0: as H
} vit_config;

static inline vit *vit_new(vit_config config)
{
    const int64_t width = config.width > 0 ? config.width : config.image;
    const int64_t N = (config.image / config.patch) * (width / config.patch), D = config.dim;

    vit *self = wk_module_new(vit, vit_forward);
    wk_add_module(self, patch_embed, wk_nn_conv2d(config.channels, D, config.patch, .stride = config.patch));
    wk_add_parameter(self, pos_embed, wk_mul(wk_randn((1, N, D)), 0.02));
    wk_add_module(self, blocks, wk_nn_sequential());
    for (int64_t i = 0; i < config.depth; i++)
        wk_nn_sequential_append(self->blocks, vit_block_new(D, config.heads));
    wk_add_module(self, norm, wk_nn_layer_norm((D)));
    wk_add_module(self, head, wk_nn_linear(D, config.classes));
    return self;
}

#endif
