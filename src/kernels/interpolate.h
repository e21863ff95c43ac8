/* x (planes, in) at other sizes, along 1 to 3 dims: y (planes, out).  It is linear, so its gradient is the transpose:
   then x is (planes, out) and y (planes, in).  Sizes are those of depth, height, width (spatial.h). */
#ifndef WICK_KERNELS_INTERPOLATE_H
#define WICK_KERNELS_INTERPOLATE_H

#include <stdbool.h>
#include <stdint.h>

/* place i of out sees place (i + 1/2) / scale - 1/2 of in, but */
typedef enum wk_interpolation {
    WK_INTERPOLATE_NEAREST,       // floor(i / scale)
    WK_INTERPOLATE_NEAREST_EXACT, // floor((i + 1/2) / scale)
    WK_INTERPOLATE_LINEAR,        // by its two neighbours
    WK_INTERPOLATE_CUBIC          // by four, with Keys' cubic of a = -3/4
} wk_interpolation;

/* align_corners: the outermost places of in and out lie on each other.  antialias (linear, cubic of a = -1/2): where
   out is smaller, the neighbours are those of its coarser grid, so that all of in is seen.
   bytes, of float32's kernel: x and y are uint8.  But for the nearest, weights are rounded to 16 bits, as in Pillow,
   and results to bytes after each dim.
   Neighbours outside in are its edge; those of antialias are left out. */
typedef struct wk_interpolate_work {
    int64_t planes, in[3], out[3];
    double scale[3]; // 0: out / in
    wk_interpolation mode;
    bool align_corners, antialias, bytes, transposed;
    const void *x;
    void *y;
} wk_interpolate_work;

#endif
