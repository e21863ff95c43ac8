/* embedding: rows of a table by index. */
#include <wick/embedding.h>

#include <stdio.h>

#include <wick/cast.h>
#include <wick/view.h>

#include "autograd/node.h"
#include "layer.h"

static wk_tensor *embedding_forward(void *module, wk_tensor *indices)
{
    const wk_nn_embedding *self = module;
    return wk_embedding(indices, self->weight, .padding_idx = self->padding_idx, .max_norm = self->max_norm,
                        .norm_type = self->norm_type);
}

static void embedding_repr(void *module, char *text, size_t size)
{
    const wk_nn_embedding *self = module;
    int used = snprintf(text, size, "%lld, %lld", (long long)self->num_embeddings, (long long)self->embedding_dim);
    if (self->padding_idx >= 0)
        used += snprintf(text + used, size - (size_t)used, ", padding_idx=%lld", (long long)self->padding_idx);
    if (self->max_norm > 0)
        used += snprintf(text + used, size - (size_t)used, ", max_norm=%g", self->max_norm);
    if (self->norm_type != 2)
        snprintf(text + used, size - (size_t)used, ", norm_type=%g", self->norm_type);
}

/* normal, then the padding row zero */
static bool reset(wk_nn_embedding *self)
{
    if (!wk_nn_init_normal_(self->weight))
        return false;
    return self->padding_idx < 0 || WK_WITHOUT_GRAD(wk_fill_(wk_select(self->weight, 0, self->padding_idx), 0));
}

wk_module *wk_nn_embedding_with(wk_nn_embedding_args args)
{
    const int64_t count = args.num_embeddings;
    int64_t padding = args.padding_idx;
    if (count < 0 || args.embedding_dim < 0)
        return wk_fail("nn_embedding", "num_embeddings and embedding_dim: expected 0 or more, got %lld and %lld",
                       (long long)count, (long long)args.embedding_dim);
    if (padding != WK_NO_PADDING && (padding < -count || padding >= count))
        return wk_fail("nn_embedding", "padding_idx: expected -%lld to %lld, got %lld", (long long)count,
                       (long long)count - 1, (long long)padding);
    if (padding < 0 && padding != WK_NO_PADDING)
        padding += count;
    wk_nn_embedding *self = wk_module_new(wk_nn_embedding, embedding_forward, .extra_repr = embedding_repr);
    if (!self)
        return NULL;
    self->num_embeddings = count;
    self->embedding_dim = args.embedding_dim;
    self->padding_idx = padding;
    self->max_norm = args.max_norm;
    self->norm_type = args.norm_type;
    bool fine = false;
    wk_scope fine = WK_NEW_PARAMETER(self, weight, (count, args.embedding_dim), args) && reset(self);
    return wk_layer_ready(self, fine);
}
