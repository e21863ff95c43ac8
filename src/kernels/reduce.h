/* reductions over the middle of x (outer, n, inner): sum, mean, norm, nansum, non_nan (how many are not NaN), prod,
   amax, amin */
#ifndef WICK_KERNELS_REDUCE_H
#define WICK_KERNELS_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

/* Of nothing (n is 0): sum, norm, nansum and non_nan 0, mean NaN, prod 1; amax false and amin true, of bools alone. */
typedef struct wk_reduce_work {
    const void *x; // (outer, n, inner)
    void *y;       // (outer, inner)
    int64_t outer, n, inner;
    int64_t chunk; // of n: reduced by itself before the chunks' results are; 0: the kernel chooses, n: at once
    bool wide;     // of halves: y is float32
} wk_reduce_work;

#endif
