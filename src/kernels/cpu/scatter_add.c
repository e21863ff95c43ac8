/* y[.., index[.., j, ..], ..] += x[.., j, ..]: every element of y belongs to one column, whose additions come in the
   order of the indices: the same bits on any number of threads.

   Of half, a block's columns of y are gathered in float and rounded once. */
// compiled for: float half integer complex
#include "index.h"

static void scatter_add(const wk_index_block *b, bool multiplies, const int64_t *index, const elem *x, real *y)
{
    if (multiplies)
        WK_INDEX_LOOP(b, index, y[c] = (real)(y[c] * LOAD(x[p])))
    else
        WK_INDEX_LOOP(b, index, y[c] = (real)(y[c] + LOAD(x[p])))
}

#if WK_IS_HALF

/* floats of n numbers that lie a stride apart, and back */
static void to_floats(const elem *x, int64_t stride, real *y, int64_t n)
{
    if (stride == 1)
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = LOAD(x[i]);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = LOAD(x[i * stride]);
}

static void from_floats(const real *x, elem *y, int64_t stride, int64_t n)
{
    if (stride == 1)
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = STORE(x[i]);
    else
        for (int64_t i = 0; i < n; i++)
            y[i * stride] = STORE(x[i]);
}

typedef struct in_float {
    wk_index_run run;
    int64_t n;    // of y along the dim
    int64_t room; // numbers for each thread
    real *sums;   // (threads, room): the columns of a block, (n, columns) or turned, as they lie in the index
} in_float;

static void scatter_add_range(const void *work, int64_t begin, int64_t end)
{
    const in_float *f = work;
    const wk_gather_work *w = f->run.work;
    real *sums = f->sums + wk_parallel_thread() * f->room;
    for (int64_t item = begin; item < end; item++) {
        wk_index_block b = wk_index_block_at(w, item, false);
        const bool columns_inside = b.columns_loop && b.columns > 1;
        const int64_t across = b.chosen_strides[b.columns_loop];
        const int64_t outer = columns_inside ? f->n : b.columns, inner = columns_inside ? b.columns : f->n;
        const int64_t outer_stride = columns_inside ? b.step : across, inner_stride = columns_inside ? across : b.step;
        elem *y = (elem *)w->y + b.chosen;
        for (int64_t o = 0; o < outer; o++)
            to_floats(y + o * outer_stride, inner_stride, sums + o * inner, inner);
        b.chosen = 0;
        b.step = columns_inside ? inner : 1;
        b.chosen_strides[b.columns_loop] = columns_inside ? 1 : inner;
        scatter_add(&b, w->multiplies, f->run.index, w->x, sums);
        for (int64_t o = 0; o < outer; o++)
            from_floats(sums + o * inner, y + o * outer_stride, inner_stride, inner);
    }
}

WK_KERNEL(scatter_add, wk_gather_work)
{
    in_float f = {.run = wk_index_in_range(queue, w), .n = w->along.size};
    if (!f.run.index)
        return;
    const int64_t items = wk_index_items(w), threads = wk_parallel_threads();
    f.room = f.n * wk_index_block_columns(wk_index_neighbours(w));
    f.sums = queue->scratch(queue, (size_t)((items < threads ? items : threads) * f.room) * sizeof *f.sums);
    if (f.sums)
        wk_parallel(scatter_add_range, &f, items, wk_index_cost(w) + 2 * f.room);
}

#else

static void scatter_add_range(const void *work, int64_t begin, int64_t end)
{
    const wk_index_run *run = work;
    const wk_gather_work *w = run->work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, false);
        scatter_add(&b, w->multiplies, run->index, w->x, w->y);
    }
}

WK_KERNEL(scatter_add, wk_gather_work)
{
    const wk_index_run run = wk_index_in_range(queue, w);
    if (run.index)
        wk_parallel(scatter_add_range, &run, wk_index_items(w), wk_index_cost(w));
}

#endif
