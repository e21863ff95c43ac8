/* embedding. */
#include "op_table.h"

static wk_tensor *run_embedding(golden_case *c)
{
    return wk_embedding(input(c, 0), input(c, 1), .padding_idx = integer_or(c, "padding_idx", WK_NO_PADDING));
}
OP(embedding, run_embedding)
BAD(embedding, wk_embedding(wk_full((2), 5), wk_zeros((5, 3))),
    "index: 5 is out of range for dim 0 of (5, 3), which has size 5")
BAD(embedding, wk_embedding(wk_full((2), -1), wk_zeros((5, 3))), "index: -1 is out of range for dim 0 of (5, 3)")
BAD(embedding, wk_embedding(wk_zeros((2)), wk_zeros((5, 3))), "indices: expected int64 or int32, got float32")
BAD(embedding, wk_embedding(wk_full((2), 1), wk_zeros((5))), "weight: expected (V, D)")
BAD(embedding, wk_embedding(wk_full((2), 1), wk_zeros((5, 3)), 5), "padding_idx: expected -5 to 4, got 5")
BAD(embedding, wk_embedding(wk_full((2), 1), wk_zeros((5, 3)), -6), "padding_idx: expected -5 to 4, got -6")
