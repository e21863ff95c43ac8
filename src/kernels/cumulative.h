/* running sums and products along the middle of x (outer, n, inner) */
#ifndef WICK_KERNELS_CUMULATIVE_H
#define WICK_KERNELS_CUMULATIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_cumsum_work {
    const void *x; // (outer, n, inner)
    void *y;       // (outer, n, inner)
    int64_t outer, n, inner;
    bool reverse; // from the end
} wk_cumsum_work;

#endif
