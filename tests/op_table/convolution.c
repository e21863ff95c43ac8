/* Convolutions. */
#include <string.h>

#include "op_table.h"

/* (h, w), a string, or nothing */
static wk_pair pair(golden_case *c, const char *keyword, wk_pair otherwise)
{
    const char *word = text(c, keyword);
    const wk_shape both = sizes(c, keyword);
    if (word && word[0])
        return strcmp(word, "same") == 0 ? WK_SAME : WK_VALID;
    return both.ndim == 2 ? WK_PAIR(both.sizes[0], both.sizes[1]) : otherwise;
}

static wk_tensor *run_conv2d(golden_case *c)
{
    return wk_conv2d(input(c, 0), input(c, 1), optional(c, 2), .stride = pair(c, "stride", 1),
                     .padding = pair(c, "padding", 0), .dilation = pair(c, "dilation", 1),
                     .groups = integer_or(c, "groups", 1));
}
OP(conv2d, run_conv2d)
BAD(conv2d, wk_conv2d(wk_zeros((2, 5, 5, 3)), wk_zeros((2, 3, 3, 3))), "wk_permute(x, (0, 3, 1, 2))")
BAD(conv2d, wk_conv2d(wk_zeros((2, 6, 5, 5)), wk_zeros((2, 3, 3, 3))), ".groups = 2 would fit")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 2, 5)), wk_zeros((2, 3, 3, 3))), "no larger than the padded input, got 3 (dil")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3)), .stride = 2, .padding = WK_SAME),
    "needs stride 1")
BAD(conv2d, wk_conv2d(wk_zeros((2, 3, 5, 5)), wk_zeros((2, 3, 3, 3)), wk_zeros((3))), "bias: expected shape (2,)")
BAD(conv2d, wk_conv2d(wk_zeros((5, 5)), wk_zeros((2, 3, 3, 3))), "x: expected shape (N, C, H, W)")

static wk_tensor *run_conv1d(golden_case *c)
{
    return wk_conv1d(input(c, 0), input(c, 1), optional(c, 2), .stride = integer_or(c, "stride", 1),
                     .padding = pair(c, "padding", integer_or(c, "padding", 0)),
                     .dilation = integer_or(c, "dilation", 1), .groups = integer_or(c, "groups", 1));
}
OP(conv1d, run_conv1d)
BAD(conv1d, wk_conv1d(wk_zeros((2, 3, 2)), wk_zeros((4, 3, 3))), "no larger than the padded input")
BAD(conv1d, wk_conv1d(wk_zeros((2, 3, 2)), wk_zeros((4, 3))), "weight: expected 3 dims")
