/* Whether numbers are probabilities. */
#ifndef WICK_KERNELS_PROBABILITIES_H
#define WICK_KERNELS_PROBABILITIES_H

#include <stdint.h>

/* a number outside [0, 1] among x, NaN too, is a fault, which says `fault` */
typedef struct wk_probabilities_work {
    const void *x; // (count)
    int64_t count;
    const char *fault; // constant: "x: expected probabilities"
} wk_probabilities_work;

#endif
