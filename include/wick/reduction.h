/* Reductions.  PyTorch: https://pytorch.org/docs/stable/torch.html#reduction-ops

   wk_sum(x) reduces over all dims, wk_sum(x, 1) and wk_sum(x, .dim = 1) over one, wk_sum(x, (0, -1)) over several, and
   wk_sum(x, .dtype = wk_float64) over all again.  .keepdim = true keeps reduced dims with size 1. */
#ifndef WICK_REDUCTION_H
#define WICK_REDUCTION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_reduce_args {
    wk_tensor *x;
    double p;      // of norm
    wk_shape dims; // none: all
    bool keepdim;
    wk_dtype dtype;    // cast to first; where PyTorch has it
    double correction; // of var and std
    int64_t dim;       // the keyword of the macros, for one dim
    bool tuple;        // of the macros: dims came in parentheses
} wk_reduce_args;

/* sum: bool and integers sum to int64; of nothing 0.  prod: the same, of nothing 1.  mean: of floats; of nothing
   NaN. */
#define wk_sum(...) wk_sum_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_prod(...) wk_prod_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_mean(...) wk_mean_with(WK_REDUCE_ARGS(__VA_ARGS__))
#define wk_nanmean(...) wk_nanmean_with(WK_REDUCE_ARGS(__VA_ARGS__)) // of what is not NaN; floating
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
#define wk_var_mean(x_, dims_, places_, ...)                                                                           \
    wk_var_mean_with(                                                                                                  \
        (wk_reduce_args){.correction = 1, WK_ALL_DIMS, .x = x_, WK_DIMS_BEFORE(dims_) dims_, __VA_ARGS__},             \
        WK_TUPLE(WK_PLACES, places_) places_)
/* log(sum(exp(x))), stable; all -inf gives -inf */
#define wk_logsumexp(...) wk_logsumexp_with(WK_REDUCE_ARGS(__VA_ARGS__))
/* norm(x, p = 2, dims): (sum |x|^p)^(1/p); p may be 0 (how many are not 0), INFINITY, -INFINITY, and WK_FRO, which is
   2; gradient 0 at 0.  wk_linalg_vector_norm is the same. */
#define WK_FRO __builtin_nan("6618") // PyTorch's "fro"
#define WK_NUC __builtin_nan("6499") // "nuc"
#define wk_norm(...) wk_norm_with(WK_NORM_ARGS(__VA_ARGS__))
/* linalg_norm(x, ord, dims): a vector norm over one dim, or of a 1-D x, as wk_norm; a matrix norm over two, or of a 2-D
   x: ord 1 and -1 (largest and smallest sum of a column of |x|), INFINITY and -INFINITY (of a row), 2 and -2 (largest
   and smallest singular value), WK_NUC (their sum), these by LAPACK, of float32 and float64; WK_FRO, the root of the
   sum of squares.  Without ord that one too, of all where no dims are given either. */
typedef struct wk_linalg_norm_args {
    wk_tensor *x;
    double ord; // NaN: not given
    wk_shape dims;
    bool keepdim;
    wk_dtype dtype;
    int64_t dim;
    bool tuple;
} wk_linalg_norm_args;
#define wk_linalg_norm(...)                                                                                            \
    WK_NORM_ARGS_(__VA_ARGS__, WK_LINALG_3, WK_LINALG_3, WK_LINALG_3, WK_LINALG_2, WK_LINALG_1, 0)(__VA_ARGS__)
#define WK_LINALG_1(x_) wk_linalg_norm_with((wk_linalg_norm_args){.ord = __builtin_nan(""), .dim = WK_NO_DIM, .x = x_})
#define WK_LINALG_2(x_, ord_)                                                                                          \
    wk_linalg_norm_with((wk_linalg_norm_args){WK_ALL_DIMS, .ord = __builtin_nan(""), .x = x_, ord_})
#define WK_LINALG_3(x_, ord_, ...)                                                                                     \
    wk_linalg_norm_with((wk_linalg_norm_args){                                                                         \
        WK_ALL_DIMS, .ord = __builtin_nan(""), .x = x_, ord_, WK_DIMS_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_linalg_vector_norm(...) wk_norm_with(WK_NORM_ARGS(__VA_ARGS__))

/* max(x): the largest of all.  max(x, dim, [(&values, &indices)], .keepdim): along a dim, with the index of the first
   of the largest in the places, either of which may be NULL; returns the values.  NaN wins.  Of two
   tensors: wk_maximum. */
#define wk_max(...) WK_MAX_PICK(__VA_ARGS__, wk_max_dim, wk_max_dim, wk_max_dim, wk_max_all, 0)(__VA_ARGS__)
#define wk_min(...) WK_MAX_PICK(__VA_ARGS__, wk_min_dim, wk_min_dim, wk_min_dim, wk_min_all, 0)(__VA_ARGS__)
#define wk_max_dim(x_, dim_, ...)                                                                                      \
    wk_max_dim_with((wk_extremum_args){.dim = WK_NO_DIM, .x = x_, dim_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_min_dim(x_, dim_, ...)                                                                                      \
    wk_min_dim_with((wk_extremum_args){.dim = WK_NO_DIM, .x = x_, dim_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
/* argmax(x): index of the first largest in x, flattened; argmax(x, dim, keepdim = false): along a dim; int64 */
#define wk_argmax(...) wk_argmax_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})
#define wk_argmin(...) wk_argmin_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})
/* cumsum(x, dim, .dtype): y_i = x_0 + ... + x_i; bool and integers become int64 */
#define wk_cumsum(...) wk_cumsum_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})
#define wk_cumsum_(...) wk_cumsum_in_place_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__}) // in x's dtype
/* cumprod(x, dim, .dtype): y_i = x_0 * ... * x_i; bool and integers become int64 */
#define wk_cumprod(...) wk_cumprod_with((wk_dim_args){.dim = WK_NO_DIM, .x = __VA_ARGS__})

typedef struct wk_dim_args {
    wk_tensor *x;
    int64_t dim;
    bool keepdim;
    wk_dtype dtype;
} wk_dim_args;
typedef struct wk_extremum_args {
    wk_tensor *x;
    int64_t dim;
    wk_places places; // values, indices; none: only the values are returned
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
wk_tensor *wk_nanmean_with(wk_reduce_args args);
wk_tensor *wk_linalg_norm_with(wk_linalg_norm_args args);
wk_tensor *wk_norm_with(wk_reduce_args args);
wk_tensor *wk_max_all(wk_tensor *x);
wk_tensor *wk_min_all(wk_tensor *x);
wk_tensor *wk_max_dim_with(wk_extremum_args args);
wk_tensor *wk_min_dim_with(wk_extremum_args args);
wk_tensor *wk_argmax_with(wk_dim_args args);
wk_tensor *wk_argmin_with(wk_dim_args args);
wk_tensor *wk_cumsum_with(wk_dim_args args);
wk_tensor *wk_cumsum_in_place_with(wk_dim_args args);
wk_tensor *wk_cumprod_with(wk_dim_args args);
wk_tensor *wk_sum_to_size(wk_tensor *x, wk_shape size); // over the dims that size was broadcast along to x's shape

/* x; a tuple of dims, one dim, or none; keywords */
#define WK_REDUCE_ARGS(x_, ...)                                                                                        \
    ((wk_reduce_args){.correction = 1, WK_ALL_DIMS, .x = x_, WK_DIMS_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define WK_ALL_DIMS .dim = WK_NO_DIM, .dims = {WK_PLAIN_LAST, WK_NO_SIZES}
/* a plain dim goes to the last of .dims.sizes, and keepdim is behind it */
#define WK_DIMS_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_DIMS_TUPLE, WK_DIMS_PLAIN)()
#define WK_DIMS_TUPLE() .tuple = true, .dims = WK_SHAPE
#define WK_DIMS_PLAIN() .dims.sizes[WK_MAX_DIMS - 2] = WK_NO_DIM,

#define WK_NORM_ARGS(...)                                                                                              \
    WK_NORM_ARGS_(__VA_ARGS__, WK_NORM_3, WK_NORM_3, WK_NORM_3, WK_NORM_2, WK_NORM_1, 0)(__VA_ARGS__)
#define WK_NORM_ARGS_(a, b, c, d, e, which, ...) which
#define WK_NORM_1(x_) ((wk_reduce_args){.p = 2, .x = x_})
#define WK_NORM_2(x_, p_) ((wk_reduce_args){WK_ALL_DIMS, .p = 2, .x = x_, p_})
#define WK_NORM_3(x_, p_, ...)                                                                                         \
    ((wk_reduce_args){WK_ALL_DIMS, .p = 2, .x = x_, p_, WK_DIMS_BEFORE(__VA_ARGS__) __VA_ARGS__})

#define WK_MAX_PICK(a, b, c, d, which, ...) which

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
