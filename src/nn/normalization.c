/* layer_norm, rms_norm, group_norm: their parameters start as ones and zeros, so they draw nothing. */
#include <stdio.h>

#include <wick/normalization.h>

#include "layer.h"

static bool ones(wk_tensor *x) { return !x || wk_nn_init_ones_(x); }
static bool zeros(wk_tensor *x) { return !x || wk_nn_init_zeros_(x); }

/* ---------------------------------------------------------------- layer_norm */

static wk_tensor *layer_norm_forward(void *module, wk_tensor *x)
{
    const wk_nn_layer_norm *self = module;
    return wk_layer_norm_with((wk_layer_norm_args){.x = x, .normalized_shape = self->normalized_shape,
                                                   .weight = self->weight, .bias = self->bias, .eps = self->eps});
}

static void layer_norm_repr(void *module, char *text, size_t size)
{
    const wk_nn_layer_norm *self = module;
    snprintf(text, size, "%s, eps=%g, elementwise_affine=%s, bias=%s",
             wk_shape_text(self->normalized_shape.ndim, self->normalized_shape.sizes, (char[WK_SHAPE_TEXT]){0}),
             self->eps, wk_layer_bool(self->weight), wk_layer_bool(self->bias));
}

wk_module *wk_nn_layer_norm_with(wk_nn_layer_norm_args args)
{
    wk_nn_layer_norm *self = wk_module_new(wk_nn_layer_norm, layer_norm_forward, .extra_repr = layer_norm_repr);
    if (!self)
        return NULL;
    wk_read_shape(&args.normalized_shape);
    self->normalized_shape = args.normalized_shape;
    self->eps = args.eps;
    const wk_factory_args like = {.size = args.normalized_shape, .dtype = args.dtype, .device = args.device};
    bool fine = true;
    wk_scope
    {
        if (args.elementwise_affine)
            fine = wk_add_parameter(self, weight, wk_empty_with(like)) != NULL;
        else
            wk_add_parameter(self, weight, NULL);
        if (fine && args.elementwise_affine && args.bias)
            fine = wk_add_parameter(self, bias, wk_empty_with(like)) != NULL;
        else
            wk_add_parameter(self, bias, NULL);
        fine = fine && ones(self->weight) && zeros(self->bias);
    }
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- rms_norm */

static wk_tensor *rms_norm_forward(void *module, wk_tensor *x)
{
    const wk_nn_rms_norm *self = module;
    return wk_rms_norm_with((wk_rms_norm_args){
        .x = x, .normalized_shape = self->normalized_shape, .weight = self->weight, .eps = self->eps});
}

static void rms_norm_repr(void *module, char *text, size_t size)
{
    const wk_nn_rms_norm *self = module;
    char eps[32] = "None";
    if (self->eps >= 0)
        snprintf(eps, sizeof eps, "%g", self->eps);
    snprintf(text, size, "%s, eps=%s, elementwise_affine=%s",
             wk_shape_text(self->normalized_shape.ndim, self->normalized_shape.sizes, (char[WK_SHAPE_TEXT]){0}), eps,
             wk_layer_bool(self->weight));
}

wk_module *wk_nn_rms_norm_with(wk_nn_rms_norm_args args)
{
    wk_nn_rms_norm *self = wk_module_new(wk_nn_rms_norm, rms_norm_forward, .extra_repr = rms_norm_repr);
    if (!self)
        return NULL;
    wk_read_shape(&args.normalized_shape);
    self->normalized_shape = args.normalized_shape;
    self->eps = args.eps;
    bool fine = true;
    wk_scope
    {
        if (args.elementwise_affine)
            fine = wk_add_parameter(self, weight, wk_empty_with((wk_factory_args){
                                                      .size = args.normalized_shape, .dtype = args.dtype,
                                                      .device = args.device})) != NULL;
        else
            wk_add_parameter(self, weight, NULL);
        fine = fine && ones(self->weight);
    }
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- group_norm */

static wk_tensor *group_norm_forward(void *module, wk_tensor *x)
{
    const wk_nn_group_norm *self = module;
    return wk_group_norm(x, self->num_groups, self->weight, self->bias, self->eps);
}

static void group_norm_repr(void *module, char *text, size_t size)
{
    const wk_nn_group_norm *self = module;
    snprintf(text, size, "%lld, %lld, eps=%g, affine=%s", (long long)self->num_groups, (long long)self->num_channels,
             self->eps, wk_layer_bool(self->weight));
}

wk_module *wk_nn_group_norm_with(wk_nn_group_norm_args args)
{
    if (args.num_groups <= 0 || args.num_channels <= 0 || args.num_channels % args.num_groups != 0)
        return wk_fail("nn_group_norm", "num_channels: expected a multiple of num_groups, got %lld and %lld",
                       (long long)args.num_channels, (long long)args.num_groups);
    wk_nn_group_norm *self = wk_module_new(wk_nn_group_norm, group_norm_forward, .extra_repr = group_norm_repr);
    if (!self)
        return NULL;
    self->num_groups = args.num_groups;
    self->num_channels = args.num_channels;
    self->eps = args.eps;
    bool fine = true;
    wk_scope
    {
        if (args.affine) {
            fine = WK_NEW_PARAMETER(self, weight, (args.num_channels), args) &&
                   WK_NEW_PARAMETER(self, bias, (args.num_channels), args);
        } else {
            wk_add_parameter(self, weight, NULL);
            wk_add_parameter(self, bias, NULL);
        }
        fine = fine && ones(self->weight) && zeros(self->bias);
    }
    return wk_layer_ready(self, fine);
}
