/* Distances between all pairs of two sets of points. */
#include <math.h>

#include <wick/matmul.h>

#include "autocast.h"
#include "ops.h"

/* ---------------------------------------------------------------- p = 2: with r = dy / y, 0 where y is:
   da = a sum_j r - r b, db = b sum_i r - r^T a; never all differences at once */

static void cdist_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *a = wk_saved(node, 0), *b = wk_saved(node, 1), *y = wk_saved(node, 2);
    wk_tensor *zero = wk_eq(y, 0), *ratio = wk_where(zero, 0, wk_div(dy, wk_where(zero, 1, y)));
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_sub(wk_mul(a, wk_sum(ratio, (-1), .keepdim = true)), wk_matmul(ratio, b)));
    if (wk_needs(node, 1)) {
        wk_tensor *turned = wk_transpose(ratio, -2, -1);
        wk_accumulate(node, 1, wk_sub(wk_mul(b, wk_sum(turned, (-1), .keepdim = true)), wk_matmul(turned, a)));
    }
}

static wk_tensor *norm_of_differences(wk_tensor *a, wk_tensor *b, double p)
{
    return wk_norm(wk_sub(wk_unsqueeze(a, -2), wk_unsqueeze(b, -3)), p, -1);
}

/* |a|^2 + |b|^2 - 2 a b: inexact where points are close, as in PyTorch, which does the same from 26 points on */
static wk_tensor *euclidean(wk_tensor *a, wk_tensor *b)
{
    if (wk_size(a, -2) <= 25 && wk_size(b, -2) <= 25)
        return norm_of_differences(a, b, 2);
    wk_tensor *a2 = wk_sum(wk_square(a), (-1), .keepdim = true), *b2 = wk_sum(wk_square(b), (-1), .keepdim = true);
    wk_tensor *products = wk_matmul(a, wk_transpose(b, -2, -1));
    wk_tensor *squares = wk_add(wk_add(a2, wk_transpose(b2, -2, -1)), products, .alpha = -2);
    return wk_sqrt(wk_clamp(squares, 0, wk_none));
}

wk_tensor *wk_cdist_with(wk_cdist_args args)
{
    static const char OP[] = "cdist";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &args.a, &args.b);
    wk_tensor *const a = args.a, *const b = args.b;
    WK_REQUIRE(OP, a);
    WK_REQUIRE(OP, b);
    if (a->dtype != b->dtype || (a->dtype != wk_float32 && a->dtype != wk_float64))
        return wk_fail(OP, "a, b: expected both float32 or both float64, got %s and %s", wk_dtype_name(a->dtype),
                       wk_dtype_name(b->dtype));
    if (a->ndim < 2 || b->ndim < 2 || wk_size(a, -1) != wk_size(b, -1))
        return wk_fail(OP, "a, b: expected (..., P, M) and (..., R, M), got %s and %s", wk_shape_string(a),
                       wk_shape_string(b));
    if (!(args.p >= 0))
        return wk_fail(OP, "p: must not be negative, got %g", args.p);
    if (a->ndim == WK_MAX_DIMS || b->ndim == WK_MAX_DIMS)
        return wk_fail(OP, "a, b: expected at most %d dims, got %s and %s", WK_MAX_DIMS - 1, wk_shape_string(a),
                       wk_shape_string(b));
    if (wk_size(a, -1) == 0) // of nothing every norm is 0
        return norm_of_differences(a, b, 2);
    if (args.p != 2)
        return norm_of_differences(a, b, args.p);
    wk_tensor *y = WK_WITHOUT_GRAD(euclidean(a, b));
    return wk_record(y, cdist_backward, WK_INPUTS(a, b), WK_SAVED(a, b, y));
}
