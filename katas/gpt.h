/* A GPT, as Llama builds it: tokens (B, L) -> what comes after each, (B, L, tokens).

   Each token becomes a vector; blocks of attention and mlp let it look back at those before it, never ahead; the last
   layer says how likely each token is to come next.  Where a token stands is told by turning queries and keys
   ("RoFormer", https://arxiv.org/abs/2104.09864); RMSNorm, https://arxiv.org/abs/1910.07467; the gated mlp,
   https://arxiv.org/abs/2002.05202.

   Writing goes token by token, so each block keeps the keys and values of earlier ones in a cache. */
#ifndef KATAS_GPT_H
#define KATAS_GPT_H

#include <wick.h>

/* ---------------------------------------------------------------- block: x + attention(norm(x)), x + mlp(norm(x)) */

typedef struct gpt_block {
    wk_module_base base;
    wk_module *norm1, *qkv, *proj, *norm2, *gate, *up, *down;
    int64_t heads;
} gpt_block;

/* x: (B, L, D), whose first token stands at `position`; cache: of those before it, or NULL */
static wk_tensor *gpt_block_forward(void *module, wk_tensor *x, wk_tensor *freqs_cis, int64_t position, void *cache)
{
    gpt_block *self = module;
    wk_unpack(x, B, L, D);
    const int64_t H = self->heads;

    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_forward(self->qkv, wk_forward(self->norm1, x));            // (B, L, 3*D)
    wk_unbind(wk_view(qkv, (B, L, 3, H, D / H)), (&q, &k, &v), .dim = 2);          // 3 x (B, L, H, D/H)
    q = wk_transpose(wk_apply_rotary_emb(q, freqs_cis, .offset = position), 1, 2); // (B, H, L, D/H)
    k = wk_transpose(wk_apply_rotary_emb(k, freqs_cis, .offset = position), 1, 2); // (B, H, L, D/H)
    v = wk_transpose(v, 1, 2);                                                     // (B, H, L, D/H)
    if (cache)
        wk_kv_cache_update(cache, &k, &v, .position = position);                 // (B, H, position + L, D/H)
    wk_tensor *y = wk_scaled_dot_product_attention(q, k, v, .is_causal = L > 1); // (B, H, L, D/H)
    y = wk_flatten(wk_transpose(y, 1, 2), 2);                                    // (B, L, D)
    x = wk_add(x, wk_forward(self->proj, y));                                    // (B, L, D)

    y = wk_forward(self->norm2, x);                                          // (B, L, D)
    y = wk_mul(wk_silu(wk_forward(self->gate, y)), wk_forward(self->up, y)); // (B, L, 2*D)
    return wk_add(x, wk_forward(self->down, y));                             // (B, L, D)
}

static gpt_block *gpt_block_new(int64_t dim, int64_t heads)
{
    gpt_block *self = wk_module_new(gpt_block, NULL);
    wk_add_module(self, norm1, wk_nn_rms_norm((dim)));
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim, .bias = false));
    wk_add_module(self, proj, wk_nn_linear(dim, dim, .bias = false));
    wk_add_module(self, norm2, wk_nn_rms_norm((dim)));
    wk_add_module(self, gate, wk_nn_linear(dim, 2 * dim, .bias = false));
    wk_add_module(self, up, wk_nn_linear(dim, 2 * dim, .bias = false));
    wk_add_module(self, down, wk_nn_linear(2 * dim, dim, .bias = false));
    self->heads = heads;
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct gpt_config {
    int64_t tokens, context, dim, depth, heads;
} gpt_config;

typedef struct gpt {
    wk_module_base base;
    wk_module *embedding, *blocks, *norm, *head;
    wk_tensor *freqs_cis; // (context, D/H/2): the angles of each position
    gpt_config config;
} gpt;

/* x: (B, L) tokens, the first at `position`; caches: of gpt_caches_new, or NULL */
static wk_tensor *gpt_forward(void *module, wk_tensor *x, int64_t position, void *caches)
{
    gpt *self = module;
    x = wk_forward(self->embedding, x); // (B, L, D)
    int64_t i = 0;
    wk_for_each_module (block, self->blocks) {
        void *cache = caches ? wk_nn_module_list_index(caches, i++) : NULL;
        x = wk_call(gpt_block_forward, block, x, self->freqs_cis, position, cache); // (B, L, D)
    }
    return wk_forward(self->head, wk_forward(self->norm, x)); // (B, L, tokens)
}

static gpt *gpt_new(gpt_config config)
{
    const int64_t D = config.dim;
    gpt *self = wk_module_new(gpt, NULL);
    self->config = config;
    wk_add_module(self, embedding, wk_nn_embedding(config.tokens, D));
    wk_add_module(self, blocks, wk_nn_module_list());
    for (int64_t i = 0; i < config.depth; i++)
        wk_nn_module_list_append(self->blocks, gpt_block_new(D, config.heads));
    wk_add_module(self, norm, wk_nn_rms_norm((D)));
    wk_add_module(self, head, wk_nn_linear(D, config.tokens, .bias = false));
    wk_add_buffer(self, freqs_cis, wk_precompute_freqs_cis(D / config.heads, config.context), .persistent = false);
    return self;
}

/* what each block keeps of one text of at most `context` tokens; wk_module_free it */
static wk_module *gpt_caches_new(const gpt *model)
{
    const gpt_config c = model->config;
    wk_module *caches = wk_nn_module_list();
    for (int64_t i = 0; i < c.depth; i++)
        wk_nn_module_list_append(
            caches, wk_kv_cache(1, c.heads, c.context, c.dim / c.heads, .device = model->freqs_cis->device));
    return caches;
}

#endif
