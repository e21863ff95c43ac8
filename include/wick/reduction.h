/* Reductions.  PyTorch: https://pytorch.org/docs/stable/torch.html#reduction-ops

   wk_sum(x) reduces over all dims, wk_sum(x, 1) over one, wk_sum(x, (0, -1)) over several, wk_sum(x, ()) over all, with
   room for keywords: wk_sum(x, (), .dtype = wk_float64).  .keepdim = true keeps reduced dims with size 1. */
#ifndef WICK_REDUCTION_H
#define WICK_REDUCTION_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_reduce_args {
    wk_tensor *x;
    wk_shape dims; // none: all
    bool keepdim;
    wk_dtype dtype;    // cast to first; where PyTorch has it
    double correction; // of var and std
    double p;          // of norm
} wk_reduce_args;

/* sum: bool and integers sum to int64; of nothing 0.  prod: the same, of nothing 1.  mean: of floats; of nothing
   NaN. */
#define wk_sum(...) wk_sum_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_prod(...) wk_prod_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_mean(...) wk_mean_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* the largest, the smallest; NaN wins; the gradient is shared among ties.  Of nothing: an error. */
#define wk_amax(...) wk_amax_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_amin(...) wk_amin_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* whether all, any are nonzero: bool (uint8 of uint8); all of nothing is true */
#define wk_all(...) wk_all_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_any(...) wk_any_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* variance, standard deviation: sum((x - mean)^2) / (n - correction), .correction = 1; NaN where that divides 0 by 0 */
#define wk_var(...) wk_var_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_std(...) wk_std_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* var_mean(x, dims, (&var, &mean), .correction = 1, .keepdim): both; false after an error */
#define wk_var_mean(x_, dims_, ...)                                                                                    \
    wk_var_mean_with(WK_REDUCE_ARGS(x_, dims_, WK_REDUCE_MORE(__VA_ARGS__)), WK_PLACES_HEAD(__VA_ARGS__))
/* log(sum(exp(x))), stable; all -inf gives -inf */
#define wk_logsumexp(...) wk_logsumexp_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* norm(x, p = 2, dims): (sum |x|^p)^(1/p); p may be 0 (how many are not 0), INFINITY, -INFINITY; gradient 0 at 0.
   wk_linalg_vector_norm is the same. */
#define wk_norm(...) wk_norm_with(WK_NORM_ARGS(__VA_ARGS__))
#define wk_linalg_vector_norm(...) wk_norm_with(WK_NORM_ARGS(__VA_ARGS__))

/* max(x): the largest of all.  max(x, dim, (&values, &indices), .keepdim): along a dim, with the index of the first of
   the largest; returns values too, and a place may be NULL.  NaN wins.  Two tensors: wk_maximum. */
#define wk_max(...) WK_EXTREMUM_(__VA_ARGS__, wk_max_dim, wk_max_dim, wk_max_pair, wk_max_all, 0)(__VA_ARGS__)
#define wk_min(...) WK_EXTREMUM_(__VA_ARGS__, wk_min_dim, wk_min_dim, wk_min_pair, wk_min_all, 0)(__VA_ARGS__)
/* argmax(x): index of the first largest in x, flattened; argmax(x, dim, keepdim = false): along a dim; int64 */
#define wk_argmax(...) wk_argmax_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})
#define wk_argmin(...) wk_argmin_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})
/* cumsum(x, dim, .dtype): y_i = x_0 + ... + x_i; bool and integers become int64 */
#define wk_cumsum(...) wk_cumsum_with((wk_dim_args){.x = __VA_ARGS__})
/* cumprod(x, dim, .dtype): y_i = x_0 * ... * x_i; bool and integers become int64 */
#define wk_cumprod(...) wk_cumprod_with((wk_dim_args){.x = __VA_ARGS__})

#define WK_NO_DIM INT64_MIN
typedef struct wk_dim_args {
    wk_tensor *x;
    int64_t dim;
    bool keepdim;
    wk_dtype dtype;
} wk_dim_args;
typedef struct wk_extremum_args {
    wk_places places; // values, indices
    wk_tensor *x;
    int64_t dim;
    bool keepdim;
} wk_extremum_args;

wk_tensor *wk_sum_with(wk_reduce_args args);
wk_tensor *wk_prod_with(wk_reduce_args args);
wk_tensor *wk_mean_with(wk_reduce_args args);
wk_tensor *wk_amax_with(wk_reduce_args args);
wk_tensor *wk_amin_with(wk_reduce_args args);
wk_tensor *wk_all_with(wk_reduce_args args);
wk_tensor *wk_any_with(wk_reduce_args args);
wk_tensor *wk_var_with(wk_reduce_args args);
wk_tensor *wk_std_with(wk_reduce_args args);
bool wk_var_mean_with(wk_reduce_args args, wk_places places);
wk_tensor *wk_logsumexp_with(wk_reduce_args args);
wk_tensor *wk_norm_with(wk_reduce_args args);
wk_tensor *wk_max_all(wk_tensor *x);
wk_tensor *wk_min_all(wk_tensor *x);
wk_tensor *wk_max_dim_with(wk_extremum_args args);
wk_tensor *wk_min_dim_with(wk_extremum_args args);
wk_tensor *wk_argmax_with(wk_dim_args args);
wk_tensor *wk_argmin_with(wk_dim_args args);
wk_tensor *wk_cumsum_with(wk_dim_args args);
wk_tensor *wk_cumprod_with(wk_dim_args args);
wk_tensor *wk_sum_to_size(wk_tensor *x, wk_shape size); // over the dims that size was broadcast along to x's shape

/* one dim or a tuple of them: WK_DIMS(1), WK_DIMS((0, 1)) */
#define WK_DIMS(dims) WK_GLUE(WK_DIMS_, WK_IS_TUPLE(dims))(dims)
#define WK_DIMS_0(dim) WK_SHAPE(dim)
#define WK_DIMS_1(dims) WK_SHAPE dims

#define WK_REDUCE_ARGS(...)                                                                                            \
    WK_REDUCE_ARGS_(__VA_ARGS__, WK_REDUCE_DIMS, WK_REDUCE_DIMS, WK_REDUCE_DIMS, WK_REDUCE_DIMS, WK_REDUCE_ALL, 0)     \
    (__VA_ARGS__)
#define WK_REDUCE_ARGS_(a, b, c, d, e, which, ...) which
#define WK_REDUCE_ALL(x_) ((wk_reduce_args){.correction = 1, .x = x_})
#define WK_REDUCE_DIMS(x_, dims_, ...) WK_REDUCE_DIMS_(x_, WK_DIMS(dims_), ##__VA_ARGS__)
#define WK_REDUCE_DIMS_(x_, ...) ((wk_reduce_args){.correction = 1, .x = x_, .dims = __VA_ARGS__})
#define WK_PLACES_HEAD(...) WK_PLACES_HEAD_(__VA_ARGS__, 0)
#define WK_PLACES_HEAD_(places, ...) WK_PLACES places
/* the keywords after the places; .dtype = 0 where there are none */
#define WK_REDUCE_MORE(...) WK_REDUCE_MORE_(__VA_ARGS__, .dtype = wk_dtype_default)
#define WK_REDUCE_MORE_(places, ...) __VA_ARGS__

#define WK_NORM_ARGS(...)                                                                                              \
    WK_REDUCE_ARGS_(__VA_ARGS__, WK_NORM_DIMS, WK_NORM_DIMS, WK_NORM_DIMS, WK_NORM_P, WK_NORM_ALL, 0)(__VA_ARGS__)
#define WK_NORM_ALL(x_) ((wk_reduce_args){.p = 2, .x = x_})
#define WK_NORM_P(x_, p_) ((wk_reduce_args){.x = x_, .p = p_})
#define WK_NORM_DIMS(x_, p_, dims_, ...) WK_NORM_DIMS_(x_, p_, WK_DIMS(dims_), ##__VA_ARGS__)
#define WK_NORM_DIMS_(x_, p_, ...) ((wk_reduce_args){.x = x_, .p = p_, .dims = __VA_ARGS__})

#define WK_EXTREMUM_(a, b, c, d, which, ...) which
#define wk_max_dim(x_, dim_, ...)                                                                                      \
    wk_max_dim_with((wk_extremum_args){.x = x_, .dim = dim_, .places = WK_PLACES __VA_ARGS__})
#define wk_min_dim(x_, dim_, ...)                                                                                      \
    wk_min_dim_with((wk_extremum_args){.x = x_, .dim = dim_, .places = WK_PLACES __VA_ARGS__})
#define wk_max_pair(a, b) wk_maximum(a, b)
#define wk_min_pair(a, b) wk_minimum(a, b)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
