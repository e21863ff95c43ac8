/* Reading and writing at places that an array of indices names; indices were checked, elements are `size` bytes.
   scatter_rows writes rows (gather_rows.c reads them); gather and scatter take elements: every column along one dim has
   indices of its own.  The sums are in index_add.c and scatter_add.c. */
// compiled for: bytes
#include "../kernels.h"
#include "index.h"

/* y[outer, index[j], :] = x[outer, j, :], the last of equal indices wins; an item is a block of the columns of one
   outer, so that no two items write one element */
void KERNEL_NAME(scatter_rows)(const void *work, int64_t begin, int64_t end)
{
    const wk_scatter_rows_work *w = work;
    const int64_t blocks = (w->inner + WK_INDEX_BLOCK - 1) / WK_INDEX_BLOCK;
    for (int64_t item = begin; item < end; item++) {
        const int64_t outer = item / blocks, from = item % blocks * WK_INDEX_BLOCK;
        const int64_t columns = w->inner - from < WK_INDEX_BLOCK ? w->inner - from : WK_INDEX_BLOCK;
        const char *x = (const char *)w->x + (outer * w->m * w->inner + from) * w->size;
        char *y = (char *)w->y + (outer * w->n * w->inner + from) * w->size;
        for (int64_t j = 0; j < w->m; j++)
            memcpy(y + w->index[j] * w->inner * w->size, x + j * w->inner * w->size, (size_t)(columns * w->size));
    }
}

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

void KERNEL_NAME(gather)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, true);
        if (w->size == 4)
            gather_uint32_t(&b, w->index, w->x, w->y);
        else if (w->size == 8)
            gather_uint64_t(&b, w->index, w->x, w->y);
        else if (w->size == 2)
            gather_uint16_t(&b, w->index, w->x, w->y);
        else if (w->size == 16)
            gather_uint64_pair(&b, w->index, w->x, w->y);
        else
            gather_uint8_t(&b, w->index, w->x, w->y);
    }
}

void KERNEL_NAME(scatter)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_block b = wk_index_block_at(w, item, false);
        if (w->size == 4)
            scatter_uint32_t(&b, w->index, w->x, w->y);
        else if (w->size == 8)
            scatter_uint64_t(&b, w->index, w->x, w->y);
        else if (w->size == 2)
            scatter_uint16_t(&b, w->index, w->x, w->y);
        else if (w->size == 16)
            scatter_uint64_pair(&b, w->index, w->x, w->y);
        else
            scatter_uint8_t(&b, w->index, w->x, w->y);
    }
}
