/* Reductions: over dims, over everything, along a dim with places. */
#include <math.h>

#include "op_table.h"

static wk_shape dims(golden_case *c) { return sizes(c, "dims"); }

static wk_reduce_args reduction(golden_case *c)
{
    wk_reduce_args args = {.x = input(c, 0), .dims = dims(c), .dtype = dtype(c, "dtype")};
    args.correction = real_or(c, "correction", (double)integer_or(c, "correction", 1));
    args.keepdim = integer_or(c, "keepdim", 0);
    if (has(c, "dims") && args.dims.ndim == 0) // a single dim is written as a number
        args.dims = (wk_shape){.ndim = 1, .sizes = {integer(c, "dims")}};
    return args;
}

#define REDUCTION(name, ...)                                                                                           \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name##_with(reduction(c)); }                            \
    OP(name, run_##name, ##__VA_ARGS__)
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(prod)
REDUCTION(amax)
REDUCTION(amin)
REDUCTION(all)
REDUCTION(any)
REDUCTION(logsumexp)
REDUCTION(var)
REDUCTION(std)
BAD(sum, wk_sum(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")
BAD(sum, wk_sum(wk_zeros((2, 3)), (0, -2)), "dim: 0 comes twice")
BAD(mean, wk_mean(wk_zeros((2), .dtype = wk_int64)), "expected a floating or complex dtype, got int64")
BAD(amax, wk_amax(wk_zeros((0, 3)), 0), "nothing has no largest")
BAD(var, wk_var(wk_zeros((2), .dtype = wk_bool)), "expected a floating dtype, got bool")

static wk_tensor *run_var_mean(golden_case *c)
{
    wk_tensor *var = NULL, *mean = NULL;
    wk_var_mean_with(reduction(c), WK_PLACES(&var, &mean));
    return results(c, var, mean);
}
OP(var_mean, run_var_mean)

static wk_tensor *run_norm(golden_case *c)
{
    wk_reduce_args args = reduction(c);
    args.p = real(c, "p");
    return wk_norm_with(args);
}
OP(norm, run_norm)
BAD(norm, wk_norm(wk_zeros((2), .dtype = wk_int64)), "expected a floating or complex dtype, got int64")
/* the macros give what the structs give */
static wk_tensor *run_linalg_vector_norm(golden_case *c)
{
    return wk_linalg_vector_norm(input(c, 0), real(c, "p"), (0, 2), .keepdim = true);
}
OP(linalg_vector_norm, run_linalg_vector_norm)

#define EXTREMUM(name)                                                                                                 \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        if (!has(c, "dim"))                                                                                            \
            return wk_##name(input(c, 0));                                                                             \
        wk_tensor *values = NULL, *indices = NULL;                                                                     \
        wk_##name(input(c, 0), integer(c, "dim"), (&values, &indices), .keepdim = integer(c, "keepdim"));              \
        return results(c, values, indices);                                                                            \
    }                                                                                                                  \
    OP(name, run_##name)
EXTREMUM(max)
EXTREMUM(min)
BAD(max, wk_max(wk_zeros((2, 3)), 5, (NULL, NULL)), "dim: expected -2 to 1")
BAD(min, wk_min(wk_zeros((0))), "nothing has no largest")

static wk_tensor *run_argmax(golden_case *c)
{
    return wk_argmax(input(c, 0), integer_or(c, "dim", WK_NO_DIM), .keepdim = integer_or(c, "keepdim", 0));
}
static wk_tensor *run_argmin(golden_case *c)
{
    return wk_argmin(input(c, 0), integer_or(c, "dim", WK_NO_DIM), .keepdim = integer_or(c, "keepdim", 0));
}
OP(argmax, run_argmax)
OP(argmin, run_argmin)
BAD(argmax, wk_argmax(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")

static wk_tensor *run_cumsum(golden_case *c)
{
    return wk_cumsum(input(c, 0), integer(c, "dim"), .dtype = dtype(c, "dtype"));
}
OP(cumsum, run_cumsum)
BAD(cumsum, wk_cumsum(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")

static wk_tensor *run_cumprod(golden_case *c)
{
    return wk_cumprod(input(c, 0), integer(c, "dim"), .dtype = dtype(c, "dtype"));
}
OP(cumprod, run_cumprod)
BAD(cumprod, wk_cumprod(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")

static wk_tensor *run_sum_to_size(golden_case *c) { return wk_sum_to_size(input(c, 0), sizes(c, "size")); }
OP(sum_to_size, run_sum_to_size)
BAD(sum_to_size, wk_sum_to_size(wk_zeros((2, 3)), WK_SHAPE(4)), "does not broadcast")
