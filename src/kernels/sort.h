/* contiguous rows of n in order, with the indices that the values had; NaN counts as the greatest */
#ifndef WICK_KERNELS_SORT_H
#define WICK_KERNELS_SORT_H

#include <stdbool.h>
#include <stdint.h>

/* stable */
typedef struct wk_sort_work {
    const void *x;    // (rows, n)
    void *values;     // (rows, n)
    int64_t *indices; // (rows, n)
    int64_t rows, n;
    bool descending;
} wk_sort_work;

/* the k first of each row, were it sorted */
typedef struct wk_topk_work {
    const void *x;    // (rows, n)
    void *values;     // (rows, k)
    int64_t *indices; // (rows, k)
    int64_t rows, n, k;
    bool largest;
} wk_topk_work;

/* where the value lies that a stable sort of the row would put at k; in a row with NaN, where its first (or last) NaN
   does */
typedef struct wk_kth_value_work {
    const void *x;    // (rows, n), n > 0
    int64_t *indices; // (rows)
    int64_t rows, n, k;
    bool last_nan;
} wk_kth_value_work;

#endif
