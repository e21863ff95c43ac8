/* einops: dims by name.  https://einops.rocks, of which this is rearrange, reduce, repeat, pack, unpack and einsum.

   A pattern names x's dims on the left, and the result's on the right; names in parentheses are one dim, the last name
   innermost; ... are any dims, with parentheses on the right one; 1 and () are a dim of size 1:
       wk_einops_rearrange(x, "b c h w -> b (h w) c");
   Sizes that x's shape does not tell stand behind the pattern, as numbers or as what printf puts in, checked as
   printf's are (int: %d, int64_t: %ld):
       wk_einops_rearrange(q, "b n (h d) -> b h n d, h=%ld", heads);  // rearrange(q, "b n (h d) -> b h n d", h=heads)
       wk_einops_rearrange(x, "b c (h p1) (w p2) -> b (h w) (p1 p2 c), p1=4, p2=4");
   A name may be any identifier that does not begin or end with an underscore.

   An error shows the pattern and points into it.  A result is a view of x where strides allow it, and x itself where
   nothing is to be done; else a copy, in contiguous memory. */
#ifndef WICK_EINOPS_H
#define WICK_EINOPS_H

#include <wick/module.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* the same elements, in other dims: both sides have the same names */
wk_tensor *wk_einops_rearrange(wk_tensor *x, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* reduce(x, pattern, reduction): over the names, numbers and ... that the right side lacks, by "mean", "sum", "max",
   "min" (amax, amin), "prod", "any" or "all":
       wk_einops_reduce(x, "b c (h 2) (w 2) -> b c h w", "max");
       wk_einops_reduce(x, "b c (h p) (w p1) -> b c h w, p=%d, p1=%d", "mean", 2, 2); */
wk_tensor *wk_einops_reduce(wk_tensor *x, const char *pattern, const char *reduction, ...)
    __attribute__((format(printf, 2, 4)));
/* repeats along the names and numbers that the right side adds, whose sizes are given: "h w -> h (w r), r=2" or
   "d -> b d, b=%ld"; a view where a new dim stands alone */
wk_tensor *wk_einops_repeat(wk_tensor *x, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

/* what the * of pack stood for in each tensor; a list made by hand is {.count = n, .items = array} */
typedef struct wk_einops_shapes {
    int64_t count;
    wk_shape *items; // lives as long as the scope it was made in
} wk_einops_shapes;
/* pack((a, b), "b * c", &shapes): the dims under *, of which there may be none, become one, and the tensors are joined
   along it.  Of one tensor: pack((a), ...); of a list made at run time: pack(list, ...).  shapes is for unpack, and may
   be NULL.
       (2, 3, 5), (2, 7, 9, 5), (2, 5) -> (2, 3 + 63 + 1, 5), shapes (3), (7, 9) and () */
#define wk_einops_pack(tensors, pattern, shapes)                                                                       \
    wk_einops_pack_with(WK_IF_TUPLE(tensors, WK_TENSORS, ) tensors, pattern, shapes)
wk_tensor *wk_einops_pack_with(wk_tensors tensors, const char *pattern, wk_einops_shapes *shapes);
/* unpack(x, shapes, "b * c", (&a, &b)): the parts, views of x; one size of the shapes may be -1.  Places may be left
   out: the parts are also returned, as wk_split's are. */
#define wk_einops_unpack(x, shapes, ...) wk_einops_unpack_with(x, shapes, WK_EINOPS_PLACES(__VA_ARGS__))
wk_tensors wk_einops_unpack_with(wk_tensor *x, wk_einops_shapes shapes, const char *pattern, wk_places places);

/* einsum(a, b, "b i d, b j d -> b i j"): wk_einsum with names of several letters; up to 8 tensors, then the pattern */
#define wk_einops_einsum(...)                                                                                          \
    WK_EINOPS_LAST_(__VA_ARGS__, WK_EINOPS_8, WK_EINOPS_7, WK_EINOPS_6, WK_EINOPS_5, WK_EINOPS_4, WK_EINOPS_3,         \
                    WK_EINOPS_2, WK_EINOPS_1, 0)                                                                       \
    (__VA_ARGS__)
wk_tensor *wk_einops_einsum_with(wk_tensors tensors, const char *pattern);

/* rearrange and reduce as modules without parameters, for wk_nn_sequential */
wk_module *wk_einops_layers_rearrange(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
wk_module *wk_einops_layers_reduce(const char *pattern, const char *reduction, ...)
    __attribute__((format(printf, 1, 3)));

/* (pattern, [places]) */
#define WK_EINOPS_PLACES(...) WK_EINOPS_PLACES_(__VA_ARGS__, WK_EINOPS_PLACES_2, WK_EINOPS_PLACES_1, 0)(__VA_ARGS__)
#define WK_EINOPS_PLACES_(pattern, places, which, ...) which
#define WK_EINOPS_PLACES_1(pattern) pattern, ((wk_places){0, NULL})
#define WK_EINOPS_PLACES_2(pattern, places) pattern, WK_TUPLE(WK_PLACES, places) places
#define WK_EINOPS_LAST_(a, b, c, d, e, f, g, h, pattern, which, ...) which
#define WK_EINOPS_1(a, p) wk_einops_einsum_with(WK_TENSORS(a), p)
#define WK_EINOPS_2(a, b, p) wk_einops_einsum_with(WK_TENSORS(a, b), p)
#define WK_EINOPS_3(a, b, c, p) wk_einops_einsum_with(WK_TENSORS(a, b, c), p)
#define WK_EINOPS_4(a, b, c, d, p) wk_einops_einsum_with(WK_TENSORS(a, b, c, d), p)
#define WK_EINOPS_5(a, b, c, d, e, p) wk_einops_einsum_with(WK_TENSORS(a, b, c, d, e), p)
#define WK_EINOPS_6(a, b, c, d, e, f, p) wk_einops_einsum_with(WK_TENSORS(a, b, c, d, e, f), p)
#define WK_EINOPS_7(a, b, c, d, e, f, g, p) wk_einops_einsum_with(WK_TENSORS(a, b, c, d, e, f, g), p)
#define WK_EINOPS_8(a, b, c, d, e, f, g, h, p) wk_einops_einsum_with(WK_TENSORS(a, b, c, d, e, f, g, h), p)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
