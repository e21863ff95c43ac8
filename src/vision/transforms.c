/* Transforms without chance: sizes and values.  torchvision.transforms.v2.functional. */
#include "transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/resize.h>
#include <wick/view.h>

#include "core/error_internal.h"

/* ---------------------------------------------------------------- what transforms share */

typedef struct transform {
    wk_module_base base;
    _Alignas(16) char args[];
} transform;

wk_module *wk_transform_new(const char *name, wk_module_forward *forward, const void *args, size_t bytes)
{
    transform *self =
        wk_module_new_with((wk_module_args){.size = sizeof *self + bytes, .type = name, .forward = forward});
    if (self && bytes > 0)
        memcpy(self->args, args, bytes);
    return (wk_module *)self;
}

const void *wk_transform_args(const void *module) { return ((const transform *)module)->args; }

bool wk_check_picture(const char *op, const wk_tensor *x)
{
    WK_REQUIRE(op, x);
    if (x->ndim < 3 || (x->dtype != wk_uint8 && !wk_dtype_is_floating(x->dtype)))
        return wk_fail(op, "x: expected a picture, uint8 or floating (..., C, H, W), got %s %s",
                       wk_dtype_name(x->dtype), wk_shape_string(x));
    return true;
}

bool wk_read_size(const char *op, wk_shape size, int64_t pair[2])
{
    wk_read_shape(&size);
    if (size.ndim < 1 || size.ndim > 2 || size.sizes[0] < 1 || size.sizes[size.ndim - 1] < 1)
        return wk_fail(op, "size: expected one number, or height and width, of 1 or more, got %s",
                       wk_shape_text(size.ndim, size.sizes, (char[WK_SHAPE_TEXT]){0}));
    pair[0] = size.sizes[0];
    pair[1] = size.sizes[size.ndim - 1];
    return true;
}

wk_tensor *wk_per_channel(const char *op, const char *name, const wk_tensor *x, const wk_vision_channels *values)
{
    const int64_t channels = x->shape[x->ndim - 3];
    if (values->count != 1 && values->count != channels)
        return wk_fail(op, "%s: expected one number, or one for each of %lld channels, got %d", name,
                       (long long)channels, values->count);
    wk_tensor *numbers = wk_tensor((values->count), &values->values[0]);
    return wk_reshape(wk_to(wk_to(numbers, x->dtype), x->device), (values->count, 1, 1));
}

wk_module *wk_vision_compose_with(wk_module_tuple transforms)
{
    wk_module *all = wk_nn_sequential_with(transforms);
    if (all)
        all->type = "compose";
    return all;
}

/* ---------------------------------------------------------------- resize */

bool wk_check_resize(const char *op, wk_vision_resize_args *args)
{
    int64_t pair[2];
    if (!wk_read_size(op, args->size, pair))
        return false;
    wk_read_shape(&args->size);
    static const char *const modes[] = {"bilinear", "bicubic", "nearest", "nearest-exact"};
    const char *found = NULL;
    for (int i = 0; i < 4 && !found; i++)
        if (args->interpolation && strcmp(args->interpolation, modes[i]) == 0)
            found = modes[i];
    if (!found)
        return wk_fail(
            op, "interpolation: expected \"bilinear\", \"bicubic\", \"nearest\" or \"nearest-exact\", got \"%s\"",
            args->interpolation ? args->interpolation : "NULL");
    args->interpolation = found;
    if (args->max_size != 0 && (args->size.ndim != 1 || args->max_size <= pair[0]))
        return wk_fail(op, "max_size: expected more than a size of one number, got %lld of %s",
                       (long long)args->max_size,
                       wk_shape_text(args->size.ndim, args->size.sizes, (char[WK_SHAPE_TEXT]){0}));
    return true;
}

/* the shorter side becomes size, unless the other would become more than max_size */
static void sizes_of_shorter(const wk_vision_resize_args *args, int64_t height, int64_t width, int64_t pair[2])
{
    const bool upright = width <= height;
    const double shorter = (double)(upright ? width : height), longer = (double)(upright ? height : width);
    int64_t new_shorter = args->size.sizes[0], new_longer = (int64_t)((double)new_shorter * longer / shorter);
    if (args->max_size > 0 && new_longer > args->max_size) {
        new_shorter = (int64_t)((double)(args->max_size * new_shorter) / (double)new_longer);
        new_longer = args->max_size;
    }
    pair[0] = upright ? new_longer : new_shorter;
    pair[1] = upright ? new_shorter : new_longer;
}

static wk_tensor *resize(wk_tensor *x, const wk_vision_resize_args *args)
{
    const char *const op = "resize";
    const int64_t height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    int64_t pair[2] = {args->size.sizes[0], args->size.sizes[1]};
    if (x->numel < 1)
        return wk_fail(op, "x: expected sizes of 1 or more, got %s", wk_shape_string(x));
    if (args->size.ndim == 1)
        sizes_of_shorter(args, height, width, pair);
    if (pair[0] < 1 || pair[1] < 1)
        return wk_fail(op, "size: expected one that leaves a pixel of %s, got %lld x %lld", wk_shape_string(x),
                       (long long)pair[0], (long long)pair[1]);
    if (pair[0] == height && pair[1] == width)
        return x;
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    shape.sizes[x->ndim - 2] = pair[0];
    shape.sizes[x->ndim - 1] = pair[1];
    const bool smooth = args->interpolation[0] == 'b', half = x->dtype == wk_float16 || x->dtype == wk_bfloat16;
    wk_tensor *batch = wk_reshape(half ? wk_to(x, wk_float32) : x, (-1, x->shape[x->ndim - 3], height, width));
    wk_tensor *y = wk_interpolate(batch, .size = wk_per_dim(pair[0], pair[1]), .mode = args->interpolation,
                                  .antialias = smooth && args->antialias);
    y = wk_reshape_with(y, shape);
    return half ? wk_to(y, x->dtype) : y;
}

wk_tensor *wk_vision_functional_resize_with(wk_tensor *x, wk_vision_resize_args args)
{
    WK_NAMES_ERRORS("resize");
    if (!wk_check_resize("resize", &args) || !wk_check_picture("resize", x))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(resize(x, &args));
    }
    return y;
}

static wk_tensor *resize_forward(void *module, wk_tensor *x)
{
    return wk_vision_functional_resize_with(x, *(const wk_vision_resize_args *)wk_transform_args(module));
}

wk_module *wk_vision_resize_with(wk_vision_resize_args args)
{
    return wk_check_resize("resize", &args) ? wk_transform_new("resize", resize_forward, &args, sizeof args) : NULL;
}

/* ---------------------------------------------------------------- crop */

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

wk_tensor *wk_vision_functional_crop(wk_tensor *x, int64_t top, int64_t left, int64_t height, int64_t width)
{
    WK_NAMES_ERRORS("crop");
    if (!wk_check_picture("crop", x))
        return NULL;
    const int64_t bound = INT64_C(1) << 40;
    if (height < 0 || width < 0 || height > bound || width > bound || llabs(top) > bound || llabs(left) > bound)
        return wk_fail("crop", "height, width: expected 0 or more, got %lld and %lld at %lld, %lld", (long long)height,
                       (long long)width, (long long)top, (long long)left);
    const int64_t h = x->shape[x->ndim - 2], w = x->shape[x->ndim - 1], bottom = top + height, right = left + width;
    wk_tensor *y = NULL;
    wk_scope
    {
        const int64_t from = least(most(top, 0), h), to = most(least(bottom, h), from);
        const int64_t first = least(most(left, 0), w), last = most(least(right, w), first);
        wk_tensor *seen = wk_narrow(wk_narrow(x, -2, from, to - from), -1, first, last - first);
        if (top < 0 || left < 0 || bottom > h || right > w)
            seen = wk_pad(seen, (most(least(right, 0) - left, 0), most(right - most(w, left), 0),
                                 most(least(bottom, 0) - top, 0), most(bottom - most(h, top), 0)));
        y = wk_keep(seen);
    }
    return y;
}

wk_tensor *wk_vision_functional_center_crop_with(wk_tensor *x, wk_vision_center_crop_args args)
{
    const char *const op = "center_crop";
    WK_NAMES_ERRORS("center_crop");
    int64_t pair[2];
    if (!wk_read_size(op, args.size, pair) || !wk_check_picture(op, x))
        return NULL;
    const int64_t height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    wk_tensor *y = NULL;
    wk_scope
    {
        const int64_t more_h = most(pair[0] - height, 0), more_w = most(pair[1] - width, 0);
        wk_tensor *wide =
            more_h + more_w > 0 ? wk_pad(x, (more_w / 2, (more_w + 1) / 2, more_h / 2, (more_h + 1) / 2)) : x;
        const int64_t top = (int64_t)rint((double)(height + more_h - pair[0]) / 2), // half to even, as Python rounds
            left = (int64_t)rint((double)(width + more_w - pair[1]) / 2);
        y = wk_keep(wk_narrow(wk_narrow(wide, -2, top, pair[0]), -1, left, pair[1]));
    }
    return y;
}

static wk_tensor *center_crop_forward(void *module, wk_tensor *x)
{
    return wk_vision_functional_center_crop_with(x, *(const wk_vision_center_crop_args *)wk_transform_args(module));
}

wk_module *wk_vision_center_crop_with(wk_vision_center_crop_args args)
{
    int64_t pair[2];
    return wk_read_size("center_crop", args.size, pair)
               ? wk_transform_new("center_crop", center_crop_forward, &args, sizeof args)
               : NULL;
}

/* ---------------------------------------------------------------- values */

wk_tensor *wk_vision_functional_to_tensor(wk_tensor *x)
{
    WK_NAMES_ERRORS("to_tensor");
    WK_REQUIRE("to_tensor", x);
    if (x->dtype != wk_uint8)
        return wk_dtype_is_floating(x->dtype) ? x : wk_to(x, wk_float32);
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *floats = wk_to(x, wk_float32);
        y = wk_keep(wk_div_(floats, 255));
    }
    return y;
}

static wk_tensor *to_tensor_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_vision_functional_to_tensor(x);
}

wk_module *wk_vision_to_tensor(void) { return wk_transform_new("to_tensor", to_tensor_forward, NULL, 0); }

static bool check_normalize(const wk_vision_normalize_args *args)
{
    if (args->mean.count < 1 || args->std.count < 1 || args->mean.count > WK_VISION_CHANNELS ||
        args->std.count > WK_VISION_CHANNELS)
        return wk_fail("normalize", "mean, std: expected 1 to %d numbers, got %d and %d", WK_VISION_CHANNELS,
                       args->mean.count, args->std.count);
    for (int i = 0; i < args->std.count; i++)
        if (args->std.values[i] == 0)
            return wk_fail("normalize", "std: expected numbers other than 0, got 0 for channel %d", i);
    return true;
}

wk_tensor *wk_vision_functional_normalize_with(wk_tensor *x, wk_vision_normalize_args args)
{
    const char *const op = "normalize";
    WK_NAMES_ERRORS("normalize");
    if (!check_normalize(&args) || !wk_check_picture(op, x))
        return NULL;
    if (!wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "x: expected floating, got %s\nhint: wk_vision_to_tensor first", wk_dtype_name(x->dtype));
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *mean = wk_per_channel(op, "mean", x, &args.mean),
                  *std = mean ? wk_per_channel(op, "std", x, &args.std) : NULL;
        wk_tensor *centred = std ? args.inplace ? wk_sub_(x, mean) : wk_sub(x, mean) : NULL;
        y = wk_keep(wk_div_(centred, std));
    }
    return y;
}

static wk_tensor *normalize_forward(void *module, wk_tensor *x)
{
    return wk_vision_functional_normalize_with(x, *(const wk_vision_normalize_args *)wk_transform_args(module));
}

wk_module *wk_vision_normalize_with(wk_vision_normalize_args args)
{
    return check_normalize(&args) ? wk_transform_new("normalize", normalize_forward, &args, sizeof args) : NULL;
}
