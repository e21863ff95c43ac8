/* Pooling as layers. */
#include <stdio.h>
#include <string.h>

#include "layer.h"
#include "ops/spatial.h"

#define TEXT(option) wk_per_dim_text(option, (char[WK_SHAPE_TEXT]){0})

/* whether options can be read: those of max and of average pooling */
static bool check(const char *op, int dims, wk_per_dim kernel_size, wk_per_dim stride, wk_per_dim padding,
                  wk_per_dim dilation)
{
    int64_t numbers[3];
    return wk_per_dim_read(op, "kernel_size", kernel_size, dims, 1, numbers) &&
           wk_per_dim_read(op, "stride", stride, dims, 1, numbers) &&
           wk_per_dim_read(op, "padding", padding, dims, 0, numbers) &&
           wk_per_dim_read(op, "dilation", dilation, dims, 1, numbers);
}

/* ---------------------------------------------------------------- max */

static wk_tensor *max_pool_forward(void *module, wk_tensor *x)
{
    static wk_tensor *(*const FUNCTIONS[])(wk_max_pool_args) = {NULL, wk_max_pool1d_with, wk_max_pool2d_with,
                                                                wk_max_pool3d_with};
    const wk_nn_max_pool *self = module;
    return FUNCTIONS[self->dims]((wk_max_pool_args){.x = x,
                                                    .kernel_size = self->kernel_size,
                                                    .stride = self->stride,
                                                    .padding = self->padding,
                                                    .dilation = self->dilation,
                                                    .ceil_mode = self->ceil_mode});
}

static void max_pool_repr(void *module, char *text, size_t size)
{
    const wk_nn_max_pool *self = module;
    snprintf(text, size, "kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s", TEXT(self->kernel_size),
             TEXT(self->stride), TEXT(self->padding), TEXT(self->dilation), wk_layer_bool(self->ceil_mode));
}

static wk_module *max_pool(int dims, const wk_nn_max_pool_args *args)
{
    static const char *const TYPES[] = {"", "wk_nn_max_pool1d", "wk_nn_max_pool2d", "wk_nn_max_pool3d"};
    const wk_per_dim stride = args->stride == WK_NO_STRIDE ? args->kernel_size : args->stride;
    if (!check(TYPES[dims] + strlen("wk_"), dims, args->kernel_size, stride, args->padding, args->dilation))
        return NULL;
    wk_nn_max_pool *self = wk_module_new_with((wk_module_args){
        .size = sizeof *self, .type = TYPES[dims], .forward = max_pool_forward, .extra_repr = max_pool_repr});
    if (!self)
        return NULL;
    self->kernel_size = args->kernel_size;
    self->stride = stride;
    self->padding = args->padding;
    self->dilation = args->dilation;
    self->ceil_mode = args->ceil_mode;
    self->dims = dims;
    return (wk_module *)self;
}

wk_module *wk_nn_max_pool1d_with(wk_nn_max_pool_args args) { return max_pool(1, &args); }
wk_module *wk_nn_max_pool2d_with(wk_nn_max_pool_args args) { return max_pool(2, &args); }
wk_module *wk_nn_max_pool3d_with(wk_nn_max_pool_args args) { return max_pool(3, &args); }

/* ---------------------------------------------------------------- average */

static wk_tensor *avg_pool_forward(void *module, wk_tensor *x)
{
    static wk_tensor *(*const FUNCTIONS[])(wk_avg_pool_args) = {NULL, wk_avg_pool1d_with, wk_avg_pool2d_with,
                                                                wk_avg_pool3d_with};
    const wk_nn_avg_pool *self = module;
    return FUNCTIONS[self->dims]((wk_avg_pool_args){.x = x,
                                                    .kernel_size = self->kernel_size,
                                                    .stride = self->stride,
                                                    .padding = self->padding,
                                                    .ceil_mode = self->ceil_mode,
                                                    .count_include_pad = self->count_include_pad,
                                                    .divisor_override = self->divisor_override});
}

static void avg_pool_repr(void *module, char *text, size_t size)
{
    const wk_nn_avg_pool *self = module;
    snprintf(text, size,
             self->dims == 1 ? "kernel_size=(%s,), stride=(%s,), padding=(%s,)"
                             : "kernel_size=%s, stride=%s, padding=%s",
             TEXT(self->kernel_size), TEXT(self->stride), TEXT(self->padding));
}

static wk_module *avg_pool(int dims, const wk_nn_avg_pool_args *args)
{
    static const char *const TYPES[] = {"", "wk_nn_avg_pool1d", "wk_nn_avg_pool2d", "wk_nn_avg_pool3d"};
    const wk_per_dim stride = args->stride == WK_NO_STRIDE ? args->kernel_size : args->stride;
    if (!check(TYPES[dims] + strlen("wk_"), dims, args->kernel_size, stride, args->padding, 1))
        return NULL;
    wk_nn_avg_pool *self = wk_module_new_with((wk_module_args){
        .size = sizeof *self, .type = TYPES[dims], .forward = avg_pool_forward, .extra_repr = avg_pool_repr});
    if (!self)
        return NULL;
    self->kernel_size = args->kernel_size;
    self->stride = stride;
    self->padding = args->padding;
    self->ceil_mode = args->ceil_mode;
    self->count_include_pad = args->count_include_pad;
    self->divisor_override = args->divisor_override;
    self->dims = dims;
    return (wk_module *)self;
}

wk_module *wk_nn_avg_pool1d_with(wk_nn_avg_pool_args args) { return avg_pool(1, &args); }
wk_module *wk_nn_avg_pool2d_with(wk_nn_avg_pool_args args) { return avg_pool(2, &args); }
wk_module *wk_nn_avg_pool3d_with(wk_nn_avg_pool_args args) { return avg_pool(3, &args); }

/* ---------------------------------------------------------------- adaptive */

static wk_adaptive_pool_args adaptive_args(const wk_nn_adaptive_pool *self, wk_tensor *x)
{
    return (wk_adaptive_pool_args){.x = x, .output_size = self->output_size};
}

static wk_tensor *adaptive_avg_forward(void *module, wk_tensor *x)
{
    static wk_tensor *(*const FUNCTIONS[])(wk_adaptive_pool_args) = {
        NULL, wk_adaptive_avg_pool1d_with, wk_adaptive_avg_pool2d_with, wk_adaptive_avg_pool3d_with};
    return FUNCTIONS[((const wk_nn_adaptive_pool *)module)->dims](adaptive_args(module, x));
}

static wk_tensor *adaptive_max_forward(void *module, wk_tensor *x)
{
    return ((const wk_nn_adaptive_pool *)module)->dims == 1 ? wk_adaptive_max_pool1d_with(adaptive_args(module, x))
                                                            : wk_adaptive_max_pool2d_with(adaptive_args(module, x));
}

static void adaptive_repr(void *module, char *text, size_t size)
{
    const wk_nn_adaptive_pool *self = module;
    snprintf(text, size, "output_size=%s", TEXT(self->output_size));
}

static wk_module *adaptive_pool(const char *type, wk_module_forward *forward, int dims, wk_per_dim output_size)
{
    int64_t numbers[3];
    if (!wk_per_dim_read(type + strlen("wk_"), "output_size", output_size, dims, WK_KEEP, numbers))
        return NULL;
    wk_nn_adaptive_pool *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = adaptive_repr});
    if (self) {
        self->output_size = output_size;
        self->dims = dims;
    }
    return (wk_module *)self;
}

#define ADAPTIVE(name, forward, dims)                                                                                  \
    wk_module *name##_with(wk_nn_adaptive_pool_args args)                                                              \
    {                                                                                                                  \
        return adaptive_pool(#name, forward, dims, args.output_size);                                                  \
    }
ADAPTIVE(wk_nn_adaptive_avg_pool1d, adaptive_avg_forward, 1)
ADAPTIVE(wk_nn_adaptive_avg_pool2d, adaptive_avg_forward, 2)
ADAPTIVE(wk_nn_adaptive_avg_pool3d, adaptive_avg_forward, 3)
ADAPTIVE(wk_nn_adaptive_max_pool1d, adaptive_max_forward, 1)
ADAPTIVE(wk_nn_adaptive_max_pool2d, adaptive_max_forward, 2)
