/* index_add: y[outer, index[j], :] += alpha * source[outer, j, :].  The rows that share an index are added in order:
   the same bits on any number of threads.  The backward of embedding and of index_select.

   Of half, each row is gathered in float and rounded once. */
// compiled for: float half integer complex
#include "../index_add.h"
#include "index.h"

/* alpha as what multiplies an element; of complex, without the products with an imaginary part of 0 */
#if WK_IS_INTEGER
typedef int64_t factor;
#else
typedef __typeof__(__real__(real) 0) factor;
#endif

/* y += alpha * source, n elements.  Without alpha apart: multiplying integers by 1 takes its time. */
static void add_row(real *y, const elem *source, factor alpha, int64_t n)
{
    if (alpha == 1)
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = (real)(y[i] + LOAD(source[i]));
    else
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = (real)(y[i] + alpha * LOAD(source[i]));
}

#if WK_IS_HALF

#define COLUMNS 256 // of a row at a time, in float on the stack

/* the sources of row r: first[r], then next[j] of each; -1 ends.  In order of j. */
typedef struct lists {
    const wk_index_add_work *work;
    int64_t *first, *next;
} lists;

/* an item is a row of y */
static void index_add_range(const void *work, int64_t begin, int64_t end)
{
    const lists *l = work;
    const wk_index_add_work *w = l->work;
    const int64_t n = w->along.size;
    const factor alpha = (factor)w->alpha;
    for (int64_t item = begin; item < end; item++) {
        const int64_t outer = item / n, row = item % n;
        if (l->first[row] < 0)
            continue;
        elem *y = (elem *)w->y + item * w->inner;
        const elem *sources = (const elem *)w->source + outer * w->m * w->inner;
        for (int64_t from = 0; from < w->inner; from += COLUMNS) {
            const int64_t columns = w->inner - from < COLUMNS ? w->inner - from : COLUMNS;
            real sum[COLUMNS];
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                sum[i] = LOAD(y[from + i]);
            for (int64_t j = l->first[row]; j >= 0; j = l->next[j])
                add_row(sum, sources + j * w->inner + from, alpha, columns);
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                y[from + i] = STORE(sum[i]);
        }
    }
}

WK_KERNEL(index_add, wk_index_add_work)
{
    if (!wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        return;
    lists l = {.work = w};
    l.first = queue->scratch(queue, (size_t)w->along.size * sizeof *l.first);
    l.next = queue->scratch(queue, (size_t)w->m * sizeof *l.next);
    if (!l.first || !l.next)
        return;
    memset(l.first, -1, (size_t)w->along.size * sizeof *l.first);
    for (int64_t j = w->m - 1; j >= 0; j--) {
        l.next[j] = l.first[w->index[j]];
        l.first[w->index[j]] = j;
    }
    wk_parallel(index_add_range, &l, w->outer * w->along.size, 1 + w->m * w->inner / (w->along.size + 1));
}

#else

/* an item is a block of the columns of one outer, which goes through all the rows; neighbouring blocks go together */
static void index_add_range(const void *work, int64_t begin, int64_t end)
{
    const wk_index_add_work *w = work;
    const int64_t blocks = wk_index_blocks(w->inner);
    const factor alpha = (factor)w->alpha;
    while (begin < end) {
        const int64_t outer = begin / blocks, stop = (outer + 1) * blocks < end ? (outer + 1) * blocks : end;
        const int64_t first = (begin - outer * blocks) * WK_INDEX_BLOCK, most = (stop - begin) * WK_INDEX_BLOCK;
        const int64_t columns = w->inner - first < most ? w->inner - first : most;
        const elem *source = (const elem *)w->source + outer * w->m * w->inner + first;
        elem *y = (elem *)w->y + outer * w->along.size * w->inner + first;
        for (int64_t j = 0; j < w->m; j++)
            add_row(y + w->index[j] * w->inner, source + j * w->inner, alpha, columns);
        begin = stop;
    }
}

WK_KERNEL(index_add, wk_index_add_work)
{
    if (wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        wk_parallel(index_add_range, w, w->outer * wk_index_blocks(w->inner), w->m * wk_index_block_columns(w->inner));
}

#endif
