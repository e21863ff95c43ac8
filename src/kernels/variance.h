/* variances over the middle of x (outer, n, inner) */
#ifndef WICK_KERNELS_VARIANCE_H
#define WICK_KERNELS_VARIANCE_H

#include <stdbool.h>
#include <stdint.h>

/* y = sum((x - mean)^2) / divisor; NaN of nothing */
typedef struct wk_variance_work {
    const void *x; // (outer, n, inner)
    void *y;       // (outer, inner)
    int64_t outer, n, inner;
    double divisor;
    bool root; // y is the root of that
} wk_variance_work;

#endif
