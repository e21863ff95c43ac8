/* Losses of rows of n logits (or log-probabilities) with a class each.  A row whose class is `ignore` has loss and
   weight 0; a class that is neither that nor one of 0 to n - 1 is a fault.  Weights, losses and statistics are reals:
   float32 for float16 and bfloat16. */
#ifndef WICK_KERNELS_CROSS_ENTROPY_H
#define WICK_KERNELS_CROSS_ENTROPY_H

#include <stdbool.h>
#include <stdint.h>

/* with w the class weights (or 1), W their sum, t the row's class, e the smoothing, log p = x - max - log_sum:
       loss = -(1 - e) w[t] log p[t] - e / n * sum(w log p) */
typedef struct wk_cross_entropy_work {
    const void *x;          // (rows, n)
    const int64_t *target;  // (rows)
    const void *weight;     // (n), or NULL
    void *losses, *weights; // (rows); weights: w[t]
    void *statistics;       // (2, rows): max and log_sum, for the backward
    int64_t rows, n, ignore;
    double smoothing;
} wk_cross_entropy_work;

/* dx = dy * (((1 - e) w[t] + e / n W) p - (1 - e) w[t] onehot(t) - e / n w) */
typedef struct wk_cross_entropy_backward_work {
    const void *dy;         // (rows), or one where not per_row
    const void *x;          // (rows, n)
    const int64_t *target;  // (rows)
    const void *weight;     // (n), or NULL
    const void *statistics; // (2, rows)
    void *dx;               // (rows, n)
    int64_t rows, n, ignore;
    double smoothing;
    bool per_row;
} wk_cross_entropy_backward_work;

/* loss = -w[t] x[t] */
typedef struct wk_nll_loss_work {
    const void *x;          // (rows, n)
    const int64_t *target;  // (rows)
    const void *weight;     // (n), or NULL
    void *losses, *weights; // (rows); weights: w[t]
    int64_t rows, n, ignore;
} wk_nll_loss_work;

/* dx = -dy w[t] onehot(t) */
typedef struct wk_nll_loss_backward_work {
    const void *dy;        // (rows), or one where not per_row
    const int64_t *target; // (rows)
    const void *weight;    // (n), or NULL
    void *dx;              // (rows, n)
    int64_t rows, n, ignore;
    bool per_row;
} wk_nll_loss_backward_work;

#endif
