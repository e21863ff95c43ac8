/* log_softmax along a dim: softmax.c with logarithms.  Its backward takes the result: softmax is exp(y). */
#include <wick/activation.h>

#include "core/run.h"
#include "kernels/log_softmax.h"
#include "ops.h"

typedef struct log_softmax_kept {
    int dim;
} log_softmax_kept;

/* ---------------------------------------------------------------- log_softmax_backward: dx = dy - exp(y) * sum(dy) */

/* of z = dy - exp(y) * sum(dy), for g: d dy = g - sum(g * exp(y)); dy = -g * exp(y) * sum(dy) */
static void log_softmax_backward_backward(wk_node *node, wk_tensor *g)
{
    const log_softmax_kept *kept = node->kept;
    wk_tensor *dy = wk_saved(node, 0), *share = wk_mul(g, wk_exp(wk_saved(node, 1)));
    wk_accumulate(node, 0, wk_sub(g, wk_sum(share, (kept->dim), .keepdim = true)));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_neg(wk_mul(share, wk_sum(dy, (kept->dim), .keepdim = true))));
}

wk_tensor *wk_log_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim)
{
    static const char OP[] = "log_softmax_backward";
    WK_REQUIRE(OP, dy);
    WK_REQUIRE(OP, y);
    if (!wk_check_gradient_of(OP, dy, y))
        return NULL;
    const wk_dense_rows dy_rows = wk_rows_last(OP, dy, dim), rows = wk_rows_last(OP, y, dim);
    wk_tensor *dx = wk_empty_like(rows.x);
    if (!dy_rows.x || !dx ||
        !wk_run(OP, dx, log_softmax_backward, .dy = wk_data(dy_rows.x), .y = wk_data(rows.x), .dx = wk_data(dx),
                .rows = rows.rows, .n = rows.n))
        return NULL;
    return wk_record(wk_rows_back(dx, rows.dim), log_softmax_backward_backward, WK_INPUTS(dy, y), WK_SAVED(dy, y),
                     WK_KEPT(log_softmax_kept, rows.dim));
}

/* ---------------------------------------------------------------- log_softmax: y = x - max - log(sum(exp(x - max))) */

static void log_softmax_backward(wk_node *node, wk_tensor *dy)
{
    const log_softmax_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_log_softmax_backward(dy, wk_saved(node, 0), kept->dim));
}

wk_tensor *wk_log_softmax_with(wk_softmax_args args)
{
    static const char OP[] = "log_softmax";
    WK_REQUIRE(OP, args.x);
    wk_tensor *x = args.dtype ? wk_to(args.x, args.dtype) : args.x;
    if (!x || !wk_check_floating(OP, x))
        return NULL;
    const wk_dense_rows rows = wk_rows_last(OP, x, args.dim);
    wk_tensor *y = wk_empty_like(rows.x);
    if (!y || !wk_run(OP, y, log_softmax, .x = wk_data(rows.x), .y = wk_data(y), .rows = rows.rows, .n = rows.n))
        return NULL;
    y = wk_dense(wk_rows_back(y, rows.dim));
    return wk_record(y, log_softmax_backward, WK_INPUTS(x), WK_SAVED(y), WK_KEPT(log_softmax_kept, rows.dim));
}
