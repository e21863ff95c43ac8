/* What an op that slides along 1 to 3 dims does to sizes: convolution, pooling, and their like.

   [0] is along depth, [1] height, [2] width: an op of fewer dims has the last ones, and 1 (of padding 0) in those that
   it lacks, so that a kernel's three loops serve all. */
#ifndef WICK_KERNELS_SPATIAL_H
#define WICK_KERNELS_SPATIAL_H

#include <stdint.h>

/* x (N, C, in), weight (O, C / groups, kernel), y (N, O, out), all contiguous.  Place o of y sees x at
   o * stride + k * dilation - before for each k of the kernel; outside x there are zeros. */
typedef struct wk_spatial_shape {
    int dims; // 1 to 3
    int64_t N, C, O, groups;
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3];
    int64_t after[3]; // behind x; negative where the last windows end inside it
} wk_spatial_shape;

/* the product of the three */
static inline int64_t wk_spatial_size(const int64_t size[3]) { return size[0] * size[1] * size[2]; }

#endif
