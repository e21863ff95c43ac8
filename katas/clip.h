/* Two towers that meet: a picture and a caption each become a point on the same sphere, and those that belong together
   shall lie close.

   In a batch of B pairs, each picture is to be told its caption among all B, and each caption its picture: two
   cross-entropies over one matrix of B x B similarities, whose sharpness is learned as well.
   "Learning Transferable Visual Models From Natural Language Supervision", https://arxiv.org/abs/2103.00020. */
#ifndef KATAS_CLIP_H
#define KATAS_CLIP_H

#include <math.h>

#include "vit.h"

typedef struct clip {
    wk_module_base base;
    wk_module *image, *embedding, *blocks, *norm, *head;
    wk_tensor *pos_embed; // (1, L, D)
    wk_tensor *sharpness; // (): log of what similarities are multiplied by
} clip;

/* x: (B, 1, H, W) -> (B, E) of length 1 */
static wk_tensor *clip_image(void *module, wk_tensor *x)
{
    clip *self = module;
    return wk_normalize(wk_forward(self->image, x), .dim = -1); // (B, E)
}

/* tokens: (B, L) words, filled up with 0 -> (B, E) of length 1 */
static wk_tensor *clip_text(void *module, wk_tensor *tokens)
{
    clip *self = module;
    wk_tensor *x = wk_add(wk_forward(self->embedding, tokens), self->pos_embed); // (B, L, D)
    x = wk_forward(self->norm, wk_forward(self->blocks, x));                     // (B, L, D)
    x = wk_forward(self->head, wk_mean(x, (1)));                                 // (B, E)
    return wk_normalize(x, .dim = -1);                                           // (B, E)
}

/* x: (B, 1, H, W), tokens: (B, L), pair by pair -> () */
static wk_tensor *clip_loss(void *module, wk_tensor *x, wk_tensor *tokens)
{
    clip *self = module;
    wk_tensor *images = wk_call(clip_image, self, x), *texts = wk_call(clip_text, self, tokens); // (B, E) each
    wk_tensor *times = wk_exp(wk_clamp(self->sharpness, wk_none, log(100)));                     // ()
    wk_tensor *logits = wk_mul(wk_matmul(images, wk_t(texts)), times);                           // (B, B)
    wk_tensor *own = wk_arange((wk_size(x, 0)), .device = x->device);                            // (B,)
    wk_tensor *its_caption = wk_cross_entropy(logits, own);                                      // ()
    wk_tensor *its_picture = wk_cross_entropy(wk_t(logits), own);                                // ()
    return wk_mul(wk_add(its_caption, its_picture), 0.5);                                        // ()
}

typedef struct clip_config {
    int64_t image, width; // pictures of image x image, a multiple of 4; channels of the first convolution
    int64_t words, length, dim, depth, heads; // captions of `length` tokens, each one of `words`
    int64_t shared;                           // E
} clip_config;

static clip *clip_new(clip_config c)
{
    const int64_t W = c.width, low = c.image / 4;
    clip *self = wk_module_new(clip, NULL);
    wk_add_module(self, image,
                  wk_nn_sequential(wk_nn_conv2d(1, W, 3, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_conv2d(W, 2 * W, 3, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_conv2d(2 * W, 2 * W, 3, .padding = 1), wk_nn_relu(), wk_nn_flatten(),
                                   wk_nn_linear(2 * W * low * low, c.shared)));
    wk_add_module(self, embedding, wk_nn_embedding(c.words, c.dim));
    wk_add_parameter(self, pos_embed, wk_mul(wk_randn((1, c.length, c.dim)), 0.02));
    wk_add_module(self, blocks, wk_nn_sequential());
    for (int64_t i = 0; i < c.depth; i++)
        wk_nn_sequential_append(self->blocks, vit_block_new(c.dim, c.heads));
    wk_add_module(self, norm, wk_nn_layer_norm((c.dim)));
    wk_add_module(self, head, wk_nn_linear(c.dim, c.shared));
    wk_add_parameter(self, sharpness, wk_full((), log(1 / 0.07), .dtype = wk_float32));
    return self;
}

#endif
