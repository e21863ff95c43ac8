/* Mean and variance over the middle of x (outer, n, inner): sum((x - mean)^2) / divisor.  Two passes, since sums of
   squares would lose the variance where the mean is large.  An item is an element of the results (outer, inner). */
// compiled for: float
#include "../kernels.h"
#include "columns.h"
#include "rows.h"

static void column_variances(const real *x, real *mean, real *variance, int64_t n, int64_t stride, int64_t width,
                             real divisor)
{
    real total[WK_COLUMNS] = {0}, squares[WK_COLUMNS] = {0};
    for (int64_t i = 0; i < n; i++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            total[j] += x[i * stride + j];
    for (int64_t j = 0; j < width; j++)
        total[j] /= (real)n;
    for (int64_t i = 0; i < n; i++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            squares[j] += (x[i * stride + j] - total[j]) * (x[i * stride + j] - total[j]);
    for (int64_t j = 0; j < width; j++) {
        mean[j] = total[j];
        variance[j] = squares[j] / divisor;
    }
}

void KERNEL_NAME(variance)(const void *work, int64_t begin, int64_t end)
{
    const wk_variance_work *w = work;
    const wk_columns columns = {w->n, w->inner, w->n > 0 ? w->n : 1};
    const real divisor = (real)w->divisor;
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        const real *x = (const real *)w->x + at.offset;
        real *mean = (real *)w->mean + item, *variance = (real *)w->variance + item;
        width = at.width;
        if (w->inner > 1) {
            column_variances(x, mean, variance, w->n, w->inner, width, divisor);
            continue;
        }
        *mean = wk_row_sum(wk_value, x, NULL, 0, w->n) / (real)w->n;
        *variance = wk_row_sum(wk_deviation, x, NULL, *mean, w->n) / divisor;
    }
}
