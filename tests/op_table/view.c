/* Views.  Where PyTorch's answer depends on strides (view, reshape's copies), inputs are laid out as PyTorch had them,
   and permute makes the others. */
#include "op_table.h"

static wk_tensor *permuted(golden_case *c)
{
    return has(c, "permute") ? wk_permute_with(input(c, 0), sizes(c, "permute")) : input(c, 0);
}
static wk_tensor *run_reshape(golden_case *c) { return wk_reshape_with(permuted(c), sizes(c, "size")); }
static wk_tensor *run_view(golden_case *c) { return wk_view_with(permuted(c), sizes(c, "size")); }
static wk_tensor *run_flatten(golden_case *c)
{
    return wk_flatten(permuted(c), integer_or(c, "start_dim", 0), integer_or(c, "end_dim", -1));
}
static wk_tensor *run_unflatten(golden_case *c)
{
    return wk_unflatten_with(permuted(c), integer(c, "dim"), sizes(c, "sizes"));
}
OP(reshape, run_reshape, .view = true)
OP(view, run_view, .view = true, .plain = true)
OP(flatten, run_flatten, .view = true)
OP(unflatten, run_unflatten, .view = true)

static wk_tensor *run_transpose(golden_case *c)
{
    return wk_transpose(input(c, 0), integer(c, "dim0"), integer(c, "dim1"));
}
static wk_tensor *run_t(golden_case *c) { return wk_t(input(c, 0)); }
static wk_tensor *run_permute(golden_case *c) { return wk_permute_with(input(c, 0), sizes(c, "dims")); }
static wk_tensor *run_movedim(golden_case *c)
{
    return wk_movedim(input(c, 0), integer(c, "source"), integer(c, "destination"));
}
OP(transpose, run_transpose, .view = true)
OP(t, run_t, .view = true)
OP(permute, run_permute, .view = true)
OP(movedim, run_movedim, .view = true)

static wk_tensor *run_expand(golden_case *c) { return wk_expand_with(input(c, 0), sizes(c, "size"), NULL); }
static wk_tensor *run_expand_as(golden_case *c) { return wk_expand_as(input(c, 0), input(c, 1)); }
static wk_tensor *run_reshape_as(golden_case *c) { return wk_reshape_as(input(c, 0), input(c, 1)); }
static wk_tensor *run_view_as(golden_case *c) { return wk_view_as(input(c, 0), input(c, 1)); }
OP(expand, run_expand, .view = true)
OP(expand_as, run_expand_as, .view = true)
OP(reshape_as, run_reshape_as, .view = true)
OP(view_as, run_view_as, .view = true, .plain = true)

static wk_tensor *run_unsqueeze(golden_case *c) { return wk_unsqueeze(input(c, 0), integer(c, "dim")); }
static wk_tensor *run_squeeze_all(golden_case *c) { return wk_squeeze(input(c, 0)); }
static wk_tensor *run_squeeze_dim(golden_case *c) { return wk_squeeze(input(c, 0), integer(c, "dim")); }
OP(unsqueeze, run_unsqueeze, .view = true)
OP(squeeze_all, run_squeeze_all, .view = true)
OP(squeeze_dim, run_squeeze_dim, .view = true)

static wk_tensor *run_select(golden_case *c) { return wk_select(input(c, 0), integer(c, "dim"), integer(c, "index")); }
static wk_tensor *run_narrow(golden_case *c)
{
    return wk_narrow(input(c, 0), integer(c, "dim"), integer(c, "start"), integer(c, "length"));
}
static wk_tensor *run_slice(golden_case *c)
{
    return wk_slice(input(c, 0), integer(c, "dim"), integer(c, "start"), integer(c, "end"), integer(c, "step"));
}
static wk_tensor *run_as_strided(golden_case *c)
{
    return wk_as_strided_with(input(c, 0), sizes(c, "size"), sizes(c, "stride"), integer(c, "offset"));
}
OP(select, run_select, .view = true)
OP(narrow, run_narrow, .view = true)
OP(slice, run_slice, .view = true)
OP(as_strided, run_as_strided, .view = true, .plain = true)

BAD(reshape, wk_reshape(wk_zeros((2, 3)), (4, -1)), "(4, -1) does not fit the 6 elements of (2, 3)")
BAD(view, wk_view(wk_transpose(wk_zeros((2, 3)), 0, 1), (6)), "hint: use wk_reshape")
BAD(permute, wk_permute(wk_zeros((2, 3)), (0, 0)), "comes twice")
BAD(expand, wk_expand(wk_zeros((2, 3)), (4, 3)), "cannot be expanded to (4, 3)")
BAD(expand, wk_expand(wk_zeros((1)), (1LL << 40, 1LL << 40)), "has more elements than can be counted")
BAD(expand, wk_expand(wk_zeros((0)), (1LL << 62, 4, 0)), "has more elements than can be counted")
BAD(view, wk_view(wk_zeros((0)), (1LL << 62, 4, 0)), "has more elements than can be counted")
BAD(reshape, wk_reshape(wk_zeros((4)), (1LL << 62, 4, -1)), "has more elements than can be counted")
BAD(unflatten, wk_unflatten(wk_zeros((4)), 0, (1LL << 62, 4, -1)), "has more elements than can be counted")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (1LL << 40, 1LL << 40), (0, 0), 0), "more elements than can be counted")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (2, 2), (1LL << 62, 1LL << 62), 0), "reach beyond element")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (3), (1LL << 62), 0), "reach beyond element")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (1), (1), INT64_MAX), "reach beyond element")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (0), (1), INT64_MAX), "reach beyond element")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (2), (1), -1), "reach element -1 of a storage of 6")
BAD(as_strided, wk_as_strided(wk_zeros((6)), (2, 2), (4, 2), 0), "reach element 6 of a storage of 6")
BAD(reshape, wk_reshape(wk_zeros((2, 3)), (-1, 3, -1)), "expected sizes and at most one -1, got (-1, 3, -1)")
BAD(select, wk_select(wk_zeros((2, 3)), 1, 3), "index: 3 is out of range for dim 1 of (2, 3)")
BAD(select, wk_select(wk_zeros((2, 3)), 1, -4), "index: -4 is out of range for dim 1 of (2, 3)")
BAD(select, wk_select(wk_zeros((2, 3)), -3, 0), "dim: expected -2 to 1")
BAD(narrow, wk_narrow(wk_zeros((4)), 0, 2, 3), "narrow: ")
BAD(narrow, wk_narrow(wk_zeros((4)), 0, -5, 1), "narrow: ")
BAD(unsqueeze, wk_unsqueeze(wk_zeros((2, 3)), 3), "dim: expected -3 to 2")
BAD(unsqueeze, wk_unsqueeze(wk_zeros((2, 3)), -4), "dim: expected -3 to 2")
BAD(transpose, wk_transpose(wk_zeros((2, 3)), 0, -3), "expected -2 to 1")
BAD(t, wk_t(wk_zeros((2, 3, 4))), "at most 2 dims")
BAD(slice, wk_slice(wk_zeros((4)), 0, 0, 4, -1), "step: must be positive")
