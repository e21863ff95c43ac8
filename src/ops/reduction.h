/* Floor 3, reductions: the plan they share. */
#ifndef WICK_OPS_REDUCTION_H
#define WICK_OPS_REDUCTION_H

#include <string.h>

#include <wick/reduction.h>

#include "autograd/node.h"
#include "core/run.h"
#include "kernels/reduce.h"

/* What is reduced, seen as source (outer, n, inner): x itself where the reduced dims are neighbours in dense memory,
   else a copy with the reduced dims last. */
typedef struct wk_reduction {
    wk_tensor *source;
    int64_t outer, n, inner;
    wk_shape result; // without the reduced dims, or with 1 for them
    wk_shape kept;   // with 1 for the reduced dims
} wk_reduction;

/* whether a number is this one of the NaNs that stand for a name */
static inline bool wk_same_nan(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* one dim that the macros give by its keyword, or without parentheses, as a tuple of dims; false after an error */
static inline bool wk_read_dims(const char *op, wk_reduce_args *args)
{
    const bool named = args->dim != WK_NO_DIM, tuple = args->dims.ndim >= 0;
    const int64_t plain = args->dims.sizes[WK_MAX_DIMS - 1], dim = named ? args->dim : plain;
    if (named && (tuple ? args->tuple : plain != WK_NO_DIM))
        return wk_fail(op, "dim: is given twice, once by its name");
    if (!tuple)
        args->dims = dim != WK_NO_DIM ? (wk_shape){1, {dim}} : (wk_shape){0};
    return true;
}

/* false after an error */
bool wk_plan_reduction(const char *op, wk_tensor *x, const wk_shape *dims, bool keepdim, wk_reduction *plan);
/* false after an error: a largest or smallest is asked for of nothing; all: over all dims */
bool wk_check_has_extremum(const char *op, const wk_tensor *x, const wk_reduction *plan, bool all);

/* y = sum, mean, norm, nansum, non_nan, prod, amax or amin of the plan's source, in its dtype or (of halves) float32,
   without history:
       wk_reduce("sum", sum, &plan, x->dtype) */
#define wk_reduce(op, kernel, plan, dtype_)                                                                            \
    ({                                                                                                                 \
        const wk_reduction *const plan_ = (plan);                                                                      \
        wk_tensor *const x_ = plan_->source;                                                                           \
        wk_tensor *const y_ = wk_tensor_new(op, plan_->result.ndim, plan_->result.sizes, dtype_, x_->device);          \
        y_ && wk_run(op, x_, kernel, .x = wk_data(x_), .y = wk_data(y_), .outer = plan_->outer, .n = plan_->n,         \
                     .inner = plan_->inner, .wide = y_->dtype != x_->dtype)                                            \
            ? y_                                                                                                       \
            : NULL;                                                                                                    \
    })

/* What the gradient of a reduction remembers of it. */
typedef struct wk_reduced {
    wk_shape shape; // x's
    wk_shape kept;  // with 1 for the reduced dims
} wk_reduced;
#define WK_KEPT_REDUCED(x, plan) WK_KEPT(wk_reduced, wk_shape_of((x)->ndim, (x)->shape), (plan).kept)

/* dy as it was before the reduced dims were dropped */
wk_tensor *wk_keep_dims(const wk_reduced *reduced, wk_tensor *dy);
/* dy, repeated over what was reduced */
wk_tensor *wk_repeat_reduced(const wk_reduced *reduced, wk_tensor *dy);
/* the dims that were reduced (and others of size 1, which does no harm) */
wk_shape wk_reduced_dims(const wk_reduced *reduced);
wk_tensor *wk_wide(wk_tensor *x); // halves in float32, what else there is as it is

#endif
