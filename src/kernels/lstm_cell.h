/* One step of an LSTM.  gates: i, f, g, o, one after the other in each row. */
#ifndef WICK_KERNELS_LSTM_CELL_H
#define WICK_KERNELS_LSTM_CELL_H

#include <stdint.h>

/* i, f, o = sigmoid, g = tanh of x_gates + h_gates; c_next = f c + i g; h = o tanh(c_next) */
typedef struct wk_lstm_cell_work {
    const void *x_gates, *h_gates; // (N, 4 H)
    const void *c;                 // (N, H)
    void *h, *c_next;              // (N, H)
    void *gates;                   // (N, 4 H) reals: i, f, g, o
    int64_t N, H;
} wk_lstm_cell_work;

/* with t = tanh(c_next), e = dc_next + dh o (1 - t^2):
   dc = e f; of the sums before sigmoid and tanh: e g i (1 - i), e c f (1 - f), e i (1 - g^2), dh t o (1 - o) */
typedef struct wk_lstm_cell_backward_work {
    const void *dh, *dc_next, *c, *c_next; // (N, H)
    const void *gates;                     // (N, 4 H) reals
    void *dgates;                          // (N, 4 H)
    void *dc;                              // (N, H)
    int64_t N, H;
} wk_lstm_cell_backward_work;

#endif
