/* What models of images and diffusion write themselves, each the same: position and time embeddings, patches,
   modulation, stochastic depth, feed-forward blocks.  Part of wick/nn.h. */
#ifndef WICK_NN_BLOCKS_H
#define WICK_NN_BLOCKS_H
#pragma GCC system_header // see tensor.h

#include <wick/convolution.h>
#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* drop_path(x, drop_prob = 0, training = false, scale_by_keep = true): in training, each x[i] is 0 with probability
   drop_prob, else divided by 1 - drop_prob.  https://arxiv.org/abs/1603.09382 */
typedef struct wk_drop_path_args {
    wk_tensor *x;
    double drop_prob;
    bool training, scale_by_keep;
} wk_drop_path_args;
#define wk_drop_path(...) wk_drop_path_with((wk_drop_path_args){.scale_by_keep = true, .x = __VA_ARGS__})
wk_tensor *wk_drop_path_with(wk_drop_path_args args);

/* modulate(x, shift, scale): x (1 + scale) + shift; x (B, N, D), shift and scale (B, D).
   https://arxiv.org/abs/2212.09748 */
wk_tensor *wk_modulate(wk_tensor *x, wk_tensor *shift, wk_tensor *scale);

/* unpatchify(x, patch_size, h, w): tokens (B, h w, p p C) to images (B, C, h p, w p); a token holds (p, p, C) */
wk_tensor *wk_unpatchify(wk_tensor *x, int64_t patch_size, int64_t h, int64_t w);

/* timestep_embedding(t, dim, max_period = 10000): t (B) -> (B, dim): cos(t f_i), then sin(t f_i), f_i =
   max_period^(-i / (dim / 2)); .flip: sin first; an odd dim ends with a 0 */
typedef struct wk_timestep_embedding_args {
    wk_tensor *t;
    int64_t dim;
    double max_period;
    bool flip;
} wk_timestep_embedding_args;
#define wk_timestep_embedding(...)                                                                                     \
    wk_timestep_embedding_with((wk_timestep_embedding_args){.max_period = 10000, .t = __VA_ARGS__})
wk_tensor *wk_timestep_embedding_with(wk_timestep_embedding_args args);

/* get_2d_sincos_pos_embed(embed_dim, grid_size): (grid^2, embed_dim) float32, rows of the grid one after the other: of
   the column sin and cos, then of the row; embed_dim a multiple of 4 */
wk_tensor *wk_get_2d_sincos_pos_embed(int64_t embed_dim, int64_t grid_size);

/* ---- drop_path(drop_prob = 0, scale_by_keep = true) */
typedef struct wk_nn_drop_path_args {
    int first; // so that all arguments may be left out: defaults, .first = 0, and then what was given
    double drop_prob;
    bool scale_by_keep;
} wk_nn_drop_path_args;
#define wk_nn_drop_path(...)                                                                                           \
    wk_nn_drop_path_with((wk_nn_drop_path_args){.scale_by_keep = true, .first = 0, __VA_ARGS__})
wk_module *wk_nn_drop_path_with(wk_nn_drop_path_args args);

/* ---- layer_scale(dim, init_values = 1e-5): x gamma, gamma (dim).  https://arxiv.org/abs/2103.17239 */
typedef struct wk_nn_layer_scale {
    wk_module_base base;
    wk_tensor *gamma;
} wk_nn_layer_scale;
typedef struct wk_nn_layer_scale_args {
    int64_t dim;
    double init_values;
    wk_device device;
    wk_dtype dtype;
} wk_nn_layer_scale_args;
#define wk_nn_layer_scale(...) wk_nn_layer_scale_with((wk_nn_layer_scale_args){.init_values = 1e-5, .dim = __VA_ARGS__})
wk_module *wk_nn_layer_scale_with(wk_nn_layer_scale_args args);

/* ---- feed-forward blocks, (..., in) -> (..., out); hidden and out are in where not given.
   mlp(in, hidden, out, .bias = true, .drop = 0): fc2(drop(gelu(fc1(x)))), then drop
   swiglu(in, hidden, out, .bias = false, .multiple_of = 1): w2(silu(w1(x)) w3(x)), hidden rounded up to a multiple.
   geglu(in, out, .bias = true): proj (2 out) gives a and b: a gelu(b).  https://arxiv.org/abs/2002.05202 */
typedef struct wk_nn_feed_forward {
    wk_module_base base;
    wk_module *fc1, *fc2, *drop; // of mlp
    wk_module *w1, *w2, *w3;     // of swiglu
    wk_module *proj;             // of geglu
} wk_nn_feed_forward;
typedef wk_nn_feed_forward wk_nn_mlp, wk_nn_swiglu, wk_nn_geglu;
typedef struct wk_nn_feed_forward_args {
    int64_t in_features, hidden_features, out_features;
    bool bias;
    double drop;
    int64_t multiple_of;
    wk_device device;
    wk_dtype dtype;
} wk_nn_feed_forward_args;
typedef struct wk_nn_geglu_args {
    int64_t in_features, out_features;
    bool bias;
    wk_device device;
    wk_dtype dtype;
} wk_nn_geglu_args;
#define wk_nn_mlp(...) wk_nn_mlp_with((wk_nn_feed_forward_args){.bias = true, .in_features = __VA_ARGS__})
#define wk_nn_swiglu(...) wk_nn_swiglu_with((wk_nn_feed_forward_args){.multiple_of = 1, .in_features = __VA_ARGS__})
#define wk_nn_geglu(...) wk_nn_geglu_with((wk_nn_geglu_args){.bias = true, .in_features = __VA_ARGS__})
wk_module *wk_nn_mlp_with(wk_nn_feed_forward_args args);
wk_module *wk_nn_swiglu_with(wk_nn_feed_forward_args args);
wk_module *wk_nn_geglu_with(wk_nn_geglu_args args);

/* ---- patch_embed(patch_size, in_chans = 3, embed_dim = 768, bias = true): images (B, C, H, W) to tokens (B, N, D), by
   proj, a conv2d whose stride is its kernel; patch_size one number or wk_per_dim(h, w) */
typedef struct wk_nn_patch_embed {
    wk_module_base base;
    wk_module *proj;
} wk_nn_patch_embed;
typedef struct wk_nn_patch_embed_args {
    wk_per_dim patch_size;
    int64_t in_chans, embed_dim;
    bool bias;
    wk_device device;
    wk_dtype dtype;
} wk_nn_patch_embed_args;
#define wk_nn_patch_embed(...)                                                                                         \
    wk_nn_patch_embed_with(                                                                                            \
        (wk_nn_patch_embed_args){.in_chans = 3, .embed_dim = 768, .bias = true, .patch_size = __VA_ARGS__})
wk_module *wk_nn_patch_embed_with(wk_nn_patch_embed_args args);

/* ---- timestep_embedder(hidden_size, frequency_embedding_size = 256): t (B) -> (B, hidden): timestep_embedding, then
   mlp: linear, silu, linear */
typedef struct wk_nn_timestep_embedder {
    wk_module_base base;
    int64_t frequency_embedding_size;
    wk_module *mlp;
} wk_nn_timestep_embedder;
typedef struct wk_nn_timestep_embedder_args {
    int64_t hidden_size, frequency_embedding_size;
    wk_device device;
    wk_dtype dtype;
} wk_nn_timestep_embedder_args;
#define wk_nn_timestep_embedder(...)                                                                                   \
    wk_nn_timestep_embedder_with(                                                                                      \
        (wk_nn_timestep_embedder_args){.frequency_embedding_size = 256, .hidden_size = __VA_ARGS__})
wk_module *wk_nn_timestep_embedder_with(wk_nn_timestep_embedder_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
