/* Indexing: PyTorch's x[...], written as a string; reading and writing at places that tensors of indices or masks name.
   PyTorch: https://pytorch.org/docs/stable/tensor_view.html, https://numpy.org/doc/stable/user/basics.indexing.html

   The string holds what stands between the brackets, with numbers and tensors put in as printf does, and checked as
   printf's are:
       wk_index(x, ":, 0")              wk_index(x, "..., %ld:", n)             wk_index(x, "1::2, None, -1")
       wk_index(x, "%p", mask)          wk_index(x, "%p, :, %p", rows, columns)
   integers (negative ones count from the end), slices a:b:c (c > 0; ends are clipped), ..., None (a new dim), True and
   False, and as %p an int64 or int32 tensor of indices or a bool tensor, whose true elements are meant.  Tensors of
   indices broadcast together; where a slice stands between them their dims come first in the result.  Without such
   tensors the result is a view, with them a copy.

   An index out of range is an error: on the CPU an error of the op, and nothing is written; on a device that works
   later, of whatever next waits for it.  What has a size that depends on values (a bool tensor as an index,
   masked_select, nonzero), or takes a value for an integer (an int64 tensor without dims as an index), waits. */
#ifndef WICK_INDEX_H
#define WICK_INDEX_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

wk_tensor *wk_index(wk_tensor *x, const char *index, ...) __attribute__((format(printf, 2, 3)));

/* index_put_(x, (index), value): x[index] = value, a tensor that broadcasts or a number.  The index stands in
   parentheses:
       wk_index_put_(x, (":, %ld", n), 0);      wk_index_put_(x, ("%p", mask), y);
   .accumulate adds, repeated indices each once.  Returns x. */
typedef enum wk_index_kind {
    WK_INDEX_INTEGER,
    WK_INDEX_SLICE,
    WK_INDEX_ELLIPSIS,
    WK_INDEX_NONE,
    WK_INDEX_TENSOR,
    WK_INDEX_BOOL
} wk_index_kind;
typedef struct wk_index_part {
    wk_index_kind kind;
    int64_t start, stop, step; // an integer is start; a bool too
    bool has_start, has_stop;
    wk_tensor *tensor;
    int column, width; // where it stands in the text
} wk_index_part;
typedef struct wk_index_key {
    bool failed;
    int count;
    wk_index_part parts[2 * WK_MAX_DIMS + 1];
    char text[128];
} wk_index_key;
typedef struct wk_index_put_args {
    wk_tensor *x;
    wk_index_key key;
    wk_operand value;
    bool accumulate;
} wk_index_put_args;
#define wk_index_put_(x_, index_, value_, ...)                                                                         \
    wk_index_put_in_place_with((wk_index_put_args){                                                                    \
        .x = x_, .key = WK_TUPLE(wk_index_parse, index_) index_, .value = WK_OPERAND(value_), __VA_ARGS__})
wk_index_key wk_index_parse(const char *index, ...) __attribute__((format(printf, 1, 2)));
wk_tensor *wk_index_put_in_place_with(wk_index_put_args args);

/* ---- along one dim, by a 1-D tensor of indices.  In: x (.., N, ..), index (M), source (.., M, ..) of x's dtype. */
wk_tensor *wk_index_select(wk_tensor *x, int64_t dim, wk_tensor *index); // (.., M, ..)
typedef struct wk_index_add_args {
    wk_tensor *x;
    int64_t dim;
    wk_tensor *index, *source;
    double alpha;
} wk_index_add_args;
/* index_add(x, dim, index, source, alpha = 1): x, with alpha source[j] added to x[index[j]] for each j, in order; half
   kinds are added in float32 and rounded once */
#define wk_index_add(...) wk_index_add_with((wk_index_add_args){.alpha = 1, .x = __VA_ARGS__})
#define wk_index_add_(...) wk_index_add_in_place_with((wk_index_add_args){.alpha = 1, .x = __VA_ARGS__})
wk_tensor *wk_index_add_with(wk_index_add_args args);
wk_tensor *wk_index_add_in_place_with(wk_index_add_args args);
wk_tensor *wk_index_copy(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source); // x[index[j]] = source[j]
wk_tensor *wk_index_copy_(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source);
/* x[index[j]] = value */
#define wk_index_fill(x_, dim_, index_, value_)                                                                        \
    WK_NAMED(int64_t dim; wk_tensor * index;                                                                           \
             , wk_index_fill_with(wk_given.x, wk_given.dim, wk_given.index, WK_OPERAND(value_)), x_, dim_, index_)
#define wk_index_fill_(x_, dim_, index_, value_)                                                                       \
    WK_NAMED(int64_t dim; wk_tensor * index;                                                                           \
             , wk_index_fill_in_place_with(wk_given.x, wk_given.dim, wk_given.index, WK_OPERAND(value_)), x_, dim_,    \
             index_)
wk_tensor *wk_index_fill_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value);
wk_tensor *wk_index_fill_in_place_with(wk_tensor *x, int64_t dim, wk_tensor *index, wk_operand value);

/* ---- along one dim, with an index for each element: index has x's number of dims, and in the others is no larger */
wk_tensor *wk_gather(wk_tensor *x, int64_t dim,
                     wk_tensor *index); // y[i][j] = x[index[i][j]][j] for dim 0; index's shape
/* scatter(x, dim, index, source, .reduce = NULL): x with x[index[i][j]][j] = source[i][j]; source is a tensor of x's
   dtype, at least as large as index, or a number; of equal indices the last wins.  .reduce = "add" adds, as scatter_add
   and index_add do, "multiply" multiplies (no gradient). */
typedef struct wk_scatter_args {
    wk_tensor *x;
    int64_t dim;
    wk_tensor *index;
    wk_operand source;
    const char *reduce;
} wk_scatter_args;
#define WK_SCATTER(x_, dim_, index_, source_, ...)                                                                     \
    ((wk_scatter_args){.x = x_, dim_, index_, .source = WK_OPERAND(source_), __VA_ARGS__})
#define wk_scatter(x, dim, index, ...) wk_scatter_with(WK_SCATTER(x, dim, index, __VA_ARGS__))
#define wk_scatter_(x, dim, index, ...) wk_scatter_in_place_with(WK_SCATTER(x, dim, index, __VA_ARGS__))
wk_tensor *wk_scatter_with(wk_scatter_args args);
wk_tensor *wk_scatter_in_place_with(wk_scatter_args args);
wk_tensor *wk_scatter_add(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source);
wk_tensor *wk_scatter_add_(wk_tensor *x, int64_t dim, wk_tensor *index, wk_tensor *source);
/* gather; the other dims broadcast, and an index may be any number: 0..size-1 goes on in both directions */
wk_tensor *wk_take_along_dim(wk_tensor *x, wk_tensor *index, int64_t dim);

/* ---- by masks */
wk_tensor *wk_masked_select(wk_tensor *x,
                            wk_tensor *mask); // (count): the elements where the bool mask holds; broadcast
/* nonzero(x): (count, ndim) int64, where x is not 0, in row-major order; nonzero(x, (&rows, &columns)): each column of
   it too, (count), as Python's as_tuple (where x has no dims there is one).  wk_unbind(wk_nonzero(x), .dim = 1) is the
   same for any number of dims. */
typedef struct wk_nonzero_args {
    wk_tensor *x;
    wk_places places;
    int none; // the macro's: behind places that are left out
} wk_nonzero_args;
wk_tensor *wk_nonzero(wk_tensor *x);
wk_tensor *wk_nonzero_with(wk_nonzero_args args);
#ifndef __cplusplus
#define wk_nonzero(x_, ...) wk_nonzero_with((wk_nonzero_args){.x = x_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#endif

/* arguments by name: wk_gather(x, .dim = 1, index) */
#ifndef __cplusplus
#define wk_index_select(x_, dim_, index_)                                                                              \
    WK_NAMED(int64_t dim; wk_tensor * index;                                                                           \
             , wk_index_select(wk_given.x, wk_given.dim, wk_given.index), x_, dim_, index_)
#define wk_gather(x_, dim_, index_)                                                                                    \
    WK_NAMED(int64_t dim; wk_tensor * index;, wk_gather(wk_given.x, wk_given.dim, wk_given.index), x_, dim_, index_)
#define wk_index_copy(x_, dim_, index_, source_)                                                                       \
    WK_NAMED(int64_t dim; wk_tensor * index; wk_tensor * source;                                                       \
             , wk_index_copy(wk_given.x, wk_given.dim, wk_given.index, wk_given.source), x_, dim_, index_, source_)
#define wk_index_copy_(x_, dim_, index_, source_)                                                                      \
    WK_NAMED(int64_t dim; wk_tensor * index; wk_tensor * source;                                                       \
             , wk_index_copy_(wk_given.x, wk_given.dim, wk_given.index, wk_given.source), x_, dim_, index_, source_)
#define wk_scatter_add(x_, dim_, index_, source_)                                                                      \
    WK_NAMED(int64_t dim; wk_tensor * index; wk_tensor * source;                                                       \
             , wk_scatter_add(wk_given.x, wk_given.dim, wk_given.index, wk_given.source), x_, dim_, index_, source_)
#define wk_scatter_add_(x_, dim_, index_, source_)                                                                     \
    WK_NAMED(int64_t dim; wk_tensor * index; wk_tensor * source;                                                       \
             , wk_scatter_add_(wk_given.x, wk_given.dim, wk_given.index, wk_given.source), x_, dim_, index_, source_)
#define wk_take_along_dim(x_, index_, dim_)                                                                            \
    WK_NAMED(wk_tensor *index; int64_t dim;                                                                            \
             , wk_take_along_dim(wk_given.x, wk_given.index, wk_given.dim), x_, index_, dim_)
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
