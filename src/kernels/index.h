/* Reading and writing at places that arrays of indices name: rows along one dim, one index a row (gather_rows,
   scatter_rows); elements along one dim, an index each (gather, scatter, scatter_add); indices of several dims made one
   (linear_index).

   Each of these looks at its indices itself: one that is out of range is a fault (WK_FAULT_INDEX, of the argument
   "index"), and nothing is read or written out of range. */
#ifndef WICK_KERNELS_INDEX_H
#define WICK_KERNELS_INDEX_H

#include <stdbool.h>

#include "queue.h"

/* the dim that indices are of, and whose: what a fault says */
typedef struct wk_indexed {
    int64_t size; // indices are 0..size-1
    int dim, ndim;
    int64_t shape[WK_KERNEL_MAX_DIMS];
} wk_indexed;

/* y[outer, j] = x[outer, index[j]]; rows of inner elements of `size` bytes */
typedef struct wk_gather_rows_work {
    const void *x;        // (outer, along.size, inner)
    const int64_t *index; // (m)
    void *y;              // (outer, m, inner)
    int64_t outer, m, inner, size;
    wk_indexed along;
} wk_gather_rows_work;

/* y[outer, index[j]] = x[outer, j]; of equal indices the last wins */
typedef struct wk_scatter_rows_work {
    const void *x;        // (outer, m, inner)
    const int64_t *index; // (m)
    void *y;              // (outer, along.size, inner)
    int64_t outer, m, inner, size;
    wk_indexed along;
} wk_scatter_rows_work;

/* Columns of m indices along one dim: the j-th is at j * index_step from its column's first, and so on.  ndim, shape
   and strides are of the other dims.  The index is contiguous; strides and steps count elements.  Of each column,
   gather: y[j] = x[index[j]]; scatter: y[index[j]] = x[j], of equal indices the last wins; scatter_add: y[index[j]] +=
   x[j]. */
typedef struct wk_gather_work {
    const void *x;
    const int64_t *index;
    void *y;
    int64_t size; // bytes of an element
    int64_t m, index_step, x_step, y_step;
    int ndim;
    int64_t shape[WK_KERNEL_MAX_DIMS], index_strides[WK_KERNEL_MAX_DIMS], x_strides[WK_KERNEL_MAX_DIMS],
        y_strides[WK_KERNEL_MAX_DIMS];
    wk_indexed along; // x's dim in gather, y's in scatter
    bool wraps;       // no index is out of range: 0..size-1 goes on in both directions
    bool multiplies;  // scatter_add: y[index[j]] *= x[j]
} wk_gather_work;

/* y[i] = before[i] * along.size + index[i], or index[i] where before is NULL; negative indices count from the end */
typedef struct wk_linear_index_work {
    const int64_t *index, *before; // (count)
    int64_t *y;                    // (count); may be before
    int64_t count;
    wk_indexed along;
} wk_linear_index_work;

#endif
