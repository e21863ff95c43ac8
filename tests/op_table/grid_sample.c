/* grid_sample. */
#include "op_table.h"

static wk_tensor *run_grid_sample(golden_case *c)
{
    return wk_grid_sample(input(c, 0), input(c, 1), .mode = text(c, "mode") ? text(c, "mode") : "bilinear",
                          .padding_mode = text(c, "padding_mode") ? text(c, "padding_mode") : "zeros",
                          .align_corners = integer_or(c, "align_corners", 0));
}
OP(grid_sample, run_grid_sample)
#define IMAGE wk_zeros((2, 3, 4, 5))
#define GRID wk_zeros((2, 6, 7, 2))
BAD(grid_sample, wk_grid_sample(wk_zeros((3, 4, 5)), GRID), "x: expected shape (N, C, H, W) or (N, C, D, H, W)")
BAD(grid_sample, wk_grid_sample(IMAGE, wk_zeros((1, 6, 7, 2))), "grid: expected shape (2, H, W, 2), a coordinate for")
BAD(grid_sample, wk_grid_sample(IMAGE, wk_zeros((2, 6, 7, 3))), "of x (2, 3, 4, 5), got (2, 6, 7, 3)")
BAD(grid_sample, wk_grid_sample(IMAGE, GRID, "cubic"), "mode: expected \"nearest\", \"bilinear\" or \"bicubic\"")
BAD(grid_sample, wk_grid_sample(IMAGE, GRID, .padding_mode = "wrap"), "padding_mode: expected \"zeros\", \"border\" or")
BAD(grid_sample, wk_grid_sample(IMAGE, wk_to(GRID, wk_float64)), "grid: expected x's dtype float32, got float64")
