/* conv2d and conv1d.

   A convolution is linear in x and in weight, so three ops close the family: y = F(x, w), and its gradients
   dx = D(dy, w) and dw = G(x, dy), each linear in both of its inputs, have one another as gradients:
       of D(dy, w), given g of x's shape:       ddy = F(g, w), dw = G(g, dy)
       of G(x, dy), given g of weight's shape:  dx = D(dy, g), ddy = F(x, g)
   Their shapes travel in the node. */
#include <wick/convolution.h>

#include <stdio.h>
#include <string.h>

#include "kernels/convolution.h"
#include "matmul.h"
#include "core/run.h"

static wk_tensor *convolve(wk_tensor *x, wk_tensor *weight, wk_tensor *bias, const wk_convolution_shape *shape);
static wk_tensor *data_gradient(wk_tensor *dy, wk_tensor *weight, const wk_convolution_shape *shape);
static wk_tensor *weight_gradient(wk_tensor *x, wk_tensor *dy, const wk_convolution_shape *shape);

/* ---------------------------------------------------------------- the three, without history */

/* fills what the direction writes; all are contiguous */
static bool run(wk_convolution_direction direction, const wk_convolution_shape *shape, wk_tensor *x, wk_tensor *weight,
                wk_tensor *bias, wk_tensor *y)
{
    wk_tensor *result = direction == WK_CONVOLUTION_FORWARD ? y : direction == WK_CONVOLUTION_DATA ? x : weight;
    if (wk_convolution_products(shape) == 0) { // an empty sum is 0; a convolution of none still has its bias
        wk_tensor *filled = NULL;
        wk_no_grad filled = bias ? wk_copy_(result, wk_reshape(bias, (-1, 1, 1))) : wk_zero_(result);
        return filled;
    }
    wk_convolution_work work = {.shape = *shape, .x = wk_data(x), .weight = wk_data(weight), .y = wk_data(y)};
    work.bias = bias ? wk_data(bias) : NULL;
    wk_convolution_plan plan;
    wk_convolution_open(&work, &plan, result->dtype, direction);
    work.scratch = wk_alloc(plan.bytes);
    const bool done = work.scratch && wk_convolution_run(wk_kernels_of(result->device, result->dtype), &work);
    if (!work.scratch)
        wk_out_of_memory("conv2d", plan.bytes);
    else if (!done)
        wk_fail("conv2d", "x: oneDNN could not compute a convolution of %s by %s", wk_shape_string(x),
                wk_shape_string(weight));
    wk_free(work.scratch);
    wk_convolution_close(&work);
    wk_count_multiply_adds(wk_convolution_products(shape));
    return done;
}

static void *copy_of(const wk_convolution_shape *shape)
{
    wk_convolution_shape *copy = wk_alloc(sizeof *copy);
    if (copy)
        *copy = *shape;
    return copy;
}

/* ---------------------------------------------------------------- G: dweight */

static void weight_gradient_backward(wk_node *node, wk_tensor *g)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, data_gradient(wk_saved(node, 1), g, node->extra));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, convolve(wk_saved(node, 0), g, NULL, node->extra));
}

static wk_tensor *weight_gradient(wk_tensor *x, wk_tensor *dy, const wk_convolution_shape *shape)
{
    WK_REQUIRE("conv2d", x);
    WK_REQUIRE("conv2d", dy);
    const int64_t size[4] = {shape->O, shape->C / shape->groups, shape->KH, shape->KW};
    wk_tensor *x_dense = wk_dense(x), *dy_dense = wk_dense(dy);
    wk_tensor *dweight = wk_tensor_new("conv2d", 4, size, x->dtype, x->device);
    void *extra = copy_of(shape);
    if (!extra)
        return wk_out_of_memory("conv2d", sizeof *shape);
    if (!x_dense || !dy_dense || !dweight || !run(WK_CONVOLUTION_WEIGHT, shape, x_dense, dweight, NULL, dy_dense))
        dweight = NULL;
    return wk_record(dweight, weight_gradient_backward, WK_INPUTS(x, dy), WK_SAVED(x, dy), .extra = extra);
}

/* ---------------------------------------------------------------- D: dx */

static void data_gradient_backward(wk_node *node, wk_tensor *g)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, convolve(g, wk_saved(node, 1), NULL, node->extra));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, weight_gradient(g, wk_saved(node, 0), node->extra));
}

static wk_tensor *data_gradient(wk_tensor *dy, wk_tensor *weight, const wk_convolution_shape *shape)
{
    WK_REQUIRE("conv2d", dy);
    WK_REQUIRE("conv2d", weight);
    const int64_t size[4] = {shape->N, shape->C, shape->H, shape->W};
    wk_tensor *dy_dense = wk_dense(dy), *weight_dense = wk_dense(weight);
    wk_tensor *dx = wk_tensor_new("conv2d", 4, size, dy->dtype, dy->device);
    void *extra = copy_of(shape);
    if (!extra)
        return wk_out_of_memory("conv2d", sizeof *shape);
    if (!dy_dense || !weight_dense || !dx || !run(WK_CONVOLUTION_DATA, shape, dx, weight_dense, NULL, dy_dense))
        dx = NULL;
    return wk_record(dx, data_gradient_backward, WK_INPUTS(dy, weight), WK_SAVED(dy, weight), .extra = extra);
}

/* ---------------------------------------------------------------- F: y */

static void convolution_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, data_gradient(dy, wk_saved(node, 1), node->extra));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, weight_gradient(wk_saved(node, 0), dy, node->extra));
    if (node->flag && wk_needs(node, 2))
        wk_accumulate(node, 2, wk_sum(wk_sum(dy, (2, 3)), (0)));
}

static wk_tensor *convolve(wk_tensor *x, wk_tensor *weight, wk_tensor *bias, const wk_convolution_shape *shape)
{
    WK_REQUIRE("conv2d", x);
    WK_REQUIRE("conv2d", weight);
    const int64_t size[4] = {shape->N, shape->O, shape->OH, shape->OW};
    wk_tensor *x_dense = wk_dense(x), *weight_dense = wk_dense(weight), *bias_dense = bias ? wk_dense(bias) : NULL;
    wk_tensor *y = wk_tensor_new("conv2d", 4, size, x->dtype, x->device);
    void *extra = copy_of(shape);
    if (!extra)
        return wk_out_of_memory("conv2d", sizeof *shape);
    if (!x_dense || !weight_dense || (bias && !bias_dense) || !y ||
        !run(WK_CONVOLUTION_FORWARD, shape, x_dense, weight_dense, bias_dense, y))
        y = NULL;
    wk_tensor *inputs[3] = {x, weight, bias};
    return wk_record(y, convolution_backward, .inputs = {bias ? 3 : 2, inputs}, WK_SAVED(x, weight), .extra = extra,
                     .flag = bias != NULL);
}

/* ---------------------------------------------------------------- checks */

static bool check_option(const char *op, const char *name, wk_pair pair, int64_t least)
{
    for (int dim = 0; dim < 2; dim++)
        if (wk_pair_get(pair, dim) < least)
            return wk_fail(op, "%s: expected at least %lld, got %lld", name, (long long)least,
                           (long long)wk_pair_get(pair, dim));
    return true;
}

/* x (N, C, H, W), weight (O, C / groups, KH, KW) -> the shape of it all; false after an error that shows them as the
   user gave them */
static bool find_shape(const char *op, const wk_conv2d_args *args, const wk_tensor *x, const wk_tensor *x_given,
                       const wk_tensor *weight_given, wk_convolution_shape *shape)
{
    const wk_tensor *weight = args->weight;
    const int64_t groups = args->groups;
    if (!check_option(op, "stride", args->stride, 1) || !check_option(op, "dilation", args->dilation, 1) ||
        (args->padding != WK_SAME && !check_option(op, "padding", args->padding, 0)))
        return false;
    if (groups < 1 || weight->shape[0] < 1 || weight->shape[0] % groups != 0)
        return wk_fail(op, "groups: expected a divisor of the number of outputs, dim 0 of weight %s, got %lld",
                       wk_shape_string(weight_given), (long long)groups);
    if (x->shape[1] != weight->shape[1] * groups) {
        char hint[160] = "";
        if (weight->shape[1] > 0 && x->shape[1] % weight->shape[1] == 0)
            snprintf(hint, sizeof hint, "\nhint: .groups = %lld would fit",
                     (long long)(x->shape[1] / weight->shape[1]));
        else if (x->shape[3] == weight->shape[1] * groups)
            snprintf(hint, sizeof hint, "\nhint: channels come before height and width: wk_permute(x, (0, 3, 1, 2))");
        return wk_fail(op, "x: expected %lld channels (%lld groups of weight %s's %lld), got %lld in %s%s",
                       (long long)(weight->shape[1] * groups), (long long)groups, wk_shape_string(weight_given),
                       (long long)weight->shape[1], (long long)x->shape[1], wk_shape_string(x_given), hint);
    }
    *shape = (wk_convolution_shape){.N = x->shape[0],
                                    .C = x->shape[1],
                                    .H = x->shape[2],
                                    .W = x->shape[3],
                                    .O = weight->shape[0],
                                    .KH = weight->shape[2],
                                    .KW = weight->shape[3],
                                    .groups = groups};
    for (int dim = 0; dim < 2; dim++) {
        const int64_t kernel = wk_pair_get(args->dilation, dim) * (weight->shape[dim + 2] - 1) + 1;
        shape->stride[dim] = wk_pair_get(args->stride, dim);
        shape->dilation[dim] = wk_pair_get(args->dilation, dim);
        if (args->padding == WK_SAME && shape->stride[dim] != 1)
            return wk_fail(op, "padding: WK_SAME needs stride 1, got %lld", (long long)shape->stride[dim]);
        const int64_t both = args->padding == WK_SAME ? kernel - 1 : 2 * wk_pair_get(args->padding, dim);
        shape->padding[dim] = both / 2;
        shape->padding_end[dim] = both - both / 2; // an odd one goes behind, as in PyTorch
        if (weight->shape[dim + 2] < 1 || x->shape[dim + 2] + both < kernel)
            return wk_fail(op,
                           "weight: expected a kernel no larger than the padded input, got %lld (dilation included) of "
                           "%lld along dim %d: x is %s, weight %s",
                           (long long)kernel, (long long)(x->shape[dim + 2] + both), dim - 2, wk_shape_string(x_given),
                           wk_shape_string(weight_given));
        *(dim ? &shape->OW : &shape->OH) = (x->shape[dim + 2] + both - kernel) / shape->stride[dim] + 1;
    }
    return true;
}

/* ---------------------------------------------------------------- the ops */

static bool check_inputs(const char *op, const wk_conv2d_args *args, int dims)
{
    const wk_tensor *x = args->x, *weight = args->weight, *bias = args->bias;
    if (weight->ndim != dims + 2)
        return wk_fail(op, "weight: expected %d dims, (out, in / groups, kernel%s), got shape %s", dims + 2,
                       dims == 2 ? " height, kernel width" : "", wk_shape_string(weight));
    if (x->ndim != dims + 2 && x->ndim != dims + 1)
        return wk_fail(op, "x: expected shape %s, or without N, got %s", dims == 2 ? "(N, C, H, W)" : "(N, C, L)",
                       wk_shape_string(x));
    if (!wk_check_product(op, "x", x, "weight", weight) || (bias && !wk_check_product(op, "x", x, "bias", bias)) ||
        !wk_check_floating(op, x))
        return false;
    if (bias && (bias->ndim != 1 || bias->shape[0] != weight->shape[0]))
        return wk_fail(op, "bias: expected shape (%lld,), one for each output of weight %s, got %s",
                       (long long)weight->shape[0], wk_shape_string(weight), wk_shape_string(bias));
    return true;
}

/* x (N, C, H, W) or (C, H, W), weight of 4 dims; the given ones are for errors */
static wk_tensor *convolution(const char *op, wk_conv2d_args args, const wk_tensor *x_given,
                              const wk_tensor *weight_given)
{
    const bool lone = args.x->ndim == 3;
    wk_tensor *x = lone ? wk_unsqueeze(args.x, 0) : args.x;
    wk_convolution_shape shape;
    if (!x || !find_shape(op, &args, x, x_given, weight_given, &shape))
        return NULL;
    const wk_dtype dtype = x->dtype;
    wk_tensor *weight = args.weight, *bias = args.bias;
    if (wk_is_half(dtype)) {
        x = wk_to(x, wk_float32);
        weight = wk_to(weight, wk_float32);
        bias = bias ? wk_to(bias, wk_float32) : NULL;
        if (args.bias && !bias)
            return NULL;
    }
    wk_tensor *y = x && weight ? convolve(x, weight, bias, &shape) : NULL;
    if (y && y->dtype != dtype)
        y = wk_to(y, dtype);
    return y && lone ? wk_squeeze(y, 0) : y;
}

wk_tensor *wk_conv2d_with(wk_conv2d_args args)
{
    WK_REQUIRE("conv2d", args.x);
    WK_REQUIRE("conv2d", args.weight);
    return check_inputs("conv2d", &args, 2) ? convolution("conv2d", args, args.x, args.weight) : NULL;
}

wk_tensor *wk_conv1d_with(wk_conv1d_args args)
{
    WK_REQUIRE("conv1d", args.x);
    WK_REQUIRE("conv1d", args.weight);
    wk_conv2d_args flat = {args.x, args.weight, args.bias, .groups = args.groups};
    if (!check_inputs("conv1d", &flat, 1))
        return NULL;
    /* one row: (N, C, 1, L), kernels of height 1 */
    flat.x = wk_unsqueeze(args.x, -2);
    flat.weight = wk_unsqueeze(args.weight, -2);
    flat.stride = WK_PAIR(1, args.stride);
    flat.dilation = WK_PAIR(1, args.dilation);
    flat.padding = args.padding == WK_SAME ? WK_SAME : args.padding < 0 ? args.padding : WK_PAIR(0, args.padding);
    if (!flat.x || !flat.weight)
        return NULL;
    if (args.stride < 1 || args.dilation < 1)
        return wk_fail("conv1d", "stride and dilation: expected at least 1, got %lld and %lld", (long long)args.stride,
                       (long long)args.dilation);
    wk_tensor *y = convolution("conv1d", flat, args.x, args.weight);
    return y ? wk_squeeze(y, -2) : NULL;
}
