/* Triangles of matrices. */
#ifndef WICK_KERNELS_TRIANGLE_H
#define WICK_KERNELS_TRIANGLE_H

#include <stdbool.h>
#include <stdint.h>

/* y = x on the diagonal, which is `diagonal` columns to the right of the main one, and to its right (upper) or left,
   else 0; x may be y */
typedef struct wk_triangle_work {
    const void *x; // (matrices, rows, columns), elements of `size` bytes
    void *y;       // (matrices, rows, columns)
    int64_t size, matrices, rows, columns, diagonal;
    bool upper;
} wk_triangle_work;

#endif
