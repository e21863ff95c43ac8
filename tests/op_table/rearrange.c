/* The same elements in another order, more often, or with others around them. */
#include "op_table.h"

/* a keyword that is a list */
static wk_sizes list(golden_case *c, const char *keyword)
{
    static wk_shape kept[2];
    static int turn;
    wk_shape *k = &kept[turn++ % 2];
    *k = sizes(c, keyword);
    return (wk_sizes){k->ndim, k->sizes};
}

static wk_tensor *run_repeat(golden_case *c) { return wk_repeat_with(input(c, 0), list(c, "sizes")); }
OP(repeat, run_repeat)
BAD(repeat, wk_repeat(wk_zeros((2, 3)), 2), "expected 2 to 8 numbers for (2, 3), got 1")
BAD(repeat, wk_repeat(wk_zeros((4)), 1LL << 62), "has more elements than can be counted")
static wk_tensor *run_tile(golden_case *c) { return wk_tile_with(input(c, 0), list(c, "sizes")); }
OP(tile, run_tile)

static wk_tensor *run_repeat_interleave(golden_case *c)
{
    return wk_repeat_interleave_with((wk_repeat_interleave_args){
        .x = input(c, 0), .repeats = operand(c, 1), .dim = integer_or(c, "dim", WK_NO_DIM)});
}
OP(repeat_interleave, run_repeat_interleave)
BAD(repeat_interleave, wk_repeat_interleave(wk_zeros((4)), 1LL << 62), "has more elements than can be counted")
BAD(pad, wk_pad(wk_zeros((2, 3)), (INT64_MAX, 1)), "are more than can be counted")
BAD(pad, wk_pad(wk_zeros((2, 3)), (1LL << 40, 1LL << 40, 1LL << 40, 1LL << 40)), "larger than memory can be")

static wk_tensor *run_flip(golden_case *c) { return wk_flip_with(input(c, 0), list(c, "sizes")); }
OP(flip, run_flip)
BAD(flip, wk_flip(wk_zeros((2, 3)), (0, -2)), "dims: 0 comes twice")
static wk_tensor *run_roll(golden_case *c) { return wk_roll_with(input(c, 0), list(c, "shifts"), list(c, "sizes")); }
OP(roll, run_roll)
BAD(roll, wk_roll(wk_full((), 1), 1, 0), "a 0-d tensor has no dim to roll along")

static wk_tensor *run_triu(golden_case *c) { return wk_triu(input(c, 0), .diagonal = integer(c, "diagonal")); }
OP(triu, run_triu)
BAD(triu, wk_triu(wk_zeros((2))), "expected at least 2 dims, got (2,)")
static wk_tensor *run_tril(golden_case *c) { return wk_tril(input(c, 0), integer(c, "diagonal")); }
OP(tril, run_tril)
static wk_tensor *run_triu_(golden_case *c) { return wk_triu_(input(c, 0), integer(c, "diagonal")); }
OP(triu_, run_triu_)
static wk_tensor *run_tril_(golden_case *c) { return wk_tril_(input(c, 0), integer(c, "diagonal")); }
OP(tril_, run_tril_)

static wk_tensor *run_diag(golden_case *c) { return wk_diag(input(c, 0), integer(c, "diagonal")); }
OP(diag, run_diag)
static wk_tensor *run_diagonal(golden_case *c)
{
    return wk_diagonal(input(c, 0), .offset = integer(c, "offset"), .dim1 = integer(c, "dim1"),
                       .dim2 = integer(c, "dim2"));
}
OP(diagonal, run_diagonal, .view = true)

static wk_tensor *run_unfold(golden_case *c)
{
    return wk_unfold(input(c, 0), integer(c, "dim"), integer(c, "size"), integer(c, "step"));
}
OP(unfold, run_unfold, .view = true)
BAD(unfold, wk_unfold(wk_zeros((2, 3)), 1, 4, 1), "windows of 4, 1 apart, do not fit dim 1 of (2, 3)")

static wk_tensor *run_one_hot(golden_case *c) { return wk_one_hot(input(c, 0), integer_or(c, "num_classes", -1)); }
OP(one_hot, run_one_hot)
BAD(one_hot, wk_one_hot(wk_full((2), 4), 4), "one_hot: x: expected classes from 0 to 3, got 4")
BAD(one_hot, wk_one_hot(wk_sub(wk_arange(4), 1)), "x: expected classes from 0 to 2, got -1")
BAD(one_hot, wk_one_hot(wk_full((2), -1)), "x: expected classes from 0 on, got -1")

static wk_tensor *run_pad(golden_case *c)
{
    return wk_pad_with((wk_pad_args){
        .x = input(c, 0), .pad = list(c, "pads"), .mode = text(c, "mode"), .value = real_or(c, "value", 0)});
}
OP(pad, run_pad)
BAD(pad, wk_pad(wk_zeros((1, 3)), (3, 0), .mode = "reflect"), "3 and 0 do not fit \"reflect\" along dim 1 of (1, 3)")
