/* batch_norm: each channel is normalized over the batch, or by running statistics; instance_norm: over each image. */
#include <wick/normalization.h>

#include "core/layout.h"
#include "core/run.h"
#include "kernels/batch_norm.h"
#include "norm.h"
#include "ops.h"

typedef struct batch_norm_kept {
    wk_batch_norm_shape shape;
    double eps;
    bool by_batch;
    wk_memory_format format; // of x and y; the kernel's dx too
} batch_norm_kept;

/* false after an error */
static bool check(const char *op, const wk_batch_norm_args *args)
{
    const wk_tensor *x = args->x;
    if (!wk_check_floating(op, x))
        return false;
    if (x->ndim < 2 || x->shape[1] == 0)
        return wk_fail(op, "x: expected (N, C, ...), got %s", wk_shape_string(x));
    const wk_shape each = {1, {x->shape[1]}};
    const struct {
        const char *name;
        const wk_tensor *tensor;
    } given[] = {{"weight", args->weight},
                 {"bias", args->bias},
                 {"running_mean", args->running_mean},
                 {"running_var", args->running_var}};
    for (int i = 0; i < 4; i++)
        if (!wk_check_norm_parameter(op, x, given[i].name, given[i].tensor, &each, "one a channel"))
            return false;
    if (!args->running_mean != !args->running_var)
        return wk_fail(op, "running_mean: expected both it and running_var, or neither");
    for (int i = 2; i < 4; i++)
        if (given[i].tensor && given[i].tensor->dtype != x->dtype && given[i].tensor->dtype != wk_real_dtype(x->dtype))
            return wk_fail(op, "%s: expected x's dtype %s%s, got %s", given[i].name, wk_dtype_name(x->dtype),
                           wk_is_half(x->dtype) ? " or float32" : "", wk_dtype_name(given[i].tensor->dtype));
    return wk_check_norm_dtypes(op, x, args->weight, args->bias);
}

/* ---------------------------------------------------------------- batch_norm */

static wk_tensor *by_channel(wk_tensor *x) { return wk_reshape(x, (1, -1, 1)); }
static wk_tensor *sum_of_channel(wk_tensor *x) { return wk_sum(x, (0, 2)); }

/* with xhat = (x - mean) * rstd, g = dy * weight, means over a channel:
       dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), or rstd * g where mean and rstd are not of x;
       dweight = sum(dy * xhat), dbias = sum(dy) */
static void batch_norm_in_ops(wk_node *node, wk_tensor *dy_)
{
    const batch_norm_kept *kept = node->kept;
    const wk_shape shape = WK_SHAPE(kept->shape.N, kept->shape.C, kept->shape.inner);
    const wk_dtype compute = wk_real_dtype(node->output->dtype);
    wk_tensor *given = wk_saved(node, 0), *weight = wk_saved(node, 1);
    wk_tensor *x = wk_reshape_with(wk_to(given, compute), shape), *dy = wk_reshape_with(wk_to(dy_, compute), shape);
    wk_tensor *centered, *rstd;
    if (kept->by_batch) {
        centered = wk_sub(x, wk_mean(x, (0, 2), .keepdim = true));
        rstd = wk_var(x, (0, 2), .correction = 0, .keepdim = true);
        rstd = wk_rsqrt(wk_add(rstd, kept->eps));
    } else {
        centered = wk_sub(x, by_channel(wk_saved(node, 2)));
        rstd = by_channel(wk_saved(node, 3));
    }
    wk_tensor *xhat = wk_mul(centered, rstd);
    if (wk_needs(node, 0)) {
        wk_tensor *g = weight ? wk_mul(dy, by_channel(wk_to(weight, compute))) : dy;
        if (kept->by_batch)
            g = wk_sub(wk_sub(g, wk_mean(g, (0, 2), .keepdim = true)),
                       wk_mul(xhat, wk_mean(wk_mul(g, xhat), (0, 2), .keepdim = true)));
        wk_accumulate(node, 0, wk_reshape_as(wk_mul(rstd, g), given));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, sum_of_channel(wk_mul(dy, xhat)));
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, sum_of_channel(dy));
}

/* channels are the last dim of x in memory, or the middle one */
static wk_tensor *in_format(wk_tensor *x, wk_memory_format format)
{
    return format == wk_contiguous_format ? wk_dense(x) : WK_WITHOUT_GRAD(wk_contiguous(x, format));
}
static wk_batch_norm_shape shape_in(wk_batch_norm_shape s, wk_memory_format format)
{
    return format == wk_contiguous_format ? s : (wk_batch_norm_shape){s.N * s.inner, s.C, 1};
}
static wk_tensor *new_like(const char *op, const wk_tensor *x, wk_memory_format format)
{
    return x ? wk_tensor_new_format(op, x->ndim, x->shape, format, x->dtype, x->device) : NULL;
}

static void batch_norm_backward(wk_node *node, wk_tensor *dy_)
{
    static const char BACKWARD[] = "batch_norm_backward";
    const batch_norm_kept *kept = node->kept;
    wk_tensor *x = in_format(wk_saved(node, 0), kept->format), *dy = in_format(dy_, kept->format), *weight = NULL;
    wk_tensor *mean = wk_saved(node, 2), *rstd = wk_saved(node, 3);
    if (!x || !dy || !mean || !rstd || !wk_norm_parameter(wk_saved(node, 1), mean->dtype, &weight))
        return;
    wk_tensor *gradients[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (!wk_needs(node, i))
            continue;
        gradients[i] = i == 0 ? new_like(BACKWARD, x, kept->format) : wk_zeros_like(mean);
        if (!gradients[i])
            return;
    }
    if (x->numel == 0 || // which has no statistics, and gives zeros
        wk_run(BACKWARD, x, batch_norm_backward, .shape = shape_in(kept->shape, kept->format), .dy = wk_data(dy),
               .x = wk_data(x), .mean = wk_data(mean), .rstd = wk_data(rstd), .weight = wk_data(weight),
               .dx = wk_data(gradients[0]), .dweight = wk_data(gradients[1]), .dbias = wk_data(gradients[2]),
               .by_batch = kept->by_batch))
        for (int i = 0; i < 3; i++)
            if (gradients[i])
                wk_accumulate(node, i, gradients[i]);
}

/* a running statistic as the kernel writes it: itself, or a copy; NULL for NULL */
static bool statistic(wk_tensor *running, wk_dtype dtype, wk_tensor **dense)
{
    *dense = NULL;
    if (!running)
        return true;
    *dense =
        running->dtype == dtype && wk_is_contiguous(running) ? running : wk_dense(wk_to(wk_detach(running), dtype));
    return *dense;
}

/* what the kernel wrote is in `running`; false after an error */
static bool written(wk_tensor *running, wk_tensor *dense)
{
    if (running == dense) {
        if (running)
            running->storage->version++;
        return true;
    }
    return WK_WITHOUT_GRAD(wk_copy_(running, dense)) != NULL;
}

static wk_tensor *batch_norm(const char *op, wk_batch_norm_args args)
{
    const wk_dtype compute = wk_real_dtype(args.x->dtype);
    const int64_t *sizes = args.x->shape, C = sizes[1];
    const wk_batch_norm_shape shape = {sizes[0], C, wk_shape_numel(args.x->ndim - 2, sizes + 2)};
    const wk_memory_format format = wk_format_of(args.x);
    wk_tensor *x = in_format(args.x, format), *y = new_like(op, x, format);
    wk_tensor *weight, *bias, *running_mean, *running_var;
    wk_tensor *mean = wk_tensor_new(op, 1, &C, compute, args.x->device), *rstd = wk_empty_like(mean);
    if (!y || !rstd || !wk_norm_parameter(args.weight, compute, &weight) ||
        !wk_norm_parameter(args.bias, compute, &bias) || !statistic(args.running_mean, compute, &running_mean) ||
        !statistic(args.running_var, compute, &running_var) ||
        !wk_run(op, x, batch_norm, .shape = shape_in(shape, format), .x = wk_data(x), .weight = wk_data(weight),
                .bias = wk_data(bias), .running_mean = wk_data(running_mean), .running_var = wk_data(running_var),
                .y = wk_data(y), .mean = wk_data(mean), .rstd = wk_data(rstd), .eps = args.eps,
                .momentum = args.momentum, .by_batch = args.training))
        return NULL;
    if (args.training && !(written(args.running_mean, running_mean) && written(args.running_var, running_var)))
        return NULL;
    return wk_record(y, batch_norm_backward, WK_INPUTS(args.x, args.weight, args.bias),
                     WK_SAVED(args.x, args.weight, mean, rstd),
                     WK_KEPT(batch_norm_kept, shape, args.eps, args.training, format), .composed = batch_norm_in_ops);
}

wk_tensor *wk_batch_norm_with(wk_batch_norm_args args)
{
    static const char OP[] = "batch_norm";
    WK_REQUIRE(OP, args.x);
    if (!check(OP, &args))
        return NULL;
    if (!args.training && !args.running_mean)
        return wk_fail(OP, "running_mean: expected a tensor, got NULL\nhint: .training = true normalizes by the batch");
    if (args.training && args.x->numel == args.x->shape[1])
        return wk_fail(OP, "x: expected more than one number a channel in training, got %s", wk_shape_string(args.x));
    if (args.training && args.x->numel == 0) // an empty batch has no statistics: the running ones stay
        args.running_mean = args.running_var = NULL;
    return batch_norm(OP, args);
}

/* ---------------------------------------------------------------- instance_norm */

static wk_tensor *lerp_to(wk_tensor *running, wk_tensor *to, double momentum)
{
    return to ? wk_lerp(wk_to(running, to->dtype), to, momentum) : NULL;
}

/* each image's statistics count as much as another's */
static bool move_running(const wk_instance_norm_args *args)
{
    if (!args->running_mean)
        return true;
    const wk_tensor *x = args->x;
    bool fine = false;
    wk_no_grad wk_scope
    {
        wk_tensor *rows = wk_reshape(wk_to(args->x, wk_real_dtype(x->dtype)), (x->shape[0], x->shape[1], -1));
        wk_tensor *mean = wk_mean(wk_mean(rows, (2)), (0)), *var = wk_mean(wk_var(rows, (2)), (0));
        fine = wk_copy_(args->running_mean, lerp_to(args->running_mean, mean, args->momentum)) &&
               wk_copy_(args->running_var, lerp_to(args->running_var, var, args->momentum));
    }
    return fine;
}

wk_tensor *wk_instance_norm_with(wk_instance_norm_args args)
{
    WK_NAMES_ERRORS("instance_norm");
    static const char OP[] = "instance_norm";
    WK_REQUIRE(OP, args.x);
    const wk_batch_norm_args as_batch = {args.x, args.running_mean, args.running_var, args.weight, args.bias,
                                         false,  args.momentum,     args.eps};
    if (!check(OP, &as_batch))
        return NULL;
    if (!args.use_input_stats && !args.running_mean)
        return wk_fail(OP, "running_mean: expected a tensor, got NULL\nhint: .use_input_stats = true normalizes by x");
    if (!args.use_input_stats)
        return batch_norm(OP, as_batch);
    if (args.x->numel == args.x->shape[0] * args.x->shape[1])
        return wk_fail(OP, "x: expected more than one number a channel, got %s", wk_shape_string(args.x));
    wk_tensor *y = wk_group_norm(args.x, args.x->shape[1], args.weight, args.bias, args.eps);
    return y && move_running(&args) ? y : NULL;
}
