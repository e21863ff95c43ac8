/* Recurrent layers, and sequences of unequal lengths.  Part of wick/nn.h.
   PyTorch: https://pytorch.org/docs/stable/nn.html#recurrent-layers */
#ifndef WICK_NN_RECURRENT_H
#define WICK_NN_RECURRENT_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- lstm(input_size, hidden_size, num_layers = 1, bias = true, batch_first = false, dropout = 0, bidirectional =
   false): weight_ih_l0 (4 H, input), weight_hh_l0 (4 H, H), bias_ih_l0, bias_hh_l0 (4 H), then those of _reverse, then
   l1 ...; gates in the order i, f, g, o.  gru the same, 3 H: r, z, n.  dropout: between layers, in training.

       y = wk_nn_lstm_forward(self->lstm, x, .h_n = &h, .c_n = &c);
       y = wk_nn_lstm_forward(self->lstm, x, h, c, .h_n = &h, .c_n = &c);    // goes on from there

   x (L, N, input), or (N, L, input) with batch_first, or (L, input), one sequence; y the same with H, or 2 H, those of
   the reverse direction second.  h and c (layers, or 2 layers, N, H), zeros where not given; the places get the last
   ones.  wk_forward(lstm, x) gives y alone.
   https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html */
typedef struct wk_nn_recurrent {
    wk_module_base base;
    int64_t input_size, hidden_size, num_layers;
    bool bias, batch_first, bidirectional;
    double dropout;
    int gates; // 4: lstm, 3: gru
} wk_nn_recurrent;
typedef wk_nn_recurrent wk_nn_lstm, wk_nn_gru;
typedef struct wk_nn_recurrent_args {
    int64_t input_size, hidden_size, num_layers;
    bool bias, batch_first;
    double dropout;
    bool bidirectional;
    wk_device device;
    wk_dtype dtype;
} wk_nn_recurrent_args;
#define WK_NN_RECURRENT(...)                                                                                           \
    ((wk_nn_recurrent_args){.hidden_size = -1, .num_layers = 1, .bias = true, .input_size = __VA_ARGS__})
#define wk_nn_lstm(...) wk_nn_lstm_with(WK_NN_RECURRENT(__VA_ARGS__))
#define wk_nn_gru(...) wk_nn_gru_with(WK_NN_RECURRENT(__VA_ARGS__))
wk_module *wk_nn_lstm_with(wk_nn_recurrent_args args);
wk_module *wk_nn_gru_with(wk_nn_recurrent_args args);
typedef struct wk_nn_lstm_forward_args {
    void *module;
    wk_tensor *x, *h_0, *c_0;
    wk_tensor **h_n, **c_n;
} wk_nn_lstm_forward_args;
typedef struct wk_nn_gru_forward_args {
    void *module;
    wk_tensor *x, *h_0;
    wk_tensor **h_n;
} wk_nn_gru_forward_args;
#define wk_nn_lstm_forward(module_, ...)                                                                               \
    wk_nn_lstm_forward_with((wk_nn_lstm_forward_args){.module = module_, .x = __VA_ARGS__})
#define wk_nn_gru_forward(module_, ...)                                                                                \
    wk_nn_gru_forward_with((wk_nn_gru_forward_args){.module = module_, .x = __VA_ARGS__})
wk_tensor *wk_nn_lstm_forward_with(wk_nn_lstm_forward_args args);
wk_tensor *wk_nn_gru_forward_with(wk_nn_gru_forward_args args);

/* ---- packed sequences: of unequal lengths, the longest first, step by step, without padding.
       packed = wk_nn_utils_rnn_pack_padded_sequence(x, lengths, .enforce_sorted = false);
       packed = wk_nn_lstm_forward_packed(self->lstm, packed, .h_n = &h);
       y = wk_nn_utils_rnn_pad_packed_sequence(packed, .lengths = &lengths);
   data (sum of lengths, ...); batch_sizes (the longest length), int64 on the cpu: how many sequences have that step;
   sorted_indices (N): which one is the longest, ..., unsorted_indices: and back; NULL where they came sorted.
   .data is NULL after an error.
   https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html */
typedef struct wk_nn_packed_sequence {
    wk_tensor *data, *batch_sizes, *sorted_indices, *unsorted_indices;
} wk_nn_packed_sequence;

/* pack_padded_sequence(input, lengths, batch_first = false, enforce_sorted = true): input (L, N, ...), or (N, L, ...),
   lengths (N), int64 on the cpu, each 1 to L; the longest first, or .enforce_sorted = false */
typedef struct wk_nn_pack_padded_sequence_args {
    wk_tensor *input, *lengths;
    bool batch_first, enforce_sorted;
} wk_nn_pack_padded_sequence_args;
#define wk_nn_utils_rnn_pack_padded_sequence(...)                                                                      \
    wk_nn_utils_rnn_pack_padded_sequence_with(                                                                         \
        (wk_nn_pack_padded_sequence_args){.enforce_sorted = true, .input = __VA_ARGS__})
wk_nn_packed_sequence wk_nn_utils_rnn_pack_padded_sequence_with(wk_nn_pack_padded_sequence_args args);

/* pad_packed_sequence(packed, batch_first = false, padding_value = 0, .total_length, .lengths): (L, N, ...), or (N, L,
   ...), in the order of before; L the longest, or total_length.  The place gets lengths (N), int64 on the cpu. */
typedef struct wk_nn_pad_packed_sequence_args {
    wk_nn_packed_sequence packed;
    bool batch_first;
    double padding_value;
    int64_t total_length; // 0: the longest
    wk_tensor **lengths;
} wk_nn_pad_packed_sequence_args;
#define wk_nn_utils_rnn_pad_packed_sequence(...)                                                                       \
    wk_nn_utils_rnn_pad_packed_sequence_with((wk_nn_pad_packed_sequence_args){.packed = __VA_ARGS__})
wk_tensor *wk_nn_utils_rnn_pad_packed_sequence_with(wk_nn_pad_packed_sequence_args args);

/* lstm and gru of packed sequences: h and c (layers, or 2 layers, N, H) in the order of before packing, the last ones
   those of each sequence's own end; batch_first says nothing here */
typedef struct wk_nn_lstm_forward_packed_args {
    void *module;
    wk_nn_packed_sequence packed;
    wk_tensor *h_0, *c_0;
    wk_tensor **h_n, **c_n;
} wk_nn_lstm_forward_packed_args;
typedef struct wk_nn_gru_forward_packed_args {
    void *module;
    wk_nn_packed_sequence packed;
    wk_tensor *h_0;
    wk_tensor **h_n;
} wk_nn_gru_forward_packed_args;
#define wk_nn_lstm_forward_packed(module_, ...)                                                                        \
    wk_nn_lstm_forward_packed_with((wk_nn_lstm_forward_packed_args){.module = module_, .packed = __VA_ARGS__})
#define wk_nn_gru_forward_packed(module_, ...)                                                                         \
    wk_nn_gru_forward_packed_with((wk_nn_gru_forward_packed_args){.module = module_, .packed = __VA_ARGS__})
wk_nn_packed_sequence wk_nn_lstm_forward_packed_with(wk_nn_lstm_forward_packed_args args);
wk_nn_packed_sequence wk_nn_gru_forward_packed_with(wk_nn_gru_forward_packed_args args);

/* ---- pad_sequence((a, b, ...), batch_first = false, padding_value = 0, padding_side = "right"): sequences (L_i, ...)
   side by side, (L, N, ...) or (N, L, ...), L the longest, the others filled up with padding_value.  A list made at run
   time: .sequences = list.
   https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html */
typedef struct wk_nn_pad_sequence_args {
    wk_tensors sequences;
    bool batch_first;
    double padding_value;
    const char *padding_side; // "right", "left"
} wk_nn_pad_sequence_args;
#define wk_nn_utils_rnn_pad_sequence(...)                                                                              \
    wk_nn_utils_rnn_pad_sequence_with(                                                                                 \
        (wk_nn_pad_sequence_args){.padding_side = "right", WK_SEQUENCES_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define WK_SEQUENCES_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_SEQUENCES_TUPLE, WK_SEQUENCES_LIST)()
#define WK_SEQUENCES_TUPLE() .sequences = WK_TENSORS
#define WK_SEQUENCES_LIST()
wk_tensor *wk_nn_utils_rnn_pad_sequence_with(wk_nn_pad_sequence_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
