/* Reading and writing at places that an array of indices names, elements of `size` bytes: gather_rows and scatter_rows
   take rows; gather and scatter take elements, of which every column along one dim has indices of its own.  The sums
   are in index_add.c and scatter_add.c. */
// compiled for: bytes
#include "../kernels.h"
#include "index.h"

/* ---------------------------------------------------------------- rows */

/* an item is a row of y */
static void gather_rows_range(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_rows_work *w = work;
    const char *x = w->x;
    char *y = w->y;
    const int64_t bytes = w->inner * w->size;
    int64_t outer = begin / w->m, j = begin % w->m;
    for (int64_t row = begin; row < end; row++) {
        const char *from = x + (outer * w->along.size + w->index[j]) * bytes;
        if (bytes == 4)
            memcpy(y + row * 4, from, 4);
        else if (bytes == 8)
            memcpy(y + row * 8, from, 8);
        else
            memcpy(y + row * bytes, from, (size_t)bytes);
        if (++j == w->m) {
            j = 0;
            outer++;
        }
    }
}

WK_KERNEL(gather_rows, wk_gather_rows_work)
{
    if (wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        wk_parallel(gather_rows_range, w, w->outer * w->m, w->inner);
}

/* an item is a block of the columns of one outer */
static void scatter_rows_range(const void *work, int64_t begin, int64_t end)
{
    const wk_scatter_rows_work *w = work;
    const int64_t blocks = wk_index_blocks(w->inner);
    for (int64_t item = begin; item < end; item++) {
        const int64_t outer = item / blocks, from = item % blocks * WK_INDEX_BLOCK;
        const int64_t columns = wk_index_block_columns(w->inner - from);
        const char *x = (const char *)w->x + (outer * w->m * w->inner + from) * w->size;
        char *y = (char *)w->y + (outer * w->along.size * w->inner + from) * w->size;
        for (int64_t j = 0; j < w->m; j++)
            memcpy(y + w->index[j] * w->inner * w->size, x + j * w->inner * w->size, (size_t)(columns * w->size));
    }
}

WK_KERNEL(scatter_rows, wk_scatter_rows_work)
{
    if (wk_indices_in_range(queue, w->index, w->m, 0, &w->along))
        wk_parallel(scatter_rows_range, w, w->outer * wk_index_blocks(w->inner),
                    w->m * wk_index_block_columns(w->inner));
}

/* ---------------------------------------------------------------- elements */

/* y[.., j, ..] = x[.., index[.., j, ..], ..], and the other way round: the last of equal indices wins */
#define ELEMENTS(type)                                                                                                 \
    static void gather_##type(const wk_index_block *b, const int64_t *index, const type *x, type *y)                   \
    {                                                                                                                  \
        WK_INDEX_LOOP(b, index, y[p] = x[c])                                                                           \
    }                                                                                                                  \
    static void scatter_##type(const wk_index_block *b, const int64_t *index, const type *x, type *y)                  \
    {                                                                                                                  \
        WK_INDEX_LOOP(b, index, y[c] = x[p])                                                                           \
    }
ELEMENTS(uint8_t)
ELEMENTS(uint16_t)
ELEMENTS(uint32_t)
ELEMENTS(uint64_t)
ELEMENTS(uint64_pair)

static void gather_range(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = ((const wk_index_run *)work)->work;
    const int64_t *index = ((const wk_index_run *)work)->index;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, true);
        if (w->size == 4)
            gather_uint32_t(&b, index, w->x, w->y);
        else if (w->size == 8)
            gather_uint64_t(&b, index, w->x, w->y);
        else if (w->size == 2)
            gather_uint16_t(&b, index, w->x, w->y);
        else if (w->size == 16)
            gather_uint64_pair(&b, index, w->x, w->y);
        else
            gather_uint8_t(&b, index, w->x, w->y);
    }
}

WK_KERNEL(gather, wk_gather_work)
{
    const wk_index_run run = wk_index_in_range(queue, w);
    if (run.index)
        wk_parallel(gather_range, &run, wk_index_items(w), wk_index_cost(w));
}

static void scatter_range(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = ((const wk_index_run *)work)->work;
    const int64_t *index = ((const wk_index_run *)work)->index;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, false);
        if (w->size == 4)
            scatter_uint32_t(&b, index, w->x, w->y);
        else if (w->size == 8)
            scatter_uint64_t(&b, index, w->x, w->y);
        else if (w->size == 2)
            scatter_uint16_t(&b, index, w->x, w->y);
        else if (w->size == 16)
            scatter_uint64_pair(&b, index, w->x, w->y);
        else
            scatter_uint8_t(&b, index, w->x, w->y);
    }
}

WK_KERNEL(scatter, wk_gather_work)
{
    const wk_index_run run = wk_index_in_range(queue, w);
    if (run.index)
        wk_parallel(scatter_range, &run, wk_index_items(w), wk_index_cost(w));
}

/* ---------------------------------------------------------------- indices of several dims made one */

static void linear_index_range(const void *work, int64_t begin, int64_t end)
{
    const wk_linear_index_work *w = work;
    const int64_t size = w->along.size;
    if (w->before) {
#pragma omp simd
        for (int64_t i = begin; i < end; i++)
            w->y[i] = w->before[i] * size + w->index[i] + (w->index[i] < 0 ? size : 0);
    } else {
#pragma omp simd
        for (int64_t i = begin; i < end; i++)
            w->y[i] = w->index[i] + (w->index[i] < 0 ? size : 0);
    }
}

WK_KERNEL(linear_index, wk_linear_index_work)
{
    if (wk_indices_in_range(queue, w->index, w->count, -w->along.size, &w->along))
        wk_parallel(linear_index_range, w, w->count, 2);
    else // a device that goes on reads these
        memset(w->y, 0, (size_t)w->count * sizeof *w->y);
}
