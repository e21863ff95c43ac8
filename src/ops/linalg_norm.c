/* Norms of vectors and matrices, told apart by how many dims they are over. */
#include <math.h>

#include "linalg.h"
#include "ops.h"
#include "reduction.h"

static const char OP[] = "linalg_norm";

/* (..., m, n) at dims first and second of x */
static wk_tensor *by_singular_values(wk_tensor *x, double ord, int first, int second, bool keepdim)
{
    wk_tensor *S = wk_singular_values(OP, wk_movedim_with(x, WK_SHAPE(first, second), WK_SHAPE(-2, -1)));
    const bool none = S && S->shape[S->ndim - 1] == 0; // of which the largest is 0, as in PyTorch
    wk_tensor *y = isnan(ord) || (none && ord > 0) ? wk_sum(S, -1) : ord > 0 ? wk_amax(S, -1) : wk_amin(S, -1);
    if (!keepdim)
        return y;
    return wk_unsqueeze(wk_unsqueeze(y, first < second ? first : second), first < second ? second : first);
}

/* the largest (ord > 0) or smallest sum of |x| along one of two dims: the first for columns (1), the second for rows
   (infinity) */
static wk_tensor *matrix_norm(wk_tensor *x, double ord, const wk_reduce_args *args)
{
    const int first = wk_check_dim(OP, x->ndim, args->dims.sizes[0]),
              second = wk_check_dim(OP, x->ndim, args->dims.sizes[1]);
    if (first < 0 || second < 0)
        return NULL;
    if (first == second)
        return wk_fail(OP, "dim: %d comes twice", first);
    if (isnan(ord) || fabs(ord) == 2)
        return by_singular_values(x, ord, first, second, args->keepdim);
    if (fabs(ord) != 1 && !isinf(ord))
        return wk_fail(OP, "ord: expected 1, -1, 2, -2, INFINITY, -INFINITY, WK_FRO or WK_NUC for a matrix, got %g",
                       ord);
    const int along = isinf(ord) ? second : first, among = isinf(ord) ? first : second;
    wk_tensor *sums = wk_sum(wk_abs(x), (along), .keepdim = true);
    wk_tensor *y = ord > 0 ? wk_amax(sums, (among), .keepdim = true) : wk_amin(sums, (among), .keepdim = true);
    if (args->keepdim)
        return y;
    y = wk_squeeze_dim(y, along > among ? along : among);
    return wk_squeeze_dim(y, along > among ? among : along);
}

wk_tensor *wk_linalg_norm_with(wk_linalg_norm_args given)
{
    WK_NAMES_ERRORS(OP);
    wk_reduce_args args = {
        .x = given.x, .p = 2, .dims = given.dims, .keepdim = given.keepdim, .dtype = given.dtype, .dim = given.dim,
        .tuple = given.tuple};
    if (!wk_read_dims(OP, &args))
        return NULL;
    WK_REQUIRE(OP, args.x);
    if (args.dims.ndim > 2)
        return wk_fail(OP, "dim: expected one dim or two, got %d", args.dims.ndim);
    const bool nuclear = wk_same_nan(given.ord, WK_NUC), frobenius = wk_same_nan(given.ord, WK_FRO);
    if (isnan(given.ord) && !nuclear && !frobenius)
        return wk_norm_with(args);
    if (args.dims.ndim == 0 && (args.x->ndim < 1 || args.x->ndim > 2))
        return wk_fail(OP, "dim: expected one dim or two, for ord and an x of %s", wk_shape_string(args.x));
    if (args.dims.ndim == 0)
        args.dims = args.x->ndim == 1 ? (wk_shape){1, {0}} : (wk_shape){2, {0, 1}};
    if ((nuclear || frobenius) && args.dims.ndim == 1)
        return wk_fail(OP, "ord: %s is of matrices, over two dims", nuclear ? "WK_NUC" : "WK_FRO");
    args.p = frobenius ? 2 : given.ord;
    if (args.dims.ndim == 1 || frobenius)
        return wk_norm_with(args);
    wk_tensor *x = args.dtype ? wk_to(args.x, args.dtype) : args.x;
    return x && wk_check_inexact(OP, x) ? matrix_norm(x, given.ord, &args) : NULL;
}
