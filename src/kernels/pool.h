/* The maximum and the average of windows of 1 to 3 dims.  Sizes and options are those of spatial.h; each channel is for
   itself, so O and groups have no say.  Adaptive windows lie side by side and cover x: along a dim, window o goes from
   floor(o in / out) to ceil((o + 1) in / out).  channels_last: all arrays are (N, places, C). */
#ifndef WICK_KERNELS_POOL_H
#define WICK_KERNELS_POOL_H

#include <stdbool.h>

#include "spatial.h"

/* max_pool.  Every window sees something; a NaN is larger than any number, of several the last.  Planes of x have at
   most INT32_MAX places. */
typedef struct wk_max_pool_work {
    wk_spatial_shape shape;
    bool adaptive, channels_last;
    const void *x;    // (N, C, in)
    void *y;          // (N, C, out)
    int64_t *indices; // (N, C, out): the place in x's plane; or NULL
} wk_max_pool_work;

/* avg_pool: x -> y.  avg_pool_backward: y, a gradient, -> x, each number spread over what its window saw.
   A window's sum is divided by divisor, or, where that is 0, by the window's size: all of it that lies in x or its
   padding (count_include_pad), or what lies in x. */
typedef struct wk_avg_pool_work {
    wk_spatial_shape shape;
    bool adaptive, channels_last, count_include_pad;
    int64_t divisor;
    void *x, *y;
} wk_avg_pool_work;

#endif
