/* Convolutions. */
#include <string.h>

#include "op_table.h"

/* a number, a tuple, "same", "valid", or nothing */
static wk_per_dim per_dim(golden_case *c, const char *keyword, wk_per_dim otherwise)
{
    const char *word = text(c, keyword);
    const wk_shape each = sizes(c, keyword);
    if (word && word[0])
        return strcmp(word, "same") == 0 ? WK_SAME : WK_VALID;
    return each.ndim > 0 ? wk_per_dim_of(each.ndim, each.sizes) : integer_or(c, keyword, otherwise);
}

#define ARGUMENTS(c)                                                                                                   \
    input(c, 0), input(c, 1), optional(c, 2), .stride = per_dim(c, "stride", 1), .padding = per_dim(c, "padding", 0),  \
        .dilation = per_dim(c, "dilation", 1), .groups = integer_or(c, "groups", 1)

static wk_tensor *run_conv2d(golden_case *c) { return wk_conv2d(ARGUMENTS(c)); }
OP(conv2d, run_conv2d)
BAD(conv2d, wk_conv2d(wk_zeros((2, 5, 5, 3)), wk_zeros((2, 3, 3, 3))), "wk_permute(x, (0, 3, 1, 2))")
BAD(conv2d, wk_conv2d(wk_zeros((2, 6, 5, 5)), wk_zeros((2, 3, 3, 3))), ".groups = 2 would fit")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 2, 5)), wk_zeros((2, 3, 3, 3))), "no larger than the padded input, got 3 (dil")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3)), .stride = 2, .padding = WK_SAME),
    "needs stride 1")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3)), wk_zeros((3))), "bias: expected shape (2,)")
BAD(conv2d, wk_conv2d(wk_zeros((5, 5)), wk_zeros((2, 3, 3, 3))), "x: expected shape (N, C, H, W)")

static wk_tensor *run_conv1d(golden_case *c) { return wk_conv1d(ARGUMENTS(c)); }
OP(conv1d, run_conv1d)
BAD(conv1d, wk_conv1d(wk_zeros((2, 3, 2)), wk_zeros((4, 3, 3))), "no larger than the padded input")
BAD(conv1d, wk_conv1d(wk_zeros((2, 3, 2)), wk_zeros((4, 3))), "weight: expected 3 dims")

static wk_tensor *run_conv3d(golden_case *c) { return wk_conv3d(ARGUMENTS(c)); }
OP(conv3d, run_conv3d)
BAD(conv3d, wk_conv3d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3))), "weight: expected 5 dims")
BAD(conv3d, wk_conv3d(wk_zeros((2, 5, 5, 5, 3)), wk_zeros((2, 3, 3, 3, 3))), "wk_permute(x, (0, 4, 1, 2, 3))")

/* options: one number, or one for each dim, in range */
#define OPTION(...) wk_conv2d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3)), __VA_ARGS__)
BAD(conv2d, OPTION(.stride = 0), "stride: expected at least 1, got 0")
BAD(conv2d, OPTION(.stride = wk_per_dim(-1, 1)), "stride: expected at least 1, got -1")
BAD(conv2d, OPTION(.stride = wk_per_dim(1, INT64_MIN)), "stride: expected at least 1, got -524287")
BAD(conv2d, OPTION(.stride = wk_per_dim(1 << 20, 1)), "stride: expected at most 524286, got more")
BAD(conv2d, OPTION(.stride = (int64_t)1 << 31), "stride: expected at most 2147483647, got 2147483648")
BAD(conv2d, OPTION(.stride = wk_per_dim(1, 2, 1)), "expected one number for all dims, or 2, one for each, got 3")
BAD(conv2d, OPTION(.stride = wk_per_dim(1, 2, 1, 1)), "or 2, one for each, got more than 3")
BAD(conv2d, OPTION(.stride = WK_SAME), "stride: expected numbers, got WK_SAME")
BAD(conv2d, OPTION(.padding = -1), "padding: expected at least 0, got -1")
BAD(conv2d, OPTION(.padding = INT64_MAX), "padding: expected one number for all dims, or 2, one for each, got more")
BAD(conv2d, OPTION(.padding = (int64_t)1 << 60), "padding: expected at least 0, got -524288")
BAD(conv2d, OPTION(.padding = INT32_MAX), "larger than memory can be")
BAD(conv2d, OPTION(.dilation = wk_per_dim(1, 0)), "dilation: expected at least 1, got 0")
BAD(conv2d, OPTION(.groups = 0), "groups: expected a divisor of the number of outputs")

/* ---------------------------------------------------------------- transposed */

#define TRANSPOSE_ARGUMENTS(c)                                                                                         \
    input(c, 0), input(c, 1), optional(c, 2), .stride = per_dim(c, "stride", 1), .padding = per_dim(c, "padding", 0),  \
        .output_padding = per_dim(c, "output_padding", 0), .groups = integer_or(c, "groups", 1),                       \
        .dilation = per_dim(c, "dilation", 1)
static wk_tensor *run_conv_transpose1d(golden_case *c) { return wk_conv_transpose1d(TRANSPOSE_ARGUMENTS(c)); }
static wk_tensor *run_conv_transpose2d(golden_case *c) { return wk_conv_transpose2d(TRANSPOSE_ARGUMENTS(c)); }
static wk_tensor *run_conv_transpose3d(golden_case *c) { return wk_conv_transpose3d(TRANSPOSE_ARGUMENTS(c)); }
OP(conv_transpose1d, run_conv_transpose1d)
OP(conv_transpose2d, run_conv_transpose2d)
OP(conv_transpose3d, run_conv_transpose3d)
#define TRANSPOSE(...) wk_conv_transpose2d(wk_zeros((2, 3, 5, 5)), wk_zeros((3, 2, 3, 3)), __VA_ARGS__)
BAD(conv_transpose2d, TRANSPOSE(.output_padding = 1), "expected less than stride 1 or dilation 1, got 1")
BAD(conv_transpose2d, TRANSPOSE(.padding = WK_SAME), "padding: expected numbers, got WK_SAME")
BAD(conv_transpose2d, TRANSPOSE(.padding = 4), "padding: 4 at both ends leaves nothing along dim -2")
BAD(conv_transpose2d, TRANSPOSE(.groups = 2), "groups: expected a divisor of the number of inputs, dim 0 of weight")
BAD(conv_transpose2d, TRANSPOSE(wk_zeros((3))), "bias: expected shape (2,)")
BAD(conv_transpose2d, wk_conv_transpose2d(wk_zeros((2, 4, 5, 5)), wk_zeros((3, 2, 3, 3))), "x: expected 3 channels")
BAD(conv_transpose1d, wk_conv_transpose1d(wk_zeros((2, 4, 5, 5)), wk_zeros((4, 2, 3))), "x: expected shape (N, C, L)")
