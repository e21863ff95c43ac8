/* Grids of pictures, and grids saved as a picture: torchvision.utils. */
#include <wick/vision.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "core/tensor.h"

/* (clamp(x, low, high) - low) / (high - low) */
static wk_tensor *normalized(wk_tensor *x, const double range[2])
{
    double low = range[0], high = range[1];
    if (low == 0 && high == 0) {
        low = wk_item(wk_min(x));
        high = wk_item(wk_max(x));
    }
    return wk_div(wk_sub(wk_clamp(x, low, high), low), high - low > 1e-5 ? high - low : 1e-5);
}

/* (N, C, H, W) from what make_grid takes; one channel becomes three */
static wk_tensor *batch_of_pictures(wk_tensor *x)
{
    while (x && x->ndim < 4)
        x = wk_unsqueeze(x, 0);
    return x && x->shape[1] == 1 ? wk_expand(x, (-1, 3, -1, -1)) : x;
}

static wk_tensor *normalize_all(const wk_vision_grid_args *args, wk_tensor *x)
{
    x = wk_is_floating_point(x) ? wk_clone(x) : wk_to(x, wk_float32);
    if (!args->scale_each || !x)
        return x ? normalized(x, args->value_range) : NULL;
    for (int64_t i = 0; i < x->shape[0]; i++) {
        wk_tensor *each = wk_select(x, 0, i);
        if (!wk_copy_(each, normalized(each, args->value_range)))
            return NULL;
    }
    return x;
}

static wk_tensor *lay_out(const wk_vision_grid_args *args, wk_tensor *x)
{
    const int64_t count = x->shape[0], columns = args->nrow < count ? args->nrow : count;
    const int64_t rows = columns > 0 ? (count + columns - 1) / columns : 0;
    const int64_t height = x->shape[2] + args->padding, width = x->shape[3] + args->padding;
    wk_tensor *grid = wk_full((x->shape[1], height * rows + args->padding, width * columns + args->padding),
                              args->pad_value, .dtype = x->dtype);
    for (int64_t i = 0; grid && i < count; i++)
        wk_scope
    {
        wk_tensor *place = wk_narrow(grid, 1, i / columns * height + args->padding, x->shape[2]);
        place = wk_narrow(place, 2, i % columns * width + args->padding, x->shape[3]);
        if (!wk_copy_(place, wk_select(x, 0, i)))
            grid = NULL;
    }
    return grid;
}

wk_tensor *wk_vision_make_grid_with(wk_vision_grid_args args)
{
    const char *const op = "make_grid";
    WK_REQUIRE(op, args.x);
    if (args.x->ndim < 2 || args.x->ndim > 4 || wk_is_complex(args.x))
        return wk_fail(op, "x: expected (N, C, H, W), (C, H, W) or (H, W), got %s %s", wk_dtype_name(args.x->dtype),
                       wk_shape_string(args.x));
    if (args.nrow < 1 || args.padding < 0 || args.padding > INT32_MAX)
        return wk_fail(op, "nrow, padding: expected 1 or more and 0 to %d, got %lld and %lld", INT32_MAX,
                       (long long)args.nrow, (long long)args.padding);
    wk_tensor *grid = NULL;
    wk_scope
    {
        wk_no_grad
        {
            wk_tensor *x = batch_of_pictures(args.x);
            if (x && args.normalize && x->numel > 0)
                x = normalize_all(&args, x);
            grid = wk_keep(!x ? NULL : x->shape[0] == 1 ? wk_clone(wk_select(x, 0, 0)) : lay_out(&args, x));
        }
    }
    return grid;
}

bool wk_vision_save_image_with(wk_vision_save_image_args args)
{
    bool good = false;
    wk_scope
    {
        wk_tensor *grid = wk_vision_make_grid_with(args.grid);
        wk_tensor *bytes = wk_to(wk_clamp(wk_add(wk_mul(grid, 255), 0.5), 0, 255), wk_uint8);
        good = bytes && wk_vision_write_png(bytes, args.path);
    }
    return good;
}
