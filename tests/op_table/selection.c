/* Order, counting, distances: what is made of sorting and selecting. */
#include <math.h>

#include <string.h>

#include "op_table.h"

static wk_tensor *run_unique(golden_case *c)
{
    wk_tensor *values = NULL, *inverse = NULL, *counts = NULL;
    wk_unique(input(c, 0), (&values, &inverse, &counts), .dim = integer_or(c, "dim", WK_NO_DIM));
    return results(c, values, inverse, counts);
}
OP(unique, run_unique, .gradient = NONE)
BAD(unique, wk_unique(wk_zeros((2), .dtype = wk_complex64)), "unique: x: complex numbers have no order")
BAD(unique, wk_unique(wk_zeros((2, 3)), .dim = 2), "dim: expected -2 to 1")
BAD(unique, wk_unique(wk_zeros((2, 0)), .dim = 0), "slices of no elements")

static wk_tensor *run_bincount(golden_case *c)
{
    c->optional[1] = true;
    return wk_bincount(input(c, 0), .weights = optional(c, 1), .minlength = integer_or(c, "minlength", 0));
}
OP(bincount, run_bincount, .gradient = NONE)
BAD(bincount, wk_bincount(wk_tensor((2), ((int[]){1, -1}))), "x: must not be negative, got -1")
BAD(bincount, wk_bincount(wk_zeros((2))), "expected a 1-D tensor of integers, got (2,) of float32")
BAD(bincount, wk_bincount(wk_full((2), 1), wk_ones((3))), "weights: expected x's shape (2,), got (3,)")
BAD(bincount, wk_bincount(wk_full((2), 1), .minlength = -1), "minlength: must not be negative")

static wk_tensor *run_searchsorted(golden_case *c)
{
    c->optional[2] = true;
    return wk_searchsorted(input(c, 0), operand(c, 1), .right = integer_or(c, "right", 0), .side = text(c, "side"),
                           .out_int32 = integer_or(c, "out_int32", 0), .sorter = optional(c, 2));
}
OP(searchsorted, run_searchsorted, .gradient = NONE)
BAD(searchsorted, wk_searchsorted(wk_zeros((2)), wk_full((2), 1)), "values: expected sorted_sequence's dtype float32")
BAD(searchsorted, wk_searchsorted(wk_zeros((2, 3)), wk_zeros((3, 2))), "sorted_sequence: expected 1 dim, or those of")
BAD(searchsorted, wk_searchsorted(wk_zeros((2)), 1, .side = "up"), "expected \"left\" or \"right\", got \"up\"")
BAD(searchsorted, wk_searchsorted(wk_zeros((2)), 1, .side = "left", .right = true), "is \"left\", and right is true")
BAD(searchsorted, wk_searchsorted(wk_zeros((2)), 1, .sorter = wk_zeros((2))), "sorter: expected int64")

static wk_tensor *run_median(golden_case *c)
{
    if (!has(c, "dim"))
        return wk_median(input(c, 0));
    wk_tensor *values = NULL, *indices = NULL;
    wk_median(input(c, 0), integer(c, "dim"), (&values, &indices), .keepdim = integer_or(c, "keepdim", 0));
    return results(c, values, indices);
}
OP(median, run_median)
BAD(median, wk_median(wk_zeros((2, 0)), 1), "median: x: nothing has no median")
BAD(median, wk_median(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")

static wk_tensor *run_quantile(golden_case *c)
{
    return wk_quantile(input(c, 0), operand(c, 1), .dim = integer_or(c, "dim", WK_NO_DIM),
                       .keepdim = integer_or(c, "keepdim", 0));
}
OP(quantile, run_quantile)
BAD(quantile, wk_quantile(wk_zeros((3)), 1.5), "q: expected 0 to 1, got 1.5")
BAD(quantile, wk_quantile(wk_zeros((3), .dtype = wk_float16), 0.5), "expected float32 or float64, got float16")
BAD(quantile, wk_quantile(wk_zeros((0)), 0.5), "nothing has no quantiles")
BAD(quantile, wk_quantile(wk_zeros((3)), wk_zeros((2), .dtype = wk_float64)), "x's dtype float32, got (2,) of float64")

static wk_tensor *run_cdist(golden_case *c) { return wk_cdist(input(c, 0), input(c, 1), .p = real_or(c, "p", 2)); }
OP(cdist, run_cdist)
BAD(cdist, wk_cdist(wk_zeros((2, 3)), wk_zeros((2, 4))), "expected (..., P, M) and (..., R, M), got (2, 3) and (2, 4)")
BAD(cdist, wk_cdist(wk_zeros((2, 3)), wk_zeros((2, 3)), .p = -1), "p: must not be negative, got -1")
BAD(cdist, wk_cdist(wk_zeros((2, 3)), wk_zeros((2, 3), .dtype = wk_float16)), "got float32 and float16")

static wk_tensor *run_logaddexp(golden_case *c) { return wk_logaddexp(input(c, 0), input(c, 1)); }
OP(logaddexp, run_logaddexp)

static wk_nan_to_num_args replacing(golden_case *c)
{
    return (wk_nan_to_num_args){.x = input(c, 0),
                                .nan = real_or(c, "nan", 0),
                                .posinf = real_or(c, "posinf", NAN),
                                .neginf = real_or(c, "neginf", NAN)};
}
static wk_tensor *run_nan_to_num(golden_case *c) { return wk_nan_to_num_with(replacing(c)); }
static wk_tensor *run_nan_to_num_(golden_case *c) { return wk_nan_to_num_in_place_with(replacing(c)); }
OP(nan_to_num, run_nan_to_num)
OP(nan_to_num_, run_nan_to_num_)

static wk_tensor *run_round_decimals(golden_case *c)
{
    return wk_round(input(c, 0), .decimals = (int)integer(c, "decimals"));
}
static wk_tensor *run_round_decimals_(golden_case *c) { return wk_round_(input(c, 0), (int)integer(c, "decimals")); }
OP(round_decimals, run_round_decimals)
OP(round_decimals_, run_round_decimals_)
BAD(round, wk_round(wk_full((2), 1), 2), "round: decimals: int64 has none, got 2")

static wk_tensor *run_div_rounding_(golden_case *c)
{
    return wk_div_(input(c, 0), operand(c, 1), .rounding_mode = text(c, "rounding_mode"));
}
OP(div_rounding_, run_div_rounding_)
BAD(div_, wk_div_(wk_ones((2)), 2, .rounding_mode = "up"), "div_: rounding_mode: expected \"trunc\" or \"floor\"")

static wk_reduce_args reduction(golden_case *c)
{
    wk_reduce_args args = {
        .x = input(c, 0), .dims = sizes(c, "dims"), .dtype = dtype(c, "dtype"), .keepdim = integer_or(c, "keepdim", 0)};
    return args;
}
static wk_tensor *run_nanmean(golden_case *c) { return wk_nanmean_with(reduction(c)); }
OP(nanmean, run_nanmean)
BAD(nanmean, wk_nanmean(wk_full((2), 1)), "nanmean: expected a floating dtype, got int64")

static wk_tensor *run_linalg_norm(golden_case *c)
{
    const wk_reduce_args args = reduction(c);
    return wk_linalg_norm_with((wk_linalg_norm_args){
        .x = args.x, .ord = real_or(c, "ord", NAN), .dims = args.dims, .keepdim = args.keepdim, .dtype = args.dtype});
}
OP(linalg_norm, run_linalg_norm)
BAD(linalg_norm, wk_linalg_norm(wk_ones((2, 2, 2)), 1), "dim: expected one dim or two, for ord and an x of (2, 2, 2)")
BAD(linalg_norm, wk_linalg_norm(wk_ones((2, 2)), 3),
    "ord: expected 1, -1, 2, -2, INFINITY, -INFINITY, WK_FRO or WK_NUC")
static wk_tensor *run_linalg_norm_svd(golden_case *c)
{
    const wk_reduce_args args = reduction(c);
    const char *name = text(c, "name");
    return wk_linalg_norm_with((wk_linalg_norm_args){
        .x = args.x,
        .ord = !name ? real(c, "ord") : strcmp(name, "nuc") == 0 ? WK_NUC : WK_FRO,
        .dims = args.dims,
        .keepdim = args.keepdim,
        .dtype = args.dtype});
}
OP(linalg_norm_svd, run_linalg_norm_svd)
BAD(linalg_norm_svd, wk_linalg_norm(wk_ones((3)), WK_NUC), "linalg_norm: ord: WK_NUC is of matrices")
BAD(linalg_norm_svd, wk_linalg_norm(wk_ones((3, 3)), WK_FRO, (1)), "linalg_norm: ord: WK_FRO is of matrices")
BAD(linalg_norm_svd, wk_linalg_norm(wk_ones((2, 2), .dtype = wk_float16), 2),
    "expected float32 or float64, got float16")
BAD(linalg_norm, wk_linalg_norm(wk_ones((2, 2)), .dim = 2), "dim: expected -2 to 1")
BAD(linalg_norm, wk_linalg_norm(wk_ones((2, 2)), 1, (0, 0)), "dim: 0 comes twice")

static wk_tensor *run_cumsum_(golden_case *c) { return wk_cumsum_(input(c, 0), integer(c, "dim")); }
OP(cumsum_, run_cumsum_)
BAD(cumsum_, wk_cumsum_(wk_zeros((2)), 0, .dtype = wk_float64), "dtype: expected x's own, float32, got float64")

static wk_tensor *run_addmm_(golden_case *c)
{
    return wk_addmm_(input(c, 0), input(c, 1), input(c, 2), .beta = real_or(c, "beta", 1),
                     .alpha = real_or(c, "alpha", 1));
}
OP(addmm_, run_addmm_)
BAD(addmm_, wk_addmm_(wk_zeros((3)), wk_zeros((2, 4)), wk_zeros((4, 3))), "addmm_: x: of shape (3,) cannot hold")

static wk_tensor *run_rot90(golden_case *c)
{
    return has(c, "dims") ? wk_rot90_with(input(c, 0), integer(c, "k"), sizes(c, "dims"))
                          : wk_rot90(input(c, 0), integer(c, "k"));
}
OP(rot90, run_rot90)
BAD(rot90, wk_rot90(wk_zeros((2, 3)), 1, (0, -2)), "dims: must be two dims, both are 0")

static wk_tensor *run_fill_diagonal_(golden_case *c)
{
    return wk_fill_diagonal_(input(c, 0), operand(c, 1), .wrap = integer_or(c, "wrap", 0));
}
OP(fill_diagonal_, run_fill_diagonal_)
BAD(fill_diagonal_, wk_fill_diagonal_(wk_zeros((3)), 1), "expected at least 2 dims, got (3,)")
BAD(fill_diagonal_, wk_fill_diagonal_(wk_zeros((3, 3, 2)), 1), "expected equal sizes where there are more than 2 dims")

static wk_tensor *run_logspace(golden_case *c)
{
    return wk_logspace(real(c, "start"), real(c, "end"), integer(c, "steps"), .base = real_or(c, "base", 10),
                       .dtype = dtype(c, "dtype"));
}
OP(logspace, run_logspace, .gradient = NONE)
BAD(logspace, wk_logspace(0, 1, -1), "logspace: steps: must not be negative")

static wk_tensor *run_hann_window(golden_case *c)
{
    return wk_hann_window(integer(c, "n"), .periodic = integer(c, "periodic"), .dtype = dtype(c, "dtype"));
}
OP(hann_window, run_hann_window, .gradient = NONE)
BAD(hann_window, wk_hann_window(-1), "window_length: must not be negative, got -1")
BAD(hann_window, wk_hann_window(3, .dtype = wk_int64), "expected a floating dtype, got int64")

static wk_tensor *run_flatten_dense_tensors(golden_case *c)
{
    wk_tensor *a = input(c, 0), *b = input(c, 1);
    return wk_flatten_dense_tensors((a, b));
}
OP(flatten_dense_tensors, run_flatten_dense_tensors)
static wk_tensor *run_unflatten_dense_tensors(golden_case *c)
{
    wk_tensors parts = wk_unflatten_dense_tensors(input(c, 0), (input(c, 1), input(c, 2)));
    return parts.count ? results(c, parts.items[0], parts.items[1]) : NULL;
}
OP(unflatten_dense_tensors, run_unflatten_dense_tensors)

static wk_tensor *run_squeeze_dims(golden_case *c) { return wk_squeeze_dims(input(c, 0), sizes(c, "dims")); }
OP(squeeze_dims, run_squeeze_dims, .view = true)
BAD(squeeze, wk_squeeze(wk_zeros((1, 2, 1)), (0, -3)), "squeeze: dim: 0 comes twice")
static wk_tensor *run_movedims(golden_case *c)
{
    return wk_movedim_with(input(c, 0), sizes(c, "source"), sizes(c, "destination"));
}
OP(movedims, run_movedims, .view = true)
BAD(movedim, wk_movedim(wk_zeros((1, 2, 1)), (0, 1), (0, 0)), "movedim: destination: 0 comes twice")
BAD(movedim, wk_movedim(wk_zeros((1, 2, 1)), (0, 1), (0)), "destination: expected 2 dims, as many as source has, got 1")
