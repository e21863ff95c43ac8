/* Sorting.  PyTorch: https://pytorch.org/docs/stable/torch.html#comparison-ops

   Values and indices go to the two places, either of which may be NULL, or both left out; the values are returned.
   NaN counts as the greatest.  The gradient goes to where the values came from. */
#ifndef WICK_SORTING_H
#define WICK_SORTING_H
#pragma GCC system_header // see tensor.h

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

wk_tensor *wk_sort_with(wk_sort_args args);
wk_tensor *wk_argsort_with(wk_argsort_args args);
wk_tensor *wk_topk_with(wk_sort_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
