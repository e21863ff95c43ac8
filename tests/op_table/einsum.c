/* Sums of products by the names of dims. */
#include "op_table.h"

static wk_tensor *run_einsum(golden_case *c)
{
    wk_tensor *items[GOLDEN_MAX];
    for (int i = 0; i < c->inputs; i++)
        items[i] = input(c, i);
    return wk_einsum_with(text(c, "equation"), (wk_tensors){c->inputs, items});
}
OP(einsum, run_einsum, .any_strides = true) // the product's rows and columns may stand in another order
BAD(einsum, wk_einsum("ij,jk->ik", wk_zeros((2, 3)), wk_zeros((2, 3))),
    "einsum: operands: expected a dim of size 3, as in another operand, got 2\n    \"ij,jk->ik\"\n        ^")
BAD(einsum, wk_einsum("ij->i", wk_zeros((2))), "operands: number 0 is of shape (2,), and here are 2 letters")
BAD(einsum, wk_einsum("i...j->i", wk_zeros((2))), "number 0 is of shape (2,), and here are 2 letters")
BAD(einsum, wk_einsum("ii", wk_zeros((2, 3))), "expected a dim of size 2")
BAD(einsum, wk_einsum("ii", wk_zeros((1, 3))), "a letter comes twice, and its dims differ: 1 and 3 in (1, 3)")
BAD(einsum, wk_einsum("ij->ii", wk_zeros((2, 2))), "comes twice in the result\n    \"ij->ii\"\n          ^")
BAD(einsum, wk_einsum("ij->ik", wk_zeros((2, 2))), "no operand has this letter\n    \"ij->ik\"\n          ^")
BAD(einsum, wk_einsum("ij->...i...", wk_zeros((2, 2))), "comes twice in the result")
BAD(einsum, wk_einsum("ij->i,j", wk_zeros((2, 2))), "the result is one tensor")
BAD(einsum, wk_einsum("ij->i->j", wk_zeros((2, 2))), "the result is one tensor")
BAD(einsum, wk_einsum("ij,jk->ik", wk_zeros((2, 2))), "there are 1, and the equation has more")
BAD(einsum, wk_einsum("ij->ij", wk_zeros((2, 2)), wk_zeros((2, 2))), "there are 2, and the equation has 1")
BAD(einsum, wk_einsum("i1->i", wk_zeros((2, 2))), "expected a letter, ..., a comma or -> here\n    \"i1->i\"\n      ^")
BAD(einsum, wk_einsum("i...j...", wk_zeros((2, 2))), "there is a second ellipsis\n    \"i...j...\"\n          ^")
BAD(einsum, wk_einsum("abcdefghi", wk_zeros((2, 2))), "a tensor has at most 8 dims")
BAD(einsum, wk_einsum("abcde,fghi", wk_zeros((2, 2, 2, 2, 2)), wk_zeros((2, 2, 2, 2))), "needs a tensor of 9 dims")
BAD(einsum, wk_einsum("ij,jk", wk_zeros((2, 2)), wk_zeros((2, 2), .dtype = wk_float64)),
    "einsum: a and b: expected one dtype")
BAD(einsum, wk_einsum_with("ij", (wk_tensors){0, NULL}), "expected 1 to 32, got 0")
BAD(einsum, wk_einsum(NULL, wk_zeros((2))), "equation: expected a text, got NULL")
