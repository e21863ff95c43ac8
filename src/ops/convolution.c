/* conv1d, conv2d, conv3d, and the same transposed.

   A convolution is linear in x and in weight, so three ops close the family: y = F(x, w), and its gradients
   dx = D(dy, w) and dw = G(x, dy), each linear in both of its inputs, have one another as gradients:
       of D(dy, w), given g of x's shape:       ddy = F(g, w), dw = G(g, dy)
       of G(x, dy), given g of weight's shape:  dx = D(dy, g), ddy = F(x, g)
   Their shapes travel in the node.  A transposed convolution is D: its x is dy, its result dx. */
#include <wick/convolution.h>

#include <stdio.h>
#include <string.h>

#include "autocast.h"
#include "core/layout.h"
#include "core/run.h"
#include "kernels/convolution.h"
#include "matmul.h"
#include "ops.h"
#include "spatial.h"

typedef struct convolution_kept {
    const char *op;
    wk_spatial_shape shape;
} convolution_kept;

/* as PyTorch: channels last where either of the two lies so, but for three dims of float64 */
static wk_memory_format format_of(const wk_tensor *x, const wk_tensor *weight, int dims)
{
    if (dims == 1 || (dims == 3 && x->dtype == wk_float64))
        return wk_contiguous_format;
    return wk_format_of(x) > wk_format_of(weight) ? wk_format_of(x) : wk_format_of(weight);
}

static wk_tensor *convolve(const char *op, wk_tensor *x, wk_tensor *weight, wk_tensor *bias,
                           const wk_spatial_shape *shape);
static wk_tensor *data_gradient(const char *op, wk_tensor *dy, wk_tensor *weight, wk_tensor *bias,
                                const wk_spatial_shape *shape);

/* dy (N, C, ...) -> (C): along images first, which is along memory; halves are summed in float32 */
static wk_tensor *bias_gradient(wk_tensor *dy)
{
    WK_REQUIRE("convolution_backward", dy);
    const wk_shape places = {.ndim = dy->ndim - 2, .sizes = {2, 3, 4}};
    const wk_dtype dtype = wk_is_half(dy->dtype) ? wk_float32 : dy->dtype;
    return wk_sum(wk_sum_with((wk_reduce_args){.x = dy, .dims = places, .dtype = dtype}), (0));
}

/* ---------------------------------------------------------------- G: dweight */

static void weight_gradient_backward(wk_node *node, wk_tensor *g);

static wk_tensor *weight_gradient(const char *op, wk_tensor *x, wk_tensor *dy, const wk_spatial_shape *shape)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, dy);
    int64_t size[5] = {shape->O, shape->C / shape->groups};
    memcpy(&size[2], &shape->kernel[3 - shape->dims], (size_t)shape->dims * sizeof *size);
    wk_tensor *x_dense = wk_dense(x), *dy_dense = wk_dense(dy);
    wk_tensor *dweight = wk_tensor_new(op, shape->dims + 2, size, x->dtype, x->device);
    if (!x_dense || !dy_dense || !dweight ||
        !wk_run(op, dweight, convolution_weight, .shape = *shape, .x = wk_data(x_dense), .weight = wk_data(dweight),
                .y = wk_data(dy_dense)))
        return NULL;
    wk_count_multiply_adds(wk_convolution_products(shape));
    dweight = wk_kept_format(dweight, format_of(x, dy, shape->dims));
    return wk_record(dweight, weight_gradient_backward, WK_INPUTS(x, dy), WK_SAVED(x, dy),
                     WK_KEPT(convolution_kept, op, *shape));
}

static void weight_gradient_backward(wk_node *node, wk_tensor *g)
{
    const convolution_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, data_gradient(kept->op, wk_saved(node, 1), g, NULL, &kept->shape));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, convolve(kept->op, wk_saved(node, 0), g, NULL, &kept->shape));
}

/* ---------------------------------------------------------------- D: dx */

static void data_gradient_backward(wk_node *node, wk_tensor *g)
{
    const convolution_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, convolve(kept->op, g, wk_saved(node, 1), NULL, &kept->shape));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, weight_gradient(kept->op, g, wk_saved(node, 0), &kept->shape));
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, bias_gradient(g));
}

static wk_tensor *data_gradient(const char *op, wk_tensor *dy, wk_tensor *weight, wk_tensor *bias,
                                const wk_spatial_shape *shape)
{
    WK_REQUIRE(op, dy);
    WK_REQUIRE(op, weight);
    wk_tensor *dy_dense = wk_dense(dy), *weight_dense = wk_dense(weight), *bias_dense = bias ? wk_dense(bias) : NULL;
    wk_tensor *dx = wk_spatial_new(op, shape, shape->C, shape->in, dy);
    if (!dy_dense || !weight_dense || (bias && !bias_dense) || !dx ||
        !wk_run(op, dx, convolution_data, .shape = *shape, .x = wk_data(dx), .weight = wk_data(weight_dense),
                .bias = wk_data(bias_dense), .y = wk_data(dy_dense)))
        return NULL;
    wk_count_multiply_adds(wk_convolution_products(shape));
    dx = wk_kept_format(dx, format_of(dy, weight, shape->dims));
    return wk_record(dx, data_gradient_backward, .name = "convolution_backward", WK_INPUTS(dy, weight, bias),
                     WK_SAVED(dy, weight), WK_KEPT(convolution_kept, op, *shape));
}

/* ---------------------------------------------------------------- F: y */

static void convolution_backward(wk_node *node, wk_tensor *dy)
{
    const convolution_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, data_gradient(kept->op, dy, wk_saved(node, 1), NULL, &kept->shape));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, weight_gradient(kept->op, wk_saved(node, 0), dy, &kept->shape));
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, bias_gradient(dy));
}

static wk_tensor *convolve(const char *op, wk_tensor *x, wk_tensor *weight, wk_tensor *bias,
                           const wk_spatial_shape *shape)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, weight);
    wk_tensor *x_dense = wk_dense(x), *weight_dense = wk_dense(weight), *bias_dense = bias ? wk_dense(bias) : NULL;
    wk_tensor *y = wk_spatial_new(op, shape, shape->O, shape->out, x);
    if (!x_dense || !weight_dense || (bias && !bias_dense) || !y ||
        !wk_run(op, y, convolution, .shape = *shape, .x = wk_data(x_dense), .weight = wk_data(weight_dense),
                .bias = wk_data(bias_dense), .y = wk_data(y)))
        return NULL;
    wk_count_multiply_adds(wk_convolution_products(shape));
    y = wk_kept_format(y, format_of(x, weight, shape->dims));
    return wk_record(y, convolution_backward, WK_INPUTS(x, weight, bias), WK_SAVED(x, weight),
                     WK_KEPT(convolution_kept, op, *shape));
}

/* ---------------------------------------------------------------- checks */

/* What both kinds of op ask of their tensors.  A weight has dims + 2 dims, the first two as `layout` says; `outputs`
   channels come out. */
static bool check_tensors(const char *op, int dims, const wk_tensor *x, const wk_tensor *weight, const char *layout)
{
    static const char *const KERNELS[] = {"", "kernel", "kernel height, kernel width",
                                          "kernel depth, kernel height, kernel width"};
    if (weight->ndim != dims + 2)
        return wk_fail(op, "weight: expected %d dims, (%s, %s), got shape %s", dims + 2, layout, KERNELS[dims],
                       wk_shape_string(weight));
    return wk_check_product(op, "x", x, "weight", weight) && wk_check_floating(op, x);
}

static bool check_bias(const char *op, const wk_tensor *x, const wk_tensor *weight, const wk_tensor *bias,
                       int64_t outputs)
{
    if (!bias)
        return true;
    if (!wk_check_product(op, "x", x, "bias", bias))
        return false;
    if (bias->ndim != 1 || bias->shape[0] != outputs)
        return wk_fail(op, "bias: expected shape (%lld,), one for each output of weight %s, got %s", (long long)outputs,
                       wk_shape_string(weight), wk_shape_string(bias));
    return true;
}

static void read_kernel(const wk_tensor *weight, wk_spatial_shape *shape)
{
    memcpy(&shape->kernel[3 - shape->dims], &weight->shape[2], (size_t)shape->dims * sizeof *shape->kernel);
}

/* ---------------------------------------------------------------- conv1d, conv2d, conv3d */

/* what would fit where x's channels do not */
static void channels_hint(const wk_tensor *x, const wk_tensor *weight, const wk_spatial_shape *shape, char hint[160])
{
    const int64_t channels = weight->shape[1];
    const bool single = x->ndim == shape->dims + 1; // without N
    hint[0] = '\0';
    if (single && channels == 1 && shape->groups == 1)
        snprintf(hint, 160, "\nhint: this is one sample of %lld channels; of samples of one: wk_unsqueeze(x, 1)",
                 (long long)shape->C);
    else if (channels > 0 && shape->C % channels == 0 && weight->shape[0] % (shape->C / channels) == 0)
        snprintf(hint, 160, "\nhint: .groups = %lld would fit", (long long)(shape->C / channels));
    else if (x->shape[x->ndim - 1] == channels * shape->groups)
        snprintf(hint, 160, "\nhint: channels come before %s: wk_permute(x, (%s))",
                 shape->dims == 1   ? "the length"
                 : shape->dims == 2 ? "height and width"
                                    : "depth, height and width",
                 single             ? (shape->dims == 1 ? "1, 0" : shape->dims == 2 ? "2, 0, 1" : "3, 0, 1, 2")
                 : shape->dims == 1 ? "0, 2, 1"
                 : shape->dims == 2 ? "0, 3, 1, 2"
                                    : "0, 4, 1, 2, 3");
}

static bool find_shape(const char *op, int dims, const wk_convolution_args *args, wk_spatial_shape *shape)
{
    const wk_tensor *x = args->x, *weight = args->weight;
    const int64_t groups = args->groups;
    if (!check_tensors(op, dims, x, weight, "out, in / groups") || !wk_spatial_input(op, x, dims, shape))
        return false;
    if (groups < 1 || weight->shape[0] < 1 || weight->shape[0] % groups != 0)
        return wk_fail(op, "groups: expected a divisor of the number of outputs, dim 0 of weight %s, got %lld",
                       wk_shape_string(weight), (long long)groups);
    shape->groups = groups;
    shape->O = weight->shape[0];
    if (shape->C != weight->shape[1] * groups) {
        char hint[160];
        channels_hint(x, weight, shape, hint);
        return wk_fail(op, "x: expected %lld channels (%lld groups of weight %s's %lld), got %lld in %s%s",
                       (long long)(weight->shape[1] * groups), (long long)groups, wk_shape_string(weight),
                       (long long)weight->shape[1], (long long)shape->C, wk_shape_string(x), hint);
    }
    read_kernel(weight, shape);
    return check_bias(op, x, weight, args->bias, shape->O) &&
           wk_spatial_slide(op, x, "weight", (wk_spatial_options){args->stride, args->padding, args->dilation}, shape);
}

static wk_tensor *convolution(const char *op, int dims, wk_convolution_args args)
{
    wk_spatial_shape shape;
    WK_AUTOCAST(LOW, &args.x, &args.weight, &args.bias);
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.weight);
    if (!find_shape(op, dims, &args, &shape))
        return NULL;
    const bool lone = args.x->ndim == dims + 1;
    wk_tensor *y = convolve(op, lone ? wk_unsqueeze(args.x, 0) : args.x, args.weight, args.bias, &shape);
    if (shape.C == 0) // PyTorch gives no channels for none, bias or not
        y = wk_narrow(y, 1, 0, 0);
    return lone ? wk_squeeze(y, 0) : y;
}

wk_tensor *wk_conv1d_with(wk_convolution_args args) { return convolution("conv1d", 1, args); }
wk_tensor *wk_conv2d_with(wk_convolution_args args) { return convolution("conv2d", 2, args); }
wk_tensor *wk_conv3d_with(wk_convolution_args args) { return convolution("conv3d", 3, args); }

/* ---------------------------------------------------------------- conv_transpose1d, 2d, 3d */

/* of the convolution whose data gradient this is: x is its y, so C and O, in and out change places */
static bool find_transposed_shape(const char *op, int dims, const wk_conv_transpose_args *args, wk_spatial_shape *shape)
{
    const wk_tensor *x = args->x, *weight = args->weight;
    const int64_t groups = args->groups;
    int64_t extra[3];
    if (!check_tensors(op, dims, x, weight, "in, out / groups") || !wk_spatial_input(op, x, dims, shape))
        return false;
    if (groups < 1 || weight->shape[0] < 1 || weight->shape[0] % groups != 0)
        return wk_fail(op, "groups: expected a divisor of the number of inputs, dim 0 of weight %s, got %lld",
                       wk_shape_string(weight), (long long)groups);
    if (shape->C != weight->shape[0])
        return wk_fail(op, "x: expected %lld channels, dim 0 of weight %s, got %lld in %s", (long long)weight->shape[0],
                       wk_shape_string(weight), (long long)shape->C, wk_shape_string(x));
    shape->groups = groups;
    shape->O = weight->shape[0];
    shape->C = weight->shape[1] * groups;
    read_kernel(weight, shape);
    if (!check_bias(op, x, weight, args->bias, shape->C) ||
        !wk_per_dim_read(op, "stride", args->stride, dims, 1, shape->stride) ||
        !wk_per_dim_read(op, "padding", args->padding, dims, 0, shape->before) ||
        !wk_per_dim_read(op, "output_padding", args->output_padding, dims, 0, extra) ||
        !wk_per_dim_read(op, "dilation", args->dilation, dims, 1, shape->dilation))
        return false;
    for (int dim = 3 - dims; dim < 3; dim++) {
        const int64_t stride = shape->stride[dim], dilation = shape->dilation[dim];
        if (extra[dim] >= stride && extra[dim] >= dilation)
            return wk_fail(op, "output_padding: expected less than stride %lld or dilation %lld, got %lld along dim %d",
                           (long long)stride, (long long)dilation, (long long)extra[dim], dim - 3);
        if (shape->kernel[dim] < 1 || (shape->in[dim] < 1 && shape->N > 0))
            return wk_fail(op, "%s: expected sizes of at least 1 along the last %d dims, got %s",
                           shape->kernel[dim] < 1 ? "weight" : "x", dims,
                           wk_shape_string(shape->kernel[dim] < 1 ? weight : x));
        shape->out[dim] = shape->in[dim];
        shape->after[dim] = shape->before[dim] - extra[dim];
        shape->in[dim] = (shape->out[dim] - 1) * stride - 2 * shape->before[dim] + dilation * (shape->kernel[dim] - 1) +
                         extra[dim] + 1;
        if (shape->in[dim] < 1)
            return wk_fail(op, "padding: %lld at both ends leaves nothing along dim %d of x %s by weight %s",
                           (long long)shape->before[dim], dim - 3, wk_shape_string(x), wk_shape_string(weight));
    }
    return true;
}

static wk_tensor *transposed(const char *op, int dims, wk_conv_transpose_args args)
{
    wk_spatial_shape shape;
    WK_AUTOCAST(LOW, &args.x, &args.weight, &args.bias);
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.weight);
    if (!find_transposed_shape(op, dims, &args, &shape))
        return NULL;
    const bool lone = args.x->ndim == dims + 1;
    wk_tensor *y = data_gradient(op, lone ? wk_unsqueeze(args.x, 0) : args.x, args.weight, args.bias, &shape);
    return lone ? wk_squeeze(y, 0) : y;
}

wk_tensor *wk_conv_transpose1d_with(wk_conv_transpose_args args) { return transposed("conv_transpose1d", 1, args); }
wk_tensor *wk_conv_transpose2d_with(wk_conv_transpose_args args) { return transposed("conv_transpose2d", 2, args); }
wk_tensor *wk_conv_transpose3d_with(wk_conv_transpose_args args) { return transposed("conv_transpose3d", 3, args); }
