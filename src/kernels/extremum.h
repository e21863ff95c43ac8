/* the first maximum or minimum over the middle of x (outer, n, inner), and its index */
#ifndef WICK_KERNELS_EXTREMUM_H
#define WICK_KERNELS_EXTREMUM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_extremum_work {
    const void *x;    // (outer, n, inner)
    void *values;     // (outer, inner), or NULL
    int64_t *indices; // (outer, inner)
    int64_t outer, n, inner;
    bool largest;
} wk_extremum_work;

#endif
