/* Matrix products.  One kernel does them all: matrices by their strides, batches by strides that may be 0, so
   transposed, sliced and broadcast operands are not copied.

   (B, L, k) by (k, n) folds into one product of (B * L, k), which is faster than B products and gives b's gradient in
   one product too. */
#include "autocast.h"
#include "matmul.h"
#include "core/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static _Thread_local int64_t multiply_adds;

void wk_count_multiply_adds(int64_t count) { multiply_adds += count; }
int64_t wk_multiply_adds(void) { return multiply_adds; }

/* ---------------------------------------------------------------- checks */

bool wk_check_product(const char *op, const char *a_name, const wk_tensor *a, const char *b_name, const wk_tensor *b)
{
    if (!wk_check_same_device(op, a_name, a, b_name, b))
        return false;
    if (a->dtype != b->dtype) { // a weight is never cut to integers, nor converted to what data happen to be
        const bool second = strcmp(b_name, "weight") != 0 && !wk_dtype_is_integral(a->dtype);
        return wk_fail(op, "%s and %s: expected one dtype, got %s and %s\nhint: convert one: wk_to(%s, wk_%s)", a_name,
                       b_name, wk_dtype_name(a->dtype), wk_dtype_name(b->dtype), second ? b_name : a_name,
                       wk_dtype_name(second ? a->dtype : b->dtype));
    }
    if (a->dtype == wk_bool)
        return wk_fail(op, "%s: expected numbers, got bool\nhint: wk_to(x, wk_float32), and compare the product with 0",
                       a_name);
    return true;
}

static int64_t size_at(const wk_tensor *x, int from_end) { return x->shape[x->ndim - from_end]; }

/* a (..., m, k) b (l, n) with k != l: which sizes disagree, and what would fit */
static void *misfit(const char *op, const wk_tensor *a, const wk_tensor *b)
{
    char hint[256];
    const int64_t columns = size_at(a, 1), rows = b->ndim == 1 ? b->shape[0] : size_at(b, 2);
    if (b->ndim > 1 && size_at(b, 1) == columns)
        snprintf(hint, sizeof hint, "b's last dim is %lld: wk_%s(a, wk_transpose(b, -2, -1)) would fit",
                 (long long)columns, op);
    else if (a->ndim > 1 && size_at(a, 2) == rows)
        snprintf(hint, sizeof hint, "a's dim -2 is %lld: wk_%s(wk_transpose(a, -2, -1), b) would fit", (long long)rows,
                 op);
    else
        snprintf(hint, sizeof hint, "(m, k) times (k, n) is (m, n): make a's last dim %lld, or b's %s %lld",
                 (long long)rows, b->ndim == 1 ? "size" : "dim -2", (long long)columns);
    return wk_fail(op,
                   "a and b: expected a's last dim to equal b's %s, got a of shape %s and b of shape %s: %lld != %lld\n"
                   "hint: %s",
                   b->ndim == 1 ? "only dim" : "dim -2", wk_shape_string(a), wk_shape_string(b), (long long)columns,
                   (long long)rows, hint);
}

static bool check_dims(const char *op, const wk_tensor *a, int a_ndim, const wk_tensor *b, int b_ndim)
{
    if (a->ndim == a_ndim && b->ndim == b_ndim)
        return true;
    const bool first = a->ndim != a_ndim;
    return wk_fail(op, "%s: expected %d dim%s, got shape %s\nhint: wk_matmul takes operands of any dims",
                   first ? "a" : "b", first ? a_ndim : b_ndim, (first ? a_ndim : b_ndim) == 1 ? "" : "s",
                   wk_shape_string(first ? a : b));
}

/* ---------------------------------------------------------------- the product itself */

/* Strides of a matrix as libraries want them: one of them 1, the other not 0 where it cannot matter. */
static bool matrix_strides(const wk_tensor *x, int64_t *row, int64_t *column)
{
    const int64_t rows = size_at(x, 2), columns = size_at(x, 1);
    *row = x->strides[x->ndim - 2];
    *column = x->strides[x->ndim - 1];
    if (columns <= 1 && *row != 1)
        *column = 1;
    if (rows <= 1)
        *row = *column == 1 ? columns : 1;
    return *row == 1 || *column == 1 || rows * columns < 64;
}

/* a, b and bias as a kernel can read them, with their strides; false after an error */
static bool place_operands(wk_matmul_work *work, wk_tensor *a, wk_tensor *b, wk_tensor *bias, wk_tensor *operands[2])
{
    if (!matrix_strides(a, &work->a_row, &work->a_column) && (a = wk_dense(a)))
        matrix_strides(a, &work->a_row, &work->a_column);
    if (!matrix_strides(b, &work->b_row, &work->b_column) && (b = wk_dense(b)))
        matrix_strides(b, &work->b_row, &work->b_column);
    if (bias && bias->shape[0] != 1 && bias->strides[0] != 1 && !(bias = wk_dense(bias)))
        return false;
    if (!a || !b)
        return false;
    work->m = size_at(a, 2), work->n = size_at(b, 1), work->k = size_at(a, 1);
    work->a = wk_data(a), work->b = wk_data(b), work->bias = wk_data(bias);
    operands[0] = a, operands[1] = b;
    return true;
}

static bool multiply(const char *op, wk_tensor *y, wk_matmul_work *work)
{
    work->c = wk_data(y);
    work->c_row = work->n;
    wk_count_multiply_adds(y->numel * work->k);
    return wk_run_work(op, y, matmul, work);
}

bool wk_multiply_into(const char *op, wk_tensor *y, wk_tensor *a, wk_tensor *b, wk_tensor *bias)
{
    wk_matmul_work work = {0};
    return y && a && b && place_operands(&work, a, b, bias, (wk_tensor *[2]){0}) && multiply(op, y, &work);
}

wk_tensor *wk_multiply(const char *op, wk_tensor *a, wk_tensor *b, wk_tensor *bias)
{
    wk_matmul_work work = {0};
    wk_tensor *operands[2];
    int64_t shape[WK_MAX_DIMS];
    int ndim = 0;
    if (!place_operands(&work, a, b, bias, operands) ||
        !wk_broadcast_shapes(op, a->ndim - 2, a->shape, b->ndim - 2, b->shape, &ndim, shape))
        return NULL;
    a = operands[0], b = operands[1];
    shape[ndim] = work.m;
    shape[ndim + 1] = work.n;
    wk_tensor *y = wk_tensor_new(op, ndim + 2, shape, a->dtype, a->device);
    if (!y)
        return NULL;
    work.batch_ndim = ndim;
    for (int dim = 0; dim < ndim; dim++) {
        const int a_dim = dim - (ndim - (a->ndim - 2)), b_dim = dim - (ndim - (b->ndim - 2));
        work.batch_shape[dim] = shape[dim];
        work.a_batch[dim] = a_dim < 0 || a->shape[a_dim] == 1 ? 0 : a->strides[a_dim];
        work.b_batch[dim] = b_dim < 0 || b->shape[b_dim] == 1 ? 0 : b->strides[b_dim];
        work.c_batch[dim] = y->strides[dim];
    }
    return multiply(op, y, &work) ? y : NULL;
}

/* da = dy b^H, db = a^H dy; wk_accumulate sums over batches that were broadcast */
static void bmm_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_matmul(dy, wk_conj(wk_transpose(wk_saved(node, 1), -2, -1))));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_matmul(wk_conj(wk_transpose(wk_saved(node, 0), -2, -1)), dy));
}

/* at least 2 dims each; inner sizes agree */
static wk_tensor *product(const char *op, wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE(op, a);
    WK_REQUIRE(op, b);
    return wk_record(wk_multiply(op, a, b, NULL), bmm_backward,
                     .name = a->ndim == 2 && b->ndim == 2 ? "mm_backward" : "bmm_backward", WK_INPUTS(a, b),
                     WK_SAVED(a, b));
}

/* ---------------------------------------------------------------- ops */

/* (k) and (k): a column is a row's transpose, so the general product does it */
static wk_tensor *as_row(wk_tensor *x) { return wk_unsqueeze(x, 0); }
static wk_tensor *as_column(wk_tensor *x) { return wk_unsqueeze(x, 1); }

wk_tensor *wk_matmul(wk_tensor *a, wk_tensor *b)
{
    WK_NAMES_ERRORS("matmul");
    WK_AUTOCAST(LOW, &a, &b);
    WK_REQUIRE("matmul", a);
    WK_REQUIRE("matmul", b);
    if (a->ndim == 0 || b->ndim == 0)
        return wk_fail("matmul", "%s: expected at least 1 dim, got shape ()\nhint: wk_mul multiplies by a number",
                       a->ndim == 0 ? "a" : "b");
    if (!wk_check_product("matmul", "a", a, "b", b))
        return NULL;
    if (size_at(a, 1) != (b->ndim == 1 ? b->shape[0] : size_at(b, 2)))
        return misfit("matmul", a, b);

    const bool row = a->ndim == 1, column = b->ndim == 1;
    if (row || column) {
        wk_tensor *y = wk_matmul(row ? as_row(a) : a, column ? as_column(b) : b);
        if (column)
            y = wk_squeeze(y, -1);
        return row ? wk_squeeze(y, column ? -1 : -2) : y;
    }
    if (a->ndim > 2 && b->ndim == 2 && a->numel > 0) {
        wk_shape shape = wk_shape_of(a->ndim, a->shape);
        shape.sizes[a->ndim - 1] = b->shape[1];
        return wk_reshape_with(product("matmul", wk_reshape(a, (-1, size_at(a, 1))), b), shape);
    }
    return product("matmul", a, b);
}

static wk_tensor *mm(const char *op, wk_tensor *a, wk_tensor *b)
{
    WK_AUTOCAST(LOW, &a, &b);
    WK_REQUIRE(op, a);
    WK_REQUIRE(op, b);
    if (!check_dims(op, a, 2, b, 2) || !wk_check_product(op, "a", a, "b", b))
        return NULL;
    return a->shape[1] == b->shape[0] ? product(op, a, b) : misfit(op, a, b);
}
wk_tensor *wk_mm(wk_tensor *a, wk_tensor *b) { return mm("mm", a, b); }

wk_tensor *wk_bmm(wk_tensor *a, wk_tensor *b)
{
    WK_AUTOCAST(LOW, &a, &b);
    WK_REQUIRE("bmm", a);
    WK_REQUIRE("bmm", b);
    if (!check_dims("bmm", a, 3, b, 3) || !wk_check_product("bmm", "a", a, "b", b))
        return NULL;
    if (a->shape[0] != b->shape[0])
        return wk_fail("bmm",
                       "a and b: expected one batch size, got a of shape %s and b of shape %s: %lld != %lld\n"
                       "hint: wk_matmul broadcasts batches",
                       wk_shape_string(a), wk_shape_string(b), (long long)a->shape[0], (long long)b->shape[0]);
    return a->shape[2] == b->shape[1] ? product("bmm", a, b) : misfit("bmm", a, b);
}

wk_tensor *wk_mv(wk_tensor *a, wk_tensor *x)
{
    WK_REQUIRE("mv", a);
    WK_REQUIRE("mv", x);
    if (!check_dims("mv", a, 2, x, 1) || !wk_check_product("mv", "a", a, "x", x))
        return NULL;
    if (a->shape[1] != x->shape[0])
        return misfit("mv", a, x);
    return wk_squeeze(product("mv", a, as_column(x)), 1);
}

wk_tensor *wk_dot(wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE("dot", a);
    WK_REQUIRE("dot", b);
    if (!check_dims("dot", a, 1, b, 1) || !wk_check_product("dot", "a", a, "b", b))
        return NULL;
    if (a->shape[0] != b->shape[0])
        return wk_fail("dot", "a and b: expected as many elements, got %lld and %lld", (long long)a->shape[0],
                       (long long)b->shape[0]);
    return wk_squeeze(product("dot", as_row(a), as_column(b)));
}

wk_tensor *wk_outer(wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE("outer", a);
    WK_REQUIRE("outer", b);
    if (!check_dims("outer", a, 1, b, 1) || !wk_check_same_device("outer", "a", a, "b", b))
        return NULL;
    return wk_mul(as_column(a), b);
}

wk_tensor *wk_addmm_with(wk_addmm_args args)
{
    wk_tensor *input = args.input;
    WK_AUTOCAST(LOW, &input, &args.a, &args.b);
    WK_REQUIRE("addmm", input);
    wk_tensor *y = mm("addmm", args.a, args.b);
    if (!y)
        return NULL;
    if (wk_dtype_is_integral(y->dtype) && (args.alpha != floor(args.alpha) || args.beta != floor(args.beta)))
        return wk_fail("addmm", "beta and alpha: expected integers for tensors of %s, got %g and %g",
                       wk_dtype_name(y->dtype), args.beta, args.alpha);
    if (input->dtype != y->dtype)
        return wk_fail("addmm", "input: expected dtype %s, that of a and b, got %s", wk_dtype_name(y->dtype),
                       wk_dtype_name(input->dtype));
    for (int dim = 1; dim <= input->ndim; dim++)
        if (dim > 2 || (size_at(input, dim) != 1 && size_at(input, dim) != size_at(y, dim)))
            return wk_fail("addmm", "input: expected a shape that broadcasts to %s, got %s", wk_shape_string(y),
                           wk_shape_string(input));
    if (args.alpha != 1)
        y = wk_dtype_is_integral(y->dtype) ? wk_mul(y, (int64_t)args.alpha) : wk_mul(y, args.alpha);
    if (args.beta == 0) // input's values do not count, NaN among them; its gradient is 0
        input = wk_needs_grad(input) ? wk_masked_fill(input, wk_ones_like(input, .dtype = wk_bool), 0) : NULL;
    return input ? wk_add(y, input, .alpha = args.beta) : y;
}

wk_tensor *wk_addmm_in_place_with(wk_addmm_args args)
{
    WK_NAMES_ERRORS("addmm_");
    WK_REQUIRE("addmm_", args.input);
    return wk_check_writable("addmm_", args.input) ? wk_write("addmm_", args.input, wk_addmm_with(args)) : NULL;
}
