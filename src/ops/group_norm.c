/* group_norm: each group's numbers are normalized, then each channel has a weight and a bias. */
#include <wick/normalization.h>

#include "core/layout.h"
#include "core/run.h"
#include "kernels/group_norm.h"
#include "norm.h"
#include "ops.h"

static const char OP[] = "group_norm";

typedef struct group_norm_kept {
    wk_group_norm_shape shape;
    double eps;
} group_norm_kept;

/* false after an error */
static bool check(const wk_group_norm_args *args)
{
    const wk_tensor *x = args->x;
    if (!wk_check_floating(OP, x))
        return false;
    if (x->ndim < 2)
        return wk_fail(OP, "x: expected (N, C, ...), got %s", wk_shape_string(x));
    for (int dim = 1; dim < x->ndim; dim++)
        if (x->shape[dim] == 0)
            return wk_fail(OP, "x: expected channels of one number or more, got %s", wk_shape_string(x));
    const wk_shape each = {1, {x->shape[1]}};
    if (args->num_groups <= 0 || x->shape[1] % args->num_groups != 0)
        return wk_fail(OP, "num_groups: expected a divisor of %lld channels, got %lld", (long long)x->shape[1],
                       (long long)args->num_groups);
    return wk_check_norm_parameter(OP, x, "weight", args->weight, &each, "one a channel") &&
           wk_check_norm_parameter(OP, x, "bias", args->bias, &each, "one a channel") &&
           wk_check_norm_dtypes(OP, x, args->weight, args->bias);
}

/* ---------------------------------------------------------------- group_norm */

/* (N, groups, channels, inner), channels those of a group */
static wk_tensor *grouped(wk_tensor *x, const wk_group_norm_shape *s)
{
    return wk_reshape(x, (s->N, s->groups, s->channels, s->inner));
}
static wk_tensor *mean_of_row(wk_tensor *x) { return wk_mean(x, (2, 3), .keepdim = true); }
static wk_tensor *sum_of_channel(wk_tensor *x) { return wk_reshape(wk_sum(x, (0, 3)), (-1)); }

/* with xhat = (x - mean) * rstd, g = dy * weight:
       dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = sum(dy * xhat), dbias = sum(dy) */
static void group_norm_in_ops(wk_node *node, wk_tensor *dy_)
{
    const group_norm_kept *kept = node->kept;
    const wk_group_norm_shape *s = &kept->shape;
    const wk_dtype compute = wk_real_dtype(node->output->dtype);
    wk_tensor *given = wk_saved(node, 0), *weight = wk_saved(node, 1);
    wk_tensor *x = grouped(wk_to(given, compute), s), *dy = grouped(wk_to(dy_, compute), s);
    wk_tensor *centered = wk_sub(x, mean_of_row(x));
    wk_tensor *rstd = wk_rsqrt(wk_add(mean_of_row(wk_square(centered)), kept->eps)), *xhat = wk_mul(centered, rstd);
    if (wk_needs(node, 0)) {
        wk_tensor *g = weight ? wk_mul(dy, wk_reshape(weight, (s->groups, s->channels, 1))) : dy;
        wk_tensor *inner = wk_sub(wk_sub(g, mean_of_row(g)), wk_mul(xhat, mean_of_row(wk_mul(g, xhat))));
        wk_accumulate(node, 0, wk_reshape_as(wk_mul(rstd, inner), given));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, sum_of_channel(wk_mul(dy, xhat)));
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, sum_of_channel(dy));
}

static void group_norm_backward(wk_node *node, wk_tensor *dy_)
{
    static const char BACKWARD[] = "group_norm_backward";
    const group_norm_kept *kept = node->kept;
    const int64_t channels = kept->shape.groups * kept->shape.channels;
    wk_tensor *x = wk_dense(wk_saved(node, 0)), *dy = wk_dense(dy_), *weight = NULL;
    wk_tensor *mean = wk_saved(node, 2), *rstd = wk_saved(node, 3);
    if (!x || !dy || !mean || !rstd || !wk_norm_parameter(wk_saved(node, 1), mean->dtype, &weight))
        return;
    wk_tensor *gradients[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (!wk_needs(node, i))
            continue;
        gradients[i] = i == 0 ? wk_empty_like(x) : wk_tensor_new(BACKWARD, 1, &channels, mean->dtype, x->device);
        if (!gradients[i])
            return;
    }
    if (wk_run(BACKWARD, x, group_norm_backward, .shape = kept->shape, .dy = wk_data(dy), .x = wk_data(x),
               .mean = wk_data(mean), .rstd = wk_data(rstd), .weight = wk_data(weight), .dx = wk_data(gradients[0]),
               .dweight = wk_data(gradients[1]), .dbias = wk_data(gradients[2])))
        for (int i = 0; i < 3; i++)
            if (gradients[i])
                wk_accumulate(node, i, gradients[i]);
}

wk_tensor *wk_group_norm_with(wk_group_norm_args args)
{
    WK_REQUIRE(OP, args.x);
    if (!check(&args))
        return NULL;
    const wk_dtype compute = wk_real_dtype(args.x->dtype);
    const int64_t *sizes = args.x->shape, groups = args.num_groups, rows = sizes[0] * groups;
    const wk_group_norm_shape shape = {sizes[0], groups, sizes[1] / groups,
                                       wk_shape_numel(args.x->ndim - 2, sizes + 2)};
    wk_tensor *x = wk_dense(args.x), *y = wk_empty_like(x), *weight, *bias;
    wk_tensor *mean = wk_tensor_new(OP, 1, &rows, compute, args.x->device), *rstd = wk_empty_like(mean);
    if (!y || !rstd || !wk_norm_parameter(args.weight, compute, &weight) ||
        !wk_norm_parameter(args.bias, compute, &bias) ||
        !wk_run(OP, x, group_norm, .shape = shape, .x = wk_data(x), .weight = wk_data(weight), .bias = wk_data(bias),
                .y = wk_data(y), .mean = wk_data(mean), .rstd = wk_data(rstd), .eps = args.eps))
        return NULL;
    y = wk_kept_format(y, wk_format_of(args.x));
    return wk_record(y, group_norm_backward, WK_INPUTS(args.x, args.weight, args.bias),
                     WK_SAVED(args.x, args.weight, mean, rstd), WK_KEPT(group_norm_kept, shape, args.eps),
                     .composed = group_norm_in_ops);
}
