/* y[outer, chunk, inner] = sum of x[outer, n, inner] over the rows of n that lie in the chunk.

   n is cut into chunks so that a sum over everything has items to share among threads, and an order of additions that
   does not depend on their number; y is then summed once more over its chunks.  Along memory (inner is 1) the row is
   summed in lanes (rows.h); across memory, a stretch of neighbouring columns goes down the rows together. */
// compiled for: float integer
#include "../kernels.h"
#include "columns.h"

#if WK_IS_FLOATING
#include "rows.h"
static real contiguous_sum(const real *x, int64_t n) { return wk_row_sum(wk_value, x, NULL, 0, n); }
#else
static real contiguous_sum(const real *x, int64_t n)
{
    real sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum = (real)(sum + x[i]);
    return sum;
}
#endif

/* 16 rows at a time into a sum of their own, which is then added: a cascade, as in rows.h */
static void column_sums(const real *x, real *y, int64_t rows, int64_t stride, int64_t width)
{
    real total[WK_COLUMNS] = {0};
    for (int64_t start = 0; start < rows; start += 16) {
        const int64_t stop = start + 16 < rows ? start + 16 : rows;
        real part[WK_COLUMNS] = {0};
        for (int64_t i = start; i < stop; i++) {
            const real *row = x + i * stride;
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                part[j] = (real)(part[j] + row[j]);
        }
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            total[j] = (real)(total[j] + part[j]);
    }
    memcpy(y, total, (size_t)width * sizeof(real));
}

void KERNEL_NAME(sum)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = work;
    const wk_columns columns = {w->n, w->inner, w->chunk};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        const real *x = (const real *)w->x + at.offset;
        real *y = (real *)w->y + item;
        if (w->inner == 1)
            *y = contiguous_sum(x, at.rows);
        else
            column_sums(x, y, at.rows, w->inner, width);
    }
}
