/* index_add: y[outer, index[j], :] += alpha * source[outer, j, :].  The rows that share an index are added in order:
   the same bits on any number of threads.  The backward of embedding and of index_select.

   Half is added in float and rounded once: rows of some width one by one, so that a table of which few rows are named
   (embedding's gradient) is not read as a whole; y of narrow rows in one piece. */
// compiled for: float half integer complex
#include "../index_add.h"
#include "index.h"

/* alpha as what multiplies an element; of complex, without the products with an imaginary part of 0 */
#if WK_IS_INTEGER
typedef int64_t factor;
#else
typedef __typeof__(__real__(real) 0) factor;
#endif

/* y += source, n elements */
static inline void add_row(real *y, const elem *source, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)(y[i] + LOAD(source[i]));
}

/* y += alpha * source.  Apart, since multiplying integers by 1 takes its time. */
static inline void add_scaled_row(real *y, const elem *source, factor alpha, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)(y[i] + alpha * LOAD(source[i]));
}

/* y[index[j]] += source[j] for all j, of the first `columns` of rows of inner.  Never inlined: alone, it has the
   registers that it needs. */
static __attribute__((noinline)) void add_rows(real *y, const elem *source, const int64_t *index, int64_t m,
                                               int64_t inner, int64_t columns)
{
    for (int64_t j = 0; j < m; j++)
        add_row(y + index[j] * inner, source + j * inner, columns);
}

static __attribute__((noinline)) void add_scaled_rows(real *y, const elem *source, const int64_t *index, int64_t m,
                                                      int64_t inner, int64_t columns, factor alpha)
{
    for (int64_t j = 0; j < m; j++)
        add_scaled_row(y + index[j] * inner, source + j * inner, alpha, columns);
}

/* y, and in half the floats in its place */
typedef struct block_work {
    const wk_index_add_work *work;
    real *y;
} block_work;

/* an item is a block of the columns of one outer, which goes through all the rows; neighbouring blocks go together */
static void index_add_blocks(const void *work, int64_t begin, int64_t end)
{
    const wk_index_add_work *w = ((const block_work *)work)->work;
    const int64_t blocks = wk_index_blocks(w->inner);
    const factor alpha = (factor)w->alpha;
    while (begin < end) {
        const int64_t outer = begin / blocks, stop = (outer + 1) * blocks < end ? (outer + 1) * blocks : end;
        const int64_t first = (begin - outer * blocks) * WK_INDEX_BLOCK, most = (stop - begin) * WK_INDEX_BLOCK;
        const int64_t columns = w->inner - first < most ? w->inner - first : most;
        const elem *source = (const elem *)w->source + outer * w->m * w->inner + first;
        real *y = ((const block_work *)work)->y + outer * w->along.size * w->inner + first;
        if (alpha == 1)
            add_rows(y, source, w->index, w->m, w->inner, columns);
        else
            add_scaled_rows(y, source, w->index, w->m, w->inner, columns, alpha);
        begin = stop;
    }
}

static void add_blocks(const wk_index_add_work *w, real *y)
{
    wk_parallel(index_add_blocks, (&(block_work){w, y}), w->outer * wk_index_blocks(w->inner),
                w->m * wk_index_block_columns(w->inner));
}

#if !WK_IS_HALF

WK_KERNEL(index_add, wk_index_add_work)
{
    if (wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        add_blocks(w, w->y);
}

#else

/* ---------------------------------------------------------------- narrow rows: all of y in float, and back */

#define NARROW 16

static void load_range(const void *work, int64_t begin, int64_t end)
{
    const block_work *b = work;
    const elem *y = b->work->y;
#pragma omp simd
    for (int64_t i = begin; i < end; i++)
        b->y[i] = LOAD(y[i]);
}

static void store_range(const void *work, int64_t begin, int64_t end)
{
    const block_work *b = work;
    elem *y = b->work->y;
#pragma omp simd
    for (int64_t i = begin; i < end; i++)
        y[i] = STORE(b->y[i]);
}

static void add_narrow(wk_queue *queue, const wk_index_add_work *w)
{
    const int64_t count = w->outer * w->along.size * w->inner;
    const block_work b = {w, queue->scratch(queue, (size_t)count * sizeof(real))};
    if (!b.y)
        return;
    wk_parallel(load_range, &b, count, 1);
    add_blocks(w, b.y);
    wk_parallel(store_range, &b, count, 1);
}

/* ---------------------------------------------------------------- others: the rows that index names, each with a list
   of its sources */

#define COLUMNS 256 // of a row at a time, in float on the stack

/* the sources of row r: first[r], then next[j] of each, in order; -1 ends */
typedef struct lists {
    const wk_index_add_work *work;
    int64_t *first, *next;
} lists;

/* an item is a row of y */
static void index_add_rows(const void *work, int64_t begin, int64_t end)
{
    const lists *l = work;
    const wk_index_add_work *w = l->work;
    const factor alpha = (factor)w->alpha;
    for (int64_t item = begin; item < end; item++) {
        const int64_t outer = item / w->along.size, first = l->first[item % w->along.size];
        if (first < 0)
            continue;
        elem *y = (elem *)w->y + item * w->inner;
        const elem *sources = (const elem *)w->source + outer * w->m * w->inner;
        for (int64_t from = 0; from < w->inner; from += COLUMNS) {
            const int64_t columns = w->inner - from < COLUMNS ? w->inner - from : COLUMNS;
            real sum[COLUMNS];
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                sum[i] = LOAD(y[from + i]);
            for (int64_t j = first; j >= 0; j = l->next[j])
                if (alpha == 1)
                    add_row(sum, sources + j * w->inner + from, columns);
                else
                    add_scaled_row(sum, sources + j * w->inner + from, alpha, columns);
#pragma omp simd
            for (int64_t i = 0; i < columns; i++)
                y[from + i] = STORE(sum[i]);
        }
    }
}

static void add_listed(wk_queue *queue, const wk_index_add_work *w)
{
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
    wk_parallel(index_add_rows, &l, w->outer * w->along.size, 1 + w->m * w->inner / (w->along.size + 1));
}

WK_KERNEL(index_add, wk_index_add_work)
{
    if (wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        (w->inner < NARROW ? add_narrow : add_listed)(queue, w);
}

#endif
