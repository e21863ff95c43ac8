/* conv1d, conv2d, conv3d, and the same transposed, as layers. */
#include <stdio.h>
#include <string.h>

#include <wick/convolution.h>
#include <wick/rearrange.h>

#include "layer.h"
#include "ops/spatial.h"

/* ---------------------------------------------------------------- called */

static bool pads_by_mode(const wk_nn_convolution *self) { return strcmp(self->padding_mode, "zeros") != 0; }

/* x with what a padding mode other than zeros puts around it */
static wk_tensor *padded(const wk_nn_convolution *self, wk_tensor *x)
{
    int64_t pad[6], kernel[3], dilation[3], padding[3];
    const bool same = self->padding == WK_SAME;
    if (!wk_per_dim_read("pad", "kernel_size", self->kernel_size, self->dims, 1, kernel) ||
        !wk_per_dim_read("pad", "dilation", self->dilation, self->dims, 1, dilation) ||
        (!same && !wk_per_dim_read("pad", "padding", self->padding, self->dims, 0, padding)))
        return NULL;
    for (int i = 0; i < self->dims; i++) { // from the last dim on
        const int dim = 2 - i;
        const int64_t both = same ? dilation[dim] * (kernel[dim] - 1) : 2 * padding[dim];
        pad[2 * i] = both / 2;
        pad[2 * i + 1] = both - both / 2;
    }
    return wk_pad_with((wk_pad_args){.x = x, .pad = {2 * self->dims, pad}, .mode = self->padding_mode});
}

static wk_tensor *convolution_forward(void *module, wk_tensor *x)
{
    static wk_tensor *(*const FUNCTIONS[])(wk_convolution_args) = {NULL, wk_conv1d_with, wk_conv2d_with,
                                                                   wk_conv3d_with};
    const wk_nn_convolution *self = module;
    const bool pads = pads_by_mode(self);
    return FUNCTIONS[self->dims]((wk_convolution_args){.x = pads ? padded(self, x) : x,
                                                       .weight = self->weight,
                                                       .bias = self->bias,
                                                       .stride = self->stride,
                                                       .padding = pads ? 0 : self->padding,
                                                       .dilation = self->dilation,
                                                       .groups = self->groups});
}

static wk_tensor *conv_transpose_forward(void *module, wk_tensor *x)
{
    static wk_tensor *(*const FUNCTIONS[])(wk_conv_transpose_args) = {
        NULL, wk_conv_transpose1d_with, wk_conv_transpose2d_with, wk_conv_transpose3d_with};
    const wk_nn_convolution *self = module;
    return FUNCTIONS[self->dims]((wk_conv_transpose_args){.x = x,
                                                          .weight = self->weight,
                                                          .bias = self->bias,
                                                          .stride = self->stride,
                                                          .padding = self->padding,
                                                          .output_padding = self->output_padding,
                                                          .groups = self->groups,
                                                          .dilation = self->dilation});
}

/* ---------------------------------------------------------------- printed, as PyTorch does */

/* ", stride=(2, 1)", or nothing where all numbers are `usual` */
static void print_option(char *text, size_t size, const char *name, wk_per_dim option, int dims, int64_t usual)
{
    int64_t numbers[3];
    bool all_usual = true;
    const size_t length = strlen(text);
    if (option == WK_SAME) {
        snprintf(text + length, size - length, ", %s=same", name);
        return;
    }
    if (!wk_per_dim_read("repr", name, option, dims, 0, numbers))
        return;
    for (int dim = 3 - dims; dim < 3; dim++)
        all_usual &= numbers[dim] == usual;
    if (!all_usual)
        snprintf(text + length, size - length, ", %s=%s", name,
                 wk_shape_text(dims, &numbers[3 - dims], (char[WK_SHAPE_TEXT]){0}));
}

static void repr(void *module, char *text, size_t size)
{
    enum { NEVER = -1 };
    const wk_nn_convolution *self = module;
    const int dims = self->dims;
    snprintf(text, size, "%lld, %lld", (long long)self->in_channels, (long long)self->out_channels);
    print_option(text, size, "kernel_size", self->kernel_size, dims, NEVER);
    print_option(text, size, "stride", self->stride, dims, NEVER);
    print_option(text, size, "padding", self->padding, dims, 0);
    print_option(text, size, "dilation", self->dilation, dims, 1);
    print_option(text, size, "output_padding", self->output_padding, dims, 0);
    size_t length = strlen(text);
    if (self->groups != 1)
        snprintf(text + length, size - length, ", groups=%lld", (long long)self->groups);
    length = strlen(text);
    snprintf(text + length, size - length, "%s%s%s", self->bias ? "" : ", bias=False",
             pads_by_mode(self) ? ", padding_mode=" : "", pads_by_mode(self) ? self->padding_mode : "");
}

/* ---------------------------------------------------------------- made */

static bool check(const char *op, const wk_nn_convolution *layer)
{
    const int dims = layer->dims;
    const long long in = layer->in_channels, out = layer->out_channels, groups = layer->groups;
    int64_t numbers[3], stride[3];
    if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0)
        return wk_fail(op, "in_channels and out_channels: expected multiples of groups, got %lld, %lld and %lld groups",
                       in, out, groups);
    if (!wk_per_dim_read(op, "kernel_size", layer->kernel_size, dims, 1, numbers) ||
        !wk_per_dim_read(op, "stride", layer->stride, dims, 1, stride) ||
        !wk_per_dim_read(op, "dilation", layer->dilation, dims, 1, numbers) ||
        !wk_per_dim_read(op, "output_padding", layer->output_padding, dims, 0, numbers))
        return false;
    for (int dim = 3 - dims; dim < 3 && layer->padding == WK_SAME; dim++)
        if (stride[dim] != 1)
            return wk_fail(op, "padding: WK_SAME needs stride 1, got %lld", (long long)stride[dim]);
    return (layer->padding == WK_SAME && !layer->transposed) ||
           wk_per_dim_read(op, "padding", layer->padding, dims, 0, numbers);
}

/* the four, as they may be kept */
static const char *find_mode(const char *op, const char *mode)
{
    static const char *const MODES[] = {"zeros", "reflect", "replicate", "circular"};
    for (size_t i = 0; mode && i < sizeof MODES / sizeof *MODES; i++)
        if (strcmp(mode, MODES[i]) == 0)
            return MODES[i];
    return wk_fail(op, "padding_mode: expected \"zeros\", \"reflect\", \"replicate\" or \"circular\", got \"%s\"",
                   mode ? mode : "NULL");
}

/* a layer with these options, its parameters drawn as PyTorch does */
static wk_module *new_layer(wk_nn_convolution options, bool bias, wk_device device, wk_dtype dtype)
{
    static const char *const TYPES[2][4] = {
        {"", "wk_nn_conv1d", "wk_nn_conv2d", "wk_nn_conv3d"},
        {"", "wk_nn_conv_transpose1d", "wk_nn_conv_transpose2d", "wk_nn_conv_transpose3d"}};
    const char *type = TYPES[options.transposed][options.dims], *op = type + strlen("wk_");
    int64_t kernel[3];
    options.padding_mode = find_mode(op, options.padding_mode);
    if (!options.padding_mode || !check(op, &options) ||
        !wk_per_dim_read(op, "kernel_size", options.kernel_size, options.dims, 1, kernel))
        return NULL;
    wk_nn_convolution *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self,
                         .type = type,
                         .forward = options.transposed ? conv_transpose_forward : convolution_forward,
                         .extra_repr = repr});
    if (!self)
        return NULL;
    options.base = self->base;
    *self = options;
    wk_shape size = {.ndim = options.dims + 2, .sizes = {options.out_channels, options.in_channels / options.groups}};
    if (options.transposed)
        size = (wk_shape){size.ndim, {options.in_channels, options.out_channels / options.groups}};
    memcpy(&size.sizes[2], &kernel[3 - options.dims], (size_t)options.dims * sizeof *kernel);
    bool fine = false;
    wk_scope
    {
        fine = wk_add_parameter(self, weight,
                                wk_empty_with((wk_factory_args){.size = size, .dtype = dtype, .device = device}));
        if (fine && bias)
            fine = wk_add_parameter(self, bias, wk_empty((options.out_channels), .dtype = dtype, .device = device));
        else
            wk_add_parameter(self, bias, NULL);
        fine = fine && wk_layer_reset(self->weight, self->bias);
    }
    return wk_layer_ready(self, fine);
}

static wk_module *convolution(int dims, const wk_nn_convolution_args *args)
{
    return new_layer((wk_nn_convolution){.in_channels = args->in_channels,
                                         .out_channels = args->out_channels,
                                         .kernel_size = args->kernel_size,
                                         .stride = args->stride,
                                         .padding = args->padding,
                                         .dilation = args->dilation,
                                         .groups = args->groups,
                                         .padding_mode = args->padding_mode,
                                         .dims = dims},
                     args->bias, args->device, args->dtype);
}

wk_module *wk_nn_conv1d_with(wk_nn_convolution_args args) { return convolution(1, &args); }
wk_module *wk_nn_conv2d_with(wk_nn_convolution_args args) { return convolution(2, &args); }
wk_module *wk_nn_conv3d_with(wk_nn_convolution_args args) { return convolution(3, &args); }

static wk_module *conv_transpose(int dims, const wk_nn_conv_transpose_args *args)
{
    return new_layer((wk_nn_convolution){.in_channels = args->in_channels,
                                         .out_channels = args->out_channels,
                                         .kernel_size = args->kernel_size,
                                         .stride = args->stride,
                                         .padding = args->padding,
                                         .dilation = args->dilation,
                                         .output_padding = args->output_padding,
                                         .groups = args->groups,
                                         .padding_mode = "zeros",
                                         .dims = dims,
                                         .transposed = true},
                     args->bias, args->device, args->dtype);
}

wk_module *wk_nn_conv_transpose1d_with(wk_nn_conv_transpose_args args) { return conv_transpose(1, &args); }
wk_module *wk_nn_conv_transpose2d_with(wk_nn_conv_transpose_args args) { return conv_transpose(2, &args); }
wk_module *wk_nn_conv_transpose3d_with(wk_nn_conv_transpose_args args) { return conv_transpose(3, &args); }
