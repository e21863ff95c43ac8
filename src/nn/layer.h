/* What layers share: how each is finished, and how it names its arguments when printed. */
#ifndef WICK_NN_LAYER_H
#define WICK_NN_LAYER_H

#include <wick/autograd.h>
#include <wick/creation.h>
#include <wick/init.h>
#include <wick/nn.h>

#include "module.h"

/* the end of a constructor: self, or NULL (self freed) where its making failed */
static inline wk_module *wk_layer_ready(void *self, bool fine)
{
    if (!fine) {
        wk_module_free(self);
        return NULL;
    }
    return self;
}

/* an uninitialised parameter under self->field, of the layer's dtype and device: whether it is there */
#define WK_NEW_PARAMETER(self, field, size, args)                                                                      \
    (wk_add_parameter(self, field, wk_empty(size, .dtype = (args).dtype, .device = (args).device)) != NULL)

/* draws weight (out, in, ...) and bias as PyTorch's linear and convolutions do: both uniform, of bound 1 /
   sqrt(fan_in) */
bool wk_layer_reset(wk_tensor *weight, wk_tensor *bias);

static inline const char *wk_layer_bool(bool x) { return x ? "True" : "False"; }

#endif
