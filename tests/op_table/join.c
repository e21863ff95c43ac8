/* Joining tensors and taking them apart. */
#include "op_table.h"

/* all inputs of a case */
static wk_tensors inputs(golden_case *c)
{
    static wk_tensor *items[GOLDEN_MAX];
    for (int i = 0; i < c->inputs; i++)
        items[i] = input(c, i);
    return (wk_tensors){c->inputs, items};
}

static wk_tensor *listed(golden_case *c, wk_tensors list) { return list.count > 0 ? results_of(c, list) : NULL; }

static wk_tensor *run_cat(golden_case *c) { return wk_cat(inputs(c), integer(c, "dim")); }
OP(cat, run_cat)
BAD(cat, wk_cat((wk_zeros((2, 3)), wk_zeros((3, 2)))),
    "sizes must be equal but for dim 0, got (2, 3) and, number 1, (3, 2)")
BAD(cat, wk_cat(.tensors = {0, NULL}), "at least one")
BAD(cat, wk_cat((wk_expand(wk_zeros((1)), (1LL << 62)), wk_expand(wk_zeros((1)), (1LL << 62)))),
    "longer together along dim 0 than can be counted")

static wk_tensor *run_stack(golden_case *c) { return wk_stack(inputs(c), .dim = integer(c, "dim")); }
OP(stack, run_stack)
BAD(stack, wk_stack((wk_zeros((2)), wk_zeros((3)))), "expected equal shapes, got (2,) and, number 1, (3,)")

static wk_tensor *run_hstack(golden_case *c) { return wk_hstack(inputs(c)); }
OP(hstack, run_hstack)
static wk_tensor *run_vstack(golden_case *c) { return wk_vstack(inputs(c)); }
OP(vstack, run_vstack)

/* a keyword that is a number or a list of them */
static wk_split_args split_args(golden_case *c, const char *keyword)
{
    static wk_shape list;
    list = sizes(c, keyword);
    wk_split_args args = {.x = input(c, 0), .dim = integer(c, "dim")};
    if (list.ndim > 0)
        args.sizes = (wk_sizes){list.ndim, list.sizes};
    else
        args.size = integer(c, keyword);
    return args;
}

static wk_tensor *run_split(golden_case *c)
{
    return listed(c, wk_split_with(split_args(c, "split_size_or_sections")));
}
OP(split, run_split, .view = true)
static wk_tensor *wrong_sizes(void)
{
    wk_tensor *a, *b;
    wk_split(wk_zeros((5)), (2, 2), (&a, &b));
    return a;
}
BAD(split, wrong_sizes(), "sizes: add up to 4, but dim 0 of (5,) has size 5")

static wk_tensor *run_chunk(golden_case *c) { return listed(c, wk_chunk_with(split_args(c, "chunks"))); }
OP(chunk, run_chunk, .view = true)

static wk_tensor *run_tensor_split(golden_case *c)
{
    return listed(c, wk_tensor_split_with(split_args(c, "indices_or_sections")));
}
OP(tensor_split, run_tensor_split, .view = true)

static wk_tensor *run_unbind(golden_case *c) { return listed(c, wk_unbind(input(c, 0), .dim = integer(c, "dim"))); }
OP(unbind, run_unbind, .view = true)

static wk_tensor *too_few_places(void)
{
    wk_tensor *a, *b;
    wk_unbind(wk_zeros((3, 2)), (&a, &b));
    return a;
}
BAD(unbind, too_few_places(), "there are 3 results, and 2 places for them")

static wk_tensor *run_meshgrid(golden_case *c)
{
    return listed(c, wk_meshgrid_with((wk_meshgrid_args){.tensors = inputs(c), .indexing = text(c, "indexing")}));
}
OP(meshgrid, run_meshgrid)
