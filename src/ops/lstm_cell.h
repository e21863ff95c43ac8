/* One step of an LSTM, for wk_nn_lstm. */
#ifndef WICK_OPS_LSTM_CELL_H
#define WICK_OPS_LSTM_CELL_H

#include <wick/tensor.h>

/* of x_gates and h_gates (N, 4 H), and c (N, H): h (N, H), and the next c in *c_next; NULL after an error */
wk_tensor *wk_lstm_cell(wk_tensor *x_gates, wk_tensor *h_gates, wk_tensor *c, wk_tensor **c_next);

#endif
