/* GaussianBlur: torchvision.transforms.v2. */
#include "transform.h"

#include <math.h>

#include <wick/activation.h>
#include <wick/cast.h>
#include <wick/convolution.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/view.h>

#include "core/error_internal.h"

/* size as width and height, both odd; false after an error */
static bool read_kernel(const char *op, wk_shape size, int64_t pair[2])
{
    if (!wk_read_size(op, size, pair))
        return false;
    if (pair[0] % 2 == 0 || pair[1] % 2 == 0)
        return wk_fail(op, "kernel_size: expected odd numbers, got %lld and %lld", (long long)pair[0],
                       (long long)pair[1]);
    return true;
}

/* (size,): as much as the Gaussian's places, half as far apart as its size and sigma make them */
static wk_tensor *kernel_along(int64_t size, double sigma, wk_dtype dtype)
{
    const double end = (double)(size - 1) / (2 * sqrt(2));
    wk_tensor *places = wk_div(wk_linspace(-end, end, size, .dtype = dtype), sigma);
    return wk_softmax(wk_neg(wk_pow(places, 2)), 0);
}

static wk_tensor *blur(wk_tensor *x, const int64_t size[2], const double sigma[2])
{
    const bool bytes = x->dtype == wk_uint8;
    const wk_dtype dtype = bytes ? wk_float32 : x->dtype;
    const int64_t channels = x->shape[x->ndim - 3], height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    wk_tensor *across = kernel_along(size[0], sigma[0], dtype), *down = kernel_along(size[1], sigma[1], dtype);
    wk_tensor *kernel = wk_to(wk_mul(wk_unsqueeze(down, 1), across), x->device);
    kernel = wk_expand(kernel, (channels, 1, size[1], size[0]));
    wk_tensor *y = wk_reshape(wk_to(x, dtype), (-1, channels, height, width));
    y = wk_pad(y, (size[0] / 2, size[0] / 2, size[1] / 2, size[1] / 2), .mode = "reflect");
    y = wk_conv2d(y, kernel, NULL, .groups = channels);
    return wk_reshape_with(bytes ? wk_to(wk_round(y), wk_uint8) : y, wk_shape_of(x->ndim, x->shape));
}

wk_tensor *wk_vision_functional_gaussian_blur_with(wk_tensor *x, wk_vision_gaussian_blur_args args)
{
    const char *const op = "gaussian_blur";
    WK_NAMES_ERRORS("gaussian_blur");
    int64_t size[2];
    if (!wk_check_picture(op, x) || !read_kernel(op, args.size, size))
        return NULL;
    for (int i = 0; i < 2; i++) {
        const double sigma = args.sigma[i] == 0 ? args.sigma[0] : args.sigma[i];
        args.sigma[i] = sigma == 0 ? (double)size[i] * 0.15 + 0.35 : sigma;
        if (!(args.sigma[i] > 0))
            return wk_fail(op, "sigma: expected numbers above 0, got %g", args.sigma[i]);
    }
    if (x->numel == 0)
        return x;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(blur(x, size, args.sigma));
    }
    return y;
}

static wk_tensor *gaussian_blur_forward(void *module, wk_tensor *x)
{
    wk_vision_gaussian_blur_args args = *(const wk_vision_gaussian_blur_args *)wk_transform_args(module);
    args.sigma[0] = args.sigma[1] = (double)wk_chance_uniform(args.sigma[0], args.sigma[1]);
    return wk_vision_functional_gaussian_blur_with(x, args);
}

wk_module *wk_vision_gaussian_blur_with(wk_vision_gaussian_blur_args args)
{
    const char *const op = "gaussian_blur";
    int64_t size[2];
    if (!read_kernel(op, args.size, size))
        return NULL;
    if (!(args.sigma[0] > 0 && args.sigma[0] <= args.sigma[1]))
        return wk_fail(op, "sigma: expected numbers above 0, the least first, got %g, %g", args.sigma[0],
                       args.sigma[1]);
    return wk_transform_new(op, gaussian_blur_forward, &args, sizeof args);
}
