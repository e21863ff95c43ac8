/* Values by their place in order: median, quantile.  They ask a kernel where it lies, and pick; only for several
   quantiles along the dim is it sorted. */
#include <wick/sorting.h>

#include <math.h>

#include <wick/index.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/sort.h"
#include "ops.h"

/* where along dim, of 1 then, the value lies that a sort would put at k; the first NaN, or the last, if there is one */
static wk_tensor *kth_place(const char *op, wk_tensor *x, int dim, int64_t k, bool last_nan)
{
    const wk_dense_rows rows = wk_rows_last(op, x, dim);
    if (!rows.x)
        return NULL;
    wk_shape shape = wk_shape_of(rows.x->ndim, rows.x->shape);
    if (shape.ndim > 0)
        shape.sizes[shape.ndim - 1] = 1;
    wk_tensor *indices = wk_tensor_new(op, shape.ndim, shape.sizes, wk_int64, x->device);
    if (!indices || !wk_run(op, rows.x, kth_value, .x = wk_data(rows.x), .indices = wk_data(indices), .rows = rows.rows,
                            .n = rows.n, .k = k, .last_nan = last_nan))
        return NULL;
    return wk_rows_back(indices, rows.dim);
}

/* ---------------------------------------------------------------- median of all: dx = dy, shared by the equals of y */

static void median_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *y = wk_saved(node, 1);
    wk_tensor *equal = wk_logical_or(wk_eq(x, y), wk_logical_and(wk_isnan(x), wk_isnan(y)));
    wk_accumulate(node, 0, wk_where(equal, wk_div(dy, wk_sum(equal)), 0));
}

wk_tensor *wk_median_all(wk_tensor *x)
{
    WK_NAMES_ERRORS("median");
    WK_REQUIRE("median", x);
    if (wk_dtype_is_complex(x->dtype))
        return wk_fail("median", "x: complex numbers have no order");
    wk_tensor *y = NULL;
    wk_no_grad
    {
        if (x->numel == 0)
            y = wk_new_full(x, (), NAN);
        else {
            wk_tensor *flat = wk_reshape(x, (-1));
            y = flat ? wk_reshape(wk_gather(flat, 0, kth_place("median", flat, 0, (x->numel - 1) / 2, false)), ())
                     : NULL;
        }
    }
    return wk_record(y, median_backward, WK_INPUTS(x), WK_SAVED(x, y));
}

/* ---------------------------------------------------------------- median along a dim: a gather */

wk_tensor *wk_median_dim_with(wk_extremum_args args)
{
    static const char OP[] = "median";
    WK_NAMES_ERRORS(OP);
    wk_tensor *const x = args.x, *values = NULL, *indices = NULL;
    for (int64_t i = 0; i < args.places.count; i++)
        if (args.places.items[i])
            *args.places.items[i] = NULL;
    WK_REQUIRE(OP, x);
    const int dim = wk_check_dim(OP, x->ndim, args.dim);
    if (dim < 0)
        return NULL;
    if (args.places.items && args.places.count != 2)
        return wk_fail(OP, "places: expected (&values, &indices), got %lld", (long long)args.places.count);
    if (x->ndim > 0 && x->shape[dim] == 0)
        return wk_fail(OP, "x: nothing has no median, along dim %d of %s", dim, wk_shape_string(x));
    indices = wk_dense(kth_place(OP, x, dim, x->ndim > 0 ? (x->shape[dim] - 1) / 2 : 0, false));
    values = indices ? wk_gather(x, dim, indices) : NULL;
    if (!args.keepdim && x->ndim > 0) {
        values = wk_squeeze_dim(values, dim);
        indices = wk_squeeze_dim(indices, dim);
    }
    if (!values || !indices)
        return NULL;
    if (args.places.items && args.places.items[0])
        *args.places.items[0] = values;
    if (args.places.items && args.places.items[1])
        *args.places.items[1] = indices;
    return values;
}

/* ---------------------------------------------------------------- quantile: sorted, and mixed between two places */

/* false after an error: q is no share, and no tensor of them beside x, whose numbers are not looked at: the device may
   not have them yet */
static bool check_shares(const char *op, const wk_tensor *x, wk_operand q)
{
    if (!q.tensor && !(q.number.value >= 0 && q.number.value <= 1))
        return wk_fail(op, "q: expected 0 to 1, got %g", q.number.value);
    if (q.tensor && (q.tensor->dtype != x->dtype || q.tensor->ndim > 1))
        return wk_fail(op, "q: expected a number or a tensor of at most 1 dim and x's dtype %s, got %s of %s",
                       wk_dtype_name(x->dtype), wk_shape_string(q.tensor), wk_dtype_name(q.tensor->dtype));
    return !q.tensor || wk_check_same_device(op, "x", x, "q", q.tensor);
}

/* the values of rows, (..., n), that a share q of each row is below: (..., 1) */
static wk_tensor *below_share(const char *op, wk_tensor *rows, double q, int64_t n)
{
    const bool narrow = rows->dtype == wk_float32;
    const double place = narrow ? (float)q * (float)(n - 1) : q * (double)(n - 1), low = floor(place);
    const int dim = rows->ndim - 1;
    wk_tensor *from = wk_gather(rows, -1, kth_place(op, rows, dim, (int64_t)low, true)), *to = from;
    if (place > low)
        to = wk_gather(rows, -1, kth_place(op, rows, dim, (int64_t)low + 1, true));
    return wk_lerp(from, to, place - low);
}

/* the values that the shares q of the rows, (..., n), are below: (..., Q) */
static wk_tensor *below_shares(wk_tensor *rows, wk_tensor *q, int64_t n)
{
    wk_tensor *sorted = wk_sort(rows, .dim = -1);
    /* where there is a NaN, it is the last, and the answer */
    wk_tensor *last = wk_isnan(wk_narrow(sorted, -1, n - 1, 1));
    wk_tensor *place = wk_masked_fill(wk_mul(wk_reshape(q, (-1)), n - 1), last, n - 1);
    wk_tensor *low = wk_floor(place), *from = wk_gather(sorted, -1, wk_to(low, wk_int64));
    wk_tensor *to = wk_gather(sorted, -1, wk_to(wk_ceil(place), wk_int64));
    return wk_lerp(from, to, wk_sub(place, low));
}

wk_tensor *wk_quantile_with(wk_quantile_args args)
{
    static const char OP[] = "quantile";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &args.x, &args.q.tensor);
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    WK_REQUIRE_OPERAND(OP, args.q);
    if (x->dtype != wk_float32 && x->dtype != wk_float64)
        return wk_fail(OP, "x: expected float32 or float64, got %s", wk_dtype_name(x->dtype));
    if (x->numel == 0)
        return wk_fail(OP, "x: nothing has no quantiles, got %s", wk_shape_string(x));
    const bool all = args.dim == WK_NO_DIM;
    const int dim = all ? 0 : wk_check_dim(OP, x->ndim, args.dim);
    if (dim < 0 || !check_shares(OP, x, args.q))
        return NULL;
    wk_tensor *rows = all || x->ndim == 0 ? wk_reshape(x, (-1)) : wk_movedim(x, dim, -1), *q = args.q.tensor;
    if (!rows)
        return NULL;
    const int64_t n = rows->shape[rows->ndim - 1];
    wk_tensor *y = q ? below_shares(rows, q, n) : below_share(OP, rows, args.q.number.value, n);
    if (!y)
        return NULL;
    /* the dim goes, or is 1; several q come first */
    if (args.keepdim && x->ndim > 0) {
        y = all ? wk_reshape_with(wk_movedim(y, -1, 0), (wk_shape){x->ndim + 1, {-1, 1, 1, 1, 1, 1, 1, 1}})
                : wk_unsqueeze(wk_movedim(y, -1, 0), dim + 1);
    } else
        y = wk_movedim(y, -1, 0);
    return !q || q->ndim == 0 ? wk_squeeze_dim(y, 0) : y;
}
