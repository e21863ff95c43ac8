/* softmax along a dim. */
#include <wick/activation.h>

#include "core/run.h"
#include "kernels/softmax.h"
#include "ops.h"

typedef struct softmax_kept {
    int dim;
} softmax_kept;

/* ---------------------------------------------------------------- softmax_backward: dx = y * (dy - sum(dy * y)) */

/* of z = y * (dy - sum(dy * y)), for g: d dy = y * (g - sum(g * y)); dy = g * (dy - sum(dy * y)) - dy * sum(g * y) */
static void softmax_backward_backward(wk_node *node, wk_tensor *g)
{
    const softmax_kept *kept = node->kept;
    wk_tensor *dy = wk_saved(node, 0), *y = wk_saved(node, 1);
    wk_accumulate(node, 0, wk_softmax_backward(g, y, kept->dim));
    if (wk_needs(node, 1)) {
        wk_tensor *dot = wk_sum(wk_mul(dy, y), (kept->dim), .keepdim = true);
        wk_tensor *g_dot = wk_sum(wk_mul(g, y), (kept->dim), .keepdim = true);
        wk_accumulate(node, 1, wk_sub(wk_mul(g, wk_sub(dy, dot)), wk_mul(dy, g_dot)));
    }
}

wk_tensor *wk_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim_)
{
    WK_REQUIRE("softmax_backward", dy);
    WK_REQUIRE("softmax_backward", y);
    const int dim = (int)dim_;
    wk_tensor *dy_rows = wk_rows_last(dy, dim), *y_rows = wk_rows_last(y, dim);
    wk_tensor *dx = wk_empty_like(y_rows);
    if (!dy_rows || !dx)
        return NULL;
    const int64_t n = dx->ndim > 0 ? dx->shape[dx->ndim - 1] : 1;
    if (dx->numel > 0 && !wk_run("softmax_backward", dx, softmax_backward, .dy = wk_data(dy_rows), .y = wk_data(y_rows),
                                 .dx = wk_data(dx), .rows = dx->numel / n, .n = n))
        return NULL;
    return wk_record(wk_rows_back(dx, dim), softmax_backward_backward, WK_INPUTS(dy, y), WK_SAVED(dy, y),
                     WK_KEPT(softmax_kept, dim));
}

/* ---------------------------------------------------------------- softmax: y = exp(x - max) / sum */

static void softmax_backward(wk_node *node, wk_tensor *dy)
{
    const softmax_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_softmax_backward(dy, wk_saved(node, 0), kept->dim));
}

wk_tensor *wk_softmax_with(wk_softmax_args args)
{
    WK_REQUIRE("softmax", args.x);
    if (args.dtype && args.dtype != args.x->dtype)
        args.x = wk_to(args.x, args.dtype);
    if (!args.x || !wk_check_floating("softmax", args.x))
        return NULL;
    const int dim = wk_check_dim("softmax", args.x->ndim, args.dim);
    if (dim < 0)
        return NULL;

    wk_tensor *x = wk_rows_last(args.x, dim); // dim last and dense
    wk_tensor *y = wk_empty_like(x);
    if (!y)
        return NULL;
    const int64_t n = x->ndim > 0 ? x->shape[x->ndim - 1] : 1;
    if (y->numel > 0 &&
        !wk_run("softmax", x, softmax, .x = wk_data(x), .y = wk_data(y), .rows = x->numel / n, .n = n))
        return NULL;
    y = wk_dense(wk_rows_back(y, dim)); // contiguous as in PyTorch: users take views of results
    return wk_record(y, softmax_backward, WK_INPUTS(args.x), WK_SAVED(y), WK_KEPT(softmax_kept, dim));
}
