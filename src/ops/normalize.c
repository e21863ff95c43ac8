/* Vectors brought to length 1, the angle and the distance between two: compositions, their gradients those of the
   parts. */
#include <wick/normalization.h>

#include "ops.h"

static wk_tensor *norm_along(wk_tensor *x, double p, int dim)
{
    return wk_norm_with((wk_reduce_args){.x = x, .p = p, .dims = WK_SHAPE(dim), .keepdim = true});
}

wk_tensor *wk_normalize_with(wk_normalize_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("normalize", x);
    const int dim = wk_check_dim("normalize", x->ndim, args.dim);
    if (dim < 0 || !wk_check_inexact("normalize", x))
        return NULL;
    return wk_div(x, wk_clamp(norm_along(x, args.p, dim), args.eps, wk_none));
}

/* The gradient goes to the norm as it was, also where eps stands in for it, as in PyTorch. */
static wk_tensor *length(wk_tensor *x, int dim, double eps)
{
    wk_tensor *norm = norm_along(x, 2, dim);
    return wk_add(norm, WK_WITHOUT_GRAD(wk_sub(wk_clamp(norm, eps, wk_none), norm)));
}

wk_tensor *wk_cosine_similarity_with(wk_cosine_similarity_args args)
{
    wk_tensor *a = args.a, *b = args.b;
    WK_REQUIRE("cosine_similarity", a);
    WK_REQUIRE("cosine_similarity", b);
    if (!wk_check_floating("cosine_similarity", a) || !wk_check_floating("cosine_similarity", b) ||
        !wk_check_operands_device("cosine_similarity", "a", a, "b", b))
        return NULL;
    wk_shape shape;
    if (!wk_broadcast_shapes("cosine_similarity", a->ndim, a->shape, b->ndim, b->shape, &shape.ndim, shape.sizes))
        return NULL;
    const int dim = wk_check_dim("cosine_similarity", shape.ndim, args.dim);
    if (dim < 0)
        return NULL;
    a = wk_expand_with(a, shape, NULL);
    b = wk_expand_with(b, shape, NULL);
    return wk_sum(wk_mul(wk_div(a, length(a, dim, args.eps)), wk_div(b, length(b, dim, args.eps))), dim);
}

wk_tensor *wk_pairwise_distance_with(wk_pairwise_distance_args args)
{
    WK_NAMES_ERRORS("pairwise_distance");
    wk_tensor *a = args.a, *b = args.b;
    WK_REQUIRE("pairwise_distance", a);
    WK_REQUIRE("pairwise_distance", b);
    wk_shape shape;
    if (!wk_check_operands_device("pairwise_distance", "a", a, "b", b) ||
        !wk_broadcast_shapes("pairwise_distance", a->ndim, a->shape, b->ndim, b->shape, &shape.ndim, shape.sizes))
        return NULL;
    return wk_norm(wk_add(wk_sub(a, b), args.eps), args.p, -1, .keepdim = args.keepdim);
}
