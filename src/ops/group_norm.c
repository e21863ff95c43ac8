/* group_norm: layer_norm of each group's numbers, then a weight and a bias for each channel: a composition. */
#include <wick/normalization.h>

#include "norm.h"
#include "ops.h"

wk_tensor *wk_group_norm_with(wk_group_norm_args args)
{
    WK_REQUIRE("group_norm", args.x);
    wk_tensor *x = args.x;
    if (x->ndim < 2)
        return wk_fail("group_norm", "x: expected (N, C, ...), got %s", wk_shape_string(x));
    const int64_t channels = x->shape[1];
    if (args.num_groups <= 0 || channels % args.num_groups != 0)
        return wk_fail("group_norm", "num_groups: expected a divisor of %lld channels, got %lld", (long long)channels,
                       (long long)args.num_groups);
    const wk_shape each = {1, {channels}};
    if (!wk_check_norm_parameter("group_norm", x, "weight", args.weight, &each, "one a channel") ||
        !wk_check_norm_parameter("group_norm", x, "bias", args.bias, &each, "one a channel") ||
        !wk_check_norm_dtypes("group_norm", x, args.weight, args.bias) || !wk_check_floating("group_norm", x))
        return NULL;
    if (x->numel == 0)
        return wk_mul(x, 1);
    const wk_dtype dtype = x->dtype;
    if (wk_is_half(dtype))
        x = wk_to(x, wk_float32);
    const int64_t groups = x ? x->shape[0] * args.num_groups : 1;
    const int64_t n = args.x->numel / groups;
    wk_tensor *y = wk_layer_norm(wk_reshape(x, (groups, n)), (n), .eps = args.eps);
    y = wk_reshape_with(y, wk_shape_of(args.x->ndim, args.x->shape));
    wk_shape each_channel = {.ndim = args.x->ndim - 1, .sizes = {channels}};
    for (int dim = 1; dim < each_channel.ndim; dim++)
        each_channel.sizes[dim] = 1;
    if (y && args.weight)
        y = wk_mul(y, wk_reshape_with(wk_to(args.weight, y->dtype), each_channel));
    if (y && args.bias)
        y = wk_add(y, wk_reshape_with(wk_to(args.bias, y->dtype), each_channel));
    return y ? wk_to(y, dtype) : NULL;
}
