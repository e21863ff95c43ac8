/* rotary: (a, b) -> (a cos - b sin, b cos + a sin), for each pair of a row of features; the rest is copied. */
// compiled for: float half
#include "../rotary.h"
#include "cpu.h"

static void turn_neighbours(const elem *x, const real *freqs, elem *y, int64_t pairs, real sign)
{
#pragma omp simd
    for (int64_t p = 0; p < pairs; p++) {
        const real a = LOAD(x[2 * p]), b = LOAD(x[2 * p + 1]), c = freqs[2 * p], s = sign * freqs[2 * p + 1];
        y[2 * p] = STORE(a * c - b * s);
        y[2 * p + 1] = STORE(b * c + a * s);
    }
}

static void turn_halves(const elem *x, const real *freqs, elem *y, int64_t pairs, real sign)
{
#pragma omp simd
    for (int64_t p = 0; p < pairs; p++) {
        const real a = LOAD(x[p]), b = LOAD(x[p + pairs]), c = freqs[2 * p], s = sign * freqs[2 * p + 1];
        y[p] = STORE(a * c - b * s);
        y[p + pairs] = STORE(b * c + a * s);
    }
}

static void rotary_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rotary_work *w = work;
    const real sign = w->back ? -1 : 1;
    for (int64_t row = begin; row < end; row++) {
        const int64_t at[3] = {row / w->shape[2] / w->shape[1], row / w->shape[2] % w->shape[1], row % w->shape[2]};
        const elem *x = w->x;
        const real *freqs = w->freqs;
        elem *y = w->y;
        for (int dim = 0; dim < 3; dim++) {
            x += at[dim] * w->x_strides[dim];
            y += at[dim] * w->y_strides[dim];
            freqs += 2 * at[dim] * w->freqs_strides[dim];
        }
        (w->interleaved ? turn_neighbours : turn_halves)(x, freqs, y, w->pairs, sign);
        memcpy(y + 2 * w->pairs, x + 2 * w->pairs, (size_t)(w->D - 2 * w->pairs) * sizeof *y);
    }
}

WK_KERNEL(rotary, wk_rotary_work) { wk_parallel(rotary_rows, w, w->shape[0] * w->shape[1] * w->shape[2], w->D); }
