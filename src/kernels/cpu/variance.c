/* Variances over the middle of x (outer, n, inner).

   float64: two passes, sum((x - mean)^2) / divisor, since sums of squares would lose the variance where the mean is
   large.  Narrower numbers: one pass in double over d = x - x[0]: (sum(d^2) - sum(d)^2 / n) / divisor.  x[0] is itself
   one of the numbers: however far it lies from the others, sum(d^2) is at most n times the difference, whose relative
   error is below n 2^-53.  (PyTorch accumulates in double too.) */
// compiled for: float half
#include "../variance.h"
#include "columns.h"
#include "rows.h"

static void column_variances(const real *x, double *variance, int64_t n, int64_t stride, int64_t width, double divisor)
{
    double total[WK_COLUMNS] = {0}, squares[WK_COLUMNS] = {0};
    for (int64_t i = 0; i < n; i++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            total[j] += x[i * stride + j];
    for (int64_t j = 0; j < width; j++)
        total[j] /= (double)n;
    for (int64_t i = 0; i < n; i++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            squares[j] += (x[i * stride + j] - total[j]) * (x[i * stride + j] - total[j]);
    for (int64_t j = 0; j < width; j++)
        variance[j] = squares[j] / divisor;
}

static double row_variance(const real *x, int64_t n, double divisor)
{
    const real mean = wk_row_sum(wk_value, x, NULL, 0, n) / (real)n;
    return wk_row_sum(wk_deviation, x, NULL, mean, n) / (real)divisor;
}

/* ---------------------------------------------------------------- narrower than double */

static double variance_of(double sum, double squares, int64_t n, double divisor)
{
    return (squares - sum * sum / (double)n) / divisor;
}

static void narrow_columns(const elem *x, double *variance, int64_t n, int64_t stride, int64_t width, double divisor)
{
    double sum[WK_COLUMNS] = {0}, squares[WK_COLUMNS] = {0}, first[WK_COLUMNS];
    for (int64_t j = 0; j < width; j++)
        first[j] = LOAD(x[j]);
    for (int64_t i = 1; i < n; i++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            const double d = LOAD(x[i * stride + j]) - first[j];
            sum[j] += d;
            squares[j] += d * d;
        }
    for (int64_t j = 0; j < width; j++)
        variance[j] = variance_of(sum[j], squares[j], n, divisor);
}

#define LANES (WK_LANES / 4)

static double narrow_row(const elem *x, int64_t n, double divisor)
{
    const double first = LOAD(x[0]);
    double sums[LANES] = {0}, squares[LANES] = {0}, sum = 0, square = 0;
    int64_t i = 0;
    for (; n - i >= LANES; i += LANES) {
#pragma omp simd
        for (int lane = 0; lane < LANES; lane++) {
            const double d = LOAD(x[i + lane]) - first;
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    for (; i < n; i++) {
        const double d = LOAD(x[i]) - first;
        sum += d;
        square += d * d;
    }
    for (int lane = 0; lane < LANES; lane++) {
        sum += sums[lane];
        square += squares[lane];
    }
    return variance_of(sum, square, n, divisor);
}

/* an item is an element of the result (outer, inner) */
static void variance_range(const void *work, int64_t begin, int64_t end)
{
    const wk_variance_work *w = work;
    const wk_columns columns = {w->n, w->inner, w->n > 0 ? w->n : 1};
    const bool narrow = sizeof(real) < sizeof(double);
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        const elem *x = (const elem *)w->x + at.offset;
        elem *y = (elem *)w->y + item;
        double variance[WK_COLUMNS];
        width = at.width;
        if (w->n == 0)
            for (int64_t j = 0; j < width; j++)
                variance[j] = NAN;
        else if (w->inner == 1)
            *variance = narrow ? narrow_row(x, w->n, w->divisor) : row_variance((const real *)x, w->n, w->divisor);
        else if (narrow)
            narrow_columns(x, variance, w->n, w->inner, width, w->divisor);
        else
            column_variances((const real *)x, variance, w->n, w->inner, width, w->divisor);
        for (int64_t j = 0; j < width; j++)
            y[j] = STORE((real)(w->root ? sqrt(variance[j]) : variance[j]));
    }
}

WK_KERNEL(variance, wk_variance_work) { wk_parallel(variance_range, w, w->outer * w->inner, 2 * w->n); }
