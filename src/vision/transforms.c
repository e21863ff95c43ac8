/* Transforms: torchvision.transforms. */
#include <wick/vision.h>

#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/view.h>

#include "core/random.h"
#include "core/host.h"

/* y's rows are x's, backwards */
static void mirror(const char *x, char *y, int64_t rows, int64_t width, size_t size)
{
    for (int64_t row = 0; row < rows; row++, x += (size_t)width * size, y += (size_t)width * size)
        switch (size) {
        case 1:
            for (int64_t i = 0; i < width; i++)
                y[i] = x[width - 1 - i];
            break;
        case 4:
            for (int64_t i = 0; i < width; i++)
                ((uint32_t *)y)[i] = ((const uint32_t *)x)[width - 1 - i];
            break;
        default:
            for (int64_t i = 0; i < width; i++)
                memcpy(y + (size_t)i * size, x + (size_t)(width - 1 - i) * size, size);
        }
}

wk_tensor *wk_vision_random_horizontal_flip_with(wk_vision_flip_args args)
{
    const char *const op = "random_horizontal_flip";
    WK_REQUIRE(op, args.x);
    if (args.x->ndim != 3 && args.x->ndim != 4)
        return wk_fail(op, "x: expected (N, C, H, W) or (C, H, W), got %s", wk_shape_string(args.x));
    if (!(args.p >= 0 && args.p <= 1))
        return wk_fail(op, "p: expected 0 to 1, got %g", args.p);
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *x = wk_contiguous(wk_to(wk_detach(args.x), wk_cpu));
        wk_tensor *flipped = x ? wk_keep(wk_tensor_new(op, x->ndim, x->shape, x->dtype, wk_cpu)) : NULL;
        const int64_t count = args.x->ndim == 4 ? args.x->shape[0] : 1, width = args.x->shape[args.x->ndim - 1];
        const size_t size = wk_dtype_size(args.x->dtype);
        const int64_t each = args.x->numel / (count > 0 ? count : 1);
        wk_generator *generator = wk_generator_or_default(args.generator);
        wk_generator_lock(generator);
        for (int64_t i = 0; flipped && i < count; i++) {
            const char *from = (const char *)wk_host(op, x) + (size_t)(i * each) * size;
            char *to = (char *)wk_host(op, flipped) + (size_t)(i * each) * size;
            if (wk_random_unit(generator) >= args.p)
                memcpy(to, from, (size_t)each * size);
            else if (each > 0)
                mirror(from, to, each / width, width, size);
        }
        wk_generator_unlock(generator);
        y = flipped;
    }
    return wk_to(y, args.x->device);
}
