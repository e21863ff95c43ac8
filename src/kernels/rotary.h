/* Rotary position embeddings: pairs of features, turned by the angles of their position. */
#ifndef WICK_KERNELS_ROTARY_H
#define WICK_KERNELS_ROTARY_H

#include <stdbool.h>
#include <stdint.h>

/* y = x, its first 2 * pairs features turned.  Pair p is features 2 p and 2 p + 1, interleaved, or p and p + pairs.
   Strides count elements, of freqs pairs of reals. */
typedef struct wk_rotary_work {
    const void *x;     // (shape, D), the last dim contiguous
    const void *freqs; // (shape, pairs): cosine and sine, reals; the last dim contiguous
    void *y;           // (shape, D), the last dim contiguous
    int64_t shape[3], x_strides[3], y_strides[3], freqs_strides[3];
    int64_t D, pairs;
    bool interleaved;
    bool back; // the other way round: the gradient
} wk_rotary_work;

#endif
