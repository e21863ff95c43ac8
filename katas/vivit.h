/* A vision transformer for film, as small as it can be: (B, C, T, H, W) -> (B, classes), (B, directions).

   A film is cut into tubelets, boxes of a few frames and a few pixels each way, by a convolution whose stride is its
   kernel; each tubelet becomes a token, which therefore knows what moves inside of it; from there on it is the vision
   transformer that images have (vit.h), whose tokens now look at each other across space and time at once.

   "ViViT: A Video Vision Transformer", https://arxiv.org/abs/2103.15691: its model 1, with tubelet embedding. */
#ifndef KATAS_VIVIT_H
#define KATAS_VIVIT_H

#include "vit.h"

typedef struct vivit_config {
    int64_t frames, image, channels; // T, H = W, C
    int64_t tube, patch;             // a tubelet is (tube, patch, patch)
    int64_t dim, depth, heads;
    int64_t classes, directions;
} vivit_config;

typedef struct vivit {
    wk_module_base base;
    wk_module *tubelet_embed, *blocks, *norm, *class_head, *direction_head;
    wk_tensor *pos_embed; // (1, N, D)
} vivit;

/* x: (B, C, T, H, W) -> the class's logits; *directions: the direction's */
static wk_tensor *vivit_forward(void *module, wk_tensor *x, wk_tensor **directions)
{
    vivit *self = module;
    x = wk_forward(self->tubelet_embed, x);                     // (B, D, T/t, H/P, W/P)
    x = wk_transpose(wk_flatten(x, 2), 1, 2);                   // (B, N, D)
    x = wk_add(x, self->pos_embed);                             // (B, N, D)
    x = wk_forward(self->blocks, x);                            // (B, N, D)
    x = wk_mean(wk_forward(self->norm, x), (1));                // (B, D)
    *directions = wk_keep(wk_forward(self->direction_head, x)); // (B, directions)
    return wk_forward(self->class_head, x);                     // (B, classes)
}

static vivit *vivit_new(vivit_config config)
{
    const int64_t side = config.image / config.patch, D = config.dim;
    const int64_t N = config.frames / config.tube * side * side;
    const wk_per_dim tubelet = wk_per_dim(config.tube, config.patch, config.patch);

    vivit *self = wk_module_new(vivit, NULL);
    wk_add_module(self, tubelet_embed, wk_nn_conv3d(config.channels, D, tubelet, .stride = tubelet));
    wk_add_parameter(self, pos_embed, wk_mul(wk_randn((1, N, D)), 0.02));
    wk_add_module(self, blocks, wk_nn_sequential());
    for (int64_t i = 0; i < config.depth; i++)
        wk_nn_sequential_append(self->blocks, vit_block_new(D, config.heads));
    wk_add_module(self, norm, wk_nn_layer_norm((D)));
    wk_add_module(self, class_head, wk_nn_linear(D, config.classes));
    wk_add_module(self, direction_head, wk_nn_linear(D, config.directions));
    return self;
}

#endif
