/* The strides of what element-wise ops and copies make: tests/golden/layout.py. */
#include <stdio.h>

#include "op_table.h"

/* input i as its case has it lie in memory */
static wk_tensor *laid(golden_case *c, int i)
{
    char key[16];
    wk_tensor *x = input(c, i);
    snprintf(key, sizeof key, "order%d", i);
    if (x && has(c, key)) {
        const wk_shape order = sizes(c, key);
        wk_shape back = {.ndim = order.ndim};
        for (int dim = 0; dim < order.ndim; dim++)
            back.sizes[order.sizes[dim]] = dim;
        x = wk_permute_with(wk_contiguous(wk_permute_with(x, order)), back);
    }
    snprintf(key, sizeof key, "step%d", i);
    if (x && has(c, key))
        x = wk_slice(x, integer(c, key), 0, INT64_MAX, 2);
    return x;
}

static wk_operand operand_laid(golden_case *c, int i) { return c->given[i] ? WK_OPERAND(laid(c, i)) : operand(c, i); }

#define OP_LAID(name, call)                                                                                            \
    static wk_tensor *run_##name(golden_case *c) { return call; }                                                      \
    OP(name, run_##name, .gradient = NONE, .view = true, .plain = true)
OP_LAID(exp, wk_exp(laid(c, 0)))
OP_LAID(neg, wk_neg(laid(c, 0)))
OP_LAID(clone, wk_clone(laid(c, 0)))
OP_LAID(zeros_like, wk_zeros_like(laid(c, 0)))
OP_LAID(isnan, wk_isnan(laid(c, 0)))
OP_LAID(to, wk_to(laid(c, 0), dtype(c, "dtype")))
OP_LAID(add, wk_add_with((wk_add_args){operand_laid(c, 0), operand_laid(c, 1), .alpha = 1}))
OP_LAID(gt, wk_gt_with(operand_laid(c, 0), operand_laid(c, 1)))
OP_LAID(pow, wk_pow_with(operand_laid(c, 0), operand_laid(c, 1)))
OP_LAID(where, wk_where_with(WK_OPERAND(laid(c, 0)), operand_laid(c, 1), operand_laid(c, 2)))
OP_LAID(masked_fill, wk_masked_fill_with(laid(c, 0), laid(c, 1), operand(c, 2)))
OP_LAID(clamp, wk_clamp_with(laid(c, 0), operand(c, 1), operand(c, 2)))
OP_LAID(lerp, wk_lerp_with(laid(c, 0), laid(c, 1), operand_laid(c, 2)))
OP_LAID(scaled_dot_product_attention, wk_scaled_dot_product_attention(laid(c, 0), laid(c, 1), laid(c, 2)))
