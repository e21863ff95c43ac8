/* Activations with parameters: rows of pointwise.def under their public names. */
#include <wick/activation.h>

#include <string.h>

#include "ops.h"

wk_tensor *wk_gelu_with(wk_gelu_args args)
{
    WK_REQUIRE("gelu", args.x);
    if (!wk_check_floating("gelu", args.x))
        return NULL;
    if (!args.approximate || strcmp(args.approximate, "none") == 0)
        return wk_unary(&WK_UNARY_OP(gelu), args.x, 0, 0);
    if (strcmp(args.approximate, "tanh") == 0)
        return wk_unary(&WK_UNARY_OP(gelu_tanh), args.x, 0, 0);
    return wk_fail("gelu", "approximate: expected \"none\" or \"tanh\", got \"%s\"", args.approximate);
}

wk_tensor *wk_softplus_with(wk_softplus_args args)
{
    WK_REQUIRE("softplus", args.x);
    return wk_check_floating("softplus", args.x) ? wk_unary(&WK_UNARY_OP(softplus), args.x, args.beta, args.threshold)
                                                 : NULL;
}

wk_tensor *wk_elu_with(wk_elu_args args)
{
    WK_REQUIRE("elu", args.x);
    return wk_check_floating("elu", args.x) ? wk_unary(&WK_UNARY_OP(elu), args.x, args.alpha, 0) : NULL;
}

wk_tensor *wk_leaky_relu_with(wk_leaky_relu_args args)
{
    WK_REQUIRE("leaky_relu", args.x);
    return wk_check_floating("leaky_relu", args.x) ? wk_unary(&WK_UNARY_OP(leaky_relu), args.x, args.negative_slope, 0)
                                                   : NULL;
}

wk_tensor *wk_glu_with(wk_glu_args args)
{
    WK_REQUIRE("glu", args.x);
    wk_tensor *x = args.x;
    const int dim = wk_check_dim("glu", x->ndim, args.dim);
    if (dim < 0 || !wk_check_floating("glu", x))
        return NULL;
    const int64_t size = x->ndim > 0 ? x->shape[dim] : 1;
    if (x->ndim == 0 || size % 2 != 0)
        return wk_fail("glu", "x: expected an even size along dim %d, got %s", dim, wk_shape_string(x));
    return wk_mul(wk_narrow(x, dim, 0, size / 2), wk_sigmoid(wk_narrow(x, dim, size / 2, size / 2)));
}
