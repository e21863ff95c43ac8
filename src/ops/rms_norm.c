/* rms_norm over the last dims: the kernels see rows of n numbers. */
#include <wick/normalization.h>

#include <float.h>
#include <string.h>

#include "core/run.h"
#include "kernels/rms_norm.h"
#include "norm.h"
#include "ops.h"

static const char OP[] = "rms_norm";

typedef struct rms_norm_kept {
    int dims; // of x that are normalized, its last
    double eps;
} rms_norm_kept;

/* ---------------------------------------------------------------- rms_norm */

/* with g = dy * weight and rstd = 1 / sqrt(mean(x^2) + eps), means over a row:
       dx = rstd * g - x * rstd^3 * mean(g * x)        dweight = sum over rows of dy * x * rstd */
static void rms_norm_in_ops(wk_node *node, wk_tensor *dy)
{
    const rms_norm_kept *kept = node->kept;
    const wk_dtype compute = wk_real_dtype(node->output->dtype);
    wk_tensor *x = wk_to(wk_saved(node, 0), compute), *weight = wk_saved(node, 2);
    dy = wk_to(dy, compute);
    wk_tensor *rstd = wk_rsqrt(wk_add(wk_mean_of_last(wk_square(x), kept->dims), kept->eps));
    if (wk_needs(node, 0)) {
        wk_tensor *g = weight ? wk_mul(dy, wk_to(weight, compute)) : dy;
        wk_tensor *mean_gx = wk_mean_of_last(wk_mul(g, x), kept->dims);
        wk_accumulate(node, 0, wk_sub(wk_mul(rstd, g), wk_mul(wk_mul(x, wk_pow(rstd, 3)), mean_gx)));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, wk_mul(x, rstd))); // summed over rows there
}

static wk_tensor *dx_of(const rms_norm_kept *kept, wk_tensor *dy, wk_tensor *x, wk_tensor *rstd, wk_tensor *given)
{
    static const char BACKWARD[] = "rms_norm_backward";
    wk_tensor *dy_rows = wk_dense(dy), *x_rows = wk_dense(x), *dx = wk_empty_like(x_rows), *weight;
    if (!dy_rows || !dx || !rstd || !wk_norm_parameter(given, rstd->dtype, &weight) ||
        !wk_run(BACKWARD, dx, rms_norm_backward, .dy = wk_data(dy_rows), .x = wk_data(x_rows), .rstd = wk_data(rstd),
                .weight = wk_data(weight), .dx = wk_data(dx), .rows = rstd->numel,
                .n = wk_shape_numel(kept->dims, x->shape + x->ndim - kept->dims)))
        return NULL;
    return dx;
}

static void rms_norm_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *rstd = wk_saved(node, 1), *weight = wk_saved(node, 2);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dx_of(node->kept, dy, x, rstd, weight));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, wk_mul(x, rstd)));
}

wk_tensor *wk_rms_norm_with(wk_rms_norm_args args)
{
    WK_REQUIRE(OP, args.x);
    wk_read_shape(&args.normalized_shape);
    const wk_shape *tail = &args.normalized_shape;
    const int first = args.x->ndim - tail->ndim;
    if (!wk_check_floating(OP, args.x))
        return NULL;
    if (tail->ndim == 0 || first < 0 ||
        memcmp(tail->sizes, args.x->shape + first, (size_t)tail->ndim * sizeof *tail->sizes) != 0)
        return wk_fail(OP, "normalized_shape: expected the last sizes of x, which has shape %s, got %s",
                       wk_shape_string(args.x), wk_shape_text(tail->ndim, tail->sizes, (char[WK_SHAPE_TEXT]){0}));
    if (!wk_check_norm_parameter(OP, args.x, "weight", args.weight, tail, "normalized_shape"))
        return NULL;
    const wk_dtype compute = wk_real_dtype(args.x->dtype);
    if (args.eps < 0)
        args.eps = compute == wk_float64 ? DBL_EPSILON : FLT_EPSILON;

    wk_shape each_row = wk_shape_of(args.x->ndim, args.x->shape); // (..., 1)
    for (int dim = first; dim < each_row.ndim; dim++)
        each_row.sizes[dim] = 1;
    wk_tensor *x = wk_dense(args.x), *y = wk_empty_like(x), *weight;
    wk_tensor *rstd = wk_tensor_new(OP, each_row.ndim, each_row.sizes, compute, args.x->device);
    if (!y || !rstd || !wk_norm_parameter(args.weight, compute, &weight) ||
        !wk_run(OP, x, rms_norm, .x = wk_data(x), .weight = wk_data(weight), .y = wk_data(y), .rstd = wk_data(rstd),
                .rows = rstd->numel, .n = wk_shape_numel(tail->ndim, tail->sizes), .eps = args.eps))
        return NULL;
    return wk_record(y, rms_norm_backward, WK_INPUTS(args.x, args.weight), WK_SAVED(args.x, rstd, args.weight),
                     WK_KEPT(rms_norm_kept, tail->ndim, args.eps), .composed = rms_norm_in_ops);
}
