/* y[.., index[.., j, ..], ..] += x[.., j, ..]; an item is a column, added in the order of the indices: the same bits on
   any number of threads. */
#include "index.h"

void KERNEL_NAME(scatter_add)(const void *work, int64_t begin, int64_t end)
{
    const wk_gather_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const wk_index_column at = wk_index_column_at(w, item);
        const int64_t *index = w->index + at.index;
        const real *x = (const real *)w->x + at.x;
        real *y = (real *)w->y + at.y;
        for (int64_t j = 0; j < w->m; j++) {
            real *to = y + index[j * w->index_step] * w->y_step;
            *to = (real)(*to + x[j * w->x_step]);
        }
    }
}
