/* Indexing by string, rows and elements by index, masks. */
#include "op_table.h"

/* the tensors that the index string asks for, of inputs first and on */
static wk_tensor *at(golden_case *c, int first, int i) { return first + i < c->inputs ? input(c, first + i) : NULL; }

static wk_tensor *run_index(golden_case *c)
{
    return wk_index(input(c, 0), text(c, "index"), at(c, 1, 0), at(c, 1, 1), at(c, 1, 2), at(c, 1, 3));
}
OP(index, run_index)
BAD(index, wk_index(wk_zeros((2, 3)), ":, %d", 3),
    "index 3 is out of range for a dim of size 3, in x of shape (2, 3)\n    [:, 3]\n        ^")
BAD(index, wk_index(wk_zeros((2, 3)), ":, %d", -4), "index -4 is out of range for a dim of size 3")
BAD(index, wk_index(wk_zeros((2, 3)), "0, 0, 0"), "too many indices")
BAD(index, wk_index(wk_zeros((2, 3)), "..., 0, ..."), "there is a second ellipsis")
BAD(index, wk_index(wk_zeros((2, 3)), "0; 1"), "expected a comma here\n    [0; 1]\n      ^")
BAD(index, wk_index(wk_zeros((2, 3)), ":, -%ld:, x", 2L),
    "expected a number, a slice, ..., None, True, False or %p here")
BAD(index, wk_index(wk_zeros((2, 3)), "::-1"), "wk_flip")
BAD(index, wk_index(wk_zeros((2, 3)), "%p", wk_ones((2, 2), .dtype = wk_bool)), "the mask of shape (2, 2)")
BAD(index, wk_index(wk_zeros((2, 3)), ":, %p", wk_full((2), -4)),
    "index: -4 is out of range for dim 1 of (2, 3), which has size 3")
BAD(index, wk_index(wk_zeros((4, 2, 3)), "0, None, ..., %p", wk_arange(4)),
    "index: 3 is out of range for dim 2 of (4, 2, 3), which has size 3")

static wk_tensor *run_index_put_(golden_case *c)
{
    wk_tensor *x = input(c, 0);
    const wk_operand value = operand(c, 1);
    return wk_index_put_in_place_with(
        (wk_index_put_args){.x = x,
                            .key = wk_index_parse(text(c, "index"), at(c, 2, 0), at(c, 2, 1), at(c, 2, 2), at(c, 2, 3)),
                            .value = value,
                            .accumulate = integer_or(c, "accumulate", 0)});
}
OP(index_put_, run_index_put_)
BAD(index_put_, wk_index_put_(wk_zeros((2), .dtype = wk_int8), ("0"), 128), "that int8 has room for, got 128")
BAD(index_put_, wk_index_put_(wk_full((2), 1), ("0"), 1.5, .accumulate = true), "a result of float32 cannot be written")
BAD(index_put_, wk_index_put_(wk_zeros((2, 3)), ("0, %zu", (size_t)5), 1), "index 5 is out of range")

static wk_tensor *run_index_select(golden_case *c)
{
    return wk_index_select(input(c, 0), integer(c, "dim"), input(c, 1));
}
OP(index_select, run_index_select)
BAD(index_select, wk_index_select(wk_zeros((2, 3)), -1, wk_arange(9)),
    "index_select: index: 3 is out of range for dim 1 of (2, 3), which has size 3")
BAD(index_select, wk_index_select(wk_zeros((2, 0)), 0, wk_full((1), -1)), "index: -1 is out of range")

static wk_tensor *run_index_add(golden_case *c)
{
    const wk_number alpha = number(c, "alpha");
    return wk_index_add(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2),
                        .alpha = alpha.kind ? alpha.value : 1);
}
OP(index_add, run_index_add)
BAD(index_add, wk_index_add(wk_zeros((2, 3)), 1, wk_full((1), -1), wk_zeros((2, 1))),
    "index: -1 is out of range for dim 1 of (2, 3)")
BAD(index_add, wk_index_add(wk_zeros((2, 3)), 1, wk_full((1), 3), wk_zeros((2, 1))),
    "index: 3 is out of range for dim 1 of (2, 3)")
static wk_tensor *run_index_add_(golden_case *c)
{
    const wk_number alpha = number(c, "alpha");
    return wk_index_add_(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2),
                         .alpha = alpha.kind ? alpha.value : 1);
}
OP(index_add_, run_index_add_)

static wk_tensor *run_index_copy(golden_case *c)
{
    return wk_index_copy(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2));
}
OP(index_copy, run_index_copy)
BAD(index_copy, wk_index_copy(wk_zeros((2, 3)), 0, wk_full((1), -1), wk_zeros((1, 3))),
    "index: -1 is out of range for dim 0 of (2, 3)")
BAD(index_copy, wk_index_copy(wk_zeros((2, 3)), 0, wk_full((1), 2), wk_zeros((1, 3))),
    "index: 2 is out of range for dim 0 of (2, 3)")
static wk_tensor *run_index_copy_(golden_case *c)
{
    return wk_index_copy_(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2));
}
OP(index_copy_, run_index_copy_)

static wk_tensor *run_index_fill(golden_case *c)
{
    return wk_index_fill_with(input(c, 0), integer(c, "dim"), input(c, 1), operand(c, 2));
}
OP(index_fill, run_index_fill)
BAD(index_fill, wk_index_fill(wk_zeros((2, 3)), 1, wk_full((1), -4), 1),
    "index: -4 is out of range for dim 1 of (2, 3)")
BAD(index_fill, wk_index_fill(wk_zeros((2, 3)), 1, wk_full((1), 3), 1),
    "index: 3 is out of range for dim 1 of (2, 3)")
static wk_tensor *run_index_fill_(golden_case *c)
{
    return wk_index_fill_in_place_with(input(c, 0), integer(c, "dim"), input(c, 1), operand(c, 2));
}
OP(index_fill_, run_index_fill_)

static wk_tensor *run_gather(golden_case *c) { return wk_gather(input(c, 0), integer(c, "dim"), input(c, 1)); }
OP(gather, run_gather)
BAD(gather, wk_gather(wk_zeros((2, 3)), 1, wk_full((2, 1), 3)), "index: 3 is out of range for dim 1 of (2, 3)")
BAD(gather, wk_gather(wk_zeros((2, 3)), 0, wk_full((1, 3), -1)), "index: -1 is out of range for dim 0 of (2, 3)")

static wk_tensor *run_scatter(golden_case *c)
{
    return wk_scatter_with((wk_scatter_args){input(c, 0), integer(c, "dim"), input(c, 1), operand(c, 2), NULL});
}
OP(scatter, run_scatter)
BAD(scatter, wk_scatter(wk_zeros((2, 3)), 1, wk_full((2, 1), -1), wk_ones((2, 1))),
    "index: -1 is out of range for dim 1 of (2, 3)")
BAD(scatter, wk_scatter(wk_zeros((2, 3)), 1, wk_full((2, 1), 3), 1),
    "index: 3 is out of range for dim 1 of (2, 3)")
static wk_tensor *run_scatter_(golden_case *c)
{
    return wk_scatter_in_place_with(
        (wk_scatter_args){input(c, 0), integer(c, "dim"), input(c, 1), operand(c, 2), NULL});
}
OP(scatter_, run_scatter_)
static wk_tensor *run_scatter_with_reduce(golden_case *c)
{
    return wk_scatter(input(c, 0), integer(c, "dim"), input(c, 1), operand(c, 2), .reduce = text(c, "reduce"));
}
OP(scatter_with_reduce, run_scatter_with_reduce, .gradient = NONE)
BAD(scatter_with_reduce, wk_scatter(wk_zeros((2)), 0, wk_full((2), 0), 1, .reduce = "mean"),
    "scatter: reduce: expected \"add\" or \"multiply\", got \"mean\"")
BAD(scatter_with_reduce, wk_scatter(wk_zeros((2)), 0, wk_full((2), 2), 1, .reduce = "multiply"),
    "scatter: index: 2 is out")
static wk_tensor *run_scatter_add(golden_case *c)
{
    return wk_scatter_add(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2));
}
OP(scatter_add, run_scatter_add)
BAD(scatter_add, wk_scatter_add(wk_zeros((2, 3)), 1, wk_full((2, 3), -1), wk_ones((2, 3))),
    "index: -1 is out of range for dim 1 of (2, 3)")
BAD(scatter_add, wk_scatter_add(wk_zeros((2, 3)), 0, wk_full((2, 3), 2), wk_ones((2, 3))),
    "index: 2 is out of range for dim 0 of (2, 3), which has size 2")
static wk_tensor *run_scatter_add_(golden_case *c)
{
    return wk_scatter_add_(input(c, 0), integer(c, "dim"), input(c, 1), input(c, 2));
}
OP(scatter_add_, run_scatter_add_)

static wk_tensor *run_take_along_dim(golden_case *c)
{
    return wk_take_along_dim(input(c, 0), input(c, 1), integer(c, "dim"));
}
OP(take_along_dim, run_take_along_dim)
static wk_tensor *run_masked_select(golden_case *c) { return wk_masked_select(input(c, 0), input(c, 1)); }
OP(masked_select, run_masked_select)
static wk_tensor *run_nonzero(golden_case *c) { return wk_nonzero(input(c, 0)); }
OP(nonzero, run_nonzero)
