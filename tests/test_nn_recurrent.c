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

static wk_module *lstm_packed_dropout(void)
{
    return wk_nn_lstm(3, 4, 3, .bias = false, .dropout = 0.5, .bidirectional = true, .batch_first = true);
}
static wk_module *gru_packed_dropout(void)
{
    return wk_nn_gru(3, 4, 3, .bias = false, .dropout = 0.5, .bidirectional = true, .batch_first = true);
}

/* packed, called, padded: (y, h, lengths) or (y, h, c, lengths) */
static wk_tensors run_packed(wk_module *module, wk_tensor **in, wk_tensor **out, wk_nn_pack_padded_sequence_args how,
                             double padding_value, int64_t total_length)
{
    const bool lstm = strcmp(module->type, "lstm") == 0;
    how.input = in[0];
    how.lengths = in[1];
    wk_nn_packed_sequence packed = wk_nn_utils_rnn_pack_padded_sequence_with(how);
    packed = lstm ? wk_nn_lstm_forward_packed(module, packed, in[2], in[3], .h_n = &out[1], .c_n = &out[2])
                  : wk_nn_gru_forward_packed(module, packed, in[2], .h_n = &out[1]);
    out[0] = wk_nn_utils_rnn_pad_packed_sequence(packed, how.batch_first, padding_value, .total_length = total_length,
                                                 .lengths = &out[2 + lstm]);
    return (wk_tensors){3 + lstm, out};
}
static wk_tensors run_sorted(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    return run_packed(module, in, out, (wk_nn_pack_padded_sequence_args){.enforce_sorted = true}, 0, 0);
}
static wk_tensors run_unsorted(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    return run_packed(module, in, out, (wk_nn_pack_padded_sequence_args){0}, -1, 7);
}
static wk_tensors run_batch_first(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    return run_packed(module, in, out, (wk_nn_pack_padded_sequence_args){.batch_first = true}, 0, 0);
}

static const layer_case LAYERS[] = {CASES(lstm),
                                    CASES(gru),
                                    {"lstm_packed", lstm, run_sorted},
                                    {"lstm_packed_state", lstm_both, run_unsorted},
                                    {"lstm_packed_dropout", lstm_packed_dropout, run_batch_first},
                                    {"lstm_packed_equal", lstm, run_sorted},
                                    {"gru_packed", gru, run_sorted},
                                    {"gru_packed_state", gru_both, run_unsorted},
                                    {"gru_packed_dropout", gru_packed_dropout, run_batch_first},
                                    {"gru_packed_equal", gru, run_sorted}};

LAYER_TESTS(LAYERS)

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

static void packed(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = answer("pack/in"), *lengths = wk_tensor((4), ((int64_t[]){3, 5, 1, 3})), *again = NULL;
        wk_nn_packed_sequence y = wk_nn_utils_rnn_pack_padded_sequence(x, lengths, true, false);
        assert_near("data", y.data, answer("pack/unsorted/data"), 0);
        assert_near("batch_sizes", y.batch_sizes, answer("pack/unsorted/batch_sizes"), 0);
        assert_near("sorted_indices", y.sorted_indices, answer("pack/unsorted/sorted"), 0);
        assert_near("unsorted_indices", y.unsorted_indices, answer("pack/unsorted/unsorted"), 0);
        wk_tensor *back = wk_nn_utils_rnn_pad_packed_sequence(y, .batch_first = true, .lengths = &again);
        assert_true(wk_equal(again, lengths));
        assert_true(wk_equal(wk_select(back, 0, 1), wk_select(x, 0, 1)));
        assert_true(wk_equal(wk_narrow(wk_select(back, 0, 2), 0, 1, 4), wk_zeros((4, 2))));

        lengths = wk_tensor((4), ((int64_t[]){4, 4, 2, 1}));
        y = wk_nn_utils_rnn_pack_padded_sequence(x, lengths, .batch_first = true);
        assert_near("data", y.data, answer("pack/sorted/data"), 0);
        assert_near("batch_sizes", y.batch_sizes, answer("pack/sorted/batch_sizes"), 0);
        assert_null(y.sorted_indices);
        assert_null(y.unsorted_indices);
    }
}

static wk_tensor *of_packed_lstm(wk_tensors in, void *lengths)
{
    wk_nn_packed_sequence packed = wk_nn_utils_rnn_pack_padded_sequence(in.items[0], lengths, .enforce_sorted = false);
    packed = wk_nn_lstm_forward_packed(tried, packed, in.items[1], in.items[1]);
    return wk_nn_utils_rnn_pad_packed_sequence(packed, .padding_value = 1);
}

static void gradients_of_gradients_of_packed(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((3, 2, 2), .dtype = wk_float64, .requires_grad = true);
        wk_tensor *h = wk_randn((2, 2, 2), .dtype = wk_float64, .requires_grad = true);
        wk_tensor *lengths = wk_tensor((2), ((int64_t[]){1, 3}));
        tried = wk_nn_lstm(2, 2, .bidirectional = true, .dtype = wk_float64);
        assert_true(wk_autograd_gradcheck(of_packed_lstm, .inputs = WK_TENSORS(x, h), .context = lengths) &&
                    wk_autograd_gradgradcheck(of_packed_lstm, .inputs = WK_TENSORS(x, h), .context = lengths));
        wk_module_free(tried);
    }
}

static void wrong_packed_arguments_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *lstm = wk_nn_lstm(3, 4), *gru = wk_nn_gru(3, 4);
        wk_tensor *x = wk_zeros((5, 2, 3)), *lengths = wk_tensor((2), ((int64_t[]){5, 2})), *h = wk_zeros((1, 3, 4));
        wk_nn_packed_sequence p = wk_nn_utils_rnn_pack_padded_sequence(x, lengths), q = p;
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(x, wk_flip(lengths, (0))).data,
                     "pack_padded_sequence: lengths: expected the longest first, got 5 after 2");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(x, wk_tensor((2), ((int64_t[]){6, 2}))).data,
                     "lengths: expected 1 to 5, got 6");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(x, wk_tensor((2), ((int64_t[]){5, 0}))).data,
                     "lengths: expected 1 to 5, got 0");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(x, lengths, true).data,
                     "lengths: expected (5,), one for each");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(x, wk_ones((2))).data, "lengths: expected int64 on the cpu");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(wk_zeros((5, 0, 3)), lengths).data, "input: expected (L, N");
        assert_fails(wk_nn_utils_rnn_pack_padded_sequence(NULL, lengths).data, "input: expected a tensor, got NULL");
        assert_fails(wk_nn_utils_rnn_pad_packed_sequence(p, .total_length = 4), "total_length: expected 5 or more");
        assert_fails(wk_nn_utils_rnn_pad_packed_sequence((wk_nn_packed_sequence){0}), "data: expected a tensor");
        q.data = wk_zeros((6, 3));
        assert_fails(wk_nn_utils_rnn_pad_packed_sequence(q), "batch_sizes: expected a sum of 6");
        q = p;
        q.batch_sizes = wk_tensor((3), ((int64_t[]){2, 2, 3}));
        assert_fails(wk_nn_lstm_forward_packed(lstm, q).data, "batch_sizes: expected each 1 or more");
        q = p;
        q.sorted_indices = lengths;
        assert_fails(wk_nn_lstm_forward_packed(lstm, q).data, "unsorted_indices: expected both");
        q.unsorted_indices = wk_tensor((1), ((int64_t[]){0}));
        assert_fails(wk_nn_lstm_forward_packed(lstm, q).data, "unsorted_indices: expected (2,), got (1,)");
        q = wk_nn_utils_rnn_pack_padded_sequence(wk_zeros((5, 2, 4)), lengths);
        assert_fails(wk_nn_gru_forward_packed(gru, q).data, "gru: packed->data: expected (steps of all sequences, 3)");
        assert_fails(wk_nn_gru_forward_packed(gru, p, h).data, "gru: h_0: expected (1, ");
        assert_fails(wk_nn_lstm_forward_packed(gru, p).data, "expected a wk_nn_lstm, got a gru");
        wk_module_free(lstm);
        wk_module_free(gru);
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
        cmocka_unit_test(packed),
        cmocka_unit_test(gradients_of_gradients_of_packed),
        cmocka_unit_test(wrong_packed_arguments_are_errors),
        cmocka_unit_test(wrong_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
