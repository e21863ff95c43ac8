/* Whether integers may be divided by. */
#ifndef WICK_KERNELS_DIVISORS_H
#define WICK_KERNELS_DIVISORS_H

#include <stdint.h>

/* a 0 among b is a fault */
typedef struct wk_divisors_work {
    const void *b; // (count), integers or bools of `size` bytes
    int64_t size, count;
} wk_divisors_work;

#endif
