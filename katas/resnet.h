/* ResNet, as torchvision has it, name for name: its checkpoints load strictly.  (B, 3, H, W) -> (B, classes).

   A block computes what is to be added to its input; where it changes width or size, a 1x1 convolution (downsample)
   does the same to the input.  Basic blocks have two 3x3 convolutions, bottlenecks a 3x3 between two of 1x1.

   "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385 */
#ifndef KATAS_RESNET_H
#define KATAS_RESNET_H

#include <wick.h>

/* ---------------------------------------------------------------- block: relu(x + what it computes) */

typedef struct resnet_block {
    wk_module_base base;
    wk_module *conv1, *bn1, *conv2, *bn2, *conv3, *bn3; // conv3, bn3: NULL but in a bottleneck
    wk_module *downsample;                              // NULL where x may be added as it is
} resnet_block;

static wk_tensor *resnet_block_forward(void *module, wk_tensor *x)
{
    resnet_block *self = module;
    wk_tensor *y = wk_relu(wk_forward(self->bn1, wk_forward(self->conv1, x)));
    y = wk_forward(self->bn2, wk_forward(self->conv2, y));
    if (self->conv3)
        y = wk_forward(self->bn3, wk_forward(self->conv3, wk_relu(y))); // (B, width * 4, H', W')
    if (self->downsample)
        x = wk_forward(self->downsample, x);
    return wk_relu(wk_add(y, x));
}

static resnet_block *resnet_block_new(bool bottleneck, int64_t in, int64_t width, int64_t stride)
{
    const int64_t out = bottleneck ? 4 * width : width;
    resnet_block *self = wk_module_new(resnet_block, resnet_block_forward);
    if (bottleneck) {
        wk_add_module(self, conv1, wk_nn_conv2d(in, width, 1, .bias = false));
        wk_add_module(self, bn1, wk_nn_batch_norm2d(width));
        wk_add_module(self, conv2, wk_nn_conv2d(width, width, 3, .stride = stride, .padding = 1, .bias = false));
        wk_add_module(self, bn2, wk_nn_batch_norm2d(width));
        wk_add_module(self, conv3, wk_nn_conv2d(width, out, 1, .bias = false));
        wk_add_module(self, bn3, wk_nn_batch_norm2d(out));
    } else {
        wk_add_module(self, conv1, wk_nn_conv2d(in, width, 3, .stride = stride, .padding = 1, .bias = false));
        wk_add_module(self, bn1, wk_nn_batch_norm2d(width));
        wk_add_module(self, conv2, wk_nn_conv2d(width, width, 3, .padding = 1, .bias = false));
        wk_add_module(self, bn2, wk_nn_batch_norm2d(width));
    }
    if (stride != 1 || in != out)
        wk_add_module(
            self, downsample,
            wk_nn_sequential(wk_nn_conv2d(in, out, 1, .stride = stride, .bias = false), wk_nn_batch_norm2d(out)));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct resnet {
    wk_module_base base;
    wk_module *conv1, *bn1, *layer1, *layer2, *layer3, *layer4, *fc;
} resnet;

static wk_tensor *resnet_forward(void *module, wk_tensor *x)
{
    resnet *self = module;
    x = wk_relu(wk_forward(self->bn1, wk_forward(self->conv1, x))); // (B, width, H/2, W/2)
    x = wk_max_pool2d(x, 3, .stride = 2, .padding = 1);             // (B, width, H/4, W/4)
    x = wk_forward(self->layer1, x);
    x = wk_forward(self->layer2, x); // .. H/8
    x = wk_forward(self->layer3, x); // .. H/16
    x = wk_forward(self->layer4, x); // (B, C, H/32, W/32)
    x = wk_mean(x, (2, 3));          // (B, C)
    return wk_forward(self->fc, x);  // (B, classes)
}

typedef struct resnet_config {
    bool bottleneck;
    int64_t blocks[4], width, classes; // width: channels of the first block, doubled from layer to layer
} resnet_config;

static const resnet_config RESNET18 = {.blocks = {2, 2, 2, 2}, .width = 64, .classes = 1000};
static const resnet_config RESNET50 = {.bottleneck = true, .blocks = {3, 4, 6, 3}, .width = 64, .classes = 1000};

static resnet *resnet_new(resnet_config config)
{
    int64_t in = config.width;
    wk_module *layers[4];
    resnet *self = wk_module_new(resnet, resnet_forward);
    wk_add_module(self, conv1, wk_nn_conv2d(3, in, 7, .stride = 2, .padding = 3, .bias = false));
    wk_add_module(self, bn1, wk_nn_batch_norm2d(in));
    for (int i = 0; i < 4; i++) {
        const int64_t width = config.width << i;
        layers[i] = wk_nn_sequential();
        for (int64_t block = 0; block < config.blocks[i]; block++) {
            const int64_t stride = i > 0 && block == 0 ? 2 : 1;
            wk_nn_sequential_append(layers[i], resnet_block_new(config.bottleneck, in, width, stride));
            in = config.bottleneck ? 4 * width : width;
        }
    }
    wk_add_module(self, layer1, layers[0]);
    wk_add_module(self, layer2, layers[1]);
    wk_add_module(self, layer3, layers[2]);
    wk_add_module(self, layer4, layers[3]);
    wk_add_module(self, fc, wk_nn_linear(in, config.classes));
    return self;
}

#endif
