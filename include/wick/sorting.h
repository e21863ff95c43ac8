/* Sorting, and what follows from an order.  PyTorch: https://pytorch.org/docs/stable/torch.html#comparison-ops

   Values and indices go to the two places, either of which may be NULL, or both left out; the values are returned.
   NaN counts as the greatest.  The gradient goes to where the values came from. */
#ifndef WICK_SORTING_H
#define WICK_SORTING_H
#pragma GCC system_header // see tensor.h

#include <wick/reduction.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_sort_args {
    wk_tensor *x;
    wk_places places; // values, indices
    int64_t dim;
    bool descending;
    bool stable; // always is
    int64_t k;   // of topk
    bool largest, sorted;
} wk_sort_args;

/* sort(x, (&values, &indices), .dim = -1, .descending = false) */
#define wk_sort(x_, ...) wk_sort_with((wk_sort_args){.dim = -1, .x = x_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
/* argsort(x, .dim = -1, .descending = false): the indices alone */
#define wk_argsort(...) wk_argsort_with((wk_argsort_args){.dim = -1, .x = __VA_ARGS__})
/* topk(x, k, (&values, &indices), .dim = -1, .largest = true): the k largest (or smallest) along dim, best first */
#define wk_topk(x_, k_, ...)                                                                                           \
    wk_topk_with((wk_sort_args){                                                                                       \
        .dim = -1, .largest = true, .sorted = true, .x = x_, .k = k_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})

typedef struct wk_argsort_args {
    wk_tensor *x;
    int64_t dim;
    bool descending;
    bool stable;
} wk_argsort_args;

/* unique(x, [(&values, &inverse, &counts)], dim, sorted = true): the distinct values of x flattened, or its distinct
   slices along dim, in order, unsorted ones too, as in PyTorch on a CPU; inverse is which of them each is (of x's
   shape, or one for each slice), counts how often each comes; places of what is not wanted may be NULL or left out.
   NaN differs from NaN.  Its size depends on values: it waits.  No gradient. */
typedef struct wk_unique_args {
    wk_tensor *x;
    wk_places places;
    int64_t dim;
    bool sorted;
} wk_unique_args;
#define wk_unique(x_, ...)                                                                                             \
    wk_unique_with((wk_unique_args){.dim = WK_NO_DIM, .x = x_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
/* bincount(x, weights = NULL, minlength = 0): how often each of 0, 1, ..., max(x) is in x (n), of integers that are not
   negative, or the sum of its weights (n): int64, float32 of float32 weights, else float64.  Waits.  No gradient. */
typedef struct wk_bincount_args {
    wk_tensor *x, *weights;
    int64_t minlength;
} wk_bincount_args;
#define wk_bincount(...) wk_bincount_with((wk_bincount_args){.x = __VA_ARGS__})
/* searchsorted(sorted_sequence, values, .right = false): for each value the first place in the sorted (n) or (..., n)
   at which it could be put in: before its equals, or (right, side = "right") behind them.  values: (..., m) of the same
   leading dims, any shape for one sequence of 1 dim, or a number.  int64, or int32 with .out_int32.  .sorter: the order
   (argsort) of a sequence that is not sorted. */
typedef struct wk_searchsorted_args {
    wk_tensor *sorted_sequence;
    wk_operand values;
    bool out_int32, right;
    const char *side;
    wk_tensor *sorter;
} wk_searchsorted_args;
#define wk_searchsorted(sorted_sequence_, values_, ...)                                                                \
    wk_searchsorted_with((wk_searchsorted_args){                                                                       \
        .sorted_sequence = sorted_sequence_, .values = WK_OPERAND(values_), __VA_ARGS__})
/* median(x): the middle value of all, the lower of two; the gradient is shared among its equals.  median(x, dim,
   [(&values, &indices)], .keepdim): along a dim, as max.  NaN wins. */
#define wk_median(...)                                                                                                 \
    WK_MAX_PICK(__VA_ARGS__, wk_median_dim, wk_median_dim, wk_median_dim, wk_median_all, 0)(__VA_ARGS__)
#define wk_median_dim(x_, dim_, ...)                                                                                   \
    wk_median_dim_with((wk_extremum_args){.dim = WK_NO_DIM, .x = x_, dim_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
/* quantile(x, q, dim, keepdim = false): of all, or along a dim, what a share q of 0 to 1 of the values is below, mixed
   linearly from two neighbours; several q (Q) give (Q, ...).  NaN wins.  float32 and float64. */
typedef struct wk_quantile_args {
    wk_tensor *x;
    wk_operand q;
    int64_t dim;
    bool keepdim;
} wk_quantile_args;
#define wk_quantile(x_, q_, ...)                                                                                       \
    wk_quantile_with((wk_quantile_args){.dim = WK_NO_DIM, .x = x_, .q = WK_OPERAND(q_), __VA_ARGS__})

wk_tensor *wk_unique_with(wk_unique_args args);
wk_tensor *wk_bincount_with(wk_bincount_args args);
wk_tensor *wk_searchsorted_with(wk_searchsorted_args args);
wk_tensor *wk_median_all(wk_tensor *x);
wk_tensor *wk_median_dim_with(wk_extremum_args args);
wk_tensor *wk_quantile_with(wk_quantile_args args);
wk_tensor *wk_sort_with(wk_sort_args args);
wk_tensor *wk_argsort_with(wk_argsort_args args);
wk_tensor *wk_topk_with(wk_sort_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
