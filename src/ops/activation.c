/* Activations with parameters: rows of pointwise.def under their public names. */
#include <wick/activation.h>

#include <string.h>

#include "autocast.h"
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

static wk_tensor *with_number(const wk_unary_op *op, wk_tensor *x, double number, bool inplace)
{
    WK_REQUIRE(op->name, x);
    if (!wk_check_floating(op->name, x))
        return NULL;
    return inplace ? wk_unary_(op, x, number, 0) : wk_unary(op, x, number, 0);
}

wk_tensor *wk_elu_with(wk_elu_args args)
{
    return with_number(&WK_UNARY_OP(elu), args.x, args.alpha, args.inplace);
}

wk_tensor *wk_leaky_relu_with(wk_leaky_relu_args args)
{
    return with_number(&WK_UNARY_OP(leaky_relu), args.x, args.negative_slope, args.inplace);
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

/* Both branches are finite where the other is taken, so that no 0 times infinity reaches a gradient. */
wk_tensor *wk_prelu(wk_tensor *x, wk_tensor *weight)
{
    WK_NAMES_ERRORS("prelu");
    WK_AUTOCAST(LOW, &x, &weight);
    WK_REQUIRE("prelu", x);
    WK_REQUIRE("prelu", weight);
    if (!wk_check_floating("prelu", x))
        return NULL;
    if (weight->dtype != x->dtype)
        return wk_fail("prelu", "weight: expected x's dtype %s, got %s", wk_dtype_name(x->dtype),
                       wk_dtype_name(weight->dtype));
    const int64_t channels = x->ndim > 1 ? x->shape[1] : 1;
    if (weight->ndim > 1 || (weight->numel != 1 && weight->numel != channels))
        return wk_fail("prelu", "weight: expected one number, or one for each of %lld channels, got %s",
                       (long long)channels, wk_shape_string(weight));
    wk_shape each = {x->ndim, {0}};
    for (int i = 0; i < x->ndim; i++)
        each.sizes[i] = i == 1 ? weight->numel : 1;
    if (weight->numel != 1)
        weight = wk_reshape_with(weight, each);
    else if (x->ndim > 0 || weight->ndim > 0)
        weight = wk_reshape(weight, ());
    wk_tensor *positive = WK_WITHOUT_GRAD(wk_gt(x, 0));
    return wk_where(positive, x, wk_mul(weight, wk_masked_fill(x, positive, 0)));
}
