/* A model of every kind of member for the tests of modules, and what they assert of names and errors. */
#ifndef WICK_TESTS_NET_H
#define WICK_TESTS_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick.h>

#include "fails.h"

/* ---------------------------------------------------------------- a module of one's own */

typedef struct attention {
    wk_module_base base;
    wk_module *qkv;
    wk_nn_linear *proj; // a typed child
    int64_t heads;
} attention;

static wk_tensor *attention_forward(void *module, wk_tensor *x)
{
    attention *self = module;
    wk_unpack(x, B, L, D);
    const int64_t H = self->heads;
    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_forward(self->qkv, x);                 // (B, L, 3*D)
    qkv = wk_reshape(qkv, (B, L, 3, H, D / H));                // (B, L, 3, H, D/H)
    wk_unbind(wk_permute(qkv, (2, 0, 3, 1, 4)), (&q, &k, &v)); // 3 x (B, H, L, D/H)
    x = wk_scaled_dot_product_attention(q, k, v);              // (B, H, L, D/H)
    x = wk_flatten(wk_transpose(x, 1, 2), 2);                  // (B, L, D)
    return wk_forward(self->proj, x);                          // (B, L, D)
}

static attention *attention_new(int64_t dim, int64_t heads)
{
    attention *self = wk_module_new(attention, attention_forward);
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim, .bias = false));
    wk_add_module(self, proj, wk_nn_linear(dim, dim));
    self->heads = heads;
    return self;
}

typedef struct net {
    wk_module_base base;
    wk_module *blocks, *missing;
    attention *attn;
    wk_tensor *scale, *reserved, *mean, *scratch;
    int freed;
} net;

__attribute__((unused)) static int nets_freed;
static void net_free(void *module)
{
    (void)module;
    nets_freed++;
}

static wk_tensor *net_forward(void *module, wk_tensor *x)
{
    net *self = module;
    wk_for_each_module (block, self->blocks)
        x = wk_forward(block, x);
    return wk_mul(wk_forward(self->attn, x), self->scale);
}

static net *net_new(void)
{
    net *self = wk_module_new(net, net_forward, .free = net_free);
    wk_scope
    {
        wk_add_parameter(self, scale, wk_full((8), 2.0));
        wk_add_parameter(self, reserved, NULL);
        wk_add_buffer(self, mean, wk_zeros((8)));
        wk_add_buffer(self, scratch, wk_zeros((2), .dtype = wk_int64), .persistent = false);
        wk_add_module(self, blocks, wk_nn_module_list(wk_nn_linear(8, 8), wk_nn_dropout(0.5)));
        wk_add_module(self, missing, NULL);
        wk_add_module(self, attn, attention_new(8, 2));
    }
    return self;
}

__attribute__((unused)) static void check_keys(const wk_dict *dict, int64_t count, const char *const *names)
{
    assert_int_equal(wk_dict_count(dict), count);
    for (int64_t i = 0; i < count; i++)
        assert_string_equal(wk_dict_key_at(dict, i), names[i]);
}
#define CHECK_KEYS(dict, ...)                                                                                          \
    check_keys(dict, (int64_t)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

#endif
