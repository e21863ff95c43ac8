/* Layers without parameters that change sizes: upsample, unfold, fold, pixel_shuffle and back, padding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "layer.h"
#include "ops/spatial.h"

/* ---------------------------------------------------------------- upsample */

static wk_tensor *upsample_forward(void *module, wk_tensor *x)
{
    wk_interpolate_args args = ((const wk_nn_upsample *)module)->options;
    args.x = x;
    return wk_interpolate_with(args);
}

static void print_factor(char *text, size_t size, const char *before, double factor)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", before, wk_python_float(factor, (char[WK_PYTHON_FLOAT]){0}));
}

static void upsample_repr(void *module, char *text, size_t size)
{
    const wk_interpolate_args *options = &((const wk_nn_upsample *)module)->options;
    const bool each = options->scale_factors[0] != 0;
    if (options->size != 0)
        snprintf(text, size, "size=%s", wk_per_dim_text(options->size, (char[WK_SHAPE_TEXT]){0}));
    else {
        snprintf(text, size, "scale_factor=");
        if (!each)
            print_factor(text, size, "", options->scale_factor);
        for (int i = 0; each && i < 3 && options->scale_factors[i] != 0; i++)
            print_factor(text, size, i == 0 ? "(" : ", ", options->scale_factors[i]);
    }
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s, mode='%s'", each ? ")" : "", options->mode);
}

wk_module *wk_nn_upsample_with(wk_interpolate_args options)
{
    options.mode = wk_interpolate_mode("nn_upsample", options.mode);
    wk_nn_upsample *self =
        options.mode ? wk_module_new(wk_nn_upsample, upsample_forward, .extra_repr = upsample_repr) : NULL;
    if (self)
        self->options = options;
    return (wk_module *)self;
}

/* ---------------------------------------------------------------- unfold, fold */

static wk_tensor *unfold_forward(void *module, wk_tensor *x)
{
    const wk_nn_fold *self = module;
    return wk_im2col_with((wk_im2col_args){x, self->kernel_size, self->dilation, self->padding, self->stride});
}

static wk_tensor *fold_forward(void *module, wk_tensor *x)
{
    const wk_nn_fold *self = module;
    return wk_fold_with(
        (wk_fold_args){x, self->output_size, self->kernel_size, self->dilation, self->padding, self->stride});
}

#define TEXT(option) wk_per_dim_text(option, (char[WK_SHAPE_TEXT]){0})

static void unfold_repr(void *module, char *text, size_t size)
{
    const wk_nn_fold *self = module;
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "kernel_size=%s, dilation=%s, padding=%s, stride=%s", TEXT(self->kernel_size),
             TEXT(self->dilation), TEXT(self->padding), TEXT(self->stride));
}

static void fold_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "output_size=%s, ", TEXT(((const wk_nn_fold *)module)->output_size));
    unfold_repr(module, text, size);
}

static bool check_windows(const char *op, const wk_nn_fold_args *args)
{
    int64_t numbers[3];
    return wk_per_dim_read(op, "kernel_size", args->kernel_size, 2, 1, numbers) &&
           wk_per_dim_read(op, "dilation", args->dilation, 2, 1, numbers) &&
           wk_per_dim_read(op, "padding", args->padding, 2, 0, numbers) &&
           wk_per_dim_read(op, "stride", args->stride, 2, 1, numbers);
}

static wk_module *folding(wk_nn_fold *self, const wk_nn_fold_args *args)
{
    if (!self)
        return NULL;
    self->output_size = args->output_size;
    self->kernel_size = args->kernel_size;
    self->dilation = args->dilation;
    self->padding = args->padding;
    self->stride = args->stride;
    return (wk_module *)self;
}

wk_module *wk_nn_unfold_with(wk_nn_unfold_args args)
{
    const wk_nn_fold_args all = {0, 0, args.kernel_size, args.dilation, args.padding, args.stride};
    return check_windows("nn_unfold", &all)
               ? folding(wk_module_new(wk_nn_unfold, unfold_forward, .extra_repr = unfold_repr), &all)
               : NULL;
}

wk_module *wk_nn_fold_with(wk_nn_fold_args args)
{
    int64_t numbers[3];
    return wk_per_dim_read("nn_fold", "output_size", args.output_size, 2, 1, numbers) && check_windows("nn_fold", &args)
               ? folding(wk_module_new(wk_nn_fold, fold_forward, .extra_repr = fold_repr), &args)
               : NULL;
}

/* ---------------------------------------------------------------- pixel_shuffle, pixel_unshuffle */

typedef struct wk_nn_shuffle {
    wk_module_base base;
    int64_t factor;
    bool up;
} wk_nn_shuffle;

static wk_tensor *shuffle_forward(void *module, wk_tensor *x)
{
    const wk_nn_shuffle *self = module;
    return self->up ? wk_pixel_shuffle(x, self->factor) : wk_pixel_unshuffle(x, self->factor);
}

static void shuffle_repr(void *module, char *text, size_t size)
{
    const wk_nn_shuffle *self = module;
    snprintf(text, size, "%s_factor=%lld", self->up ? "upscale" : "downscale", (long long)self->factor);
}

static wk_module *shuffle(bool up, int64_t factor)
{
    if (factor < 1)
        return wk_fail(up ? "nn_pixel_shuffle" : "nn_pixel_unshuffle", "%s_factor: expected at least 1, got %lld",
                       up ? "upscale" : "downscale", (long long)factor);
    wk_nn_shuffle *self =
        wk_module_new_with((wk_module_args){.size = sizeof *self,
                                            .type = up ? "wk_nn_pixel_shuffle" : "wk_nn_pixel_unshuffle",
                                            .forward = shuffle_forward,
                                            .extra_repr = shuffle_repr});
    if (self) {
        self->factor = factor;
        self->up = up;
    }
    return (wk_module *)self;
}

wk_module *wk_nn_pixel_shuffle_with(wk_nn_pixel_shuffle_args args) { return shuffle(true, args.upscale_factor); }
wk_module *wk_nn_pixel_unshuffle_with(wk_nn_pixel_unshuffle_args args) { return shuffle(false, args.downscale_factor); }

/* ---------------------------------------------------------------- padding */

static wk_tensor *pad_forward(void *module, wk_tensor *x)
{
    const wk_nn_pad *self = module;
    return wk_pad_with(
        (wk_pad_args){.x = x, .pad = {2 * self->dims, self->padding}, .mode = "constant", .value = self->value});
}

static void zero_pad_repr(void *module, char *text, size_t size)
{
    const wk_nn_pad *self = module;
    snprintf(text, size, "%s", wk_shape_text(2 * self->dims, self->padding, (char[WK_SHAPE_TEXT]){0}));
}

static void constant_pad_repr(void *module, char *text, size_t size)
{
    const wk_nn_pad *self = module;
    snprintf(text, size, "padding=%s, value=%g", wk_shape_text(2 * self->dims, self->padding, (char[WK_SHAPE_TEXT]){0}),
             self->value);
}

static wk_module *pad(const wk_module_args *made, int dims, wk_sizes padding, double value)
{
    if (padding.count != 1 && padding.count != 2 * dims)
        return wk_fail(made->type + sizeof "wk_" - 1, "padding: expected one number, or %d, got %lld", 2 * dims,
                       (long long)padding.count);
    wk_nn_pad *self = wk_module_new_with(*made);
    if (!self)
        return NULL;
    for (int i = 0; i < 2 * dims; i++)
        self->padding[i] = padding.items[padding.count == 1 ? 0 : i];
    self->value = value;
    self->dims = dims;
    return (wk_module *)self;
}

wk_module *wk_nn_zero_pad2d_with(wk_sizes padding)
{
    const wk_module_args made = {
        .size = sizeof(wk_nn_pad), .type = "wk_nn_zero_pad2d", .forward = pad_forward, .extra_repr = zero_pad_repr};
    return pad(&made, 2, padding, 0);
}

wk_module *wk_nn_constant_pad1d_with(wk_sizes padding, double value)
{
    const wk_module_args made = {.size = sizeof(wk_nn_pad),
                                 .type = "wk_nn_constant_pad1d",
                                 .forward = pad_forward,
                                 .extra_repr = constant_pad_repr};
    return pad(&made, 1, padding, value);
}
