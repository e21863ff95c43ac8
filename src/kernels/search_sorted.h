/* how many of a sorted row are before each value: smaller, or (right) not larger; all of them before NaN */
#ifndef WICK_KERNELS_SEARCH_SORTED_H
#define WICK_KERNELS_SEARCH_SORTED_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_search_sorted_work {
    const void *sequence; // (rows, n)
    const void *values;   // (rows, m)
    int64_t *y;           // (rows, m)
    int64_t rows, n, m;
    bool right;
} wk_search_sorted_work;

#endif
