/* layer_norm over the last dims: the kernels see rows of n numbers. */
#include <wick/normalization.h>

#include <string.h>

#include "core/run.h"
#include "kernels/layer_norm.h"
#include "norm.h"
#include "ops.h"

static const char OP[] = "layer_norm";

typedef struct layer_norm_kept {
    int dims; // of x that are normalized, its last
    double eps;
} layer_norm_kept;

/* false after an error */
static bool check(const wk_layer_norm_args *args)
{
    const wk_tensor *x = args->x;
    const wk_shape *shape = &args->normalized_shape;
    const int lead = x->ndim - shape->ndim;
    if (!wk_check_floating(OP, x))
        return false;
    if (shape->ndim < 1)
        return wk_fail(OP, "normalized_shape: expected one size or more, got ()");
    if (lead < 0 || memcmp(x->shape + lead, shape->sizes, (size_t)shape->ndim * sizeof *shape->sizes) != 0)
        return wk_fail(OP, "x: expected %s to be its last sizes (normalized_shape), got %s",
                       wk_shape_text(shape->ndim, shape->sizes, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(x));
    return wk_check_norm_parameter(OP, x, "weight", args->weight, shape, "normalized_shape") &&
           wk_check_norm_parameter(OP, x, "bias", args->bias, shape, "normalized_shape") &&
           wk_check_norm_dtypes(OP, x, args->weight, args->bias);
}

/* ---------------------------------------------------------------- layer_norm */

/* with xhat = (x - mean) * rstd, g = dy * weight:
       dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = sum(dy * xhat), dbias = sum(dy) */
static void layer_norm_in_ops(wk_node *node, wk_tensor *dy)
{
    const layer_norm_kept *kept = node->kept;
    const int dims = kept->dims;
    const wk_dtype compute = wk_real_dtype(node->output->dtype);
    wk_tensor *x = wk_to(wk_saved(node, 0), compute), *weight = wk_saved(node, 1);
    dy = wk_to(dy, compute);
    wk_tensor *centered = wk_sub(x, wk_mean_of_last(x, dims));
    wk_tensor *rstd = wk_rsqrt(wk_add(wk_mean_of_last(wk_square(centered), dims), kept->eps));
    wk_tensor *xhat = wk_mul(centered, rstd), *g = weight ? wk_mul(dy, weight) : dy;
    if (wk_needs(node, 0)) {
        wk_tensor *mean_g = wk_mean_of_last(g, dims), *mean_gx = wk_mean_of_last(wk_mul(g, xhat), dims);
        wk_accumulate(node, 0, wk_mul(rstd, wk_sub(wk_sub(g, mean_g), wk_mul(xhat, mean_gx))));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, xhat)); // summed over the rows there
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, dy);
}

static void layer_norm_backward(wk_node *node, wk_tensor *dy_)
{
    static const char BACKWARD[] = "layer_norm_backward";
    const layer_norm_kept *kept = node->kept;
    wk_tensor *x = wk_dense(wk_saved(node, 0)), *dy = wk_dense(dy_), *weight = NULL;
    wk_tensor *mean = wk_saved(node, 2), *rstd = wk_saved(node, 3);
    if (!x || !dy || !mean || !rstd || !wk_norm_parameter(wk_saved(node, 1), mean->dtype, &weight))
        return;
    const int64_t *sizes = x->shape + x->ndim - kept->dims;
    wk_tensor *gradients[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (!wk_needs(node, i))
            continue;
        gradients[i] = i == 0 ? wk_empty_like(x) : wk_tensor_new(BACKWARD, kept->dims, sizes, mean->dtype, x->device);
        if (!gradients[i])
            return;
    }
    if (wk_run(BACKWARD, x, layer_norm_backward, .dy = wk_data(dy), .x = wk_data(x), .mean = wk_data(mean),
               .rstd = wk_data(rstd), .weight = wk_data(weight), .dx = wk_data(gradients[0]),
               .dweight = wk_data(gradients[1]), .dbias = wk_data(gradients[2]), .rows = mean->numel,
               .n = wk_shape_numel(kept->dims, sizes)))
        for (int i = 0; i < 3; i++)
            if (gradients[i])
                wk_accumulate(node, i, gradients[i]);
}

wk_tensor *wk_layer_norm_with(wk_layer_norm_args args)
{
    WK_REQUIRE(OP, args.x);
    wk_read_shape(&args.normalized_shape);
    if (!check(&args))
        return NULL;
    const wk_dtype compute = wk_real_dtype(args.x->dtype);
    const int dims = args.normalized_shape.ndim;
    const int64_t n = wk_shape_numel(dims, args.normalized_shape.sizes);
    const int64_t rows = wk_shape_numel(args.x->ndim - dims, args.x->shape);
    wk_tensor *x = wk_dense(args.x), *y = wk_empty_like(x), *weight, *bias;
    wk_tensor *mean = wk_tensor_new(OP, 1, &rows, compute, args.x->device), *rstd = wk_empty_like(mean);
    if (!y || !rstd || !wk_norm_parameter(args.weight, compute, &weight) ||
        !wk_norm_parameter(args.bias, compute, &bias) ||
        !wk_run(OP, x, layer_norm, .x = wk_data(x), .weight = wk_data(weight), .bias = wk_data(bias), .y = wk_data(y),
                .mean = wk_data(mean), .rstd = wk_data(rstd), .rows = rows, .n = n, .eps = args.eps))
        return NULL;
    return wk_record(y, layer_norm_backward, WK_INPUTS(args.x, args.weight, args.bias),
                     WK_SAVED(args.x, args.weight, mean, rstd), WK_KEPT(layer_norm_kept, dims, args.eps),
                     .composed = layer_norm_in_ops);
}
