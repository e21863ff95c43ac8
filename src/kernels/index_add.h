/* index_add: rows added to rows that indices name, repeated ones in order.  An index out of range is a fault. */
#ifndef WICK_KERNELS_INDEX_ADD_H
#define WICK_KERNELS_INDEX_ADD_H

#include "index.h"

/* y[outer, index[j]] += alpha * source[outer, j] */
typedef struct wk_index_add_work {
    const void *source;   // (outer, m, inner)
    const int64_t *index; // (m)
    void *y;              // (outer, along.size, inner)
    int64_t outer, m, inner;
    double alpha;
    wk_indexed along;
} wk_index_add_work;

#endif
