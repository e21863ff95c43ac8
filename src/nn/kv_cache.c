/* A cache of keys and values, for decoding. */
#include <wick/cast.h>
#include <wick/kv_cache.h>
#include <wick/view.h>

#include <stdio.h>
#include <string.h>

#include "autograd/node.h"
#include "layer.h"

static void cache_repr(void *module, char *text, size_t size)
{
    const wk_kv_cache *self = module;
    snprintf(text, size, "batch=%lld, heads=%lld, length=%lld, dim=%lld", (long long)wk_size(self->k_cache, 0),
             (long long)wk_size(self->k_cache, 1), (long long)wk_size(self->k_cache, 2),
             (long long)wk_size(self->k_cache, 3));
}

wk_module *wk_kv_cache_with(wk_kv_cache_args args)
{
    if (args.batch < 0 || args.heads < 0 || args.length < 0 || args.dim < 0 || args.value_dim < 0)
        return wk_fail("kv_cache", "batch, heads, length, dim: expected sizes, got %lld, %lld, %lld, %lld",
                       (long long)args.batch, (long long)args.heads, (long long)args.length, (long long)args.dim);
    wk_kv_cache *self =
        wk_module_new_with((wk_module_args){.size = sizeof *self, .type = "wk_nn_kv_cache", .extra_repr = cache_repr});
    if (!self)
        return NULL;
    const int64_t value_dim = args.value_dim ? args.value_dim : args.dim;
    bool fine = false;
    wk_scope
    {
        fine = wk_add_buffer(self, k_cache,
                             wk_zeros((args.batch, args.heads, args.length, args.dim), .dtype = args.dtype,
                                      .device = args.device),
                             .persistent = false) &&
               wk_add_buffer(self, v_cache,
                             wk_zeros((args.batch, args.heads, args.length, value_dim), .dtype = args.dtype,
                                      .device = args.device),
                             .persistent = false);
    }
    return wk_layer_ready(self, fine);
}

static bool check(const char *name, const wk_tensor *x, const wk_tensor *in, int64_t batch, int64_t n)
{
    const int64_t shape[4] = {batch, in->shape[1], n, in->shape[3]};
    if (x->ndim != 4 || batch > in->shape[0] || memcmp(x->shape, shape, sizeof shape) != 0)
        return wk_fail("kv_cache_update",
                       "%s: expected up to %lld sequences (b, %lld, n, %lld) for a cache of %s, got %s", name,
                       (long long)in->shape[0], (long long)in->shape[1], (long long)in->shape[3], wk_shape_string(in),
                       wk_shape_string(x));
    if (wk_needs_grad(x))
        return wk_fail("kv_cache_update", "%s: requires grad, and a cache has no gradient\nhint: wk_no_grad { ... }",
                       name);
    return true;
}

/* x to positions `at` on of `in`; what is then filled */
static wk_tensor *put(wk_tensor *in, wk_tensor *x, int64_t at)
{
    const int64_t n = x->shape[2];
    wk_tensor *own = wk_narrow(in, 0, 0, x->shape[0]); // the cache's first sequences
    wk_tensor *filled = wk_narrow(own, 2, 0, at + n);
    return filled && wk_copy_(wk_narrow(own, 2, at, n), x) ? filled : NULL;
}

bool wk_kv_cache_update_with(wk_kv_cache_update_args args)
{
    const char *const op = "kv_cache_update";
    wk_kv_cache *self = (void *)wk_module_check_type(op, args.cache, "kv_cache");
    if (!self)
        return false;
    if (!args.k || !args.v)
        return wk_fail(op, "%s: expected the address of a tensor, got NULL", args.k ? "v" : "k");
    wk_tensor *k = *args.k, *v = *args.v;
    WK_REQUIRE(op, k);
    WK_REQUIRE(op, v);
    if (k->ndim != 4)
        return wk_fail(op, "k: expected (b, heads, n, dim), got %s", wk_shape_string(k));
    const int64_t n = k->shape[2], at = args.position == -1 ? self->filled : args.position;
    if (!check("k", k, self->k_cache, k->shape[0], n) || !check("v", v, self->v_cache, k->shape[0], n))
        return false;
    if (at < 0 || at > self->filled)
        return wk_fail(op, "position: expected 0 to %lld, which are filled, got %lld", (long long)self->filled,
                       (long long)at);
    if (n > self->k_cache->shape[2] - at)
        return wk_fail(op, "k: the cache has room for %lld positions, and %lld are filled; got %lld more",
                       (long long)self->k_cache->shape[2], (long long)at, (long long)n);
    wk_tensor *keys = NULL, *values = NULL;
    wk_scope
    {
        keys = wk_keep(WK_WITHOUT_GRAD(put(self->k_cache, k, at)));
        values = keys ? wk_keep(WK_WITHOUT_GRAD(put(self->v_cache, v, at))) : NULL;
    }
    if (!values)
        return false;
    self->filled = at + n;
    *args.k = keys;
    *args.v = values;
    return true;
}
