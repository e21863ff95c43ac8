/* GPT-2, as transformers has it (GPT2LMHeadModel), name for name: its checkpoints load strictly.
   Tokens (B, L) -> logits (B, L, vocabulary).

   Its linear layers are Conv1D there: weights (in, out), transposed to nn.Linear's.  lm_head.weight is wte.weight.

   "Language Models are Unsupervised Multitask Learners", Radford et al., 2019 */
#ifndef KATAS_GPT2_H
#define KATAS_GPT2_H

#include <wick.h>

/* ---------------------------------------------------------------- Conv1D: x @ weight + bias */

typedef struct gpt2_conv1d {
    wk_module_base base;
    wk_tensor *weight, *bias; // (in, out), (out)
} gpt2_conv1d;

static wk_tensor *gpt2_conv1d_forward(void *module, wk_tensor *x)
{
    gpt2_conv1d *self = module;
    return wk_linear(x, wk_transpose(self->weight, 0, 1), self->bias);
}

static gpt2_conv1d *gpt2_conv1d_new(int64_t in, int64_t out)
{
    gpt2_conv1d *self = wk_module_new(gpt2_conv1d, gpt2_conv1d_forward);
    wk_add_parameter(self, weight, wk_mul(wk_randn((in, out)), 0.02));
    wk_add_parameter(self, bias, wk_zeros((out)));
    return self;
}

/* ---------------------------------------------------------------- attention: each token looks at those before it */

typedef struct gpt2_attention {
    wk_module_base base;
    gpt2_conv1d *c_attn, *c_proj;
    int64_t heads;
} gpt2_attention;

/* cache: a wk_kv_cache of what came before, or NULL */
static wk_tensor *gpt2_attention_forward(void *module, wk_tensor *x, void *cache)
{
    gpt2_attention *self = module;
    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_forward(self->c_attn, x);                              // (B, L, 3*D)
    qkv = wk_reshape(qkv, (wk_size(x, 0), wk_size(x, 1), 3, self->heads, -1)); // (B, L, 3, H, D/H)
    wk_unbind(wk_permute(qkv, (2, 0, 3, 1, 4)), (&q, &k, &v));                 // 3 x (B, H, L, D/H)
    if (cache)
        wk_kv_cache_update(cache, &k, &v); // (B, H, before + L, D/H)
    wk_tensor *y = wk_scaled_dot_product_attention(q, k, v, .is_causal = wk_size(x, 1) > 1);
    return wk_forward(self->c_proj, wk_flatten(wk_transpose(y, 1, 2), 2)); // (B, L, D)
}

static gpt2_attention *gpt2_attention_new(int64_t dim, int64_t heads)
{
    gpt2_attention *self = wk_module_new(gpt2_attention, NULL);
    wk_add_module(self, c_attn, gpt2_conv1d_new(dim, 3 * dim));
    wk_add_module(self, c_proj, gpt2_conv1d_new(dim, dim));
    self->heads = heads;
    return self;
}

/* ---------------------------------------------------------------- mlp */

typedef struct gpt2_mlp {
    wk_module_base base;
    gpt2_conv1d *c_fc, *c_proj;
} gpt2_mlp;

static wk_tensor *gpt2_mlp_forward(void *module, wk_tensor *x)
{
    gpt2_mlp *self = module;
    x = wk_gelu(wk_forward(self->c_fc, x), .approximate = "tanh"); // (B, L, 4*D)
    return wk_forward(self->c_proj, x);                            // (B, L, D)
}

static gpt2_mlp *gpt2_mlp_new(int64_t dim)
{
    gpt2_mlp *self = wk_module_new(gpt2_mlp, gpt2_mlp_forward);
    wk_add_module(self, c_fc, gpt2_conv1d_new(dim, 4 * dim));
    wk_add_module(self, c_proj, gpt2_conv1d_new(4 * dim, dim));
    return self;
}

/* ---------------------------------------------------------------- block */

typedef struct gpt2_block {
    wk_module_base base;
    wk_module *ln_1, *ln_2;
    gpt2_attention *attn;
    gpt2_mlp *mlp;
} gpt2_block;

static wk_tensor *gpt2_block_forward(void *module, wk_tensor *x, void *cache)
{
    gpt2_block *self = module;
    x = wk_add(x, wk_call(gpt2_attention_forward, self->attn, wk_forward(self->ln_1, x), cache)); // (B, L, D)
    return wk_add(x, wk_forward(self->mlp, wk_forward(self->ln_2, x)));                           // (B, L, D)
}

static gpt2_block *gpt2_block_new(int64_t dim, int64_t heads)
{
    gpt2_block *self = wk_module_new(gpt2_block, NULL);
    wk_add_module(self, ln_1, wk_nn_layer_norm((dim)));
    wk_add_module(self, attn, gpt2_attention_new(dim, heads));
    wk_add_module(self, ln_2, wk_nn_layer_norm((dim)));
    wk_add_module(self, mlp, gpt2_mlp_new(dim));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct gpt2_transformer {
    wk_module_base base;
    wk_module *wte, *wpe, *h, *ln_f; // embeddings of tokens and of places, blocks
} gpt2_transformer;

typedef struct gpt2 {
    wk_module_base base;
    gpt2_transformer *transformer;
    wk_module *lm_head;
} gpt2;

/* tokens (B, L), the first of which stands at `position`, where L is 1 or position 0; caches: a module list of a
   wk_kv_cache for each block, which holds what came before, or NULL */
static wk_tensor *gpt2_forward(void *module, wk_tensor *tokens, int64_t position, void *caches)
{
    gpt2 *self = module;
    gpt2_transformer *t = self->transformer;
    int64_t i = 0;
    wk_tensor *places = wk_arange((position, position + wk_size(tokens, 1)), .device = tokens->device); // (L,)
    wk_tensor *x = wk_add(wk_forward(t->wte, tokens), wk_forward(t->wpe, places));                      // (B, L, D)
    wk_for_each_module (block, t->h)
        x = wk_call(gpt2_block_forward, block, x, caches ? wk_nn_module_list_index(caches, i++) : NULL);
    return wk_forward(self->lm_head, wk_forward(t->ln_f, x)); // (B, L, vocabulary)
}

static wk_tensor *gpt2_forward_all(void *module, wk_tensor *tokens) { return gpt2_forward(module, tokens, 0, NULL); }

typedef struct gpt2_config {
    int64_t vocabulary, length, dim, depth, heads;
} gpt2_config;

static const gpt2_config GPT2 = {.vocabulary = 50257, .length = 1024, .dim = 768, .depth = 12, .heads = 12};

static gpt2 *gpt2_new(gpt2_config config)
{
    gpt2_transformer *t = wk_module_new(gpt2_transformer, NULL);
    wk_add_module(t, wte, wk_nn_embedding(config.vocabulary, config.dim));
    wk_add_module(t, wpe, wk_nn_embedding(config.length, config.dim));
    wk_add_module(t, h, wk_nn_module_list());
    for (int64_t i = 0; i < config.depth; i++)
        wk_nn_module_list_append(t->h, gpt2_block_new(config.dim, config.heads));
    wk_add_module(t, ln_f, wk_nn_layer_norm((config.dim)));

    gpt2 *self = wk_module_new(gpt2, gpt2_forward_all);
    wk_add_module(self, transformer, t);
    wk_add_module(self, lm_head, wk_nn_linear(config.dim, config.vocabulary, .bias = false));
    wk_module_register_parameter(self->lm_head, "weight", wk_module_get_parameter(t->wte, "weight")); // tied
    return self;
}

#endif
