/* Floor 3: values from one strided place to another, without history.  What clone, contiguous, copy_ and in-place
   writes end in, and what joins, flips and pads are made of. */
#ifndef WICK_OPS_COPY_H
#define WICK_OPS_COPY_H

#include "core/tensor.h"

/* One side of a copy: element (i0, i1, ...) lies at offset + sum i * strides from the tensor's first element.  Strides
   of x may be 0 (broadcast) or negative (flipped). */
typedef struct wk_copy_side {
    wk_tensor *tensor;
    int64_t offset;
    int64_t strides[WK_MAX_DIMS];
} wk_copy_side;

/* y = x over a region of ndim dims, cast to y's dtype; the two do not overlap; false after an error */
bool wk_copy_region(int ndim, const int64_t *shape, const wk_copy_side *x, const wk_copy_side *y);
/* y = x, broadcast to y's shape; the caller has checked that it does, and that they do not overlap; false after an
   error */
bool wk_copy_values(wk_tensor *x, wk_tensor *y);

#endif
