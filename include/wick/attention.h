/* Attention.  PyTorch:
   https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html */
#ifndef WICK_OP_ATTENTION_H
#define WICK_OP_ATTENTION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* scaled_dot_product_attention(query, key, value, attn_mask = NULL, dropout_p = 0, is_causal = false, scale, enable_gqa
   = false): softmax(scale query key^T + mask) value, by blocks, never the whole (L, S).
   (..., H, L, D), (..., H, S, D), (..., H, S, Dv) -> (..., H, L, Dv), laid out in memory as query is: where that is a
   view of (..., L, H, D), wk_flatten(wk_transpose(y, 1, 2), 2) copies nothing.  Floating dtypes.

   attn_mask broadcasts to (..., H, L, S): bool is true where a query may look, floating is added.  A query that may
   look nowhere gets 0; the mask's gradient takes no more memory than the mask.  is_causal: query i looks at keys 0..i,
   and there is no attn_mask.  scale: 1 / sqrt(D) unless given.  enable_gqa: key and value have H / n heads, each read
   by n heads of query that stand side by side.  dropout_p always drops: pass 0 in evaluation. */
typedef struct wk_attention_args {
    wk_tensor *query, *key, *value, *attn_mask;
    double dropout_p;
    bool is_causal;
    double scale; // NaN: 1 / sqrt(D)
    bool enable_gqa;
} wk_attention_args;
#define wk_scaled_dot_product_attention(query_, key_, ...)                                                             \
    wk_scaled_dot_product_attention_with(                                                                              \
        (wk_attention_args){.scale = __builtin_nan(""), .query = query_, .key = key_, .value = __VA_ARGS__})
wk_tensor *wk_scaled_dot_product_attention_with(wk_attention_args args);

/* wk_nn_attention_sdpa_kernel (wk_sdp_math) { ... }: by which way scaled_dot_product_attention goes in this thread,
   inside the block.  There are two: by blocks, which flash, efficient and cudnn all mean here, and math, made of matmul
   and softmax with the whole (L, S) in memory.  Of several backends the blocks are chosen, unless math stands first and
   .set_priority = true: wk_nn_attention_sdpa_kernel ((wk_sdp_math, wk_sdp_flash_attention), .set_priority = true) { ...
   }. https://pytorch.org/docs/stable/generated/torch.nn.attention.sdpa_kernel.html */
typedef enum wk_sdp_backend {
    wk_sdp_math,
    wk_sdp_flash_attention,
    wk_sdp_efficient_attention,
    wk_sdp_cudnn_attention
} wk_sdp_backend;
typedef struct wk_sdp_backends {
    int count;
    const wk_sdp_backend *items;
    bool set_priority;
} wk_sdp_backends;
typedef struct wk_sdpa_guard {
    bool before, open;
} wk_sdpa_guard;
#define wk_nn_attention_sdpa_kernel(backends_, ...)                                                                    \
    for (wk_sdpa_guard wk_sdpa_here __attribute__((cleanup(wk_sdpa_close))) =                                          \
             wk_sdpa_open((wk_sdp_backends){.count = WK_COUNT(wk_sdp_backend, WK_SDP_LIST(backends_)),                 \
             .items = (const wk_sdp_backend[]){WK_SDP_LIST(backends_)},                                                \
             __VA_ARGS__});                                                                                            \
         wk_sdpa_here.open; wk_sdpa_here.open = false)
#define WK_SDP_LIST(backends) WK_IF_TUPLE(backends, WK_SDP_TUPLE, WK_SDP_ONE)(backends)
#define WK_SDP_TUPLE(tuple) WK_SDP_ONE tuple
#define WK_SDP_ONE(...) __VA_ARGS__
wk_sdpa_guard wk_sdpa_open(wk_sdp_backends backends);
void wk_sdpa_close(wk_sdpa_guard *guard);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
