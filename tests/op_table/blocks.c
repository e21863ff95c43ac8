/* modulate, unpatchify, timestep_embedding; drop_path where nothing is drawn. */
#include "op_table.h"

static wk_tensor *run_modulate(golden_case *c) { return wk_modulate(input(c, 0), input(c, 1), input(c, 2)); }
OP(modulate, run_modulate)
BAD(modulate, wk_modulate(wk_zeros((2, 3)), wk_zeros((2, 3)), wk_zeros((2, 3))), "x: expected (B, N, D)")

static wk_tensor *run_unpatchify(golden_case *c)
{
    return wk_unpatchify(input(c, 0), integer(c, "p"), integer(c, "h"), integer(c, "w"));
}
OP(unpatchify, run_unpatchify)
BAD(unpatchify, wk_unpatchify(wk_zeros((2, 6, 12)), 2, 2, 2), "x: expected (B, 2 * 2, 2 * 2 * C), got (2, 6, 12)")

static wk_tensor *run_timestep_embedding(golden_case *c)
{
    return wk_timestep_embedding(input(c, 0), integer(c, "dim"), real_or(c, "max_period", 10000),
                                 integer_or(c, "flip", 0));
}
OP(timestep_embedding, run_timestep_embedding)
BAD(timestep_embedding, wk_timestep_embedding(wk_zeros((2, 3)), 4), "t: expected (B) numbers")

static wk_tensor *run_drop_path(golden_case *c) { return wk_drop_path(input(c, 0), real(c, "p"), true); }
OP(drop_path, run_drop_path)
BAD(drop_path, wk_drop_path(wk_zeros((2, 3)), 1.5), "drop_prob: expected a probability from 0 to 1")
