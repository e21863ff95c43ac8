/* C = A B (+ bias) for each pair of a batch of matrices. */
#ifndef WICK_KERNELS_MATMUL_H
#define WICK_KERNELS_MATMUL_H

#include <stdint.h>

#include "queue.h"

/* Strides count elements; for a library to take a matrix, one of its two is 1.  A batch's stride of 0 repeats a matrix.
   Sizes may be 0. */
typedef struct wk_matmul_work {
    const void *a;    // (batch_shape, m, k)
    const void *b;    // (batch_shape, k, n)
    const void *bias; // (n), contiguous, or NULL
    void *c;          // (batch_shape, m, n), rows contiguous
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column, c_row;
    int batch_ndim;
    int64_t batch_shape[WK_KERNEL_MAX_DIMS];
    int64_t a_batch[WK_KERNEL_MAX_DIMS], b_batch[WK_KERNEL_MAX_DIMS], c_batch[WK_KERNEL_MAX_DIMS];
} wk_matmul_work;

#endif
