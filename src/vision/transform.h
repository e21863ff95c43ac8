/* How transforms are made: each is a function of a picture and a struct of arguments, and a module that keeps the
   struct. */
#ifndef WICK_VISION_TRANSFORM_H
#define WICK_VISION_TRANSFORM_H

#include <wick/vision.h>

#include "core/tensor.h"
#include "nn/module.h"

/* a module of type `name` that keeps a copy of args; NULL after an error */
wk_module *wk_transform_new(const char *name, wk_module_forward *forward, const void *args, size_t bytes);
const void *wk_transform_args(const void *module);

/* false after an error: x is no picture (..., C, H, W), uint8 or floating */
bool wk_check_picture(const char *op, const wk_tensor *x);
/* size as (height, width), of one number or of two; false after an error */
bool wk_read_size(const char *op, wk_shape size, int64_t pair[2]);

/* draws, from the generator of this thread, as torch draws them */
float wk_chance_uniform(double from, double to); // torch.empty(1).uniform_(from, to)
bool wk_chance_below(double p);                  // torch.rand(1) < p
int64_t wk_chance_integer(int64_t end);          // torch.randint(0, end, (1,))

#endif
