/* A cache of keys and values: what attention has computed of earlier positions, so that a decoder computes each once.

       self->cache = ...; wk_add_module(self, cache, wk_kv_cache(B, H, 2048, D));
       ...
       wk_tensor *k = new_keys, *v = new_values;                                  // (B, H, 1, D)
       wk_kv_cache_update(self->cache, &k, &v);                                   // now (B, H, 1 + what came before, D)
       y = wk_scaled_dot_product_attention(q, k, v); */
#ifndef WICK_KV_CACHE_H
#define WICK_KV_CACHE_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* kv_cache(batch, heads, length, dim, .value_dim, .dtype, .device): a module with buffers k_cache (batch, heads,
   length, dim) and v_cache (.., value_dim), zeros at first, in no state dict; `filled` positions are in use.  It moves
   with the model that it is a child of, is copied and freed with it.  Decode under wk_no_grad: it has no gradients. */
typedef struct wk_kv_cache {
    wk_module_base base;
    wk_tensor *k_cache, *v_cache;
    int64_t filled; // set it to 0 to begin anew, to less to take back
} wk_kv_cache;
typedef struct wk_kv_cache_args {
    int64_t batch, heads, length, dim, value_dim; // value_dim 0: dim
    wk_dtype dtype;
    wk_device device;
} wk_kv_cache_args;
#define wk_kv_cache(...) wk_kv_cache_with((wk_kv_cache_args){.batch = __VA_ARGS__})
wk_module *wk_kv_cache_with(wk_kv_cache_args args);

/* update(cache, &k, &v, position = what is filled): writes k (b, heads, n, dim) and v at positions position .. position
   + n - 1 of the first b sequences, and puts views of all that is then filled, (b, heads, position + n, dim), in their
   places.  position: from 0 to what is filled; what was beyond is forgotten.  Values are cast to the cache's dtype.
   False after an error: no room, other sizes. */
typedef struct wk_kv_cache_update_args {
    void *cache;
    wk_tensor **k, **v;
    int64_t position; // -1: what is filled
} wk_kv_cache_update_args;
#define wk_kv_cache_update(...) wk_kv_cache_update_with((wk_kv_cache_update_args){.position = -1, .cache = __VA_ARGS__})
bool wk_kv_cache_update_with(wk_kv_cache_update_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
