/* One step of an LSTM and its backward: a pass over the four gates of each row. */
// compiled for: float half
#include "../lstm_cell.h"
#include "cpu.h"

#define SIGMOID_OF(x) (1 / (1 + EXP(-(x))))

static void lstm_cell_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_lstm_cell_work *w = work;
    const int64_t H = w->H;
    for (int64_t row = begin; row < end; row++) {
        const elem *x = (const elem *)w->x_gates + row * 4 * H, *y = (const elem *)w->h_gates + row * 4 * H;
        const elem *c = (const elem *)w->c + row * H;
        elem *h = (elem *)w->h + row * H, *c_next = (elem *)w->c_next + row * H;
        real *gates = (real *)w->gates + row * 4 * H;
#pragma omp simd
        for (int64_t j = 0; j < H; j++) {
            const real i = SIGMOID_OF(LOAD(x[j]) + LOAD(y[j])), f = SIGMOID_OF(LOAD(x[j + H]) + LOAD(y[j + H]));
            const real g = TANH(LOAD(x[j + 2 * H]) + LOAD(y[j + 2 * H]));
            const real o = SIGMOID_OF(LOAD(x[j + 3 * H]) + LOAD(y[j + 3 * H]));
            const real next = f * LOAD(c[j]) + i * g;
            gates[j] = i;
            gates[j + H] = f;
            gates[j + 2 * H] = g;
            gates[j + 3 * H] = o;
            c_next[j] = STORE(next);
            h[j] = STORE(o * TANH(next));
        }
    }
}

WK_KERNEL(lstm_cell, wk_lstm_cell_work)
{
    (void)queue;
    wk_parallel(lstm_cell_rows, w, w->N, 16 * w->H);
}

static void lstm_cell_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_lstm_cell_backward_work *w = work;
    const int64_t H = w->H;
    for (int64_t row = begin; row < end; row++) {
        const elem *dh = (const elem *)w->dh + row * H, *dc_next = (const elem *)w->dc_next + row * H;
        const elem *c = (const elem *)w->c + row * H, *c_next = (const elem *)w->c_next + row * H;
        const real *gates = (const real *)w->gates + row * 4 * H;
        elem *dgates = (elem *)w->dgates + row * 4 * H, *dc = (elem *)w->dc + row * H;
#pragma omp simd
        for (int64_t j = 0; j < H; j++) {
            const real i = gates[j], f = gates[j + H], g = gates[j + 2 * H], o = gates[j + 3 * H];
            const real t = TANH(LOAD(c_next[j])), e = LOAD(dc_next[j]) + LOAD(dh[j]) * o * (1 - t * t);
            dc[j] = STORE(e * f);
            dgates[j] = STORE(e * g * i * (1 - i));
            dgates[j + H] = STORE(e * LOAD(c[j]) * f * (1 - f));
            dgates[j + 2 * H] = STORE(e * i * (1 - g * g));
            dgates[j + 3 * H] = STORE(LOAD(dh[j]) * t * o * (1 - o));
        }
    }
}

WK_KERNEL(lstm_cell_backward, wk_lstm_cell_backward_work)
{
    (void)queue;
    wk_parallel(lstm_cell_backward_rows, w, w->N, 12 * w->H);
}
