/* RandAugment: torchvision.transforms.v2. */
#include "transform.h"

#include <math.h>

#include "core/error_internal.h"

static const char OP[] = "rand_augment";

/* what is drawn decides the change: the order is torchvision's */
typedef enum change {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST,
    EQUALIZE,
    CHANGES
} change;

/* element i of torch.linspace(start, end, steps), in float */
static float linspace_at(float start, float end, int64_t steps, int64_t i)
{
    const float step = steps > 1 ? (end - start) / (float)(steps - 1) : 0;
    return i < steps / 2 ? start + step * (float)i : end - step * (float)(steps - i - 1);
}

/* how much of it, at the caller's magnitude; a sign may be drawn */
static double magnitude_of(change what, const wk_vision_rand_augment_args *args, int64_t height, int64_t width)
{
    double start = 0, end = 0.9;
    if (what == POSTERIZE) {
        const float part = (float)args->magnitude / (float)((double)(args->num_magnitude_bins - 1) / 4);
        return (double)rintf(8 - part);
    }
    if (what == SHEAR_X || what == SHEAR_Y)
        end = 0.3;
    else if (what == TRANSLATE_X || what == TRANSLATE_Y)
        end = 150.0 / 331.0 * (double)(what == TRANSLATE_X ? width : height);
    else if (what == ROTATE)
        end = 30;
    else if (what == SOLARIZE)
        start = 1, end = 0;
    return (double)linspace_at((float)start, (float)end, args->num_magnitude_bins, args->magnitude);
}

static wk_tensor *affine(wk_tensor *x, const wk_vision_rand_augment_args *args, const double center[2],
                         const double translate[2], const double shear[2])
{
    const int64_t height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    const wk_affine matrix = wk_affine_of(center, 0, translate, shear);
    return wk_apply_affine(OP, x, &matrix, height, width, args->interpolation, &args->fill);
}

static wk_tensor *apply(change what, wk_tensor *x, double magnitude, const wk_vision_rand_augment_args *args)
{
    const double none[2] = {0, 0}, degrees = atan(magnitude) * (180 / M_PI), whole = trunc(magnitude);
    const double corner[2] = {-0.5 * (double)x->shape[x->ndim - 1], -0.5 * (double)x->shape[x->ndim - 2]};
    switch (what) {
    case SHEAR_X:
        return affine(x, args, corner, none, (double[]){degrees, 0});
    case SHEAR_Y:
        return affine(x, args, corner, none, (double[]){0, degrees});
    case TRANSLATE_X:
        return affine(x, args, none, (double[]){whole, 0}, none);
    case TRANSLATE_Y:
        return affine(x, args, none, (double[]){0, whole}, none);
    case ROTATE:
        return wk_vision_functional_rotate_with(
            x, (wk_vision_rotate_args){.angle = magnitude, .interpolation = args->interpolation, .fill = args->fill});
    case BRIGHTNESS:
        return wk_vision_functional_adjust_brightness(x, 1 + magnitude);
    case COLOR:
        return wk_vision_functional_adjust_saturation(x, 1 + magnitude);
    case CONTRAST:
        return wk_vision_functional_adjust_contrast(x, 1 + magnitude);
    case SHARPNESS:
        return wk_adjust_sharpness(x, 1 + magnitude);
    case POSTERIZE:
        return wk_posterize(x, (int)magnitude);
    case SOLARIZE:
        return wk_solarize(x, (x->dtype == wk_uint8 ? 255 : 1) * magnitude);
    case AUTO_CONTRAST:
        return wk_autocontrast(x);
    case EQUALIZE:
        return wk_equalize(x);
    default:
        return x;
    }
}

static wk_tensor *rand_augment_forward(void *module, wk_tensor *x)
{
    const wk_vision_rand_augment_args *args = wk_transform_args(module);
    WK_NAMES_ERRORS("rand_augment");
    if (!wk_check_picture(OP, x))
        return NULL;
    if (x->numel == 0 || (x->shape[x->ndim - 3] != 1 && x->shape[x->ndim - 3] != 3))
        return wk_fail(OP, "x: expected a picture of 1 or 3 channels, got %s", wk_shape_string(x));
    for (int64_t i = 0; x && i < args->num_ops; i++) {
        const change what = (change)wk_chance_integer(CHANGES);
        const bool has_magnitude = what != IDENTITY && what != AUTO_CONTRAST && what != EQUALIZE;
        const bool is_signed = what >= SHEAR_X && what <= SHARPNESS;
        double magnitude = has_magnitude ? magnitude_of(what, args, x->shape[x->ndim - 2], x->shape[x->ndim - 1]) : 0;
        if (is_signed && wk_chance_uniform(0, 1) <= 0.5f)
            magnitude = -magnitude;
        x = apply(what, x, magnitude, args);
    }
    return x;
}

wk_module *wk_vision_rand_augment_with(wk_vision_rand_augment_args args)
{
    if (args.num_ops < 0 || args.num_magnitude_bins < 2 || args.magnitude < 0 ||
        args.magnitude >= args.num_magnitude_bins)
        return wk_fail(OP,
                       "num_ops, magnitude, num_magnitude_bins: expected 0 or more, less than the bins, and 2 or "
                       "more, got %lld, %lld, %lld",
                       (long long)args.num_ops, (long long)args.magnitude, (long long)args.num_magnitude_bins);
    return wk_check_affine(OP, &args.interpolation, &args.fill)
               ? wk_transform_new(OP, rand_augment_forward, &args, sizeof args)
               : NULL;
}
