/* Rotary position embeddings. */
#include "op_table.h"

static wk_tensor *run_precompute(golden_case *c)
{
    wk_precompute_freqs_cis_args args = {.theta = real_or(c, "theta", 10000), .dtype = dtype(c, "dtype")};
    args.dim = has(c, "dims") ? sizes(c, "dims") : WK_SHAPE(integer(c, "dim"));
    args.end = has(c, "ends") ? sizes(c, "ends") : WK_SHAPE(integer(c, "end"));
    return wk_precompute_freqs_cis_with(args);
}
OP(precompute_freqs_cis, run_precompute)
BAD(precompute_freqs_cis, wk_precompute_freqs_cis(5, 3), "dim: expected an even number of features, got 5")
BAD(precompute_freqs_cis, wk_precompute_freqs_cis((4, 4), 3), "dim, end: expected as many of each, got 2 and 1")
BAD(precompute_freqs_cis, wk_precompute_freqs_cis((4), (-1)), "end: expected 0 or more, got -1")
BAD(precompute_freqs_cis, wk_precompute_freqs_cis(4, 3, .dtype = wk_float16), "dtype: expected float32 or float64")

static wk_tensor *run_apply(golden_case *c)
{
    return wk_apply_rotary_emb(input(c, 0), input(c, 1), .interleaved = integer_or(c, "interleaved", 1),
                               .offset = integer_or(c, "offset", 0), .seq_dim = integer_or(c, "seq_dim", 1));
}
OP(apply_rotary_emb, run_apply)
BAD(apply_rotary_emb, wk_apply_rotary_emb(wk_ones((1, 3, 2, 4)), wk_precompute_freqs_cis(6, 3)),
    "freqs_cis: expected at most 2 pairs for 4 features, got (3, 3)")
BAD(apply_rotary_emb, wk_apply_rotary_emb(wk_ones((1, 3, 2, 4)), wk_precompute_freqs_cis(4, 6), .offset = 4),
    "freqs_cis: expected rows for positions 4 to 7, got 6")
BAD(apply_rotary_emb, wk_apply_rotary_emb(wk_ones((1, 3, 2, 4)), wk_ones((3, 2))),
    "freqs_cis: expected complex (T, R / 2) or (B, L, R / 2), got float32 (3, 2)")
BAD(apply_rotary_emb, wk_apply_rotary_emb(wk_ones((1, 3, 4)), wk_precompute_freqs_cis(4, 6), .seq_dim = -1),
    "seq_dim: expected another dim than the last")
BAD(apply_rotary_emb, wk_apply_rotary_emb(wk_ones((2, 3, 2, 4)), wk_expand(wk_precompute_freqs_cis(4, 3), (3, 3, 2))),
    "freqs_cis: expected the batch of x, (2, 3, 2, 4), got (3, 3, 2)")
