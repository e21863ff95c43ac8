/* lstm, gru and pad_sequence are PyTorch's; what ends here goes on there; second gradients by finite differences. */
#include "layers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("nn_recurrent");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

/* ---------------------------------------------------------------- makers, named as in golden/nn_recurrent.py */

#define MAKERS(kind)                                                                                                   \
    static wk_module *kind(void) { return wk_nn_##kind(3, 4); }                                                        \
    static wk_module *kind##_layers(void) { return wk_nn_##kind(3, 4, 2, .bias = false, .batch_first = true); }        \
    static wk_module *kind##_both(void) { return wk_nn_##kind(3, 4, 2, .bidirectional = true); }                       \
    static wk_module *kind##_one(void) { return wk_nn_##kind(3, 4, .bidirectional = true, .batch_first = true); }      \
    static wk_module *kind##_dropout(void) { return wk_nn_##kind(3, 4, 3, .dropout = 0.5); }                           \
    static wk_module *kind##_float64(void) { return wk_nn_##kind(3, 4, .dtype = wk_float64); }
MAKERS(lstm)
MAKERS(gru)

static wk_tensors run_lstm(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_lstm_forward(module, in[0], in[1], in[2], .h_n = &out[1], .c_n = &out[2]);
    return (wk_tensors){3, out};
}
static wk_tensors run_gru(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    out[0] = wk_nn_gru_forward(module, in[0], in[1], .h_n = &out[1]);
    return (wk_tensors){2, out};
}

#define CASES(kind)                                                                                                    \
    {#kind, kind, run_##kind}, {#kind "_state", kind, run_##kind}, {#kind "_layers", kind##_layers, run_##kind},       \
        {#kind "_both", kind##_both, run_##kind}, {#kind "_one", kind##_one, run_##kind},                              \
        {#kind "_dropout", kind##_dropout, run_##kind},                                                                \
    {                                                                                                                  \
#kind "_float64", kind##_float64, run_##kind                                                                   \
    }
static const layer_case LAYERS[] = {CASES(lstm), CASES(gru)};

static void layers_are_pytorchs(void **state)
{
    (void)state;
    check_layers(LAYERS, sizeof LAYERS / sizeof *LAYERS);
}

static void layers_without_memory_fail_cleanly(void **state)
{
    (void)state;
    check_layers_without_memory(LAYERS, sizeof LAYERS / sizeof *LAYERS);
}

static void printed_forms(void **state)
{
    (void)state;
    prints(wk_nn_lstm(3, 4), "lstm(3, 4)\n");
    prints(wk_nn_gru(3, 4, 2, false, true, 0.5, true),
           "gru(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)\n");
}

/* in two halves, the second from the state of the first, as in one; wk_forward gives the output alone; halves too */
static void goes_on(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *lstm = wk_nn_lstm(3, 4, 2), *gru = wk_nn_gru(3, 4, 2);
        wk_tensor *x = wk_randn((6, 2, 3)), *h = NULL, *c = NULL;
        wk_tensor *first = wk_nn_lstm_forward(lstm, wk_narrow(x, 0, 0, 2), .h_n = &h, .c_n = &c);
        wk_tensor *second = wk_nn_lstm_forward(lstm, wk_narrow(x, 0, 2, 4), h, c);
        assert_true(wk_allclose(wk_cat((first, second)), wk_forward(lstm, x), .rtol = 1e-5, .atol = 1e-6));
        first = wk_nn_gru_forward(gru, wk_narrow(x, 0, 0, 2), .h_n = &h);
        second = wk_nn_gru_forward(gru, wk_narrow(x, 0, 2, 4), h);
        assert_true(wk_allclose(wk_cat((first, second)), wk_forward(gru, x), .rtol = 1e-5, .atol = 1e-6));
        wk_tensor *exact = wk_forward(lstm, x);
        wk_module_to_dtype(lstm, wk_bfloat16);
        wk_tensor *half = wk_forward(lstm, wk_to(x, wk_bfloat16));
        assert_true(wk_allclose(wk_to(half, wk_float32), exact, .rtol = 0.05, .atol = 0.02));
        wk_module_free(lstm);
        wk_module_free(gru);
    }
}

static wk_module *tried;
static wk_tensor *of_lstm(wk_tensors in, void *context)
{
    (void)context;
    return wk_nn_lstm_forward(tried, in.items[0], in.items[1], in.items[2]);
}
static wk_tensor *of_gru(wk_tensors in, void *context)
{
    (void)context;
    return wk_nn_gru_forward(tried, in.items[0], in.items[1]);
}

static void gradients_of_gradients(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((3, 2, 2), .dtype = wk_float64, .requires_grad = true);
        wk_tensor *h = wk_randn((1, 2, 2), .dtype = wk_float64, .requires_grad = true);
        wk_tensor *c = wk_randn((1, 2, 2), .dtype = wk_float64, .requires_grad = true);
        tried = wk_nn_lstm(2, 2, .dtype = wk_float64);
        assert_true(wk_autograd_gradcheck(of_lstm, .inputs = WK_TENSORS(x, h, c)) &&
                    wk_autograd_gradgradcheck(of_lstm, .inputs = WK_TENSORS(x, h, c)));
        wk_module_free(tried);
        tried = wk_nn_gru(2, 2, .dtype = wk_float64);
        assert_true(wk_autograd_gradcheck(of_gru, .inputs = WK_TENSORS(x, h)) &&
                    wk_autograd_gradgradcheck(of_gru, .inputs = WK_TENSORS(x, h)));
        wk_module_free(tried);
    }
}

static void padded(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *all[3] = {answer("pad/in0"), answer("pad/in1"), answer("pad/in2")};
        wk_tensor *y = wk_nn_utils_rnn_pad_sequence((all[0], all[1], all[2]));
        assert_near("pad_sequence", y, answer("pad/plain"), 0);
        y = wk_nn_utils_rnn_pad_sequence(.sequences = {3, all}, true, -1);
        assert_near("batch_first", y, answer("pad/batch_first"), 0);
        y = wk_nn_utils_rnn_pad_sequence((all[0], all[1], all[2]), .batch_first = true, .padding_side = "left");
        assert_near("left", y, answer("pad/left"), 0);
        wk_tensor *x = wk_randn((2, 3), .requires_grad = true);
        assert_true(wk_backward(wk_sum(wk_nn_utils_rnn_pad_sequence((x, wk_ones((4, 3)))))));
        assert_true(wk_equal(x->grad, wk_ones((2, 3))));
        assert_fails(wk_nn_utils_rnn_pad_sequence((x, wk_ones((4, 2)))), "pad_sequence: sequences: expected the same");
        assert_fails(wk_nn_utils_rnn_pad_sequence((x), .padding_side = "top"), "padding_side: expected \"right\"");
    }
}

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *layer = wk_nn_lstm(3, 4), *gru = wk_nn_gru(3, 4);
        wk_tensor *x = wk_zeros((5, 2, 3)), *h = wk_zeros((1, 2, 4));
        assert_fails(wk_nn_lstm(3), "nn_lstm: input_size, hidden_size, num_layers: expected 1 or more");
        assert_fails(wk_nn_gru(3, 4, .dropout = 2), "nn_gru: dropout: expected 0 to 1, got 2");
        assert_fails(wk_nn_lstm_forward(layer, wk_zeros((5, 2, 4))),
                     "lstm: x: expected (L, N, 3) or (L, 3), got (5, 2, 4)");
        assert_fails(wk_nn_lstm_forward(layer, wk_zeros((0, 2, 3))),
                     "lstm: x: expected a sequence of one step or more");
        assert_fails(wk_nn_lstm_forward(layer, x, h), "lstm: c_0: expected both it and h_0, or neither");
        assert_fails(wk_nn_lstm_forward(layer, x, wk_zeros((2, 2, 4)), h), "lstm: h_0: expected (1, ");
        assert_fails(wk_nn_lstm_forward(gru, x), "expected a wk_nn_lstm, got a gru");
        assert_fails(wk_nn_gru_forward(gru, NULL), "gru: x: expected a tensor, got NULL");
        wk_module_free(layer);
        wk_module_free(gru);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_pytorchs),
        cmocka_unit_test(layers_without_memory_fail_cleanly),
        cmocka_unit_test(printed_forms),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(gradients_of_gradients),
        cmocka_unit_test(padded),
        cmocka_unit_test(wrong_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
