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

wk_tensor *wk_softmax_backward(wk_tensor *dy, wk_tensor *y, int64_t dim)
{
    static const char OP[] = "softmax_backward";
    WK_REQUIRE(OP, dy);
    WK_REQUIRE(OP, y);
    if (!wk_check_gradient_of(OP, dy, y))
        return NULL;
    const wk_dense_rows dy_rows = wk_rows_last(OP, dy, dim), rows = wk_rows_last(OP, y, dim);
    wk_tensor *dx = wk_empty_like(rows.x);
    if (!dy_rows.x || !dx ||
        !wk_run(OP, dx, softmax_backward, .dy = wk_data(dy_rows.x), .y = wk_data(rows.x), .dx = wk_data(dx),
                .rows = rows.rows, .n = rows.n))
        return NULL;
    return wk_record(wk_rows_back(dx, rows.dim), softmax_backward_backward, WK_INPUTS(dy, y), WK_SAVED(dy, y),
                     WK_KEPT(softmax_kept, rows.dim));
}

/* ---------------------------------------------------------------- softmax: y = exp(x - max) / sum */

static void softmax_backward(wk_node *node, wk_tensor *dy)
{
    const softmax_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_softmax_backward(dy, wk_saved(node, 0), kept->dim));
}

wk_tensor *wk_softmax_with(wk_softmax_args args)
{
    static const char OP[] = "softmax";
    WK_REQUIRE(OP, args.x);
    wk_tensor *x = args.dtype ? wk_to(args.x, args.dtype) : args.x;
    if (!x || !wk_check_floating(OP, x))
        return NULL;
    const wk_dense_rows rows = wk_rows_last(OP, x, args.dim);
    wk_tensor *y = wk_empty_like(rows.x);
    if (!y || !wk_run(OP, y, softmax, .x = wk_data(rows.x), .y = wk_data(y), .rows = rows.rows, .n = rows.n))
        return NULL;
    y = wk_dense(wk_rows_back(y, rows.dim)); // contiguous as in PyTorch: users take views of results
    return wk_record(y, softmax_backward, WK_INPUTS(x), WK_SAVED(y), WK_KEPT(softmax_kept, rows.dim));
}
