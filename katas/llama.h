/* Llama, as transformers has it (LlamaForCausalLM), name for name: checkpoints of Llama, TinyLlama, SmolLM, Mistral,
   Qwen2 and others of the shape load strictly.  Tokens (B, L) -> logits (B, L, vocabulary).

   RMSNorm, rotary positions, heads of queries that share keys and values (GQA), SwiGLU, no biases (Qwen2 has three).

   "LLaMA", https://arxiv.org/abs/2302.13971; "GQA", https://arxiv.org/abs/2305.13245 */
#ifndef KATAS_LLAMA_H
#define KATAS_LLAMA_H

#include <math.h>

#include <wick.h>

typedef struct llama_config {
    int64_t vocabulary, length, dim, hidden, depth, heads, kv_heads; // config.json's hidden_size, intermediate_size, ..
    double theta, eps;                                               // rope_theta, rms_norm_eps
    bool tied;                                                       // tie_word_embeddings
    bool qkv_bias;                                                   // Qwen2's
    int64_t head_dim;                                                // 0: dim / heads
    /* Llama 3.1's rope_scaling, of type llama3; factor 0: none */
    double rope_factor, rope_low, rope_high, rope_length;
} llama_config;

/* HuggingFaceTB/SmolLM-135M's */
static const llama_config LLAMA_135M = {.vocabulary = 49152,
                                        .length = 2048,
                                        .dim = 576,
                                        .hidden = 1536,
                                        .depth = 30,
                                        .heads = 9,
                                        .kv_heads = 3,
                                        .theta = 10000,
                                        .eps = 1e-5,
                                        .tied = true};

static int64_t llama_head_dim(llama_config c) { return c.head_dim ? c.head_dim : c.dim / c.heads; }

/* ---------------------------------------------------------------- positions */

/* (length, D/2) complex: how far pair p of a head is turned at each place.  Scaled, slow pairs turn slower by a factor,
   so that places farther than those of the first training look as those did; fast ones stay; between, it is mixed. */
static wk_tensor *llama_rotary(llama_config c)
{
    const int64_t D = llama_head_dim(c);
    if (c.rope_factor == 0)
        return wk_precompute_freqs_cis(D, c.length, .theta = c.theta);
    wk_tensor *rates = wk_empty((D / 2));
    float *rate = wk_data_ptr(rates);
    for (int64_t p = 0; rate && p < D / 2; p++) {
        const double plain = pow(c.theta, -2.0 * (double)p / (double)D), turns = c.rope_length * plain / (2 * M_PI);
        const double fast = fmin(1, fmax(0, (turns - c.rope_low) / (c.rope_high - c.rope_low)));
        rate[p] = (float)(fast * plain + (1 - fast) * plain / c.rope_factor);
    }
    wk_tensor *angles = wk_outer(wk_arange((c.length), .dtype = wk_float32), rates);
    return wk_polar(wk_ones_like(angles), angles);
}

/* ---------------------------------------------------------------- attention */

typedef struct llama_attention {
    wk_module_base base;
    wk_module *q_proj, *k_proj, *v_proj, *o_proj;
    int64_t heads, kv_heads;
} llama_attention;

/* (B, L, H*D) -> (B, H, L, D) */
static wk_tensor *llama_heads(wk_tensor *x, int64_t heads)
{
    return wk_transpose(wk_reshape(x, (wk_size(x, 0), wk_size(x, 1), heads, -1)), 1, 2);
}

/* rotary (length, D/2) complex; x's first token stands at `position`; cache: of what came before, or NULL */
static wk_tensor *llama_attention_forward(void *module, wk_tensor *x, wk_tensor *rotary, int64_t position, void *cache)
{
    llama_attention *self = module;
    wk_tensor *q = llama_heads(wk_forward(self->q_proj, x), self->heads);    // (B, H, L, D)
    wk_tensor *k = llama_heads(wk_forward(self->k_proj, x), self->kv_heads); // (B, KV, L, D)
    wk_tensor *v = llama_heads(wk_forward(self->v_proj, x), self->kv_heads);
    /* transformers' weights pair feature p with p + D/2, not with its neighbour */
    q = wk_apply_rotary_emb(q, rotary, .interleaved = false, .offset = position, .seq_dim = 2);
    k = wk_apply_rotary_emb(k, rotary, .interleaved = false, .offset = position, .seq_dim = 2);
    if (cache)
        wk_kv_cache_update(cache, &k, &v); // (B, KV, position + L, D)
    wk_tensor *y = wk_scaled_dot_product_attention(q, k, v, .is_causal = wk_size(x, 1) > 1, .enable_gqa = true);
    return wk_forward(self->o_proj, wk_flatten(wk_transpose(y, 1, 2), 2)); // (B, L, dim)
}

static llama_attention *llama_attention_new(llama_config c)
{
    const int64_t D = llama_head_dim(c);
    llama_attention *self = wk_module_new(llama_attention, NULL);
    wk_add_module(self, q_proj, wk_nn_linear(c.dim, c.heads * D, .bias = c.qkv_bias));
    wk_add_module(self, k_proj, wk_nn_linear(c.dim, c.kv_heads * D, .bias = c.qkv_bias));
    wk_add_module(self, v_proj, wk_nn_linear(c.dim, c.kv_heads * D, .bias = c.qkv_bias));
    wk_add_module(self, o_proj, wk_nn_linear(c.heads * D, c.dim, .bias = false));
    self->heads = c.heads;
    self->kv_heads = c.kv_heads;
    return self;
}

/* ---------------------------------------------------------------- mlp: SwiGLU */

typedef struct llama_mlp {
    wk_module_base base;
    wk_module *gate_proj, *up_proj, *down_proj;
} llama_mlp;

static wk_tensor *llama_mlp_forward(void *module, wk_tensor *x)
{
    llama_mlp *self = module;
    x = wk_mul(wk_silu(wk_forward(self->gate_proj, x)), wk_forward(self->up_proj, x)); // (B, L, hidden)
    return wk_forward(self->down_proj, x);                                             // (B, L, dim)
}

static llama_mlp *llama_mlp_new(llama_config c)
{
    llama_mlp *self = wk_module_new(llama_mlp, llama_mlp_forward);
    wk_add_module(self, gate_proj, wk_nn_linear(c.dim, c.hidden, .bias = false));
    wk_add_module(self, up_proj, wk_nn_linear(c.dim, c.hidden, .bias = false));
    wk_add_module(self, down_proj, wk_nn_linear(c.hidden, c.dim, .bias = false));
    return self;
}

/* ---------------------------------------------------------------- layer */

typedef struct llama_layer {
    wk_module_base base;
    llama_attention *self_attn;
    llama_mlp *mlp;
    wk_module *input_layernorm, *post_attention_layernorm;
} llama_layer;

static wk_tensor *llama_layer_forward(void *module, wk_tensor *x, wk_tensor *rotary, int64_t position, void *cache)
{
    llama_layer *self = module;
    wk_tensor *h = wk_forward(self->input_layernorm, x);
    x = wk_add(x, wk_call(llama_attention_forward, self->self_attn, h, rotary, position, cache)); // (B, L, dim)
    return wk_add(x, wk_forward(self->mlp, wk_forward(self->post_attention_layernorm, x)));       // (B, L, dim)
}

static llama_layer *llama_layer_new(llama_config c)
{
    llama_layer *self = wk_module_new(llama_layer, NULL);
    wk_add_module(self, self_attn, llama_attention_new(c));
    wk_add_module(self, mlp, llama_mlp_new(c));
    wk_add_module(self, input_layernorm, wk_nn_rms_norm((c.dim), .eps = c.eps));
    wk_add_module(self, post_attention_layernorm, wk_nn_rms_norm((c.dim), .eps = c.eps));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct llama_model {
    wk_module_base base;
    wk_module *embed_tokens, *layers, *norm;
} llama_model;

typedef struct llama {
    wk_module_base base;
    llama_model *model;
    wk_module *lm_head;
    wk_tensor *rotary; // (length, D/2) complex, in no state dict
} llama;

/* tokens (B, L), the first of which stands at `position`, where L is 1 or position 0; caches: a module list of a
   wk_kv_cache for each layer, which holds what came before, or NULL */
static wk_tensor *llama_forward(void *module, wk_tensor *tokens, int64_t position, void *caches)
{
    llama *self = module;
    int64_t i = 0;
    wk_tensor *x = wk_forward(self->model->embed_tokens, tokens); // (B, L, dim)
    wk_for_each_module (layer, self->model->layers) {
        void *cache = caches ? wk_nn_module_list_index(caches, i++) : NULL;
        x = wk_call(llama_layer_forward, layer, x, self->rotary, position, cache);
    }
    return wk_forward(self->lm_head, wk_forward(self->model->norm, x)); // (B, L, vocabulary)
}

static wk_tensor *llama_forward_all(void *module, wk_tensor *tokens) { return llama_forward(module, tokens, 0, NULL); }

static llama *llama_new(llama_config c)
{
    llama_model *model = wk_module_new(llama_model, NULL);
    wk_add_module(model, embed_tokens, wk_nn_embedding(c.vocabulary, c.dim));
    wk_add_module(model, layers, wk_nn_module_list());
    for (int64_t i = 0; i < c.depth; i++)
        wk_nn_module_list_append(model->layers, llama_layer_new(c));
    wk_add_module(model, norm, wk_nn_rms_norm((c.dim), .eps = c.eps));

    llama *self = wk_module_new(llama, llama_forward_all);
    wk_add_module(self, model, model);
    wk_add_module(self, lm_head, wk_nn_linear(c.dim, c.vocabulary, .bias = false));
    if (c.tied)
        wk_module_register_parameter(self->lm_head, "weight", wk_module_get_parameter(model->embed_tokens, "weight"));
    wk_add_buffer(self, rotary, llama_rotary(c), .persistent = false);
    return self;
}

#endif
