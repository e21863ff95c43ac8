/* Vectors brought to length 1, the angle and the distance between two. */
#include "op_table.h"

static wk_tensor *run_normalize(golden_case *c)
{
    return wk_normalize(input(c, 0), .p = real_or(c, "p", 2), .dim = integer_or(c, "dim", 1),
                        .eps = real_or(c, "eps", 1e-12));
}
OP(normalize, run_normalize)
BAD(normalize, wk_normalize(wk_ones((3))), "dim: expected -1 to 0 for a tensor of 1 dims, got 1")
BAD(normalize, wk_normalize(wk_ones((2, 3), .dtype = wk_int64)), "expected a floating or complex dtype, got int64")

static wk_tensor *run_cosine_similarity(golden_case *c)
{
    return wk_cosine_similarity(input(c, 0), input(c, 1), .dim = integer_or(c, "dim", 1),
                                .eps = real_or(c, "eps", 1e-8));
}
OP(cosine_similarity, run_cosine_similarity)
BAD(cosine_similarity, wk_cosine_similarity(wk_ones((2, 3)), wk_ones((2, 4))), "(2, 3)")

static wk_tensor *run_pairwise_distance(golden_case *c)
{
    return wk_pairwise_distance(input(c, 0), input(c, 1), .p = real_or(c, "p", 2), .eps = real_or(c, "eps", 1e-6),
                                .keepdim = integer_or(c, "keepdim", 0));
}
OP(pairwise_distance, run_pairwise_distance)
BAD(pairwise_distance, wk_pairwise_distance(wk_ones((2, 3)), wk_ones((2, 4))), "pairwise_distance: ")
