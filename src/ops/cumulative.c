/* Running sums and products along a dim. */
#include "kernels/cumulative.h"

#include <wick/join.h>
#include <wick/rearrange.h>

#include "ops.h"
#include "reduction.h"

/* without history */
static wk_tensor *cumulate(const char *op, wk_tensor *x, int dim, bool product, bool reverse)
{
    wk_reduction plan;
    const wk_shape dims = {.ndim = 1, .sizes = {dim}};
    wk_tensor *dense = wk_dense(x), *y = wk_empty_like(dense);
    if (!y || !wk_plan_reduction(op, dense, &dims, true, &plan))
        return NULL;
#define RUN(kernel)                                                                                                    \
    wk_run(op, y, kernel, .x = wk_data(dense), .y = wk_data(y), .outer = plan.outer, .n = plan.n, .inner = plan.inner, \
           .reverse = reverse)
    return (product ? RUN(cumprod) : RUN(cumsum)) ? y : NULL;
#undef RUN
}

/* x in the dtype that is computed in; NULL after an error */
static wk_tensor *operand(const char *op, const wk_dim_args *args, int *dim)
{
    WK_REQUIRE(op, args->x);
    const wk_dtype own = args->x->dtype;
    *dim = wk_check_dim(op, args->x->ndim, args->dim);
    return *dim < 0 ? NULL : wk_to(args->x, args->dtype ? args->dtype : wk_dtype_is_integral(own) ? wk_int64 : own);
}

/* ---------------------------------------------------------------- cumsum: dx = cumsum of dy from the end */

typedef struct cumsum_kept {
    int dim;
    bool reverse;
} cumsum_kept;

static wk_tensor *cumsum(wk_tensor *x, int dim, bool reverse);

static void cumsum_backward(wk_node *node, wk_tensor *dy)
{
    const cumsum_kept *kept = node->kept;
    wk_accumulate(node, 0, cumsum(dy, kept->dim, !kept->reverse));
}

static wk_tensor *cumsum(wk_tensor *x, int dim, bool reverse)
{
    return wk_record(cumulate("cumsum", x, dim, false, reverse), cumsum_backward, WK_INPUTS(x),
                     WK_KEPT(cumsum_kept, dim, reverse));
}

wk_tensor *wk_cumsum_with(wk_dim_args args)
{
    int dim;
    wk_tensor *x = operand("cumsum", &args, &dim);
    return x ? cumsum(x, dim, false) : NULL;
}

wk_tensor *wk_cumsum_in_place_with(wk_dim_args args)
{
    WK_NAMES_ERRORS("cumsum_");
    WK_REQUIRE("cumsum_", args.x);
    if (args.dtype && args.dtype != args.x->dtype)
        return wk_fail("cumsum_", "dtype: expected x's own, %s, got %s", wk_dtype_name(args.x->dtype),
                       wk_dtype_name(args.dtype));
    args.dtype = args.x->dtype == wk_bool ? wk_int64 : args.x->dtype;
    return wk_check_writable("cumsum_", args.x) ? wk_write("cumsum_", args.x, wk_cumsum_with(args)) : NULL;
}

/* ---------------------------------------------------------------- cumprod: dx_k = sum over i >= k of dy_i y_i / x_k */

/* Up to the first zero z only the y before it count.  At z itself dx = sum of dy_i y_i / x_z, up to the next zero, with
   the products of what would be there without z.  Past z every product of others has z in it: 0. */
static void cumprod_backward(wk_node *node, wk_tensor *dy)
{
    const int dim = *(const int *)node->kept;
    wk_tensor *x = wk_conj(wk_saved(node, 0)), *y = wk_conj(wk_saved(node, 1));
    wk_tensor *zero = wk_eq(x, 0), *zeros = wk_cumsum(zero, dim), *before = wk_eq(zeros, 0),
              *until_next = wk_eq(zeros, 1);
    wk_tensor *first = wk_logical_and(zero, until_next), *without = wk_cumprod(wk_where(first, 1, x), dim);
    wk_tensor *dx_before = wk_div(cumsum(wk_where(before, wk_mul(dy, y), 0), dim, true), x);
    wk_tensor *dx_first = cumsum(wk_where(until_next, wk_mul(dy, without), 0), dim, true);
    wk_accumulate(node, 0, wk_where(first, dx_first, wk_where(before, dx_before, 0)));
}

/* v, whose beginning is new */
static wk_tensor *with_beginning(wk_tensor *beginning, wk_tensor *v, int dim)
{
    if (!beginning || !v)
        return NULL;
    const int64_t done = beginning->shape[dim];
    return wk_cat((beginning, wk_narrow(v, dim, done, v->shape[dim] - done)), dim);
}

/* The same without a division, for the gradient's gradient, which asks what becomes of a zero that moves:
   dx_k = y_(k-1) s_k with s_k = dy_k + x_(k+1) s_(k+1), a recurrence that is done by doubling.  s_k holds the next
   `reach` terms, and a_k is x_(k+1) ... x_(k+reach); from n - reach on s is whole, and a is read no more. */
static void cumprod_in_ops(wk_node *node, wk_tensor *dy)
{
    const int dim = *(const int *)node->kept;
    wk_tensor *x = wk_conj(wk_saved(node, 0)), *y = wk_conj(wk_saved(node, 1));
    if (!x || x->ndim == 0 || x->numel == 0) {
        wk_accumulate(node, 0, dy);
        return;
    }
    const int64_t n = x->shape[dim];
    wk_tensor *s = dy, *a = wk_roll(x, -1, dim);
    for (int64_t reach = 1; reach < n; reach *= 2) {
        const int64_t count = n - reach;
        wk_tensor *a_here = wk_narrow(a, dim, 0, count);
        wk_tensor *more = wk_mul(a_here, wk_narrow(s, dim, reach, count));
        s = with_beginning(wk_add(wk_narrow(s, dim, 0, count), more), s, dim);
        a = with_beginning(wk_mul(a_here, wk_narrow(a, dim, reach, count)), a, dim);
    }
    wk_tensor *y_before = wk_cat((wk_ones_like(wk_narrow(x, dim, 0, 1)), wk_narrow(y, dim, 0, n - 1)), dim);
    wk_accumulate(node, 0, wk_mul(y_before, s));
}

wk_tensor *wk_cumprod_with(wk_dim_args args)
{
    int dim;
    wk_tensor *x = operand("cumprod", &args, &dim);
    if (!x)
        return NULL;
    wk_tensor *y = cumulate("cumprod", x, dim, true, false);
    return wk_record(y, cumprod_backward, WK_INPUTS(x), WK_SAVED(x, y), WK_KEPT(int, dim), .composed = cumprod_in_ops);
}
