/* Twins of whole models of text (tests/golden/twins.py), line for line: an LSTM language model, and the GPT of
   katas/gpt.h, which writes with a cache of keys and values.  Seeded alike they start from the same weights, draw the
   same data, and lose the same in 20 steps, here and on a second device. */
#include "../katas/gpt.h"
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

/* greedily, a token at a time, from the first four of the text */
static void write_on(gpt *model, wk_tensor *text)
{
    wk_module *caches = gpt_caches_new(model);
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
    gpt *model = gpt_new((gpt_config){.tokens = TOKENS, .context = 32, .dim = DIM, .depth = 2, .heads = 2});
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
