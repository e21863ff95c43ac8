/* one_hot: a row of 0s with a 1 for each class.  A class that there is none of is a fault (WK_FAULT_CLASS, of "x"). */
#ifndef WICK_KERNELS_ONE_HOT_H
#define WICK_KERNELS_ONE_HOT_H

#include <stdint.h>

typedef struct wk_one_hot_work {
    const int64_t *x; // (count)
    int64_t *y;       // (count, classes)
    int64_t count, classes;
} wk_one_hot_work;

#endif
