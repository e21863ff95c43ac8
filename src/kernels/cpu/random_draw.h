/* Between the distributions (random_draw.c, compiled once) and the loops that turn words into numbers (random.c,
   compiled for each instruction set). */
#ifndef WICK_CPU_RANDOM_DRAW_H
#define WICK_CPU_RANDOM_DRAW_H

#include "../queue.h"
#include "../random.h"

typedef struct wk_draw_loops {
    /* count of y in [from, to) from 1 word each, 2 for float64 */
    void (*uniform)(const uint32_t *words, void *y, wk_dtype dtype, double from, double to, int64_t count);
    /* of a wk_box_muller: blocks of 16 */
    void (*box_muller)(const void *work, int64_t begin, int64_t end);
} wk_draw_loops;

/* uniform in [0, 1) to normal, in place */
typedef struct wk_box_muller {
    float *x; // (blocks, 16)
    float mean, std;
} wk_box_muller;

void wk_draw_uniform(const wk_draw_loops *loops, const wk_draw_work *work);
void wk_draw_normal(const wk_draw_loops *loops, const wk_draw_work *work);
void wk_draw_integers(const wk_draw_work *work);
void wk_draw_full(const wk_draw_work *work);
void wk_draw_permutation(const wk_draw_work *work);
void wk_draw_bernoulli(const wk_draw_loops *loops, wk_queue *queue, const wk_draw_work *work);
void wk_draw_exponential(const wk_draw_loops *loops, const wk_draw_work *work);

#endif
