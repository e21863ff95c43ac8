/* A U-Net that denoises: pictures (B, C, H, W), times (B,), classes (B,) -> (B, C, H, W).

   Convolutions at two sizes: the smaller maps see the whole picture, the larger ones its details, and what the way down
   has seen at the larger size is handed across to the way up.  The first convolution strides over `patch` pixels.
   "U-Net", https://arxiv.org/abs/1505.04597; with times: "Denoising Diffusion Probabilistic Models",
   https://arxiv.org/abs/2006.11239. */
#ifndef KATAS_UNET_H
#define KATAS_UNET_H

#include "condition.h"

/* ---------------------------------------------------------------- block: skip(x) + conv(conv(x) + condition) */

typedef struct unet_block {
    wk_module_base base;
    wk_module *norm1, *conv1, *shift, *norm2, *conv2, *skip;
} unet_block;

/* x: (B, inner, H, W), c: (B, D) -> (B, outer, H, W) */
static wk_tensor *unet_block_forward(void *module, wk_tensor *x, wk_tensor *c)
{
    unet_block *self = module;
    wk_tensor *shift = wk_index(wk_forward(self->shift, c), ":, :, None, None");     // (B, outer, 1, 1)
    wk_tensor *h = wk_forward(self->conv1, wk_silu(wk_forward(self->norm1, x)));     // (B, outer, H, W)
    h = wk_forward(self->conv2, wk_silu(wk_forward(self->norm2, wk_add(h, shift)))); // (B, outer, H, W)
    return wk_add(wk_forward(self->skip, x), h);                                     // (B, outer, H, W)
}

static unet_block *unet_block_new(int64_t inner, int64_t outer, int64_t dim)
{
    unet_block *self = wk_module_new(unet_block, NULL);
    wk_add_module(self, norm1, wk_nn_group_norm(8, inner));
    wk_add_module(self, conv1, wk_nn_conv2d(inner, outer, 3, .padding = 1));
    wk_add_module(self, shift, wk_nn_linear(dim, outer));
    wk_add_module(self, norm2, wk_nn_group_norm(8, outer));
    wk_add_module(self, conv2, wk_nn_conv2d(outer, outer, 3, .padding = 1));
    wk_add_module(self, skip, inner != outer ? wk_nn_conv2d(inner, outer, 1) : wk_nn_identity());
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct unet {
    wk_module_base base;
    wk_module *first, *shrink, *grow, *norm, *last;
    unet_block *down1, *down2, *middle, *up;
    condition *condition;
} unet;

static wk_tensor *unet_forward(void *module, wk_tensor *x, wk_tensor *t, wk_tensor *y)
{
    unet *self = module;
    wk_tensor *c = wk_call(condition_forward, self->condition, t, y);  // (B, D)
    x = wk_forward(self->first, x);                                    // (B, width, H/P, W/P)
    wk_tensor *high = wk_call(unet_block_forward, self->down1, x, c);  // (B, width, H/P, W/P)
    wk_tensor *low = wk_forward(self->shrink, high);                   // (B, width, H/P/2, W/P/2)
    low = wk_call(unet_block_forward, self->down2, low, c);            // (B, 2*width, H/P/2, W/P/2)
    low = wk_call(unet_block_forward, self->middle, low, c);           // (B, 2*width, H/P/2, W/P/2)
    x = wk_cat((wk_forward(self->grow, low), high), .dim = 1);         // (B, 2*width, H/P, W/P)
    x = wk_call(unet_block_forward, self->up, x, c);                   // (B, width, H/P, W/P)
    return wk_forward(self->last, wk_silu(wk_forward(self->norm, x))); // (B, C, H, W)
}

/* H and W: multiples of 2 * patch; width a multiple of 8 */
static unet *unet_new(int64_t channels, int64_t patch, int64_t width, int64_t classes)
{
    const int64_t D = 4 * width, P = patch;
    unet *self = wk_module_new(unet, NULL);
    wk_add_module(self, condition, condition_new(D, classes));
    wk_add_module(self, first, wk_nn_conv2d(channels, width, P + 2, .stride = P, .padding = 1));
    wk_add_module(self, down1, unet_block_new(width, width, D));
    wk_add_module(self, shrink, wk_nn_conv2d(width, width, 3, .stride = 2, .padding = 1));
    wk_add_module(self, down2, unet_block_new(width, 2 * width, D));
    wk_add_module(self, middle, unet_block_new(2 * width, 2 * width, D));
    wk_add_module(self, grow, wk_nn_conv_transpose2d(2 * width, width, 4, .stride = 2, .padding = 1));
    wk_add_module(self, up, unet_block_new(2 * width, width, D));
    wk_add_module(self, norm, wk_nn_group_norm(8, width));
    wk_add_module(self, last, wk_nn_conv_transpose2d(width, channels, P + 2, .stride = P, .padding = 1));
    return self;
}

#endif
