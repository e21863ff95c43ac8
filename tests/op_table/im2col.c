/* im2col (torch.nn.functional.unfold) and fold. */
#include "op_table.h"

static wk_per_dim per_dim(golden_case *c, const char *keyword, wk_per_dim otherwise)
{
    const wk_shape each = sizes(c, keyword);
    return each.ndim > 0 ? wk_per_dim_of(each.ndim, each.sizes) : integer_or(c, keyword, otherwise);
}
#define WINDOWS(c)                                                                                                     \
    per_dim(c, "kernel_size", 0), per_dim(c, "dilation", 1), per_dim(c, "padding", 0), per_dim(c, "stride", 1)

static wk_tensor *run_im2col(golden_case *c) { return wk_im2col(input(c, 0), WINDOWS(c)); }
OP(im2col, run_im2col)
BAD(im2col, wk_im2col(wk_zeros((4, 5)), 2), "x: expected shape (N, C, H, W), or without N, got (4, 5)")
BAD(im2col, wk_im2col(wk_zeros((2, 0, 4, 5)), 2), "x: expected sizes of at least 1 behind N, got (2, 0, 4, 5)")
BAD(im2col, wk_im2col(wk_zeros((2, 3, 4, 5)), 5),
    "kernel_size: expected a kernel no larger than the padded input, got 5")
BAD(im2col, wk_im2col(wk_ones((2, 3, 4, 5), .dtype = wk_int64), 2), "im2col: expected a floating dtype, got int64")

static wk_tensor *run_fold(golden_case *c)
{
    return wk_fold(input(c, 0), per_dim(c, "output_size", wk_per_dim(4, 5)), WINDOWS(c));
}
OP(fold, run_fold)
BAD(fold, wk_fold(wk_zeros((2, 7, 12)), wk_per_dim(4, 5), 2), "x: expected a multiple of 4 rows, as many as the kernel")
BAD(fold, wk_fold(wk_zeros((2, 8, 11)), wk_per_dim(4, 5), 2),
    "of 12, as often as it fits into output_size, got (2, 8, 11)")
BAD(fold, wk_fold(wk_zeros((8)), 4, 2), "x: expected shape (N, C * kernel, L), or without N, got (8,)")
BAD(fold, wk_fold(wk_zeros((2, 8, 12)), 0, 2), "output_size: expected at least 1, got 0")
