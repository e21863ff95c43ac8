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

/* values as (C, 1, 1), or (1, 1, 1), of x's dtype and device; name is what errors call them; NULL after an error */
wk_tensor *wk_per_channel(const char *op, const char *name, const wk_tensor *x, const wk_vision_channels *values);
/* false after an error: p is no probability */
bool wk_check_probability(const char *op, double p);

/* (a b tx; c d ty): which place of x, from its middle, the place (x, y) of the result sees, from its own; NULL after an
   error.  fill without numbers: 0. */
typedef struct wk_affine {
    double a, b, tx, c, d, ty;
} wk_affine;
wk_affine wk_affine_of(const double center[2], double angle, const double translate[2], const double shear[2]);
wk_tensor *wk_apply_affine(const char *op, wk_tensor *x, const wk_affine *matrix, int64_t height, int64_t width,
                           const char *interpolation, const wk_vision_channels *fill);
bool wk_check_affine(const char *op, const char **interpolation, const wk_vision_channels *fill);

/* of RandAugment alone */
wk_tensor *wk_adjust_sharpness(wk_tensor *x, double factor);
wk_tensor *wk_posterize(wk_tensor *x, int bits);
wk_tensor *wk_solarize(wk_tensor *x, double threshold);
wk_tensor *wk_autocontrast(wk_tensor *x);
wk_tensor *wk_equalize(wk_tensor *x);

/* as resize wants them: interpolation becomes a constant string; false after an error */
bool wk_check_resize(const char *op, wk_vision_resize_args *args);
/* false after an error: no parts of an area, or no ratios of sides */
bool wk_check_rectangle(const char *op, const double scale[2], const double ratio[2]);
/* sides by chance: of a part of area from scale, `along` over `across` from ratio */
void wk_chance_rectangle(double area, const double scale[2], const double ratio[2], int64_t *along, int64_t *across);

/* draws, from the generator of this thread, as torch draws them */
float wk_chance_uniform(double from, double to); // torch.empty(1).uniform_(from, to)
bool wk_chance_below(double p);                  // torch.rand(1) < p
int64_t wk_chance_integer(int64_t end);          // torch.randint(0, end, (1,))

#endif
