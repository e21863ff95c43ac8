/* Rotary position embeddings (Su et al., "RoFormer", 2021): queries and keys are turned by angles that grow with their
   position, so that their products depend on how far apart they are.

       wk_tensor *freqs_cis = wk_precompute_freqs_cis(head_dim, max_length);              // once
       q = wk_apply_rotary_emb(q, freqs_cis, .offset = position);                         // (B, L, H, D)
       k = wk_apply_rotary_emb(k, freqs_cis, .offset = position); */
#ifndef WICK_OP_ROTARY_H
#define WICK_OP_ROTARY_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* precompute_freqs_cis(dim, end, theta = 10000): cos + i sin of the angle position / theta^(2 p / dim), for positions 0
   to end - 1 and p in 0 .. dim / 2 - 1: (end, dim / 2) complex64, or complex128 with .dtype = wk_float64.
   Of several axes: precompute_freqs_cis((16, 56, 56), (T, H, W)) has a row for each place of the grid, the last axis
   running fastest, and in it each axis's angles in turn: (T H W, (16 + 56 + 56) / 2). */
typedef struct wk_precompute_freqs_cis_args {
    wk_shape dim, end;
    double theta;
    wk_dtype dtype; // of the angles
    wk_device device;
} wk_precompute_freqs_cis_args;
#define wk_precompute_freqs_cis(dim_, ...)                                                                             \
    wk_precompute_freqs_cis_with((wk_precompute_freqs_cis_args){                                                       \
        .theta = 10000, .dim = WK_SHAPE_OR(dim_)(dim_), WK_END_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define WK_END_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_END_TUPLE, WK_END_PLAIN)()
#define WK_END_TUPLE() .end = WK_SHAPE
#define WK_END_PLAIN() .end.ndim = WK_PLAIN_LAST, .end.sizes[WK_MAX_DIMS - 1] =
wk_tensor *wk_precompute_freqs_cis_with(wk_precompute_freqs_cis_args args);

/* apply_rotary_emb(x, freqs_cis, interleaved = true, offset = 0, seq_dim = 1): x of 2 to 4 dims, positions along
   seq_dim, features along the last: (B, L, H, D), or (B, H, L, D) with .seq_dim = 2.  Floating; computed in float32 at
   least; its dtype and shape stay.

   freqs_cis (T, R / 2) complex: position l is turned by row offset + l; or (B, L, R / 2), where each sequence has
   positions of its own.  R <= D: features beyond R stay as they are.
   interleaved: pairs are neighbours, features 2 p and 2 p + 1, as Llama's own code and GPT-J have them; else the halves
   of the first R, features p and p + R / 2, as GPT-NeoX and Hugging Face's rotate_half have them.  Weights trained the
   one way do not fit the other. */
typedef struct wk_apply_rotary_emb_args {
    wk_tensor *x, *freqs_cis;
    bool interleaved;
    int64_t offset, seq_dim;
} wk_apply_rotary_emb_args;
#define wk_apply_rotary_emb(...)                                                                                       \
    wk_apply_rotary_emb_with((wk_apply_rotary_emb_args){.interleaved = true, .seq_dim = 1, .x = __VA_ARGS__})
wk_tensor *wk_apply_rotary_emb_with(wk_apply_rotary_emb_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
