/* sum_squares: as sum, of the squares; what a norm is the root of. */
// compiled for: float
#include "../kernels.h"
#include "columns.h"
#include "rows.h"

static void column_sums(const real *x, real *y, int64_t rows, int64_t stride, int64_t width)
{
    real total[WK_COLUMNS] = {0};
    for (int64_t i = 0; i < rows; i++) {
        const real *row = x + i * stride;
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            total[j] += row[j] * row[j];
    }
    memcpy(y, total, (size_t)width * sizeof(real));
}

void KERNEL_NAME(sum_squares)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = &((const wk_sum_squares_work *)work)->as;
    const wk_columns columns = {w->n, w->inner, w->chunk};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        const real *x = (const real *)w->x + at.offset;
        real *y = (real *)w->y + item;
        if (w->inner == 1)
            *y = wk_row_sum(wk_product, x, x, 0, at.rows);
        else
            column_sums(x, y, at.rows, w->inner, width);
    }
}
