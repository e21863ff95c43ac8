/* A convolution and its two gradients, in 1 to 3 dims.  Each is linear in both of its inputs, and the three are one
   another's gradients (ops/convolution.c); the gradient of x is also the transposed convolution. */
#ifndef WICK_KERNELS_CONVOLUTION_H
#define WICK_KERNELS_CONVOLUTION_H

#include "spatial.h"

/* convolution:         x, weight, bias -> y
   convolution_data:    y, weight, bias -> x
   convolution_weight:  x, y -> weight */
typedef struct wk_convolution_work {
    wk_spatial_shape shape;
    void *x;          // (N, C, in)
    void *weight;     // (O, C / groups, kernel)
    const void *bias; // of what is written: (O), or (C) of convolution_data; or NULL
    void *y;          // (N, O, out)
} wk_convolution_work;

/* multiply-adds of any of the three */
static inline int64_t wk_convolution_products(const wk_spatial_shape *s)
{
    return s->N * s->O * wk_spatial_size(s->out) * (s->C / s->groups) * wk_spatial_size(s->kernel);
}

#endif
