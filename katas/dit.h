/* A diffusion transformer, a DiT: pictures (B, C, H, W), times (B,), classes (B,) -> (B, C, H, W).

   A vision transformer whose layer norms are steered: from time and class come, for each block, a scale and a shift for
   what goes into attention and mlp, and a gate for what comes out.  Gates begin at 0: a block begins as nothing, and
   learns what to add.  "Scalable Diffusion Models with Transformers", https://arxiv.org/abs/2212.09748; unlike there,
   patches overlap by half, so that no seams are seen of a model as small as this. */
#ifndef KATAS_DIT_H
#define KATAS_DIT_H

#include "condition.h"
#include "vit.h"

/* x: (B, N, D), scale and shift: (B, D) */
static wk_tensor *dit_modulate(wk_tensor *x, wk_tensor *scale, wk_tensor *shift)
{
    return wk_add(wk_mul(x, wk_add(1, wk_unsqueeze(scale, 1))), wk_unsqueeze(shift, 1)); // (B, N, D)
}

/* a layer that begins by giving 0 */
static wk_module *dit_zeroed(wk_module *layer)
{
    wk_nn_init_zeros_(wk_module_get_parameter(layer, "weight"));
    wk_nn_init_zeros_(wk_module_get_parameter(layer, "bias"));
    return layer;
}

/* ---------------------------------------------------------------- block */

typedef struct dit_block {
    wk_module_base base;
    wk_module *norm1, *norm2, *fc1, *fc2, *modulation;
    vit_attention *attn;
} dit_block;

/* x: (B, N, D), c: (B, D) -> (B, N, D) */
static wk_tensor *dit_block_forward(void *module, wk_tensor *x, wk_tensor *c)
{
    dit_block *self = module;
    wk_tensor *scale1, *shift1, *gate1, *scale2, *shift2, *gate2; // (B, D) each
    wk_tensor *six = wk_forward(self->modulation, c);             // (B, 6*D)
    wk_chunk(six, 6, (&scale1, &shift1, &gate1, &scale2, &shift2, &gate2), .dim = 1);

    wk_tensor *h = dit_modulate(wk_forward(self->norm1, x), scale1, shift1); // (B, N, D)
    h = wk_forward(self->attn, h);                                           // (B, N, D)
    x = wk_add(x, wk_mul(wk_unsqueeze(gate1, 1), h));                        // (B, N, D)
    h = dit_modulate(wk_forward(self->norm2, x), scale2, shift2);            // (B, N, D)
    h = wk_forward(self->fc2, wk_gelu(wk_forward(self->fc1, h)));            // (B, N, D)
    return wk_add(x, wk_mul(wk_unsqueeze(gate2, 1), h));                     // (B, N, D)
}

static dit_block *dit_block_new(int64_t dim, int64_t heads)
{
    dit_block *self = wk_module_new(dit_block, NULL);
    wk_add_module(self, norm1, wk_nn_layer_norm((dim), .elementwise_affine = false));
    wk_add_module(self, attn, vit_attention_new(dim, heads));
    wk_add_module(self, norm2, wk_nn_layer_norm((dim), .elementwise_affine = false));
    wk_add_module(self, fc1, wk_nn_linear(dim, 4 * dim));
    wk_add_module(self, fc2, wk_nn_linear(4 * dim, dim));
    wk_add_module(self, modulation, dit_zeroed(wk_nn_linear(dim, 6 * dim)));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct dit_config {
    int64_t image, channels, patch, dim, depth, heads, classes;
} dit_config;

typedef struct dit {
    wk_module_base base;
    wk_module *patch_embed, *blocks, *norm, *modulation, *head;
    wk_tensor *pos_embed; // (1, N, D)
    condition *condition;
    dit_config config;
} dit;

static wk_tensor *dit_forward(void *module, wk_tensor *x, wk_tensor *t, wk_tensor *y)
{
    dit *self = module;
    const int64_t rows = self->config.image / self->config.patch;
    wk_tensor *c = wk_call(condition_forward, self->condition, t, y);        // (B, D)
    x = wk_transpose(wk_flatten(wk_forward(self->patch_embed, x), 2), 1, 2); // (B, N, D)
    x = wk_add(x, self->pos_embed);                                          // (B, N, D)
    wk_for_each_module (block, self->blocks)
        x = wk_call(dit_block_forward, block, x, c); // (B, N, D)
    wk_tensor *scale, *shift;                        // (B, D) each
    wk_chunk(wk_forward(self->modulation, c), 2, (&scale, &shift), .dim = 1);
    x = dit_modulate(wk_forward(self->norm, x), scale, shift); // (B, N, D)
    x = wk_unflatten(wk_transpose(x, 1, 2), 2, (rows, rows));  // (B, D, H/P, W/P)
    return wk_forward(self->head, x);                          // (B, C, H, W)
}

static dit *dit_new(dit_config config)
{
    const int64_t P = config.patch, N = (config.image / P) * (config.image / P), D = config.dim;
    dit *self = wk_module_new(dit, NULL);
    self->config = config;
    wk_add_module(self, condition, condition_new(D, config.classes));
    wk_add_module(self, patch_embed, wk_nn_conv2d(config.channels, D, 2 * P, .stride = P, .padding = P / 2));
    wk_add_parameter(self, pos_embed, wk_mul(wk_randn((1, N, D)), 0.02));
    wk_add_module(self, blocks, wk_nn_module_list());
    for (int64_t i = 0; i < config.depth; i++)
        wk_nn_module_list_append(self->blocks, dit_block_new(D, config.heads));
    wk_add_module(self, norm, wk_nn_layer_norm((D), .elementwise_affine = false));
    wk_add_module(self, modulation, dit_zeroed(wk_nn_linear(D, 2 * D)));
    wk_add_module(self, head,
                  dit_zeroed(wk_nn_conv_transpose2d(D, config.channels, 2 * P, .stride = P, .padding = P / 2)));
    return self;
}

#endif
