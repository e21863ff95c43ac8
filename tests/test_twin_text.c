/* Twins of whole models of text (tests/golden/twins.py), line for line: an LSTM language model, and a GPT with rotary
   embeddings that writes with a cache of keys and values.  Seeded alike they start from the same weights, draw the same
   data, and lose the same in 20 steps, here and on a second device. */
#include "twin.h"

enum { TOKENS = 20, DIM = 16 };

/* ---------------------------------------------------------------- LSTM language model */

typedef struct {
    wk_module_base base;
    wk_module *embedding, *lstm, *head;
} lstm_model;

/* x: (B, L) tokens; *h, *c: the state (layers, B, DIM), at first NULL -> (B, L, TOKENS) */
static wk_tensor *lstm_model_forward(void *module, wk_tensor *x, wk_tensor **h, wk_tensor **c)
{
    lstm_model *self = module;
    x = wk_nn_lstm_forward(self->lstm, wk_forward(self->embedding, x), *h, *c, .h_n = h, .c_n = c); // (B, L, DIM)
    wk_keep(*h), wk_keep(*c); // the call keeps what it returns
    return wk_forward(self->head, x);
}

static void recurrent(void)
{
    wk_manual_seed(54);
    lstm_model *model = wk_module_new(lstm_model, NULL);
    wk_add_module(model, embedding, wk_nn_embedding(TOKENS, DIM));
    wk_add_module(model, lstm, wk_nn_lstm(DIM, DIM, .num_layers = 2, .batch_first = true));
    wk_add_module(model, head, wk_nn_linear(DIM, TOKENS));
    assert_begins_alike("lstm", model);
    wk_tensor *text = wk_to(wk_randint(0, TOKENS, (4, 33)), device);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-2);
    wk_tensor *h = NULL, *c = NULL;
    wk_for_each_step (step, 0, 20) {
        wk_tensor *logits = wk_call(lstm_model_forward, model, wk_index(text, ":, :-1"), &h, &c);
        h = wk_keep(wk_detach(h)), c = wk_keep(wk_detach(c));
        wk_tensor *loss = wk_cross_entropy(wk_flatten(logits, 0, 1), wk_flatten(wk_index(text, ":, 1:")));
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 0.5);
        wk_optim_step(opt);
        assert_loses_alike("lstm", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- GPT */

typedef struct {
    wk_module_base base;
    wk_module *norm1, *qkv, *proj, *norm2, *gate, *up, *down;
    int64_t heads;
} gpt_block;

/* x: (B, L, D), whose first token stands at `position`; cache: what came before, or NULL */
static wk_tensor *gpt_block_forward(void *module, wk_tensor *x, wk_tensor *freqs_cis, int64_t position, void *cache)
{
    gpt_block *self = module;
    wk_unpack(x, B, L, D);
    wk_tensor *q, *k, *v, *qkv = wk_forward(self->qkv, wk_forward(self->norm1, x)); // (B, L, 3*D)
    wk_unbind(wk_view(qkv, (B, L, 3, self->heads, -1)), (&q, &k, &v), .dim = 2);    // 3 x (B, L, H, D/H)
    q = wk_transpose(wk_apply_rotary_emb(q, freqs_cis, .offset = position), 1, 2);  // (B, H, L, D/H)
    k = wk_transpose(wk_apply_rotary_emb(k, freqs_cis, .offset = position), 1, 2);
    v = wk_transpose(v, 1, 2);
    if (cache)
        wk_kv_cache_update(cache, &k, &v); // (B, H, position + L, D/H)
    wk_tensor *y = wk_scaled_dot_product_attention(q, k, v, .is_causal = L > 1);
    x = wk_add(x, wk_forward(self->proj, wk_flatten(wk_transpose(y, 1, 2), 2)));
    y = wk_forward(self->norm2, x);
    y = wk_mul(wk_silu(wk_forward(self->gate, y)), wk_forward(self->up, y)); // (B, L, 2*D)
    (void)D;
    return wk_add(x, wk_forward(self->down, y));
}

static gpt_block *gpt_block_new(int64_t dim, int64_t heads)
{
    gpt_block *self = wk_module_new(gpt_block, NULL);
    self->heads = heads;
    wk_add_module(self, norm1, wk_nn_rms_norm((dim)));
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim, .bias = false));
    wk_add_module(self, proj, wk_nn_linear(dim, dim, .bias = false));
    wk_add_module(self, norm2, wk_nn_rms_norm((dim)));
    wk_add_module(self, gate, wk_nn_linear(dim, 2 * dim, .bias = false));
    wk_add_module(self, up, wk_nn_linear(dim, 2 * dim, .bias = false));
    wk_add_module(self, down, wk_nn_linear(2 * dim, dim, .bias = false));
    return self;
}

typedef struct {
    wk_module_base base;
    wk_module *embedding, *blocks, *norm, *head;
    int64_t pair;
} gpt;

/* x: (B, L) tokens, the first at `position`; caches: a module list of a wk_kv_cache for each block, or NULL
   -> (B, L, TOKENS) */
static wk_tensor *gpt_forward(void *module, wk_tensor *x, int64_t position, void *caches)
{
    gpt *self = module;
    wk_tensor *freqs_cis = wk_precompute_freqs_cis(self->pair, 32, .device = x->device);
    x = wk_forward(self->embedding, x); // (B, L, D)
    int64_t i = 0;
    wk_for_each_module (block, self->blocks) {
        void *cache = caches ? wk_nn_module_list_index(caches, i++) : NULL;
        x = wk_call(gpt_block_forward, block, x, freqs_cis, position, cache);
    }
    return wk_forward(self->head, wk_forward(self->norm, x));
}

static gpt *gpt_new(int64_t depth, int64_t heads)
{
    gpt *self = wk_module_new(gpt, NULL);
    self->pair = DIM / heads;
    wk_add_module(self, embedding, wk_nn_embedding(TOKENS, DIM));
    wk_add_module(self, blocks, wk_nn_module_list());
    for (int64_t i = 0; i < depth; i++)
        wk_nn_module_list_append(self->blocks, gpt_block_new(DIM, heads));
    wk_add_module(self, norm, wk_nn_rms_norm((DIM)));
    wk_add_module(self, head, wk_nn_linear(DIM, TOKENS, .bias = false));
    return self;
}

/* greedily, a token at a time, from the first four of the text */
static void write_on(gpt *model, wk_tensor *text)
{
    wk_module *caches = wk_nn_module_list();
    for (int layer = 0; layer < 2; layer++)
        wk_nn_module_list_append(caches, wk_kv_cache(1, 2, 32, model->pair, .device = device));
    wk_tensor *expected = answer("gpt/written");
    wk_tensor *logits = wk_call(gpt_forward, model, wk_index(text, ":1, :4"), 0, caches); // (1, 4, TOKENS)
    wk_for_each_step (position, 4, 20) {
        wk_tensor *next = wk_argmax(wk_index(logits, ":, -1"), .dim = -1, .keepdim = true); // (1, 1)
        assert_int_equal(wk_item_int64(next), wk_item_int64(wk_select(expected, 0, position)));
        logits = wk_keep(wk_call(gpt_forward, model, next, position, caches)); // (1, 1, TOKENS)
    }
    wk_module_free(caches);
}

static void transformer(void)
{
    wk_manual_seed(55);
    gpt *model = gpt_new(2, 2);
    assert_begins_alike("gpt", model);
    wk_tensor *text = wk_to(wk_randint(0, TOKENS, (4, 17)), device);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-2);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *logits = wk_call(gpt_forward, model, wk_index(text, ":, :-1"), 0, NULL); // (4, 16, TOKENS)
        wk_tensor *loss = wk_cross_entropy(wk_flatten(logits, 0, 1), wk_flatten(wk_index(text, ":, 1:")));
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("gpt", step, loss);
    }
    wk_no_grad write_on(model, text);
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- on both devices */

static void test_recurrent(void **state) { (void)state, on_both(recurrent); }
static void test_transformer(void **state) { (void)state, on_both(transformer); }

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent),
        cmocka_unit_test(test_transformer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
