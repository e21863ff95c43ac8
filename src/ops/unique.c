/* Distinct values, and how often there are any: unique, bincount.  How large the results are depends on values: the
   host waits for them. */
#include <wick/sorting.h>

#include <wick/index.h>
#include <wick/join.h>

#include "index.h"

/* ---------------------------------------------------------------- unique: sorted, and cut where neighbours differ */

typedef struct distinct {
    wk_tensor *first;   // where each distinct value is in the input: the first of its equals
    wk_tensor *values;  // in order
    wk_tensor *inverse; // which of the values each of the input is
    wk_tensor *counts;  // how often each value comes
} distinct;

/* x[1:] != x[:-1], along dim 0, with `beginning` before it */
static wk_tensor *differ(wk_tensor *x, bool beginning)
{
    if (!x || x->shape[0] == 0)
        return wk_to(x, wk_bool);
    const int64_t n = x->shape[0];
    wk_tensor *start = wk_full_like(wk_narrow(x, 0, 0, 1), beginning, .dtype = wk_bool);
    return wk_cat((start, wk_ne(wk_narrow(x, 0, 1, n - 1), wk_narrow(x, 0, 0, n - 1))));
}

/* of x (n); NaN is equal to nothing, as in PyTorch; false after an error */
static bool distinct_of(const char *op, wk_tensor *x, distinct *d)
{
    wk_tensor *values = NULL, *order = NULL;
    wk_sort(x, (&values, &order), .dim = 0);
    wk_tensor *starts = differ(values, true);
    wk_tensor *at = starts ? wk_nonzero_positions(op, starts) : NULL;
    if (!at)
        return false;
    wk_tensor *end = wk_new_full(at, (1), values->shape[0]);
    wk_tensor *ends = at->numel > 0 ? wk_cat((wk_narrow(at, 0, 1, at->numel - 1), end)) : at;
    d->values = wk_index_select(values, 0, at);
    d->first = wk_index_select(order, 0, at);
    d->counts = wk_sub(ends, at);
    d->inverse = wk_scatter(wk_zeros_like(order), 0, order, wk_sub(wk_cumsum(starts, 0), 1));
    return d->values && d->first && d->counts && d->inverse;
}

/* the rank of each element of x (n, m) among its column: 0 for the smallest, equal ones of equal rank */
static wk_tensor *ranks_of_columns(wk_tensor *x)
{
    wk_tensor *values = NULL, *order = NULL;
    wk_sort(x, (&values, &order), .dim = 0);
    return wk_scatter(wk_zeros_like(order), 0, order, wk_cumsum(differ(values, false), 0));
}

/* the rank of each row of x (n, m), rows compared from their first element on: ranks of neighbouring columns are made
   ranks of pairs until one column is left */
static wk_tensor *ranks_of_rows(wk_tensor *x)
{
    const int64_t n = x->shape[0];
    if (x->shape[1] == 0)
        return wk_new_zeros(x, (n), .dtype = wk_int64);
    wk_tensor *ranks = ranks_of_columns(x);
    while (ranks && ranks->shape[1] > 1) {
        const int64_t m = ranks->shape[1], even = m - m % 2;
        wk_tensor *pairs = wk_add(wk_mul(wk_slice(ranks, 1, 0, even, 2), n), wk_slice(ranks, 1, 1, even, 2));
        ranks = ranks_of_columns(m % 2 ? wk_cat((pairs, wk_narrow(ranks, 1, m - 1, 1)), .dim = 1) : pairs);
    }
    return wk_reshape(ranks, (n));
}

static bool distinct_slices(const char *op, wk_tensor *x, int64_t dim_, distinct *d)
{
    const int dim = wk_check_dim(op, x->ndim, dim_);
    if (dim < 0)
        return false;
    wk_tensor *rows = x->ndim == 0 ? wk_reshape(x, (1, 1)) : NULL;
    if (x->ndim > 0) {
        const int64_t n = x->shape[dim];
        if (n > 0 && x->numel == 0)
            return wk_fail(op, "x: slices of no elements, of %s along dim %d, are all the same", wk_shape_string(x),
                           dim);
        rows = wk_reshape(wk_movedim(x, dim, 0), (n, n > 0 ? x->numel / n : 0));
    }
    if (!rows || !distinct_of(op, ranks_of_rows(rows), d))
        return false;
    d->values = x->ndim > 0 ? wk_index_select(x, dim, d->first) : x;
    return d->values;
}

wk_tensor *wk_unique_with(wk_unique_args args)
{
    static const char OP[] = "unique";
    WK_NAMES_ERRORS(OP);
    wk_tensor *x = args.x;
    for (int64_t i = 0; i < args.places.count; i++)
        if (args.places.items[i])
            *args.places.items[i] = NULL;
    WK_REQUIRE(OP, x);
    if (args.places.count > 3)
        return wk_fail(OP, "places: expected (&values, &inverse, &counts), got %lld", (long long)args.places.count);
    distinct d = {0};
    bool fine = false;
    wk_no_grad
    {
        if (args.dim != WK_NO_DIM)
            fine = distinct_slices(OP, x, args.dim, &d);
        else if (distinct_of(OP, wk_reshape(x, (-1)), &d)) {
            d.inverse = wk_reshape_with(d.inverse, wk_shape_of(x->ndim, x->shape));
            fine = d.inverse;
        }
    }
    wk_tensor *const results[3] = {d.values, d.inverse, d.counts};
    for (int64_t i = 0; fine && i < args.places.count; i++)
        if (args.places.items[i])
            *args.places.items[i] = results[i];
    return fine ? d.values : NULL;
}

/* ---------------------------------------------------------------- bincount */

wk_tensor *wk_bincount_with(wk_bincount_args args)
{
    static const char OP[] = "bincount";
    WK_NAMES_ERRORS(OP);
    wk_tensor *x = args.x, *const weights = args.weights, *y = NULL;
    WK_REQUIRE(OP, x);
    WK_OPTIONAL(OP, weights);
    if (!wk_dtype_is_integral(x->dtype) || x->dtype == wk_bool || x->ndim != 1)
        return wk_fail(OP, "x: expected a 1-D tensor of integers, got %s of %s", wk_shape_string(x),
                       wk_dtype_name(x->dtype));
    if (args.minlength < 0)
        return wk_fail(OP, "minlength: must not be negative, got %lld", (long long)args.minlength);
    if (weights && !wk_same_shape(weights, x))
        return wk_fail(OP, "weights: expected x's shape %s, got %s", wk_shape_string(x), wk_shape_string(weights));
    if (x->numel == 0)
        return wk_new_zeros(x, (args.minlength), .dtype = wk_int64);
    wk_no_grad wk_scope
    {
        const int64_t low = wk_item_int64(wk_min(x)), high = wk_item_int64(wk_max(x));
        if (low < 0)
            wk_fail(OP, "x: must not be negative, got %lld", (long long)low);
        else if (!wk_failing()) {
            wk_tensor *ones = weights ? wk_to(weights, weights->dtype == wk_float32 ? wk_float32 : wk_float64)
                                      : wk_ones_like(x, .dtype = wk_int64);
            const int64_t n = high + 1 > args.minlength ? high + 1 : args.minlength;
            y = wk_keep(ones ? wk_index_add(wk_new_zeros(ones, (n)), 0, wk_to(x, wk_int64), ones) : NULL);
        }
    }
    return y;
}
