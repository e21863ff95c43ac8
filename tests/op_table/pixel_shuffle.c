/* pixel_shuffle and back. */
#include "op_table.h"

static wk_tensor *run_pixel_shuffle(golden_case *c)
{
    return wk_pixel_shuffle(input(c, 0), integer(c, "upscale_factor"));
}
OP(pixel_shuffle, run_pixel_shuffle)
BAD(pixel_shuffle, wk_pixel_shuffle(wk_zeros((2, 3)), 2), "x: expected shape (*, C, H, W), got (2, 3)")
BAD(pixel_shuffle, wk_pixel_shuffle(wk_zeros((6, 2, 3)), 2), "x: expected a multiple of 4, upscale_factor's square")
BAD(pixel_shuffle, wk_pixel_shuffle(wk_zeros((6, 2, 3)), 0), "upscale_factor: expected 1 to 2147483647, got 0")

static wk_tensor *run_pixel_unshuffle(golden_case *c)
{
    return wk_pixel_unshuffle(input(c, 0), integer(c, "downscale_factor"));
}
OP(pixel_unshuffle, run_pixel_unshuffle)
BAD(pixel_unshuffle, wk_pixel_unshuffle(wk_zeros((6, 2, 3)), 2), "are multiples of downscale_factor 2, got (6, 2, 3)")
