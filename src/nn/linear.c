/* linear: y = x weight^T + bias. */
#include <math.h>
#include <stdio.h>

#include <wick/matmul.h>

#include "layer.h"

bool wk_layer_reset(wk_tensor *weight, wk_tensor *bias)
{
    if (!wk_nn_init_kaiming_uniform_(weight, sqrt(5.0)))
        return false;
    int64_t fan_in, fan_out;
    if (!bias || !wk_nn_init_calculate_fan_in_and_fan_out(weight, &fan_in, &fan_out))
        return !bias;
    const double bound = fan_in > 0 ? 1 / sqrt((double)fan_in) : 0;
    return wk_nn_init_uniform_(bias, -bound, bound) != NULL;
}

static wk_tensor *linear_forward(void *module, wk_tensor *x)
{
    const wk_nn_linear *self = module;
    return wk_linear(x, self->weight, self->bias);
}

static void linear_repr(void *module, char *text, size_t size)
{
    const wk_nn_linear *self = module;
    snprintf(text, size, "in_features=%lld, out_features=%lld, bias=%s", (long long)self->in_features,
             (long long)self->out_features, wk_layer_bool(self->bias));
}

wk_module *wk_nn_linear_with(wk_nn_linear_args args)
{
    if (args.in_features < 0 || args.out_features < 0)
        return wk_fail("nn_linear", "in_features and out_features: expected 0 or more, got %lld and %lld",
                       (long long)args.in_features, (long long)args.out_features);
    wk_nn_linear *self = wk_module_new(wk_nn_linear, linear_forward, .extra_repr = linear_repr);
    if (!self)
        return NULL;
    self->in_features = args.in_features;
    self->out_features = args.out_features;
    bool fine = false;
    wk_scope
    {
        fine = WK_NEW_PARAMETER(self, weight, (args.out_features, args.in_features), args);
        if (fine && args.bias)
            fine = WK_NEW_PARAMETER(self, bias, (args.out_features), args);
        else
            wk_add_parameter(self, bias, NULL);
        fine = fine && wk_layer_reset(self->weight, self->bias);
    }
    return wk_layer_ready(self, fine);
}
