/* Attention whose scores and masks are functions.  PyTorch:
   https://pytorch.org/docs/stable/nn.attention.flex_attention.html

       static wk_tensor *sliding(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
       {
           return wk_logical_and(wk_ge(q, kv), wk_le(wk_sub(q, kv), 1024));
       }
       wk_block_mask mask = wk_nn_attention_create_block_mask(sliding, WK_ALL, WK_ALL, L, L);
       y = wk_nn_attention_flex_attention(q, k, v, .block_mask = &mask);

   The functions are called with tensors, once for a block of rows: their indices are int64 and broadcast, b (B, 1, 1,
   1), h (1, H, 1, 1), q (1, 1, rows, 1), kv (1, 1, 1, keys), and what score_mod computes is remembered, so that tensors
   it reads through context have gradients. */
#ifndef WICK_OP_FLEX_ATTENTION_H
#define WICK_OP_FLEX_ATTENTION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* bool, true where query q may look at key kv; any shape that broadcasts with the indices */
typedef wk_tensor *wk_mask_mod(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context);
/* score (B, H, rows, keys), float32 at least, to what stands in its place */
typedef wk_tensor *wk_score_mod(wk_tensor *score, wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv,
                                void *context);

/* create_block_mask(mask_mod, B, H, Q_LEN, KV_LEN, .device, .block_size = 128, .context): which blocks of keys any
   query of a block looks at; those before its first and after its last are not computed.  B and H: WK_ALL where the
   mask is the same for all.  Its tensor belongs to the scope (wk_keep(mask.blocks)); blocks is NULL after an error.
   context must live as long as the mask. */
#define WK_ALL 1
typedef struct wk_block_mask {
    wk_mask_mod *mask_mod;
    int64_t B, H, Q_LEN, KV_LEN, block_size;
    void *context;
    wk_tensor *blocks; // (B, H, blocks of queries, blocks of keys), bool
} wk_block_mask;
typedef struct wk_create_block_mask_args {
    wk_mask_mod *mask_mod;
    int64_t B, H, Q_LEN, KV_LEN;
    wk_device device;
    int64_t block_size;
    void *context;
} wk_create_block_mask_args;
#define wk_nn_attention_create_block_mask(...)                                                                         \
    wk_nn_attention_create_block_mask_with((wk_create_block_mask_args){.block_size = 128, .mask_mod = __VA_ARGS__})
wk_block_mask wk_nn_attention_create_block_mask_with(wk_create_block_mask_args args);

/* flex_attention(query, key, value, score_mod = NULL, block_mask = NULL, scale = 1 / sqrt(E), enable_gqa = false,
   .context): softmax(score_mod(scale query key^T)) value where the mask lets a query look, 0 for one that may look
   nowhere.  (B, H, L, E), (B, H, S, E), (B, H, S, Ev) -> (B, H, L, Ev); with enable_gqa key and value have fewer heads,
   as in scaled_dot_product_attention.  Without score_mod scores are never in memory, with it those of a block of rows,
   and those of all where gradients are asked for. */
typedef struct wk_flex_attention_args {
    wk_tensor *query, *key, *value;
    wk_score_mod *score_mod;
    const wk_block_mask *block_mask;
    double scale; // NaN: 1 / sqrt(E)
    bool enable_gqa;
    void *context; // score_mod's
} wk_flex_attention_args;
#define wk_nn_attention_flex_attention(query_, key_, ...)                                                              \
    wk_nn_attention_flex_attention_with(                                                                               \
        (wk_flex_attention_args){.scale = __builtin_nan(""), .query = query_, .key = key_, .value = __VA_ARGS__})
wk_tensor *wk_nn_attention_flex_attention_with(wk_flex_attention_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
