/* What a model that denoises is told beside the picture: at what time of the way it is, and of what class the picture
   shall be.  Both become one vector, which each of its blocks looks at. */
#ifndef KATAS_CONDITION_H
#define KATAS_CONDITION_H

#include <math.h>

#include <wick.h>

typedef struct condition {
    wk_module_base base;
    wk_module *time, *label;
    int64_t dim;
} condition;

/* t: (B,) times from 0 to 1, y: (B,) classes, or the number of classes for "any" -> (B, D) */
static wk_tensor *condition_forward(void *module, wk_tensor *t, wk_tensor *y)
{
    condition *self = module;
    const int64_t half = self->dim / 2;
    wk_tensor *i = wk_arange((half), .device = t->device, .dtype = wk_float32); // (D/2,)
    wk_tensor *frequencies = wk_exp(wk_mul(i, -log(10000) / (double)half));     // (D/2,): from 1 down to 1/10000
    wk_tensor *angles = wk_outer(wk_mul(t, 1000), frequencies);                 // (B, D/2)
    wk_tensor *waves = wk_cat((wk_cos(angles), wk_sin(angles)), .dim = -1);     // (B, D)
    wk_tensor *both = wk_add(wk_forward(self->time, waves), wk_forward(self->label, y)); // (B, D)
    return wk_silu(both);                                                                // (B, D)
}

static condition *condition_new(int64_t dim, int64_t classes)
{
    condition *self = wk_module_new(condition, NULL);
    wk_add_module(self, time, wk_nn_sequential(wk_nn_linear(dim, dim), wk_nn_silu(), wk_nn_linear(dim, dim)));
    wk_add_module(self, label, wk_nn_embedding(classes + 1, dim));
    self->dim = dim;
    return self;
}

#endif
