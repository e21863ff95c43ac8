/* Reading and writing at places that an array of indices names; indices were checked, elements are `size` bytes.
   scatter_rows writes rows (gather_rows.c reads them); gather and scatter take elements: every column along one dim has
   indices of its own.  The sums are in index_add.c and scatter_add.c. */
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

/* y[.., j, ..] = x[.., index[.., j, ..], ..]; an item is a column */
void KERNEL_NAME(gather)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_column at = wk_index_column_at(w, item);
        const int64_t *index = w->index + at.index;
        const char *x = (const char *)w->x + at.x * w->size;
        char *y = (char *)w->y + at.y * w->size;
        for (int64_t j = 0; j < w->m; j++) {
            const char *from = x + index[j * w->index_step] * w->x_step * w->size;
            char *to = y + j * w->y_step * w->size;
            if (w->size == 4)
                memcpy(to, from, 4);
            else if (w->size == 8)
                memcpy(to, from, 8);
            else
                memcpy(to, from, (size_t)w->size);
        }
    }
}

/* y[.., index[.., j, ..], ..] = x[.., j, ..], the last of equal indices wins; an item is a column */
void KERNEL_NAME(scatter)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_column at = wk_index_column_at(w, item);
        const int64_t *index = w->index + at.index;
        const char *x = (const char *)w->x + at.x * w->size;
        char *y = (char *)w->y + at.y * w->size;
        for (int64_t j = 0; j < w->m; j++)
            memcpy(y + index[j * w->index_step] * w->y_step * w->size, x + j * w->x_step * w->size, (size_t)w->size);
    }
}
