/* One step of an LSTM: what the products with the input and the state gave becomes the next state. */
#include "lstm_cell.h"

#include <wick/join.h>

#include "core/run.h"
#include "kernels/lstm_cell.h"
#include "ops.h"

static const char OP[] = "lstm";

/* the gates i, f, g, o, or what went into them */
static wk_tensor *gate(wk_tensor *gates, int which)
{
    if (!gates)
        return NULL;
    const int64_t H = gates->shape[1] / 4;
    return wk_narrow(gates, 1, which * H, H);
}

static void lstm_cell_in_ops(wk_node *node, wk_tensor *dh)
{
    wk_tensor *dc_next = wk_gradient(node, 1), *c = wk_saved(node, 0);
    wk_tensor *sum = wk_add(wk_saved(node, 3), wk_saved(node, 4));
    wk_tensor *i = wk_sigmoid(gate(sum, 0)), *f = wk_sigmoid(gate(sum, 1));
    wk_tensor *g = wk_tanh(gate(sum, 2)), *o = wk_sigmoid(gate(sum, 3));
    wk_tensor *t = wk_tanh(wk_add(wk_mul(f, c), wk_mul(i, g)));
    wk_tensor *e = wk_add(dc_next, wk_mul(wk_mul(dh, o), wk_sub(1, wk_square(t))));
    wk_tensor *parts[4] = {wk_mul(wk_mul(e, g), wk_mul(i, wk_sub(1, i))), wk_mul(wk_mul(e, c), wk_mul(f, wk_sub(1, f))),
                           wk_mul(wk_mul(e, i), wk_sub(1, wk_square(g))),
                           wk_mul(wk_mul(dh, t), wk_mul(o, wk_sub(1, o)))};
    wk_tensor *dgates = wk_cat(.tensors = {4, parts}, .dim = 1);
    wk_accumulate(node, 0, dgates);
    wk_accumulate(node, 1, dgates);
    wk_accumulate(node, 2, wk_mul(e, f));
}

static void lstm_cell_backward(wk_node *node, wk_tensor *dh_)
{
    static const char BACKWARD[] = "lstm_backward";
    wk_tensor *dh = wk_dense(dh_), *dc_next = wk_dense(wk_gradient(node, 1)), *c = wk_dense(wk_saved(node, 0));
    wk_tensor *c_next = wk_dense(wk_saved(node, 1)), *gates = wk_saved(node, 2);
    wk_tensor *dc = wk_empty_like(c);
    wk_tensor *dgates = gates && c ? wk_tensor_new(BACKWARD, 2, gates->shape, c->dtype, c->device) : NULL;
    if (dh && dc_next && c_next && dc && dgates &&
        wk_run(BACKWARD, c, lstm_cell_backward, .dh = wk_data(dh), .dc_next = wk_data(dc_next), .c = wk_data(c),
               .c_next = wk_data(c_next), .gates = wk_data(gates), .dgates = wk_data(dgates), .dc = wk_data(dc),
               .N = c->shape[0], .H = c->shape[1])) {
        wk_accumulate(node, 0, dgates);
        wk_accumulate(node, 1, dgates);
        wk_accumulate(node, 2, dc);
    }
}

wk_tensor *wk_lstm_cell(wk_tensor *x_gates, wk_tensor *h_gates, wk_tensor *c, wk_tensor **c_next)
{
    wk_tensor *x = wk_dense(x_gates), *y = wk_dense(h_gates), *before = wk_dense(c);
    if (!x || !y || !before)
        return NULL;
    wk_tensor *results[2] = {wk_tensor_new(OP, 2, c->shape, c->dtype, c->device),
                             wk_tensor_new(OP, 2, c->shape, c->dtype, c->device)};
    wk_tensor *gates = wk_tensor_new(OP, 2, x->shape, wk_real_dtype(c->dtype), c->device);
    if (!results[0] || !results[1] || !gates ||
        !wk_run(OP, x, lstm_cell, .x_gates = wk_data(x), .h_gates = wk_data(y), .c = wk_data(before),
                .h = wk_data(results[0]), .c_next = wk_data(results[1]), .gates = wk_data(gates), .N = c->shape[0],
                .H = c->shape[1]) ||
        !wk_record_all(results, 2, lstm_cell_backward, WK_INPUTS(x_gates, h_gates, c),
                       WK_SAVED(c, results[1], gates, x_gates, h_gates), .composed = lstm_cell_in_ops))
        return NULL;
    *c_next = results[1];
    return results[0];
}
