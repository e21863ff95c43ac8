/* ConvNeXt, as torchvision has it, name for name: its checkpoints load strictly.  (B, 3, H, W) -> (B, classes).

   A block is a transformer's in shape, with a convolution of 7x7, each channel alone, where that one has attention.

   "A ConvNet for the 2020s", https://arxiv.org/abs/2201.03545 */
#ifndef KATAS_CONVNEXT_H
#define KATAS_CONVNEXT_H

#include <wick.h>

/* ---------------------------------------------------------------- layer norm over the channels */

typedef struct convnext_norm {
    wk_module_base base;
    wk_tensor *weight, *bias; // (C)
    int64_t dim;
} convnext_norm;

/* (B, C, H, W) -> the same */
static wk_tensor *convnext_norm_forward(void *module, wk_tensor *x)
{
    convnext_norm *self = module;
    x = wk_permute(x, (0, 2, 3, 1)); // (B, H, W, C)
    x = wk_layer_norm(x, (self->dim), .weight = self->weight, .bias = self->bias, .eps = 1e-6);
    return wk_permute(x, (0, 3, 1, 2)); // (B, C, H, W)
}

static convnext_norm *convnext_norm_new(int64_t dim)
{
    convnext_norm *self = wk_module_new(convnext_norm, convnext_norm_forward);
    wk_add_parameter(self, weight, wk_ones((dim)));
    wk_add_parameter(self, bias, wk_zeros((dim)));
    self->dim = dim;
    return self;
}

/* ---------------------------------------------------------------- block: x + layer_scale * block(x) */

typedef struct convnext_permute {
    wk_module_base base;
    bool last; // channels go last, or come back
} convnext_permute;

static wk_tensor *convnext_permute_forward(void *module, wk_tensor *x)
{
    convnext_permute *self = module;
    return self->last ? wk_permute(x, (0, 2, 3, 1)) : wk_permute(x, (0, 3, 1, 2));
}

static convnext_permute *convnext_permute_new(bool last)
{
    convnext_permute *self = wk_module_new(convnext_permute, convnext_permute_forward);
    if (self)
        self->last = last;
    return self;
}

typedef struct convnext_block {
    wk_module_base base;
    wk_tensor *layer_scale; // (C, 1, 1)
    wk_module *block;
} convnext_block;

static wk_tensor *convnext_block_forward(void *module, wk_tensor *x)
{
    convnext_block *self = module;
    return wk_add(x, wk_mul(self->layer_scale, wk_forward(self->block, x))); // (B, C, H, W)
}

static convnext_block *convnext_block_new(int64_t dim)
{
    convnext_block *self = wk_module_new(convnext_block, convnext_block_forward);
    wk_add_parameter(self, layer_scale, wk_full((dim, 1, 1), 1e-6));
    wk_add_module(self, block,
                  wk_nn_sequential(wk_nn_conv2d(dim, dim, 7, .padding = 3, .groups = dim), // (B, C, H, W)
                                   convnext_permute_new(true),                             // (B, H, W, C)
                                   wk_nn_layer_norm((dim), .eps = 1e-6), wk_nn_linear(dim, 4 * dim), wk_nn_gelu(),
                                   wk_nn_linear(4 * dim, dim), convnext_permute_new(false)));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct convnext {
    wk_module_base base;
    wk_module *features, *avgpool, *classifier;
} convnext;

static wk_tensor *convnext_forward(void *module, wk_tensor *x)
{
    convnext *self = module;
    x = wk_forward(self->features, x);      // (B, C, H/32, W/32)
    x = wk_forward(self->avgpool, x);       // (B, C, 1, 1)
    return wk_forward(self->classifier, x); // (B, classes)
}

typedef struct convnext_config {
    int64_t dims[4], blocks[4], classes;
} convnext_config;

static const convnext_config CONVNEXT_TINY = {.dims = {96, 192, 384, 768}, .blocks = {3, 3, 9, 3}, .classes = 1000};

static convnext *convnext_new(convnext_config config)
{
    const int64_t *D = config.dims;
    convnext *self = wk_module_new(convnext, convnext_forward);
    wk_add_module(self, features, wk_nn_sequential());
    for (int i = 0; i < 4; i++) { // each stage: smaller and wider, then its blocks
        wk_nn_sequential_append(
            self->features,
            i == 0 ? wk_nn_sequential(wk_nn_conv2d(3, D[0], 4, .stride = 4), convnext_norm_new(D[0]))
                   : wk_nn_sequential(convnext_norm_new(D[i - 1]), wk_nn_conv2d(D[i - 1], D[i], 2, .stride = 2)));
        wk_module *stage = wk_nn_sequential();
        for (int64_t block = 0; block < config.blocks[i]; block++)
            wk_nn_sequential_append(stage, convnext_block_new(D[i]));
        wk_nn_sequential_append(self->features, stage);
    }
    wk_add_module(self, avgpool, wk_nn_adaptive_avg_pool2d(1));
    wk_add_module(self, classifier,
                  wk_nn_sequential(convnext_norm_new(D[3]), wk_nn_flatten(), wk_nn_linear(D[3], config.classes)));
    return self;
}

#endif
