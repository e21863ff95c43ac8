/* batch_norm and instance_norm: layers whose statistics are buffers. */
#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/normalization.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "layer.h"

typedef wk_nn_batch_norm layer;

/* ---------------------------------------------------------------- called */

static bool check_dims(const char *op, const layer *self, const wk_tensor *x, bool fits)
{
    static const char *const SHAPES[] = {"(N, C, ...)", "(N, C) or (N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)"};
    return fits || wk_fail(op, "x: expected %s, got %s", SHAPES[self->dims], wk_shape_string(x));
}

static bool check_channels(const char *op, const layer *self, const wk_tensor *x, int dim)
{
    return x->shape[dim] == self->num_features ||
           wk_fail(op, "x: expected %lld channels, got %s", (long long)self->num_features, wk_shape_string(x));
}

/* the number of this batch, from 1 */
static wk_tensor *count_batch(layer *self) { return wk_add_(self->num_batches_tracked, 1); }

static wk_tensor *batch_norm_forward(void *module, wk_tensor *x)
{
    layer *self = module;
    const int dims = x->ndim - 2;
    const bool fits = dims >= 0 && (self->dims == 0 || dims == self->dims || (self->dims == 1 && dims == 0));
    if (!check_dims(self->base.type, self, x, fits) || !check_channels(self->base.type, self, x, 1))
        return NULL;
    const bool tracks = self->running_mean != NULL, training = self->base.training;
    double momentum = self->momentum;
    if (training && tracks && self->num_batches_tracked) {
        wk_tensor *count = count_batch(self);
        if (!count)
            return NULL;
        if (momentum == WK_CUMULATIVE)
            momentum = 1 / (double)wk_item_int64(count);
    }
    return wk_batch_norm(x, self->running_mean, self->running_var, self->weight, self->bias, training || !tracks,
                         momentum, self->eps);
}

static wk_tensor *instance_norm_forward(void *module, wk_tensor *x)
{
    layer *self = module;
    const bool batched = x->ndim == self->dims + 2;
    if (!batched && x->ndim != self->dims + 1)
        return check_dims(self->base.type, self, x, false) ? x : NULL;
    if (!check_channels(self->base.type, self, x, batched))
        return NULL;
    wk_tensor *y = wk_instance_norm(batched ? x : wk_unsqueeze(x, 0), self->running_mean, self->running_var,
                                    self->weight, self->bias, self->base.training || !self->track_running_stats,
                                    self->momentum == WK_CUMULATIVE ? 0 : self->momentum, self->eps);
    return batched ? y : wk_squeeze(y, (0));
}

static void repr(void *module, char *text, size_t size)
{
    const layer *self = module;
    char momentum[32] = "None";
    if (self->momentum != WK_CUMULATIVE)
        snprintf(momentum, sizeof momentum, "%g", self->momentum);
    snprintf(text, size, "%lld, eps=%g, momentum=%s, affine=%s, track_running_stats=%s", (long long)self->num_features,
             self->eps, momentum, self->affine ? "True" : "False", self->track_running_stats ? "True" : "False");
}

/* ---------------------------------------------------------------- made */

static bool fill(layer *self, const wk_nn_batch_norm_args *args)
{
    const wk_factory_args zeros = {
        .size = WK_SHAPE(args->num_features), .fill = WK_NUMBER(0.0), .dtype = args->dtype, .device = args->device};
    wk_factory_args ones = zeros;
    ones.fill = WK_NUMBER(1.0);
    if (args->affine) {
        if (!wk_add_parameter(self, weight, wk_full_with(ones)) || !wk_add_parameter(self, bias, wk_full_with(zeros)))
            return false;
    } else {
        wk_add_parameter(self, weight, NULL);
        wk_add_parameter(self, bias, NULL);
    }
    if (args->track_running_stats)
        return wk_add_buffer(self, running_mean, wk_full_with(zeros)) &&
               wk_add_buffer(self, running_var, wk_full_with(ones)) &&
               wk_add_buffer(self, num_batches_tracked, wk_zeros((), .dtype = wk_int64, .device = args->device));
    wk_add_buffer(self, running_mean, NULL);
    wk_add_buffer(self, running_var, NULL);
    wk_add_buffer(self, num_batches_tracked, NULL);
    return !wk_failing();
}

static wk_module *make(const char *type, int dims, wk_module_forward *forward, wk_nn_batch_norm_args args)
{
    if (args.num_features <= 0)
        return wk_fail(type + 3, "num_features: expected 1 or more, got %lld", (long long)args.num_features);
    layer *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = repr});
    if (!self)
        return NULL;
    self->num_features = args.num_features;
    self->eps = args.eps;
    self->momentum = args.momentum;
    self->affine = args.affine;
    self->track_running_stats = args.track_running_stats;
    self->dims = dims;
    bool fine = false;
    wk_scope
    fine = fill(self, &args);
    return wk_layer_ready(self, fine);
}

wk_module *wk_nn_batch_norm1d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_batch_norm1d", 1, batch_norm_forward, args);
}
wk_module *wk_nn_batch_norm2d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_batch_norm2d", 2, batch_norm_forward, args);
}
wk_module *wk_nn_batch_norm3d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_batch_norm3d", 3, batch_norm_forward, args);
}
wk_module *wk_nn_sync_batch_norm_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_sync_batch_norm", 0, batch_norm_forward, args);
}
wk_module *wk_nn_instance_norm1d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_instance_norm1d", 1, instance_norm_forward, args);
}
wk_module *wk_nn_instance_norm2d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_instance_norm2d", 2, instance_norm_forward, args);
}
wk_module *wk_nn_instance_norm3d_with(wk_nn_batch_norm_args args)
{
    return make("wk_nn_instance_norm3d", 3, instance_norm_forward, args);
}

wk_module *wk_nn_sync_batch_norm_convert_sync_batchnorm(void *root)
{
    const wk_modules modules = wk_module_modules(root);
    for (int64_t i = 0; i < modules.count; i++) {
        wk_module *module = modules.items[i];
        if (module->inside->of_library && strncmp(module->type, "batch_norm", strlen("batch_norm")) == 0) {
            module->type = "sync_batch_norm";
            ((layer *)module)->dims = 0;
        }
    }
    return modules.count ? root : NULL;
}
