/* The windows that a kernel sees of x, as columns, and columns added back; each other's transpose. */
#ifndef WICK_KERNELS_IM2COL_H
#define WICK_KERNELS_IM2COL_H

#include "spatial.h"

/* im2col: x -> columns, zeros where a tap falls outside x.  fold: columns -> x, what falls outside is left out. */
typedef struct wk_im2col_work {
    wk_spatial_shape shape;
    void *x;       // (N, C, in)
    void *columns; // (N, C * kernel, out)
} wk_im2col_work;

#endif
