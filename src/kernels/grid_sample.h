/* Samples of x at the coordinates of a grid: y[n, c, p] = x[n, c, at grid[n, p]], along 2 or 3 dims. */
#ifndef WICK_KERNELS_GRID_SAMPLE_H
#define WICK_KERNELS_GRID_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum wk_sampling { WK_SAMPLE_NEAREST, WK_SAMPLE_LINEAR, WK_SAMPLE_CUBIC } wk_sampling;
typedef enum wk_sampling_padding { WK_SAMPLE_ZEROS, WK_SAMPLE_BORDER, WK_SAMPLE_REFLECTION } wk_sampling_padding;

/* Sizes are those of depth, height, width; 1 where there is no depth.  A coordinate of -1 is the first place's center
   (align_corners) or its outer edge, 1 the last one's. */
typedef struct wk_grid_sample_shape {
    int dims;
    int64_t N, C, in[3], places;
    wk_sampling mode;
    wk_sampling_padding padding;
    bool align_corners;
} wk_grid_sample_shape;

/* grid_sample: x, grid -> y.  grid_sample_backward: y, a gradient, x, grid -> dx, dgrid. */
typedef struct wk_grid_sample_work {
    wk_grid_sample_shape shape;
    const void *x;    // (N, C, in)
    const void *grid; // (N, places, dims): along width first
    void *y;          // (N, C, places)
    void *dx, *dgrid; // or NULL
} wk_grid_sample_work;

#endif
