/* einops: dims by name. */
#include "op_table.h"

/* a pattern that is no literal comes with an argument, for clang's sake */
static wk_tensor *run_rearrange(golden_case *c) { return wk_einops_rearrange(input(c, 0), text(c, "pattern"), 0); }
OP(einops_rearrange, run_rearrange, .view = true)
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 3)), "a b -> a"),
    "einops_rearrange: pattern: the name does not come on the right side; wk_einops_reduce lets a dim go\n"
    "    \"a b -> a\"\n       ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 3)), "a b -> b a c"),
    "pattern: the name does not come on the left side; wk_einops_repeat adds a dim\n"
    "    \"a b -> b a c\"\n                ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 10)), "a (b c) -> c a b, b=%d", 4),
    "x: a dim of size 10 cannot be taken apart by 4\n    \"a (b c) -> c a b, b=4\"\n       ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 10)), "a (b c) -> c a b, b=%ld, c=%zu", 4L, (size_t)3),
    "x: expected a dim of size 12 here, got 10\n    \"a (b c) -> c a b, b=4, c=3\"")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 10)), "a (b c) -> c a b"),
    "more than one size is unknown\nhint: \", c=%d\"")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2)), "a b -> b a"),
    "x: expected 2 dims, as the left side has, got (2,)")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2)), "a b ... -> b a ..."), "x: expected at least 2 dims")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a a -> a"),
    "the name comes twice on the left side\n    \"a a -> a\"\n       ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b (a b)"), "the name comes twice on the right side")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a (b -> b a"),
    "the parenthesis is not closed\n    \"a (b -> b a\"\n       ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b) -> b a"), "nothing was opened that could close here")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a ((b) c) -> b a"),
    "no parentheses stand inside of parentheses")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b > b a"),
    "expected a name, a number, ... or parentheses")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b"), "expected -> here, and the dims of the result")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a -> a b"), "there is a second ->")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a _b -> _b a"), "must not begin or end with an underscore")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a 2 -> 2 a"),
    "a dim without a name could not be found on the other side\nhint: give it a name")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a 0 -> 0 a"), "must have a positive size")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a ... ... -> a"), "there is a second ellipsis")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a (...) -> a ..."), "on the right side only")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> a b ..."), "the left side has no ellipsis")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a ... -> a"), "the right side has no ellipsis")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, c=2"),
    "no dim has this name\n    \"a b -> b a, c=2\"\n                 ^")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=2, b=2"), "was given before")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b"), "expected = and a size here")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=c"), "expected a number here, or %d")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, =2"), "expected a name and its size here")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=2 c=3"), "expected a comma here, or the end")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=%d", -1), "a size must not be negative")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=%g", 2.0), "numbers go in as %d")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 2)), "a b -> b a, b=99999999999999999999"), "is too large")
BAD(einops_rearrange, wk_einops_rearrange(wk_zeros((2, 0)), "a (b c) -> c b a, b=0"), "cannot be taken apart by 0")

static wk_tensor *run_repeat(golden_case *c) { return wk_einops_repeat(input(c, 0), text(c, "pattern"), 0); }
OP(einops_repeat, run_repeat)
BAD(einops_repeat, wk_einops_repeat(wk_zeros((2)), "a -> a b"),
    "the size of a new dim must be given\nhint: \", b=%d\"\n    \"a -> a b\"\n            ^")
BAD(einops_repeat, wk_einops_repeat(wk_zeros((2, 3)), "a b -> a c, c=2"), "the name does not come on the right side")
BAD(einops_repeat, wk_einops_repeat(wk_zeros((2)), "a -> a b c d e f g h i, b=2, c=2, d=2, e=2, f=2, g=2, h=2, i=2"),
    "the result has 9 dims, the most are 8")
BAD(einops_repeat, wk_einops_repeat(wk_zeros((2)), "a -> (a b c), b=%lld, c=%lld", 1LL << 40, 1LL << 40),
    "more elements than can be counted")

static wk_tensor *run_reduce(golden_case *c)
{
    return wk_einops_reduce(input(c, 0), text(c, "pattern"), text(c, "reduction"), 0);
}
OP(einops_reduce, run_reduce, .any_strides = true) // reduced first, put in order then
BAD(einops_reduce, wk_einops_reduce(wk_zeros((2, 3)), "a b -> a", "median"),
    "reduction: expected \"mean\", \"sum\", \"max\", \"min\", \"prod\", \"any\" or \"all\", got \"median\"")
BAD(einops_reduce, wk_einops_reduce(wk_zeros((2, 3)), "a b -> a", NULL), "got NULL")
BAD(einops_reduce, wk_einops_reduce(wk_zeros((2, 3)), "a b -> a c", "sum"), "the name does not come on the left side")
BAD(einops_reduce, wk_einops_reduce(wk_zeros((2, 3)), "a %d -> a", "sum", 2), "x: expected a dim of size 2 here, got 3")
BAD(einops_reduce, wk_einops_reduce(wk_full((2, 3), 1), "a b -> a", "mean"),
    "einops_reduce: expected a floating dtype, got int64")

/* as the script writes them: of each tensor how many dims, and their sizes */
static wk_tensor *run_pack(golden_case *c)
{
    wk_tensor *items[GOLDEN_MAX];
    for (int i = 0; i < c->inputs; i++)
        items[i] = input(c, i);
    const wk_tensors list = {c->inputs, items};
    wk_einops_shapes shapes;
    wk_tensor *y = wk_einops_pack(list, text(c, "pattern"), &shapes);
    if (!y)
        return NULL;
    int64_t rows[GOLDEN_MAX][1 + WK_MAX_DIMS] = {{0}};
    for (int i = 0; i < shapes.count; i++) {
        rows[i][0] = shapes.items[i].ndim;
        for (int dim = 0; dim < shapes.items[i].ndim; dim++)
            rows[i][1 + dim] = shapes.items[i].sizes[dim];
    }
    return results(c, y, wk_clone(wk_from_blob(rows, (shapes.count, 1 + WK_MAX_DIMS), .dtype = wk_int64)));
}
OP(einops_pack, run_pack)
BAD(einops_pack, wk_einops_pack((wk_zeros((2)), wk_zeros((2, 2))), "a * b", NULL),
    "tensors: number 0 needs at least 2 dims, got (2,)")
BAD(einops_pack, wk_einops_pack((wk_zeros((2))), "a b", NULL), "expected a * among the names")
BAD(einops_pack, wk_einops_pack((wk_zeros((2))), "a * *", NULL), "there is a second *\n    \"a * *\"\n         ^")
BAD(einops_pack, wk_einops_pack((wk_zeros((2))), "ab * ab", NULL), "the name comes twice")
BAD(einops_pack, wk_einops_pack((wk_zeros((2))), "(a) *", NULL), "expected a name or * here")
BAD(einops_pack, wk_einops_pack_with((wk_tensors){0, NULL}, "a *", NULL), "expected at least one")
BAD(einops_pack, wk_einops_pack((wk_zeros((2, 3)), wk_zeros((3, 3))), "a *", NULL), "einops_pack: ")

static wk_tensor *run_unpack(golden_case *c)
{
    wk_shape items[GOLDEN_MAX];
    wk_einops_shapes shapes = {0, items};
    char name[] = "shape0";
    for (; has(c, name); name[5]++)
        items[shapes.count++] = sizes(c, name);
    const wk_tensors parts = wk_einops_unpack(input(c, 0), shapes, text(c, "pattern"));
    return parts.count > 0 ? results_of(c, parts) : NULL;
}
OP(einops_unpack, run_unpack, .view = true)
static wk_tensor *unpack_into(int places, wk_shape a, wk_shape b)
{
    const wk_einops_shapes shapes = {2, (wk_shape[]){a, b}};
    wk_tensor *y = NULL, *z = NULL;
    if (places == 1)
        wk_einops_unpack(wk_zeros((6)), shapes, "*", (&y));
    else
        wk_einops_unpack(wk_zeros((6)), shapes, "*", (&y, &z));
    return y ? y : z;
}
BAD(einops_unpack, unpack_into(1, WK_SHAPE(2), WK_SHAPE(4)), "there are 2 results, and 1 places")
BAD(einops_unpack, unpack_into(2, WK_SHAPE(2), WK_SHAPE(5)), "do not fit the dim of size 6 under *, they need 7")
BAD(einops_unpack, unpack_into(2, WK_SHAPE(-1), WK_SHAPE(-1)), "expected sizes and at most one -1")
BAD(einops_unpack, unpack_into(2, WK_SHAPE(1), WK_SHAPE(-1, 2)), "need 1 and a multiple of what stands beside -1")

static wk_tensor *run_einsum(golden_case *c)
{
    const char *pattern = text(c, "pattern");
    if (c->inputs == 1)
        return wk_einops_einsum(input(c, 0), pattern);
    if (c->inputs == 2)
        return wk_einops_einsum(input(c, 0), input(c, 1), pattern);
    return wk_einops_einsum(input(c, 0), input(c, 1), input(c, 2), pattern);
}
OP(einops_einsum, run_einsum, .any_strides = true) // as einsum
BAD(einops_einsum, wk_einops_einsum(wk_zeros((2, 3)), "a b"), "expected -> and the dims of the result")
BAD(einops_einsum, wk_einops_einsum(wk_zeros((2, 3)), "a b -> c"),
    "the name does not come on the left side\n    \"a b -> c\"\n            ^")
BAD(einops_einsum, wk_einops_einsum(wk_zeros((2, 3)), "a (b) -> a"), "expected a name, ... or a comma here")
BAD(einops_einsum, wk_einops_einsum(wk_zeros((2, 3)), "a b, b c -> a"), "einops_einsum: operands: there are 1")
