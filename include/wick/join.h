/* Joining tensors and taking them apart.  PyTorch: https://pytorch.org/docs/stable/torch.html

   Tensors to join stand in parentheses, wk_cat((a, b), .dim = 1), or come as a list made at run time:
   wk_cat(.tensors = {count, array}, .dim = 1), or wk_cat(list, 1) of a wk_tensors.
   What takes a tensor apart returns such a list, which lives as long as the scope it was made in:
       wk_tensors parts = wk_split(x, 2, .dim = 1);              parts.count, parts.items[0]
   and also puts the parts where a tuple of places says, which must be as many:
       wk_chunk(x, 3, (&q, &k, &v), .dim = -1);
   After an error the list is empty and every place NULL.  The parts are views of x. */
#ifndef WICK_JOIN_H
#define WICK_JOIN_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* cat((a, b, ...), dim = 0): one after another along a dim; the other sizes are equal; empty 1-D tensors are skipped.
   stack: along a new dim; all sizes are equal.  hstack: along dim 1, or 0 of 1-D tensors.  vstack: rows, along dim 0.
   dtypes promote. */
typedef struct wk_join_args {
    char list; // the macro's, so that a list may come first without its keyword
    wk_tensors tensors;
    int64_t dim;
} wk_join_args;
#define wk_cat(...) wk_cat_with((wk_join_args){WK_JOIN_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_stack(...) wk_stack_with((wk_join_args){WK_JOIN_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_hstack(...) wk_hstack_with((wk_join_args){WK_JOIN_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_vstack(...) wk_vstack_with((wk_join_args){WK_JOIN_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_cat_with(wk_join_args args);
wk_tensor *wk_stack_with(wk_join_args args);
wk_tensor *wk_hstack_with(wk_join_args args);
wk_tensor *wk_vstack_with(wk_join_args args);

/* split(x, size, [(places)], dim = 0): parts of a size, the last may be smaller
   split(x, (2, 3), dim): of these sizes, which add up
   chunk(x, count, ...): about equal parts, at most count
   tensor_split(x, count, ...): exactly count, the first ones larger by 1
   tensor_split(x, (2, 5), ...): cut before these indices
   unbind(x, [(places)], dim = 0): every index of a dim, which goes */
typedef struct wk_split_args {
    wk_tensor *x;
    wk_sizes sizes; // parenthesised ones
    int64_t size;   // a plain number
    wk_places places;
    int64_t dim;
} wk_split_args;
#define wk_split(x_, size_, ...)                                                                                       \
    wk_split_with((wk_split_args){.x = x_, WK_SPLIT_BEFORE(size_) size_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_chunk(x_, size_, ...)                                                                                       \
    wk_chunk_with((wk_split_args){.x = x_, WK_SPLIT_BEFORE(size_) size_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_tensor_split(x_, size_, ...)                                                                                \
    wk_tensor_split_with(                                                                                              \
        (wk_split_args){.x = x_, WK_SPLIT_BEFORE(size_) size_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_unbind(x_, ...) wk_unbind_with((wk_split_args){.x = x_, WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensors wk_split_with(wk_split_args args);
wk_tensors wk_chunk_with(wk_split_args args);
wk_tensors wk_tensor_split_with(wk_split_args args);
wk_tensors wk_unbind_with(wk_split_args args);

/* meshgrid((a, b), [(&A, &B)], .indexing = "ij"): coordinates of a grid, all of shape (len(a), len(b)); "xy" swaps the
   first two dims of the result.  Views. */
typedef struct wk_meshgrid_args {
    wk_tensors tensors;
    wk_places places;
    const char *indexing;
} wk_meshgrid_args;
#define wk_meshgrid(tensors_, ...)                                                                                     \
    wk_meshgrid_with((wk_meshgrid_args){.tensors = WK_TUPLE(WK_TENSORS, tensors_) tensors_,                            \
                                        WK_PLACES_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensors wk_meshgrid_with(wk_meshgrid_args args);

/* flatten_dense_tensors((a, b)): all elements in one 1-D tensor, a copy.  unflatten_dense_tensors(flat, (a, b)): back,
   as views of flat in the shapes of a and b. */
#define wk_flatten_dense_tensors(...) wk_flatten_dense_tensors_with(WK_DENSE_TENSORS(__VA_ARGS__) __VA_ARGS__)
#define wk_unflatten_dense_tensors(flat, ...)                                                                          \
    wk_unflatten_dense_tensors_with(flat, WK_DENSE_TENSORS(__VA_ARGS__) __VA_ARGS__)
#define WK_DENSE_TENSORS(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_TENSORS, )
wk_tensor *wk_flatten_dense_tensors_with(wk_tensors tensors);
wk_tensors wk_unflatten_dense_tensors_with(wk_tensor *flat, wk_tensors tensors);

/* a parenthesised tuple or a list, and keywords */
#define WK_JOIN_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_JOIN_TUPLE, WK_JOIN_LIST)()
#define WK_JOIN_TUPLE() .tensors = WK_TENSORS
#define WK_JOIN_LIST() .list = 1,
#define WK_SPLIT_BEFORE(size_) WK_IF_TUPLE(size_, .sizes = WK_SIZES, .size =)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
