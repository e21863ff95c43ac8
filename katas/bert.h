/* BERT's encoder, as transformers has it (BertModel), name for name: checkpoints of BERT and MiniLM load strictly.
   Tokens (B, L) -> (B, L, D); and what makes sentence embeddings of it: the mean of each sentence's tokens.

   "BERT", https://arxiv.org/abs/1810.04805; "Sentence-BERT", https://arxiv.org/abs/1908.10084 */
#ifndef KATAS_BERT_H
#define KATAS_BERT_H

#include <wick.h>

typedef struct bert_config {
    int64_t vocabulary, length, dim, hidden, depth, heads; // config.json's hidden_size, intermediate_size, ..
} bert_config;

static const bert_config MINILM_L6 = {
    .vocabulary = 30522, .length = 512, .dim = 384, .hidden = 1536, .depth = 6, .heads = 12};

/* BERT's names have many floors (attention.output.dense), its computation few: a group is a name and no more, and what
   stands in it is also a field of the module that computes with it. */
static wk_module *bert_group(void *parent, const char *name)
{
    wk_module *group = wk_nn_module_dict();
    return wk_module_add_module(parent, name, group) ? group : NULL;
}

/* ---------------------------------------------------------------- layer: attention, then mlp, a norm after each sum */

typedef struct bert_layer {
    wk_module_base base;
    wk_module *query, *key, *value, *mixed, *norm1; // attention.self.query .., attention.output.dense, .LayerNorm
    wk_module *up, *down, *norm2;                   // intermediate.dense, output.dense, output.LayerNorm
    int64_t heads;
} bert_layer;

/* (B, L, D) -> (B, H, L, D/H) */
static wk_tensor *bert_heads(wk_tensor *x, int64_t heads)
{
    return wk_transpose(wk_reshape(x, (wk_size(x, 0), wk_size(x, 1), heads, -1)), 1, 2);
}

/* mask (B, 1, 1, L): true where there is a token */
static wk_tensor *bert_layer_forward(void *module, wk_tensor *x, wk_tensor *mask)
{
    bert_layer *self = module;
    wk_tensor *q = bert_heads(wk_forward(self->query, x), self->heads);
    wk_tensor *k = bert_heads(wk_forward(self->key, x), self->heads);
    wk_tensor *v = bert_heads(wk_forward(self->value, x), self->heads);
    wk_tensor *y = wk_scaled_dot_product_attention(q, k, v, .attn_mask = mask); // (B, H, L, D/H)
    y = wk_forward(self->mixed, wk_flatten(wk_transpose(y, 1, 2), 2));          // (B, L, D)
    x = wk_forward(self->norm1, wk_add(y, x));                                  // (B, L, D)
    y = wk_forward(self->down, wk_gelu(wk_forward(self->up, x)));               // (B, L, D)
    return wk_forward(self->norm2, wk_add(y, x));                               // (B, L, D)
}

static bert_layer *bert_layer_new(bert_config c)
{
    bert_layer *self = wk_module_new(bert_layer, NULL);
    wk_module *attention = bert_group(self, "attention"), *looks = bert_group(attention, "self");
    wk_module *attention_output = bert_group(attention, "output");
    wk_module *intermediate = bert_group(self, "intermediate"), *output = bert_group(self, "output");
    if (!output)
        return self;
    self->heads = c.heads;
    wk_module_add_module(looks, "query", self->query = wk_nn_linear(c.dim, c.dim));
    wk_module_add_module(looks, "key", self->key = wk_nn_linear(c.dim, c.dim));
    wk_module_add_module(looks, "value", self->value = wk_nn_linear(c.dim, c.dim));
    wk_module_add_module(attention_output, "dense", self->mixed = wk_nn_linear(c.dim, c.dim));
    wk_module_add_module(attention_output, "LayerNorm", self->norm1 = wk_nn_layer_norm((c.dim), .eps = 1e-12));
    wk_module_add_module(intermediate, "dense", self->up = wk_nn_linear(c.dim, c.hidden));
    wk_module_add_module(output, "dense", self->down = wk_nn_linear(c.hidden, c.dim));
    wk_module_add_module(output, "LayerNorm", self->norm2 = wk_nn_layer_norm((c.dim), .eps = 1e-12));
    return self;
}

/* ---------------------------------------------------------------- the whole */

typedef struct bert {
    wk_module_base base;
    wk_module *words, *places, *types, *norm; // embeddings.word_embeddings, .position_, .token_type_, .LayerNorm
    wk_module *layers;                        // encoder.layer
    wk_module *pooler;                        // pooler.dense: for classifiers; nothing here asks it
} bert;

/* tokens (B, L) int64, mask (B, L) bool: true where there is a token */
static wk_tensor *bert_forward(void *module, wk_tensor *tokens, wk_tensor *mask)
{
    bert *self = module;
    wk_tensor *places = wk_arange((0, wk_size(tokens, 1)), .device = tokens->device); // (L,)
    wk_tensor *x = wk_add(wk_forward(self->words, tokens), wk_forward(self->types, wk_zeros_like(tokens)));
    x = wk_forward(self->norm, wk_add(x, wk_forward(self->places, places))); // (B, L, D)
    mask = wk_unsqueeze(wk_unsqueeze(mask, 1), 1);                           // (B, 1, 1, L)
    wk_for_each_module (layer, self->layers)
        x = wk_call(bert_layer_forward, layer, x, mask);
    return x;
}

static bert *bert_new(bert_config c)
{
    bert *self = wk_module_new(bert, NULL);
    wk_module *embeddings = bert_group(self, "embeddings"), *encoder = bert_group(self, "encoder");
    wk_module *pooler = bert_group(self, "pooler");
    if (!pooler)
        return self;
    wk_module_add_module(embeddings, "word_embeddings",
                         self->words = wk_nn_embedding(c.vocabulary, c.dim, .padding_idx = 0));
    wk_module_add_module(embeddings, "position_embeddings", self->places = wk_nn_embedding(c.length, c.dim));
    wk_module_add_module(embeddings, "token_type_embeddings", self->types = wk_nn_embedding(2, c.dim));
    wk_module_add_module(embeddings, "LayerNorm", self->norm = wk_nn_layer_norm((c.dim), .eps = 1e-12));
    wk_module_add_module(encoder, "layer", self->layers = wk_nn_module_list());
    for (int64_t i = 0; i < c.depth; i++)
        wk_nn_module_list_append(self->layers, bert_layer_new(c));
    wk_module_add_module(pooler, "dense", self->pooler = wk_nn_linear(c.dim, c.dim));
    return self;
}

/* ---------------------------------------------------------------- sentences: (B, L), (B, L) -> (B, D), of length 1 */

static wk_tensor *bert_sentences(void *module, wk_tensor *tokens, wk_tensor *mask)
{
    wk_tensor *x = wk_call(bert_forward, module, tokens, mask);      // (B, L, D)
    wk_tensor *counts = wk_unsqueeze(wk_to(mask, wk_float32), -1);   // (B, L, 1)
    x = wk_div(wk_sum(wk_mul(x, counts), (1)), wk_sum(counts, (1))); // (B, D): the mean of the tokens
    return wk_normalize(x, .dim = 1);
}

#endif
