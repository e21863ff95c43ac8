/* interpolate. */
#include "op_table.h"

static wk_tensor *run_interpolate(golden_case *c)
{
    const wk_shape size = sizes(c, "size"), tenths = sizes(c, "tenths");
    wk_interpolate_args args = {
        .x = input(c, 0),
        .size = size.ndim > 0 ? wk_per_dim_of(size.ndim, size.sizes) : integer_or(c, "size", 0),
        .scale_factor = real_or(c, "scale_factor", 0),
        .mode = text(c, "mode") ? text(c, "mode") : "nearest",
        .align_corners = integer_or(c, "align_corners", 0),
        .recompute_scale_factor = integer_or(c, "recompute_scale_factor", 0),
        .antialias = integer_or(c, "antialias", 0),
    };
    for (int i = 0; i < tenths.ndim; i++)
        args.scale_factors[i] = (double)tenths.sizes[i] / 10;
    return wk_interpolate_with(args);
}
OP(interpolate, run_interpolate)
#define IMAGE wk_zeros((2, 3, 4, 5))
BAD(interpolate, wk_interpolate(IMAGE), "size, scale_factor and scale_factors: expected one of them")
BAD(interpolate, wk_interpolate(IMAGE, 8, .scale_factor = 2), "expected one of them")
BAD(interpolate, wk_interpolate(IMAGE, 8, .mode = "linear"),
    "mode: \"linear\" is for shape (N, C, L), got (2, 3, 4, 5)")
BAD(interpolate, wk_interpolate(IMAGE, 8, .mode = "lanczos"), "mode: expected \"nearest\"")
BAD(interpolate, wk_interpolate(IMAGE, 8, .align_corners = true), "align_corners: means nothing to mode \"nearest\"")
BAD(interpolate, wk_interpolate(IMAGE, 8, .antialias = true), "antialias: expected mode \"bilinear\" or \"bicubic\"")
BAD(interpolate, wk_interpolate(IMAGE, .scale_factor = 0.1), "makes 1 to 2147483647 of 4, got 0.1 along dim -2")
BAD(interpolate, wk_interpolate(IMAGE, .scale_factors = {1, 2, 3}), "scale_factors: expected 2 numbers")
BAD(interpolate, wk_interpolate(IMAGE, 8, .recompute_scale_factor = true), "means nothing where size is given")
BAD(interpolate, wk_interpolate(wk_ones((1, 1, 4), .dtype = wk_int64), 8), "expected a floating dtype")
BAD(interpolate, wk_interpolate(wk_ones((4, 5)), 8), "x: expected shape (N, C, L), (N, C, H, W)")
