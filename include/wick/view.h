/* Shapes: views that share x's memory, both ways, and copies where that cannot be.  A size stands in parentheses, or
   without: wk_reshape(x, (B, -1)), wk_reshape(x, B, -1).
   PyTorch: https://pytorch.org/docs/stable/tensor_view.html */
#ifndef WICK_VIEW_H
#define WICK_VIEW_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* reshape(x, (B, -1)): one -1 is inferred; a view where strides allow it, else a copy.  view: an error instead of a
   copy. */
#define wk_reshape(x, ...) wk_reshape_with(x, WK_SHAPE_OR(__VA_ARGS__)(__VA_ARGS__))
#define wk_view(x, ...) wk_view_with(x, WK_SHAPE_OR(__VA_ARGS__)(__VA_ARGS__))
wk_tensor *wk_reshape_as(wk_tensor *x, wk_tensor *like);
wk_tensor *wk_view_as(wk_tensor *x, wk_tensor *like);

/* flatten(x, start_dim = 0, end_dim = -1): (..., S, ..., E, ...) -> (..., S*...*E, ...) */
typedef struct wk_flatten_args {
    wk_tensor *x;
    int64_t start_dim, end_dim;
} wk_flatten_args;
#define wk_flatten(...) wk_flatten_with((wk_flatten_args){.end_dim = -1, .x = __VA_ARGS__})
/* unflatten(x, dim, (sizes)): dim becomes several; one -1 is inferred */
#define wk_unflatten(x_, dim_, ...)                                                                                    \
    WK_NAMED(int64_t dim;, wk_unflatten_with(wk_given.x, wk_given.dim, WK_SHAPE_OR(__VA_ARGS__)(__VA_ARGS__)), x_, dim_)

wk_tensor *wk_transpose(wk_tensor *x, int64_t dim0, int64_t dim1); // the two dims change places
wk_tensor *wk_t(wk_tensor *x);                                     // transposed matrix; at most 2 dims
#define wk_permute(x, ...) wk_permute_with(x, WK_SHAPE_OR(__VA_ARGS__)(__VA_ARGS__)) // all dims in a new order
wk_tensor *wk_movedim(wk_tensor *x, int64_t source, int64_t destination); // or tuples of as many dims each
wk_tensor *wk_movedim_with(wk_tensor *x, wk_shape source, wk_shape destination);

/* expand(x, (sizes)): dims of size 1, and new ones in front, repeat without copying; -1 keeps a size */
#define wk_expand(x, ...) wk_expand_with(x, WK_SHAPE_OR(__VA_ARGS__)(__VA_ARGS__), NULL)
wk_tensor *wk_expand_as(wk_tensor *x, wk_tensor *like);

wk_tensor *wk_unsqueeze(wk_tensor *x, int64_t dim); // a new dim of size 1; -1 appends
/* squeeze(x), squeeze(x, dim), squeeze(x, (dims)): drops dims of size 1; a dim of another size is left alone */
#define wk_squeeze(...) WK_SQUEEZE_(__VA_ARGS__, WK_SQUEEZE_DIM, wk_squeeze_all, 0)(__VA_ARGS__)
#define WK_SQUEEZE_(x, dim, which, ...) which
#define WK_SQUEEZE_DIM(x, dim) WK_IF_TUPLE(dim, WK_SQUEEZE_DIMS, WK_SQUEEZE_ONE)(x, dim)
#define WK_SQUEEZE_DIMS(x, dims) wk_squeeze_dims(x, WK_SHAPE dims)
#define WK_SQUEEZE_ONE(x_, dim_) WK_NAMED(int64_t dim;, wk_squeeze_dim(wk_given.x, wk_given.dim), x_, dim_)
wk_tensor *wk_squeeze_all(wk_tensor *x);
wk_tensor *wk_squeeze_dim(wk_tensor *x, int64_t dim);
wk_tensor *wk_squeeze_dims(wk_tensor *x, wk_shape dims);

wk_tensor *wk_select(wk_tensor *x, int64_t dim, int64_t index); // x[:, index]: dim goes; may be negative
wk_tensor *wk_narrow(wk_tensor *x, int64_t dim, int64_t start, int64_t length);  // x[:, start:start+length]
/* slice(x, dim, start, end, step): x[:, start:end:step]; ends are clipped; step > 0 */
wk_tensor *wk_slice(wk_tensor *x, int64_t dim, int64_t start, int64_t end, int64_t step);
/* as_strided(x, (sizes), (strides), offset): any view of x's memory, offset from its beginning, in elements */
#define wk_as_strided(x, size, stride, offset)                                                                         \
    wk_as_strided_with(x, WK_TUPLE(WK_SHAPE, size) size, WK_TUPLE(WK_SHAPE, stride) stride, offset)

#ifndef __cplusplus
#define wk_transpose(x_, dim0_, dim1_)                                                                                 \
    WK_NAMED(int64_t dim0; int64_t dim1;, wk_transpose(wk_given.x, wk_given.dim0, wk_given.dim1), x_, dim0_, dim1_)
#define wk_movedim(x, source, destination)                                                                             \
    WK_IF_TUPLE(source, WK_MOVE_DIMS, WK_MOVE_DIM)(x, source, destination)
#define WK_MOVE_DIMS(x, source, destination)                                                                           \
    wk_movedim_with(x, WK_SHAPE source, WK_TUPLE(WK_SHAPE, destination) destination)
#define WK_MOVE_DIM(x_, source_, destination_)                                                                         \
    WK_NAMED(int64_t source; int64_t destination;                                                                      \
             , wk_movedim(wk_given.x, wk_given.source, wk_given.destination), x_, source_, destination_)
#define wk_unsqueeze(x_, dim_) WK_NAMED(int64_t dim;, wk_unsqueeze(wk_given.x, wk_given.dim), x_, dim_)
#define wk_select(x_, dim_, index_)                                                                                    \
    WK_NAMED(int64_t dim; int64_t index;, wk_select(wk_given.x, wk_given.dim, wk_given.index), x_, dim_, index_)
#define wk_narrow(x_, dim_, start_, length_)                                                                           \
    WK_NAMED(int64_t dim; int64_t start; int64_t length;                                                               \
             , wk_narrow(wk_given.x, wk_given.dim, wk_given.start, wk_given.length), x_, dim_, start_, length_)
#define wk_slice(x_, dim_, start_, end_, step_)                                                                        \
    WK_NAMED(int64_t dim; int64_t start; int64_t end; int64_t step;                                                    \
             , wk_slice(wk_given.x, wk_given.dim, wk_given.start, wk_given.end, wk_given.step), x_, dim_, start_,      \
             end_, step_)
#endif

wk_tensor *wk_reshape_with(wk_tensor *x, wk_shape size);
wk_tensor *wk_view_with(wk_tensor *x, wk_shape size);
wk_tensor *wk_flatten_with(wk_flatten_args args);
wk_tensor *wk_unflatten_with(wk_tensor *x, int64_t dim, wk_shape sizes);
wk_tensor *wk_permute_with(wk_tensor *x, wk_shape dims);
wk_tensor *wk_expand_with(wk_tensor *x, wk_shape size, wk_tensor *like);
wk_tensor *wk_as_strided_with(wk_tensor *x, wk_shape size, wk_shape stride, int64_t offset);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
