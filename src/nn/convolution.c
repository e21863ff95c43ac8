/* conv2d and conv1d as layers. */
#include <stdio.h>

#include <wick/convolution.h>

#include "layer.h"

static bool check_channels(const char *op, int64_t in, int64_t out, int64_t groups)
{
    if (in > 0 && out > 0 && groups > 0 && in % groups == 0 && out % groups == 0)
        return true;
    return wk_fail(op, "in_channels and out_channels: expected multiples of groups, got %lld, %lld and %lld groups",
                   (long long)in, (long long)out, (long long)groups);
}

/* "(3, 5)" of a pair, or the mode of a padding */
static const char *pair_text(wk_pair pair, char text[48])
{
    if (pair == WK_SAME)
        snprintf(text, 48, "same");
    else
        snprintf(text, 48, "(%lld, %lld)", (long long)wk_pair_get(pair, 0), (long long)wk_pair_get(pair, 1));
    return text;
}

/* ---------------------------------------------------------------- conv2d */

static wk_tensor *conv2d_forward(void *module, wk_tensor *x)
{
    const wk_nn_conv2d *self = module;
    return wk_conv2d(x, self->weight, self->bias, self->stride, self->padding, self->dilation, self->groups);
}

static void conv2d_repr(void *module, char *text, size_t size)
{
    const wk_nn_conv2d *self = module;
    char of[4][48];
    snprintf(text, size, "%lld, %lld, kernel_size=%s, stride=%s, padding=%s, dilation=%s, groups=%lld, bias=%s",
             (long long)self->in_channels, (long long)self->out_channels, pair_text(self->kernel_size, of[0]),
             pair_text(self->stride, of[1]), pair_text(self->padding, of[2]), pair_text(self->dilation, of[3]),
             (long long)self->groups, wk_layer_bool(self->bias));
}

wk_module *wk_nn_conv2d_with(wk_nn_conv2d_args args)
{
    const int64_t height = wk_pair_get(args.kernel_size, 0), width = wk_pair_get(args.kernel_size, 1);
    if (!check_channels("nn_conv2d", args.in_channels, args.out_channels, args.groups))
        return NULL;
    if (height <= 0 || width <= 0)
        return wk_fail("nn_conv2d", "kernel_size: expected 1 or more, got %lld, %lld", (long long)height,
                       (long long)width);
    wk_nn_conv2d *self = wk_module_new(wk_nn_conv2d, conv2d_forward, .extra_repr = conv2d_repr);
    if (!self)
        return NULL;
    self->in_channels = args.in_channels;
    self->out_channels = args.out_channels;
    self->kernel_size = args.kernel_size;
    self->stride = args.stride;
    self->padding = args.padding;
    self->dilation = args.dilation;
    self->groups = args.groups;
    bool fine = false;
    wk_scope
    {
        fine = WK_NEW_PARAMETER(self, weight, (args.out_channels, args.in_channels / args.groups, height, width), args);
        if (fine && args.bias)
            fine = WK_NEW_PARAMETER(self, bias, (args.out_channels), args);
        else
            wk_add_parameter(self, bias, NULL);
        fine = fine && wk_layer_reset(self->weight, self->bias);
    }
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- conv1d */

static wk_tensor *conv1d_forward(void *module, wk_tensor *x)
{
    const wk_nn_conv1d *self = module;
    return wk_conv1d(x, self->weight, self->bias, self->stride, self->padding, self->dilation, self->groups);
}

static void conv1d_repr(void *module, char *text, size_t size)
{
    const wk_nn_conv1d *self = module;
    snprintf(text, size, "%lld, %lld, kernel_size=%lld, stride=%lld, dilation=%lld, groups=%lld, bias=%s",
             (long long)self->in_channels, (long long)self->out_channels, (long long)self->kernel_size,
             (long long)self->stride, (long long)self->dilation, (long long)self->groups, wk_layer_bool(self->bias));
}

wk_module *wk_nn_conv1d_with(wk_nn_conv1d_args args)
{
    if (!check_channels("nn_conv1d", args.in_channels, args.out_channels, args.groups))
        return NULL;
    if (args.kernel_size <= 0)
        return wk_fail("nn_conv1d", "kernel_size: expected 1 or more, got %lld", (long long)args.kernel_size);
    wk_nn_conv1d *self = wk_module_new(wk_nn_conv1d, conv1d_forward, .extra_repr = conv1d_repr);
    if (!self)
        return NULL;
    self->in_channels = args.in_channels;
    self->out_channels = args.out_channels;
    self->kernel_size = args.kernel_size;
    self->stride = args.stride;
    self->padding = args.padding;
    self->dilation = args.dilation;
    self->groups = args.groups;
    bool fine = false;
    wk_scope
    {
        fine =
            WK_NEW_PARAMETER(self, weight, (args.out_channels, args.in_channels / args.groups, args.kernel_size), args);
        if (fine && args.bias)
            fine = WK_NEW_PARAMETER(self, bias, (args.out_channels), args);
        else
            wk_add_parameter(self, bias, NULL);
        fine = fine && wk_layer_reset(self->weight, self->bias);
    }
    return wk_layer_ready(self, fine);
}
