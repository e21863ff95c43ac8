/* How gather, scatter and scatter_add go through a block of neighbouring columns: two loops, over the columns and over
   the m elements of each, the one with the longer steps outside.  Either way the elements of a column are met in order.
 */
#ifndef WICK_CPU_INDEX_H
#define WICK_CPU_INDEX_H

#include "../kernels.h"
#include "cpu.h"

/* Offsets are in elements.  `plain` is the side that lies like the index (y of gather, x of scatter); of the other, the
   index chooses the place along the dim: index * step further on. */
typedef struct wk_index_block {
    int64_t index, plain, chosen; // of the first element
    int64_t outer, inner;
    int64_t index_strides[2], plain_strides[2], chosen_strides[2]; // of the outer loop and the inner
    int64_t step;
} wk_index_block;

static inline wk_index_block wk_index_block_at(const wk_gather_work *w, int64_t item, bool gathers)
{
    const int last = w->ndim - 1;
    const int64_t *plain_strides = gathers ? w->y_strides : w->x_strides;
    const int64_t *chosen_strides = gathers ? w->x_strides : w->y_strides;
    const int64_t columns = w->ndim > 0 ? w->shape[last] : 1, blocks = (columns + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK;
    const int64_t first = item % blocks * WK_INDEX_BLOCK;
    const int64_t count = columns - first < WK_INDEX_BLOCK ? columns - first : WK_INDEX_BLOCK;
    wk_index_block b = {.step = gathers ? w->x_step : w->y_step};
    item /= blocks;
    for (int dim = last; dim >= 0; dim--) {
        const int64_t coordinate = dim == last ? first : item % w->shape[dim];
        item = dim == last ? item : item / w->shape[dim];
        b.index += coordinate * w->index_strides[dim];
        b.plain += coordinate * plain_strides[dim];
        b.chosen += coordinate * chosen_strides[dim];
    }
    const int64_t along[3] = {w->index_step, gathers ? w->y_step : w->x_step, 0};
    const int64_t across[3] = {last < 0 ? 0 : w->index_strides[last], last < 0 ? 0 : plain_strides[last],
                               last < 0 ? 0 : chosen_strides[last]};
    const int columns_loop = across[0] < along[0]; // 1: columns are the inner loop
    b.outer = columns_loop ? w->m : count;
    b.inner = columns_loop ? count : w->m;
    b.index_strides[columns_loop] = across[0];
    b.plain_strides[columns_loop] = across[1];
    b.chosen_strides[columns_loop] = across[2];
    b.index_strides[!columns_loop] = along[0];
    b.plain_strides[!columns_loop] = along[1];
    b.chosen_strides[!columns_loop] = along[2];
    return b;
}

/* for each element of the block: body, with i, p and c where it is in the index, in plain and in chosen */
#define WK_INDEX_LOOP(b, indices, body)                                                                                \
    for (int64_t o = 0; o < b->outer; o++)                                                                             \
        for (int64_t n = 0; n < b->inner; n++) {                                                                       \
            const int64_t i = b->index + o * b->index_strides[0] + n * b->index_strides[1];                            \
            const int64_t p = b->plain + o * b->plain_strides[0] + n * b->plain_strides[1];                            \
            const int64_t c = b->chosen + o * b->chosen_strides[0] + n * b->chosen_strides[1] + indices[i] * b->step;  \
            body;                                                                                                      \
        }

#endif
