/* dropout: in training, zeros and scaled ones at random; in evaluation, nothing. */
#include <wick/dropout.h>

#include <stdio.h>

#include "layer.h"

static wk_tensor *dropout_forward(void *module, wk_tensor *x)
{
    const wk_nn_dropout *self = module;
    return wk_dropout(x, self->p, self->base.training, self->inplace);
}

static void dropout_repr(void *module, char *text, size_t size)
{
    const wk_nn_dropout *self = module;
    snprintf(text, size, "p=%g%s", self->p, self->inplace ? ", inplace=True" : "");
}

static wk_tensor *dropout1d_forward(void *module, wk_tensor *x)
{
    const wk_nn_dropout *self = module;
    return wk_dropout1d(x, self->p, self->base.training, self->inplace);
}

static wk_tensor *dropout2d_forward(void *module, wk_tensor *x)
{
    const wk_nn_dropout *self = module;
    return wk_dropout2d(x, self->p, self->base.training, self->inplace);
}

static wk_module *make(const char *type, wk_module_forward *forward, double p, bool inplace)
{
    if (!(p >= 0 && p <= 1))
        return wk_fail(type + 3, "p: expected 0 to 1, got %g", p);
    wk_nn_dropout *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = dropout_repr});
    if (self) {
        self->p = p;
        self->inplace = inplace;
    }
    return (wk_module *)self;
}

wk_module *wk_nn_dropout_with(wk_nn_dropout_args args)
{
    return make("wk_nn_dropout", dropout_forward, args.p, args.inplace);
}
wk_module *wk_nn_dropout1d_with(wk_nn_dropout_channels_args args)
{
    return make("wk_nn_dropout1d", dropout1d_forward, args.p, args.inplace);
}
wk_module *wk_nn_dropout2d_with(wk_nn_dropout_channels_args args)
{
    return make("wk_nn_dropout2d", dropout2d_forward, args.p, args.inplace);
}
