/* Reductions.  PyTorch: https://pytorch.org/docs/stable/torch.html#reduction-ops */
#ifndef WICK_REDUCTION_H
#define WICK_REDUCTION_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* sum(x), sum(x, (dims), .keepdim = false, .dtype): over all dims, or those in parentheses.  bool and integers sum to
   int64; the sum of nothing is 0. */
typedef struct wk_reduce_args {
    wk_tensor *x;
    wk_shape dims; // none: all
    bool keepdim;
    wk_dtype dtype;
} wk_reduce_args;
#define WK_REDUCE_ARGS(...)                                                                                            \
    WK_REDUCE_ARGS_(__VA_ARGS__, WK_REDUCE_DIMS, WK_REDUCE_DIMS, WK_REDUCE_DIMS, WK_REDUCE_ALL, 0)(__VA_ARGS__)
#define WK_REDUCE_ARGS_(a, b, c, d, which, ...) which
#define WK_REDUCE_ALL(x_) ((wk_reduce_args){.x = x_})
#define WK_REDUCE_DIMS(x_, ...) ((wk_reduce_args){.x = x_, .dims = WK_SHAPE __VA_ARGS__})
#define wk_sum(...) wk_sum_with(WK_REDUCE_ARGS(__VA_ARGS__))
wk_tensor *wk_sum_with(wk_reduce_args args);
wk_tensor *wk_sum_to_size(wk_tensor *x, wk_shape size); // over the dims that size was broadcast along to x's shape

#ifdef __cplusplus
}
#endif
#endif
