/* Values by their place in order: median, quantile.  Both sort along the dim, and pick. */
#include <wick/sorting.h>

#include <math.h>

#include <wick/index.h>

#include "autocast.h"
#include "core/run.h"
#include "ops.h"

/* the place of the middle one along dim of values in order, NaN last; of several middle ones the lower, of NaN the
   first */
static wk_tensor *middle(wk_tensor *sorted, int dim)
{
    const int64_t n = sorted->ndim > 0 ? sorted->shape[dim] : 1;
    if (!wk_dtype_is_floating(sorted->dtype)) {
        wk_tensor *like = wk_amax(sorted, (dim), .keepdim = true);
        return wk_full_like(like, (n - 1) / 2, .dtype = wk_int64);
    }
    wk_tensor *numbers = wk_sum(wk_logical_not(wk_isnan(sorted)), (dim), .keepdim = true);
    return wk_where(wk_eq(numbers, n), wk_full_like(numbers, (n - 1) / 2), numbers);
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
            wk_tensor *sorted = wk_sort(wk_reshape(x, (-1)), .dim = 0);
            y = sorted ? wk_reshape(wk_gather(sorted, 0, middle(sorted, 0)), ()) : NULL;
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
    wk_no_grad
    {
        wk_tensor *sorted = NULL, *order = NULL;
        wk_sort(x, (&sorted, &order), .dim = dim);
        indices = sorted ? wk_gather(order, dim, middle(sorted, dim)) : NULL;
    }
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

/* q as a tensor beside x; NULL after an error.  The numbers of a tensor are not looked at: the device may not have
   them yet. */
static wk_tensor *fractions(const char *op, const wk_tensor *x, wk_operand q)
{
    if (q.tensor) {
        if (q.tensor->dtype != x->dtype || q.tensor->ndim > 1)
            return wk_fail(op, "q: expected a number or a tensor of at most 1 dim and x's dtype %s, got %s of %s",
                           wk_dtype_name(x->dtype), wk_shape_string(q.tensor), wk_dtype_name(q.tensor->dtype));
        return wk_check_same_device(op, "x", x, "q", q.tensor) ? q.tensor : NULL;
    }
    if (!(q.number.value >= 0 && q.number.value <= 1))
        return wk_fail(op, "q: expected 0 to 1, got %g", q.number.value);
    return wk_full((), q.number.value, .dtype = x->dtype, .device = x->device);
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
    wk_tensor *q = dim >= 0 ? fractions(OP, x, args.q) : NULL;
    if (!q)
        return NULL;
    wk_tensor *rows = all || x->ndim == 0 ? wk_reshape(x, (-1)) : wk_movedim(x, dim, -1);
    wk_tensor *sorted = wk_sort(rows, .dim = -1);
    if (!sorted)
        return NULL;
    const int64_t n = sorted->shape[sorted->ndim - 1];
    /* (..., Q) places; where there is a NaN, it is the last, and the answer */
    wk_tensor *last = wk_isnan(wk_narrow(sorted, -1, n - 1, 1));
    wk_tensor *place = wk_masked_fill(wk_mul(wk_reshape(q, (-1)), n - 1), last, n - 1);
    wk_tensor *low = wk_floor(place), *from = wk_gather(sorted, -1, wk_to(low, wk_int64));
    wk_tensor *to = wk_gather(sorted, -1, wk_to(wk_ceil(place), wk_int64));
    wk_tensor *y = wk_lerp(from, to, wk_sub(place, low));
    if (!y)
        return NULL;
    /* the dim goes, or is 1; several q come first */
    if (args.keepdim && x->ndim > 0) {
        y = all ? wk_reshape_with(wk_movedim(y, -1, 0), (wk_shape){x->ndim + 1, {-1, 1, 1, 1, 1, 1, 1, 1}})
                : wk_unsqueeze(wk_movedim(y, -1, 0), dim + 1);
    } else
        y = wk_movedim(y, -1, 0);
    return q->ndim == 0 ? wk_squeeze_dim(y, 0) : y;
}
