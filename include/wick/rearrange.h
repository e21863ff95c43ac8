/* The same elements in another order, more often, or with others around them.
   PyTorch: https://pytorch.org/docs/stable/torch.html, torch.nn.functional.pad

   A list of dims or sizes stands in parentheses, or without where nothing comes behind it. */
#ifndef WICK_REARRANGE_H
#define WICK_REARRANGE_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* repeat(x, (2, 1, 3)): so many times along each dim, new dims in front; tile: where there are fewer numbers than dims
   they are for the last ones.  (A, B) repeated (2, 3): (2*A, 3*B) */
#define wk_repeat(x, ...) wk_repeat_with(x, WK_SIZES_OR(__VA_ARGS__)(__VA_ARGS__))
#define wk_tile(x, ...) wk_tile_with(x, WK_SIZES_OR(__VA_ARGS__)(__VA_ARGS__))
wk_tensor *wk_repeat_with(wk_tensor *x, wk_sizes repeats);
wk_tensor *wk_tile_with(wk_tensor *x, wk_sizes repeats);
/* repeat_interleave(x, n, dim): each element of dim n times in a row, or as often as an int tensor says for each (which
   waits for its values); of x flattened where no dim is given */
typedef struct wk_repeat_interleave_args {
    wk_tensor *x;
    wk_operand repeats;
    int64_t dim;
    int64_t output_size; // what the repeats add up to; 0: not given
} wk_repeat_interleave_args;
#define wk_repeat_interleave(x_, repeats_, ...)                                                                        \
    wk_repeat_interleave_with(                                                                                         \
        (wk_repeat_interleave_args){.dim = WK_NO_DIM, .x = x_, .repeats = WK_OPERAND(repeats_), __VA_ARGS__})
wk_tensor *wk_repeat_interleave_with(wk_repeat_interleave_args args);

#define wk_flip(x, ...) wk_flip_with(x, WK_SIZES_OR(__VA_ARGS__)(__VA_ARGS__)) // dims turned round
wk_tensor *wk_flip_with(wk_tensor *x, wk_sizes dims);
/* roll(x, shifts, dims): elements move on by shift, those pushed out come in at the other end; of x flattened where no
   dim is given */
#define wk_roll(...) WK_ROLL_(__VA_ARGS__, WK_ROLL_DIMS, WK_ROLL_FLAT, 0)(__VA_ARGS__)
#define WK_ROLL_(x, shifts, dims, which, ...) which
#define WK_ROLL_FLAT(x, shifts) wk_roll_with(x, WK_SIZES_OR(shifts)(shifts), (wk_sizes){0, NULL})
#define WK_ROLL_DIMS(x, shifts, dims)                                                                                  \
    wk_roll_with(x, WK_SIZES_OR(shifts)(shifts), WK_IF_TUPLE(dims, WK_SIZES_TUPLE, WK_ROLL_DIM)(dims))
#define WK_ROLL_DIM(dim_) ((wk_sizes){1, &((struct { int64_t dims; }){dim_}).dims}) // 1, or .dims = 1
wk_tensor *wk_roll_with(wk_tensor *x, wk_sizes shifts, wk_sizes dims);

/* rot90(x, k = 1, (0, 1)): k quarter turns, from the first of the two dims towards the second */
#define wk_rot90(...) WK_ROLL_(__VA_ARGS__, WK_ROT90_DIMS, WK_ROT90_K, WK_ROT90, 0)(__VA_ARGS__)
#define WK_ROT90(x) wk_rot90_with(x, 1, WK_SHAPE(0, 1))
#define WK_ROT90_K(x, k) wk_rot90_with(x, k, WK_SHAPE(0, 1))
#define WK_ROT90_DIMS(x, k, dims) wk_rot90_with(x, k, WK_TUPLE(WK_SHAPE, dims) dims)
wk_tensor *wk_rot90_with(wk_tensor *x, int64_t k, wk_shape dims);

/* triu(x, diagonal = 0): zeros below the diagonal, which is `diagonal` columns to the right of the main one; tril:
   zeros above it.  (..., M, N) */
typedef struct wk_triangle_args {
    wk_tensor *x;
    int64_t diagonal;
} wk_triangle_args;
#define wk_triu(...) wk_triu_with((wk_triangle_args){.diagonal = 0, .x = __VA_ARGS__})
#define wk_tril(...) wk_tril_with((wk_triangle_args){.diagonal = 0, .x = __VA_ARGS__})
#define wk_triu_(...) wk_triu_in_place_with((wk_triangle_args){.diagonal = 0, .x = __VA_ARGS__})
#define wk_tril_(...) wk_tril_in_place_with((wk_triangle_args){.diagonal = 0, .x = __VA_ARGS__})
wk_tensor *wk_triu_with(wk_triangle_args args);
wk_tensor *wk_tril_with(wk_triangle_args args);
wk_tensor *wk_triu_in_place_with(wk_triangle_args args);
wk_tensor *wk_tril_in_place_with(wk_triangle_args args);
/* diag(x, diagonal = 0): of a vector the matrix with it on a diagonal, of a matrix a diagonal (a copy) */
#define wk_diag(...) wk_diag_with((wk_triangle_args){.diagonal = 0, .x = __VA_ARGS__})
wk_tensor *wk_diag_with(wk_triangle_args args);
/* fill_diagonal_(x, value, .wrap = false): the main diagonal of x becomes value; of more than 2 dims, which are then
   all equal, x[i, i, i, ...].  .wrap goes on below a matrix's last column, after a row left out. */
typedef struct wk_fill_diagonal_args {
    wk_tensor *x;
    wk_operand value;
    bool wrap;
} wk_fill_diagonal_args;
#define wk_fill_diagonal_(x_, value_, ...)                                                                             \
    wk_fill_diagonal_in_place_with(                                                                                    \
        (wk_fill_diagonal_args){.x = x_, .value = WK_OPERAND(value_), __VA_ARGS__})
wk_tensor *wk_fill_diagonal_in_place_with(wk_fill_diagonal_args args);
/* diagonal(x, offset = 0, dim1 = 0, dim2 = 1): (.., M, .., N, ..) -> (.., .., min(M, N)); a view */
typedef struct wk_diagonal_args {
    wk_tensor *x;
    int64_t offset, dim1, dim2;
} wk_diagonal_args;
#define wk_diagonal(...) wk_diagonal_with((wk_diagonal_args){.dim2 = 1, .x = __VA_ARGS__})
wk_tensor *wk_diagonal_with(wk_diagonal_args args);

wk_tensor *wk_unfold(wk_tensor *x, int64_t dim, int64_t size, int64_t step); // windows of a dim, as a last dim; a view
#ifndef __cplusplus
#define wk_unfold(x_, dim_, size_, step_)                                                                              \
    WK_NAMED(int64_t dim; int64_t size; int64_t step;                                                                  \
             , wk_unfold(wk_given.x, wk_given.dim, wk_given.size, wk_given.step), x_, dim_, size_, step_)
#endif
/* one_hot(x, num_classes = -1): (*) int64 -> (*, num_classes) of 0 and 1; -1: as many as the largest needs, which waits
   for it */
typedef struct wk_one_hot_args {
    wk_tensor *x;
    int64_t num_classes;
} wk_one_hot_args;
#define wk_one_hot(...) wk_one_hot_with((wk_one_hot_args){.num_classes = -1, .x = __VA_ARGS__})
wk_tensor *wk_one_hot_with(wk_one_hot_args args);

/* pad(x, (left, right, top, bottom, ...), mode = "constant", value = 0): two numbers a dim, from the last; negative
   ones cut off.  "reflect" (without the edge), "replicate" (the edge) and "circular" pad the last 1, 2 or 3 dims of 2
   to 5. */
typedef struct wk_pad_args {
    wk_tensor *x;
    wk_sizes pad;
    const char *mode;
    double value;
} wk_pad_args;
#define wk_pad(x_, ...) wk_pad_with((wk_pad_args){.x = x_, .pad = WK_TUPLE(WK_SIZES, __VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_pad_with(wk_pad_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
