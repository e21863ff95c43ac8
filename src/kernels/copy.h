/* copies between strided arrays, of elements of `size` bytes */
#ifndef WICK_KERNELS_COPY_H
#define WICK_KERNELS_COPY_H

#include "queue.h"

/* y = x over a region of one dim or more, none of size 0; strides count elements, those of x may be 0 (broadcast) or
   negative (flipped).  Dims are sorted by y's strides, the largest first, and merged where both sides step as one. */
typedef struct wk_copy_work {
    const void *x;
    void *y;
    int64_t size; // 1, 2, 4, 8 or 16
    int ndim;
    int64_t shape[WK_KERNEL_MAX_DIMS], x_strides[WK_KERNEL_MAX_DIMS], y_strides[WK_KERNEL_MAX_DIMS];
} wk_copy_work;

/* y += x, x dense, in order and in one thread: elements of y may lie over each other */
typedef struct wk_add_strided_work {
    const void *x;
    void *y;
    int ndim;
    int64_t count, shape[WK_KERNEL_MAX_DIMS], strides[WK_KERNEL_MAX_DIMS];
} wk_add_strided_work;

#endif
