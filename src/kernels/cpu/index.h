/* What the kernels of indices share on the CPU: looking at all indices before anything is read or written through them,
   and the walk of gather, scatter and scatter_add. */
#ifndef WICK_CPU_INDEX_H
#define WICK_CPU_INDEX_H

#include "../index.h"
#include "cpu.h"

/* ---------------------------------------------------------------- indices in range */

typedef struct wk_index_check {
    const int64_t *index;
    int64_t low, size; // low..size-1 are in range
    bool *outside;     // atomic: one is not
} wk_index_check;

static inline bool wk_index_outside(const wk_index_check *check, int64_t i)
{
    return (uint64_t)check->index[i] - (uint64_t)check->low >= (uint64_t)check->size - (uint64_t)check->low;
}

static inline void wk_index_check_range(const void *work, int64_t begin, int64_t end)
{
    const wk_index_check *check = work;
    uint64_t outside = 0;
#pragma omp simd reduction(| : outside)
    for (int64_t i = begin; i < end; i++)
        outside |= wk_index_outside(check, i);
    if (outside)
        __atomic_store_n(check->outside, true, __ATOMIC_RELAXED);
}

/* the position of the first index that is outside low..size-1; -1 where none is */
static inline int64_t wk_index_first_outside(const int64_t *index, int64_t count, int64_t low, int64_t size)
{
    bool outside = false;
    const wk_index_check check = {.index = index, .low = low, .size = size, .outside = &outside};
    wk_parallel(wk_index_check_range, &check, count, 1);
    int64_t first = outside ? 0 : -1;
    while (outside && !wk_index_outside(&check, first))
        first++;
    return first;
}

static inline void wk_index_fault(wk_queue *queue, int64_t index, const wk_indexed *along)
{
    wk_fault fault = {.kind = WK_FAULT_INDEX,
                      .name = "index",
                      .value = index,
                      .high = along->size,
                      .dim = along->dim,
                      .ndim = along->ndim};
    memcpy(fault.shape, along->shape, sizeof fault.shape);
    wk_queue_fault(queue, &fault);
}

/* false, and a fault that names the first that is not, where not all are in low..size-1 */
static inline bool wk_indices_in_range(wk_queue *queue, const int64_t *index, int64_t count, int64_t low,
                                       const wk_indexed *along)
{
    const int64_t first = wk_index_first_outside(index, count, low, along->size);
    if (first >= 0)
        wk_index_fault(queue, index[first], along);
    return first < 0;
}

/* ---------------------------------------------------------------- blocks of columns */

/* An item of gather, scatter and scatter_add is up to so many columns that are neighbours along the last of the other
   dims; of scatter_rows and index_add, so many elements of the rows of one outer.  No two items write one element, and
   the elements of a column are met in order: the same bits on any number of threads. */
#define WK_INDEX_BLOCK 64

static inline int64_t wk_index_blocks(int64_t columns) { return (columns + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK; }
static inline int64_t wk_index_block_columns(int64_t columns)
{
    return columns < WK_INDEX_BLOCK ? columns : WK_INDEX_BLOCK;
}

/* of the last of the other dims; 1 where there is none */
static inline int64_t wk_index_neighbours(const wk_gather_work *w) { return w->ndim > 0 ? w->shape[w->ndim - 1] : 1; }

static inline int64_t wk_index_items(const wk_gather_work *w)
{
    int64_t count = wk_index_blocks(wk_index_neighbours(w));
    for (int dim = 0; dim < w->ndim - 1; dim++)
        count *= w->shape[dim];
    return count;
}

static inline int64_t wk_index_cost(const wk_gather_work *w)
{
    return 2 * w->m * wk_index_block_columns(wk_index_neighbours(w));
}

typedef struct wk_index_wrap {
    const int64_t *from;
    int64_t *to, size;
} wk_index_wrap;

static inline void wk_index_wrap_range(const void *work, int64_t begin, int64_t end)
{
    const wk_index_wrap *w = work;
    for (int64_t i = begin; i < end; i++) {
        const int64_t rest = w->from[i] % w->size;
        w->to[i] = rest < 0 ? rest + w->size : rest;
    }
}

/* a work, and its index in range */
typedef struct wk_index_run {
    const wk_gather_work *work;
    const int64_t *index; // NULL: none is
} wk_index_run;

/* the index is in scratch where it had to be wrapped; NULL after a fault */
static inline wk_index_run wk_index_in_range(wk_queue *queue, const wk_gather_work *w)
{
    wk_index_run run = {w, w->index};
    int64_t count = w->m;
    for (int dim = 0; dim < w->ndim; dim++)
        count *= w->shape[dim];
    const int64_t first = wk_index_first_outside(run.index, count, 0, w->along.size);
    if (first < 0)
        return run;
    if (w->wraps && w->along.size > 0) {
        wk_index_wrap wrap = {.from = run.index, .size = w->along.size};
        run.index = wrap.to = queue->scratch(queue, (size_t)count * sizeof *run.index);
        if (wrap.to)
            wk_parallel(wk_index_wrap_range, &wrap, count, 8);
    } else {
        wk_index_fault(queue, run.index[first], &w->along);
        run.index = NULL;
    }
    return run;
}

/* Two loops, over the columns of a block and over the m elements of each, the one with the longer steps outside.
   Offsets are in elements.  `plain` is the side that lies like the index (y of gather, x of scatter); of the other, the
   index chooses the place along the dim: index * step further on. */
typedef struct wk_index_block {
    int64_t index, plain, chosen; // of the first element
    int64_t columns;
    int64_t outer, inner;
    int64_t index_strides[2], plain_strides[2], chosen_strides[2]; // of the outer loop and the inner
    int64_t step;
    int columns_loop; // 1: columns are the inner loop
} wk_index_block;

static inline wk_index_block wk_index_block_at(const wk_gather_work *w, int64_t item, bool gathers)
{
    const int last = w->ndim - 1;
    const int64_t *plain_strides = gathers ? w->y_strides : w->x_strides;
    const int64_t *chosen_strides = gathers ? w->x_strides : w->y_strides;
    const int64_t columns = wk_index_neighbours(w), blocks = wk_index_blocks(columns);
    const int64_t first = item % blocks * WK_INDEX_BLOCK;
    wk_index_block b = {.columns = wk_index_block_columns(columns - first), .step = gathers ? w->x_step : w->y_step};
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
    b.columns_loop = across[0] < along[0];
    b.outer = b.columns_loop ? w->m : b.columns;
    b.inner = b.columns_loop ? b.columns : w->m;
    b.index_strides[b.columns_loop] = across[0];
    b.plain_strides[b.columns_loop] = across[1];
    b.chosen_strides[b.columns_loop] = across[2];
    b.index_strides[!b.columns_loop] = along[0];
    b.plain_strides[!b.columns_loop] = along[1];
    b.chosen_strides[!b.columns_loop] = along[2];
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
