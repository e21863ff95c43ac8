/* Where a column of gather, scatter and scatter_add begins in the index, in x and in y. */
#ifndef WICK_CPU_INDEX_H
#define WICK_CPU_INDEX_H

#include "cpu.h"

typedef struct wk_index_column {
    int64_t index, x, y; // offsets, in elements
} wk_index_column;

static inline wk_index_column wk_index_column_at(const wk_gather_work *w, int64_t item)
{
    wk_index_column at = {0, 0, 0};
    for (int dim = w->ndim - 1; dim >= 0; dim--) {
        const int64_t coordinate = item % w->shape[dim];
        item /= w->shape[dim];
        at.index += coordinate * w->index_strides[dim];
        at.x += coordinate * w->x_strides[dim];
        at.y += coordinate * w->y_strides[dim];
    }
    return at;
}

#endif
