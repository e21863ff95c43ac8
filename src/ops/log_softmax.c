/* log_softmax along a dim: softmax.c with logarithms.  Its backward takes the result: softmax is exp(y). */
#include <wick/activation.h>

#include "ops.h"
#include "core/run.h"

/* ---------------------------------------------------------------- log_softmax_backward: dx = dy - exp(y) * sum(dy) */

/* of z = dy - exp(y) * sum(dy), for g: d dy = g - sum(g * exp(y)); dy = -g * exp(y) * sum(dy) */
static void log_softmax_backward_backward(wk_node *node, wk_tensor *g)
{
    wk_tensor *dy = wk_saved(node, 0), *share = wk_mul(g, wk_exp(wk_saved(node, 1)));
    wk_accumulate(node, 0, wk_sub(g, wk_sum(share, (node->dim), .keepdim = true)));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_neg(wk_mul(share, wk_sum(dy, (node->dim), .keepdim = true))));
}

wk_tensor *wk_log_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim_)
{
    WK_REQUIRE("log_softmax_backward", dy);
    WK_REQUIRE("log_softmax_backward", y);
    const int dim = (int)dim_;
    wk_tensor *dy_rows = wk_rows_last(dy, dim), *y_rows = wk_rows_last(y, dim);
    wk_tensor *dx = y_rows ? wk_empty_like(y_rows) : NULL;
    if (!dy_rows || !dx)
        return NULL;
    const int64_t n = dx->ndim > 0 ? dx->shape[dx->ndim - 1] : 1;
    if (dx->numel > 0)
        wk_run_range(dx, log_softmax_backward, dx->numel / n, 4 * n, .dy = wk_data(dy_rows), .y = wk_data(y_rows),
               .dx = wk_data(dx), .n = n);
    return wk_record(wk_rows_back(dx, dim), log_softmax_backward_backward, WK_INPUTS(dy, y), WK_SAVED(dy, y),
                     .dim = dim);
}

/* ---------------------------------------------------------------- log_softmax: y = x - max - log(sum(exp(x - max))) */

static void log_softmax_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_log_softmax_backward(dy, wk_saved(node, 0), node->dim));
}

wk_tensor *wk_log_softmax_with(wk_softmax_args args)
{
    WK_REQUIRE("log_softmax", args.x);
    if (args.dtype && args.dtype != args.x->dtype)
        args.x = wk_to(args.x, args.dtype);
    if (!args.x || !wk_check_floating("log_softmax", args.x))
        return NULL;
    if (wk_is_half(args.x->dtype)) // computed in float32
        return wk_to(wk_log_softmax(wk_to(args.x, wk_float32), args.dim), args.x->dtype);
    const int dim = wk_check_dim("log_softmax", args.x->ndim, args.dim);
    if (dim < 0)
        return NULL;

    wk_tensor *x = wk_rows_last(args.x, dim); // dim last and dense
    wk_tensor *y = x ? wk_empty_like(x) : NULL;
    if (!y)
        return NULL;
    const int64_t n = x->ndim > 0 ? x->shape[x->ndim - 1] : 1;
    if (y->numel > 0)
        wk_run_range(x, log_softmax, x->numel / n, 4 * n, .x = wk_data(x), .y = wk_data(y), .n = n);
    y = wk_dense(wk_rows_back(y, dim));
    return wk_record(y, log_softmax_backward, WK_INPUTS(args.x), WK_SAVED(y), .dim = dim);
}
