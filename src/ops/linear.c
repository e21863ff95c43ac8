/* linear: y = x weight^T + bias, the whole of it in one product over the rows of x, bias included. */
#include "autocast.h"
#include "matmul.h"
#include "core/run.h"
#include "kernels/reduce.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- column_sum: the gradient of a bias */

typedef struct column_sum_kept {
    int64_t rows;
} column_sum_kept;

static void column_sum_backward(wk_node *node, wk_tensor *dy)
{
    const column_sum_kept *kept = node->kept;
    wk_accumulate(node, 0, wk_expand(dy, (kept->rows, -1)));
}

/* (N, n) -> (n) */
static wk_tensor *column_sum(wk_tensor *x)
{
    WK_REQUIRE("linear", x);
    wk_tensor *rows = wk_dense(x);
    wk_tensor *y = rows ? wk_tensor_new("linear", 1, &x->shape[1], x->dtype, x->device) : NULL;
    if (!y)
        return NULL;
    const int64_t n = x->shape[0];
    if (!wk_run("linear", y, sum, .x = wk_data(rows), .y = wk_data(y), .outer = 1, .n = n, .inner = x->shape[1],
                .chunk = n))
        return NULL;
    return wk_record(y, column_sum_backward, WK_INPUTS(x), WK_KEPT(column_sum_kept, .rows = n));
}

/* ---------------------------------------------------------------- linear */

/* (..., n) -> (N, n) */
static wk_tensor *rows_of(wk_tensor *x)
{
    if (!x || x->ndim == 2)
        return x;
    int64_t rows = 1;
    for (int dim = 0; dim < x->ndim - 1; dim++)
        rows *= x->shape[dim];
    return wk_reshape(x, (rows, x->shape[x->ndim - 1]));
}

/* dx = dy conj(weight), dweight = dy^T conj(x), dbias = the sum of dy's rows */
static void linear_backward(wk_node *node, wk_tensor *dy)
{
    const bool bias_needs = node->inputs > 2 && wk_needs(node, 2);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_matmul(dy, wk_conj(wk_saved(node, 1))));
    if (!wk_needs(node, 1) && !bias_needs)
        return;
    wk_tensor *dy_rows = rows_of(dy);
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mm(wk_t(dy_rows), wk_conj(rows_of(wk_saved(node, 0)))));
    if (bias_needs)
        wk_accumulate(node, 2, column_sum(dy_rows));
}

static bool check_sizes(const wk_tensor *x, const wk_tensor *weight)
{
    if (weight->ndim != 2)
        return wk_fail("linear", "weight: expected shape (out, in) or (in), got %s", wk_shape_string(weight));
    const int64_t in = weight->shape[1], out = weight->shape[0];
    if (x->ndim == 0)
        return wk_fail("linear", "x: expected shape (..., %lld), got ()", (long long)in);
    const int64_t last = x->shape[x->ndim - 1];
    if (last != in) {
        char hint[256] = "x's last dim must be the layer's number of inputs";
        for (int dim = 0; dim < x->ndim - 1; dim++)
            if (x->shape[dim] == in)
                snprintf(hint, sizeof hint, "x's dim %d is %lld: wk_transpose(x, %d, -1) would fit", dim, (long long)in,
                         dim);
        int64_t trailing = last;
        for (int dim = x->ndim - 2; dim > 0 && trailing < in; dim--) {
            trailing *= x->shape[dim];
            if (trailing == in)
                snprintf(hint, sizeof hint, "x's dims from %d on have %lld elements: wk_flatten(x, %d) would fit", dim,
                         (long long)in, dim);
        }
        if (last == out)
            snprintf(hint, sizeof hint, "weight is (out, in); wk_t(weight) would fit this x");
        return wk_fail("linear", "x: expected last dim %lld, got %lld: x is %s, weight (out, in) is %s\nhint: %s",
                       (long long)in, (long long)last, wk_shape_string(x), wk_shape_string(weight), hint);
    }
    return true;
}

wk_tensor *wk_linear_with(wk_linear_args args)
{
    wk_tensor *x = args.x, *weight = args.weight, *bias = args.bias;
    WK_AUTOCAST(LOW, &x, &weight, &bias);
    WK_NAMES_ERRORS("linear");
    WK_REQUIRE("linear", x);
    WK_REQUIRE("linear", weight);
    WK_OPTIONAL("linear", bias);
    if (weight->ndim == 1) { // a dot product with each row
        wk_tensor *y = wk_matmul(x, weight);
        if (y && bias && bias->ndim > 0)
            return wk_fail("linear", "bias: expected shape () for a weight of 1 dim, got %s", wk_shape_string(bias));
        return y && bias ? wk_add(y, bias) : y;
    }
    if (!check_sizes(x, weight) || !wk_check_product("linear", "x", x, "weight", weight) ||
        (bias && !wk_check_product("linear", "x", x, "bias", bias)))
        return NULL;
    if (bias &&
        (bias->ndim != 1 || bias->shape[0] != weight->shape[0])) { // PyTorch adds whatever broadcasts to the result
        wk_tensor *y = wk_linear(x, weight);
        for (int dim = 1; y && dim <= bias->ndim; dim++) {
            const int64_t size = bias->shape[bias->ndim - dim];
            if (dim > y->ndim || (size != 1 && size != y->shape[y->ndim - dim]))
                return wk_fail("linear", "bias: expected shape (%lld), the rows of weight %s, got %s",
                               (long long)weight->shape[0], wk_shape_string(weight), wk_shape_string(bias));
        }
        return y ? wk_add(y, bias) : NULL;
    }

    int64_t shape[WK_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim - 1] = weight->shape[0];
    wk_tensor *y = wk_tensor_new("linear", x->ndim, shape, x->dtype, x->device);
    /* rows of x by weight^T, (in, out) */
    if (!wk_multiply_into("linear", y, WK_WITHOUT_GRAD(rows_of(x)), WK_WITHOUT_GRAD(wk_t(weight)), bias))
        return NULL;
    const char *name = x->ndim != 2 ? "unsafe_view_backward" : bias ? "addmm_backward" : "mm_backward";
    wk_tensor *inputs[3] = {x, weight, bias};
    return wk_record(y, linear_backward, .name = name, .inputs = {bias ? 3 : 2, inputs}, WK_SAVED(x, weight));
}
