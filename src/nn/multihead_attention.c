/* Multi-head attention: softmax(q k^T / sqrt(D) + mask) v in each of H heads of D = E / H, between two linear maps.

   Inside, sequences stand as (N, L, E), heads as (N, H, L, D).  Both masks become one that is added, -inf where a key
   is left out.  Where weights are asked for they are made whole; else scaled_dot_product_attention never makes them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/attention.h>
#include <wick/cast.h>
#include <wick/dropout.h>
#include <wick/matmul.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "layer.h"

typedef wk_nn_multihead_attention_forward_args call;

/* ---------------------------------------------------------------- masks */

/* true becomes -inf, false 0; floats stay */
static wk_tensor *added_mask(const char *name, wk_tensor *mask, wk_dtype dtype)
{
    if (mask && wk_is_floating_point(mask))
        return wk_to(mask, dtype);
    if (mask && mask->dtype != wk_bool)
        return wk_fail("multihead_attention", "%s: expected bool or floating, got %s", name,
                       wk_dtype_name(mask->dtype));
    return wk_masked_fill(wk_zeros_like(mask, .dtype = dtype), mask, -INFINITY);
}

/* (L, S) -> (1, 1, L, S); (N H, L, S) -> (N, H, L, S) */
static wk_tensor *shaped_attn_mask(wk_tensor *mask, int64_t N, int64_t H, int64_t L, int64_t S)
{
    WK_REQUIRE("multihead_attention", mask);
    if (mask->ndim == 2 && mask->shape[0] == L && mask->shape[1] == S)
        return wk_reshape(mask, (1, 1, L, S));
    if (mask->ndim == 3 && mask->shape[0] == N * H && mask->shape[1] == L && mask->shape[2] == S)
        return wk_reshape(mask, (N, H, L, S));
    return wk_fail("multihead_attention", "attn_mask: expected (%lld, %lld) or (%lld, %lld, %lld), got %s",
                   (long long)L, (long long)S, (long long)(N * H), (long long)L, (long long)S, wk_shape_string(mask));
}

static wk_tensor *shaped_key_padding_mask(wk_tensor *mask, int64_t N, int64_t S)
{
    WK_REQUIRE("multihead_attention", mask);
    if (mask->numel != N * S || mask->ndim < 1 || mask->ndim > 2 || mask->shape[mask->ndim - 1] != S)
        return wk_fail("multihead_attention", "key_padding_mask: expected (%lld, %lld), got %s", (long long)N,
                       (long long)S, wk_shape_string(mask));
    return wk_reshape(mask, (N, 1, 1, S));
}

static wk_tensor *causal_mask(int64_t L, int64_t S, const wk_tensor *like)
{
    wk_tensor *rows = wk_reshape(wk_arange(L), (L, 1)), *columns = wk_arange(S);
    return added_mask("attn_mask", wk_reshape(wk_gt(columns, rows), (1, 1, L, S)), like->dtype);
}

/* both masks in one, of the query's dtype; *none where there is none */
static wk_tensor *merged_mask(const call *with, bool causal, const wk_tensor *q, const wk_tensor *k, bool *none)
{
    const int64_t N = q->shape[0], H = q->shape[1], L = q->shape[2], S = k->shape[2];
    wk_tensor *mask = NULL;
    *none = !with->attn_mask && !with->key_padding_mask && !causal;
    if (with->attn_mask)
        mask = shaped_attn_mask(added_mask("attn_mask", with->attn_mask, q->dtype), N, H, L, S);
    else if (causal)
        mask = causal_mask(L, S, q);
    if (!with->key_padding_mask)
        return mask;
    wk_tensor *padding = added_mask("key_padding_mask", with->key_padding_mask, q->dtype);
    padding = shaped_key_padding_mask(padding, N, S);
    return with->attn_mask || causal ? wk_add(mask, padding) : padding;
}

/* ---------------------------------------------------------------- forward */

/* (N, L, E) of what the caller has: batch first, or the sequence, or one sequence alone */
static wk_tensor *sequences(const wk_nn_multihead_attention *self, const char *name, wk_tensor *x, int64_t features)
{
    WK_REQUIRE("multihead_attention", x);
    if (x->ndim < 2 || x->ndim > 3 || x->shape[x->ndim - 1] != features)
        return wk_fail("multihead_attention", "%s: expected (%s, %lld) or (L, %lld), got %s", name,
                       self->batch_first ? "N, L" : "L, N", (long long)features, (long long)features,
                       wk_shape_string(x));
    if (x->ndim == 2)
        return wk_unsqueeze(x, 0);
    return self->batch_first ? x : wk_transpose(x, 0, 1);
}

/* (N, L, E) -> (N, H, L, D) */
static wk_tensor *heads(const wk_nn_multihead_attention *self, wk_tensor *x)
{
    return wk_transpose(wk_unflatten(x, 2, (self->num_heads, self->embed_dim / self->num_heads)), 1, 2);
}

/* part 0, 1, 2 of what projects: the query's, the key's, the value's */
static wk_tensor *project(const wk_nn_multihead_attention *self, wk_tensor *x, int part)
{
    const int64_t E = self->embed_dim;
    wk_tensor *const apart[] = {self->q_proj_weight, self->k_proj_weight, self->v_proj_weight};
    wk_tensor *weight = self->in_proj_weight ? wk_narrow(self->in_proj_weight, 0, part * E, E) : apart[part];
    wk_tensor *bias = self->in_proj_bias ? wk_narrow(self->in_proj_bias, 0, part * E, E) : NULL;
    return weight && (bias || !self->in_proj_bias) ? heads(self, wk_linear(x, weight, bias)) : NULL;
}

/* (N, H, L, D) of all three; false after an error */
static bool project_all(const wk_nn_multihead_attention *self, const call *with, wk_tensor *parts[3])
{
    const int64_t E = self->embed_dim;
    wk_tensor *q = sequences(self, "query", with->query, E);
    if (with->query == with->key && with->key == with->value && self->in_proj_weight) {
        wk_tensor *all = wk_linear(q, self->in_proj_weight, self->in_proj_bias); // (N, L, 3 E)
        for (int part = 0; part < 3; part++)
            parts[part] = heads(self, wk_narrow(all, 2, part * E, E));
    } else {
        wk_tensor *k = sequences(self, "key", with->key, self->kdim);
        wk_tensor *v = sequences(self, "value", with->value, self->vdim);
        parts[0] = project(self, q, 0);
        parts[1] = project(self, k, 1);
        parts[2] = project(self, v, 2);
    }
    return parts[0] && parts[1] && parts[2];
}

/* softmax(scale q k^T + mask) v, with its weights averaged over heads, or not, in *place */
static wk_tensor *attend_with_weights(const wk_nn_multihead_attention *self, const call *with, wk_tensor *q,
                                      wk_tensor *k, wk_tensor *v, wk_tensor *mask, wk_tensor **weights)
{
    const double scale = sqrt(1.0 / (double)(self->embed_dim / self->num_heads));
    wk_tensor *scores = wk_matmul(wk_mul(q, scale), wk_transpose(k, -2, -1)); // (N, H, L, S)
    wk_tensor *w = wk_softmax(mask ? wk_add(scores, mask) : scores, -1);
    w = wk_dropout(w, self->dropout, self->base.training);
    *weights = with->average_attn_weights ? wk_mean(w, (1)) : w;
    return wk_matmul(w, v);
}

typedef struct both {
    wk_tensor *y, *weights;
} both;

static both attend(void *module, const call *with)
{
    wk_nn_multihead_attention *self = module;
    both result = {0};
    wk_tensor *parts[3];
    bool plain = true;
    if (!project_all(self, with, parts))
        return result;
    wk_tensor *q = parts[0], *k = parts[1], *v = parts[2];
    const bool causal = with->is_causal && !with->attn_mask;
    /* scaled_dot_product_attention knows causal by itself, as long as nothing else is masked */
    const bool composed = with->weights != NULL, mask_causal = causal && (composed || with->key_padding_mask);
    wk_tensor *mask = merged_mask(with, mask_causal, q, k, &plain);
    if (!plain && !mask)
        return result;
    wk_tensor *y = NULL;
    if (composed)
        y = attend_with_weights(self, with, q, k, v, mask, &result.weights);
    else
        y = wk_scaled_dot_product_attention(q, k, v, mask, .is_causal = causal && !mask_causal,
                                            .dropout_p = self->base.training ? self->dropout : 0);
    y = y ? wk_forward(self->out_proj, wk_flatten(wk_transpose(y, 1, 2), 2)) : NULL; // (N, L, E)
    const bool one = with->query->ndim == 2;
    if (y)
        result.y = one ? wk_squeeze(y, 0) : self->batch_first ? y : wk_transpose(y, 0, 1);
    if (result.weights && one)
        result.weights = wk_squeeze(result.weights, 0);
    return result;
}

wk_tensor *wk_nn_multihead_attention_forward_with(call args)
{
    wk_module *module = wk_module_check_type("multihead_attention", args.module, "multihead_attention");
    if (args.weights)
        *args.weights = NULL;
    if (!module)
        return NULL;
    WK_REQUIRE("multihead_attention", args.query);
    WK_REQUIRE("multihead_attention", args.key);
    WK_REQUIRE("multihead_attention", args.value);
    WK_OPTIONAL("multihead_attention", args.attn_mask);
    WK_OPTIONAL("multihead_attention", args.key_padding_mask);
    wk_tensor *y = NULL;
    wk_scope
    {
        const both result = wk_call(attend, module, &args);
        y = wk_keep(result.y);
        if (args.weights && y)
            *args.weights = wk_keep(result.weights);
    }
    return y;
}

/* ---------------------------------------------------------------- making it */

static void attention_repr(void *module, char *text, size_t size)
{
    const wk_nn_multihead_attention *self = module;
    snprintf(text, size, "embed_dim=%lld, num_heads=%lld, dropout=%g, batch_first=%s", (long long)self->embed_dim,
             (long long)self->num_heads, self->dropout, wk_layer_bool(self->batch_first));
}

static bool add_weights(wk_nn_multihead_attention *self, const wk_nn_multihead_attention_args *args)
{
    const int64_t E = args->embed_dim;
    bool fine = true;
    if (self->kdim == E && self->vdim == E) {
        fine = WK_NEW_PARAMETER(self, in_proj_weight, (3 * E, E), *args);
        wk_add_parameter(self, q_proj_weight, NULL);
        wk_add_parameter(self, k_proj_weight, NULL);
        wk_add_parameter(self, v_proj_weight, NULL);
    } else {
        fine = WK_NEW_PARAMETER(self, q_proj_weight, (E, E), *args) &&
               WK_NEW_PARAMETER(self, k_proj_weight, (E, self->kdim), *args) &&
               WK_NEW_PARAMETER(self, v_proj_weight, (E, self->vdim), *args);
        wk_add_parameter(self, in_proj_weight, NULL);
    }
    if (fine && args->bias)
        fine = WK_NEW_PARAMETER(self, in_proj_bias, (3 * E), *args);
    else
        wk_add_parameter(self, in_proj_bias, NULL);
    return fine;
}

/* after out_proj has drawn its own */
static bool reset(wk_nn_multihead_attention *self)
{
    wk_tensor *const weights[] = {self->in_proj_weight, self->q_proj_weight, self->k_proj_weight, self->v_proj_weight};
    for (int i = 0; i < 4; i++)
        if (weights[i] && !wk_nn_init_xavier_uniform_(weights[i]))
            return false;
    if (!self->in_proj_bias)
        return true;
    return wk_nn_init_zeros_(self->in_proj_bias) && wk_nn_init_zeros_(((wk_nn_linear *)self->out_proj)->bias);
}

wk_module *wk_nn_multihead_attention_with(wk_nn_multihead_attention_args args)
{
    const int64_t E = args.embed_dim;
    if (E <= 0 || args.num_heads <= 0 || E % args.num_heads != 0)
        return wk_fail("nn_multihead_attention", "embed_dim: expected a multiple of num_heads, got %lld and %lld",
                       (long long)E, (long long)args.num_heads);
    if (!(args.dropout >= 0 && args.dropout <= 1))
        return wk_fail("nn_multihead_attention", "dropout: expected 0 to 1, got %g", args.dropout);
    wk_nn_multihead_attention *self = wk_module_new(wk_nn_multihead_attention, NULL, .extra_repr = attention_repr);
    if (!self)
        return NULL;
    self->embed_dim = E;
    self->num_heads = args.num_heads;
    self->kdim = args.kdim ? args.kdim : E;
    self->vdim = args.vdim ? args.vdim : E;
    self->dropout = args.dropout;
    self->batch_first = args.batch_first;
    bool fine = false;
    wk_scope
    {
        fine = add_weights(self, &args) &&
               wk_add_module(self, out_proj, wk_nn_linear(E, E, args.bias, args.device, args.dtype)) && reset(self);
    }
    return wk_layer_ready(self, fine);
}
