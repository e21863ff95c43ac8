/* scaled_dot_product_attention. */
#include <math.h>

#include "op_table.h"

static wk_tensor *run_attention(golden_case *c)
{
    return wk_scaled_dot_product_attention(
        input(c, 0), input(c, 1), input(c, 2), optional(c, 3), .is_causal = integer_or(c, "is_causal", 0),
        .scale = real_or(c, "scale", NAN), .enable_gqa = integer_or(c, "enable_gqa", 0));
}
OP(scaled_dot_product_attention, run_attention)
BAD(scaled_dot_product_attention,
    wk_scaled_dot_product_attention(wk_zeros((2, 3, 4)), wk_zeros((2, 5, 3)), wk_zeros((2, 5, 4))),
    "expected one last dim, got query of shape (2, 3, 4) and key of shape (2, 5, 3): 4 != 3")
BAD(scaled_dot_product_attention,
    wk_scaled_dot_product_attention(wk_zeros((2, 3, 4)), wk_zeros((2, 5, 4)), wk_zeros((2, 6, 4))),
    "expected one length")
BAD(scaled_dot_product_attention,
    wk_scaled_dot_product_attention(wk_zeros((3, 4)), wk_zeros((5, 4)), wk_zeros((5, 4)), wk_zeros((4, 5))),
    "broadcasts to (..., L, S) = (3, 5), got (4, 5)")
BAD(scaled_dot_product_attention,
    wk_scaled_dot_product_attention(wk_zeros((3, 4)), wk_zeros((5, 4)), wk_zeros((5, 4)), .dropout_p = 2),
    "dropout_p: expected 0 to 1, got 2")
BAD(scaled_dot_product_attention,
    wk_scaled_dot_product_attention(wk_zeros((3, 4)), wk_zeros((5, 4)), wk_zeros((5, 4)), wk_zeros((3, 5)),
                                    .is_causal = true),
    "attn_mask: expected none beside is_causal")
