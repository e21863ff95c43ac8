/* y[.., index[.., j, ..], ..] += x[.., j, ..]: every element of y belongs to one column, whose additions come in the
   order of the indices: the same bits on any number of threads.

   Of half, a block's columns of y are gathered in float and rounded once. */
// compiled for: float half integer complex
#include "index.h"

static void scatter_add(const wk_index_block *b, const int64_t *index, const elem *x, real *y)
{
    WK_INDEX_LOOP(b, index, y[c] = (real)(y[c] + LOAD(x[p])))
}

#if WK_IS_HALF

typedef struct in_float {
    const wk_gather_work *work;
    int64_t room; // numbers for each thread
    real *sums;   // (threads, room): the columns of a block, (along.size, columns) or turned, as they lie in the index
} in_float;

static void scatter_add_range(const void *work, int64_t begin, int64_t end)
{
    const in_float *f = work;
    const wk_index_columns *w = &f->work->columns;
    real *sums = f->sums + wk_parallel_thread() * f->room;
    for (int64_t item = begin; item < end; item++) {
        wk_index_block b = wk_index_block_at(w, item, false);
        const bool columns_inside = b.columns_loop;
        const int64_t n = f->work->along.size, across = b.chosen_strides[b.columns_loop];
        const int64_t outer = columns_inside ? n : b.columns, inner = columns_inside ? b.columns : n;
        const int64_t outer_stride = columns_inside ? b.step : across, inner_stride = columns_inside ? across : b.step;
        elem *y = (elem *)w->y + b.chosen;
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < inner; i++)
                sums[o * inner + i] = LOAD(y[o * outer_stride + i * inner_stride]);
        b.chosen = 0;
        b.step = columns_inside ? inner : 1;
        b.chosen_strides[b.columns_loop] = columns_inside ? 1 : inner;
        scatter_add(&b, w->index, w->x, sums);
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < inner; i++)
                y[o * outer_stride + i * inner_stride] = STORE(sums[o * inner + i]);
    }
}

WK_KERNEL(scatter_add, wk_gather_work)
{
    if (!wk_columns_in_range(queue, w))
        return;
    const int64_t items = wk_index_items(&w->columns), threads = wk_parallel_threads();
    in_float f = {.work = w, .room = w->along.size * wk_index_block_columns(wk_index_neighbours(&w->columns))};
    f.sums = queue->scratch(queue, (size_t)((items < threads ? items : threads) * f.room) * sizeof *f.sums);
    if (f.sums)
        wk_parallel(scatter_add_range, &f, items, wk_index_cost(&w->columns) + 2 * f.room);
}

#else

static void scatter_add_range(const void *work, int64_t begin, int64_t end)
{
    const wk_index_columns *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, false);
        scatter_add(&b, w->index, w->x, w->y);
    }
}

WK_KERNEL(scatter_add, wk_gather_work)
{
    if (wk_columns_in_range(queue, w))
        wk_parallel(scatter_add_range, &w->columns, wk_index_items(&w->columns), wk_index_cost(&w->columns));
}

#endif
