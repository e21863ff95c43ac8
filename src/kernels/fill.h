/* one element, over and over */
#ifndef WICK_KERNELS_FILL_H
#define WICK_KERNELS_FILL_H

#include <stdint.h>

typedef struct wk_fill_work {
    unsigned char value[16]; // of which `size` bytes count
    void *y;                 // (count)
    int64_t size, count;
} wk_fill_work;

#endif
