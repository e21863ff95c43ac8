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
   look nowhere gets 0.  is_causal: query i looks at keys 0..i, and there is no attn_mask.  scale: 1 / sqrt(D) unless
   given. enable_gqa: key and value have H / n heads, each read by n heads of query that stand side by side.  dropout_p
   always drops: pass 0 in evaluation. */
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

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
