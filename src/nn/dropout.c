/* dropout: in training, zeros and scaled ones at random; in evaluation, nothing. */
#include <wick/dropout.h>

#include <stdio.h>

#include "layer.h"

static wk_tensor *dropout_forward(void *module, wk_tensor *x)
{
    const wk_nn_dropout *self = module;
    return wk_dropout(x, self->p, self->base.training);
}

static void dropout_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "p=%g", ((const wk_nn_dropout *)module)->p);
}

wk_module *wk_nn_dropout_with(wk_nn_dropout_args args)
{
    if (!(args.p >= 0 && args.p <= 1))
        return wk_fail("nn_dropout", "p: expected 0 to 1, got %g", args.p);
    wk_nn_dropout *self = wk_module_new(wk_nn_dropout, dropout_forward, .extra_repr = dropout_repr);
    if (self)
        self->p = args.p;
    return (wk_module *)self;
}
