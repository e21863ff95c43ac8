/* Sums and maxima along a contiguous row, for the row kernels.

   WK_LANES partial results run side by side, so that additions do not wait for each other and stay in registers.  After
   every 16 rounds they are added to a second set: the error of a sum grows with 16 + n / (16 WK_LANES), as in a cascade.
   The order of additions depends on n alone.  The loops take the function of one term as a parameter: always inlined, it
   vectorizes as if written into the loop, and gdb still steps through it. */
#ifndef WICK_ROWS_H
#define WICK_ROWS_H

#include "cpu.h"

#if defined(__AVX512F__)
#define WK_LANES (256 / (int)sizeof(real))
#else
#define WK_LANES (128 / (int)sizeof(real))
#endif
#define WK_CASCADE (16 * WK_LANES)

/* term i of a sum over a row (or two rows of equal length); c is a constant */
typedef real wk_term(const real *a, const real *b, real c, int64_t i);

WK_INLINE real wk_value(const real *a, const real *b, real c, int64_t i)
{
    (void)b, (void)c;
    return a[i];
}
WK_INLINE real wk_product(const real *a, const real *b, real c, int64_t i)
{
    (void)c;
    return a[i] * b[i];
}
/* (a - c)^2 */
WK_INLINE real wk_deviation(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return (a[i] - c) * (a[i] - c);
}

/* the sum of the lanes, folded in halves */
WK_INLINE real wk_fold_sum(real *lanes)
{
    for (int width = WK_LANES / 2; width > 0; width /= 2)
        for (int lane = 0; lane < width; lane++)
            lanes[lane] += lanes[lane + width];
    return lanes[0];
}

WK_INLINE real wk_row_sum(wk_term *term, const real *a, const real *b, real c, int64_t n)
{
    real total[WK_LANES] = {0}, rest[8] = {0};
    const int64_t whole = n - n % WK_LANES;
    for (int64_t start = 0; start < whole;) {
        const int64_t stop = whole - start < WK_CASCADE ? whole : start + WK_CASCADE;
        real lanes[WK_LANES] = {0};
        for (; start < stop; start += WK_LANES) {
#pragma omp simd
            for (int lane = 0; lane < WK_LANES; lane++)
                lanes[lane] += term(a, b, c, start + lane);
        }
#pragma omp simd
        for (int lane = 0; lane < WK_LANES; lane++)
            total[lane] += lanes[lane];
    }
    for (int64_t i = whole; i < n; i++)
        rest[i % 8] += term(a, b, c, i);
    const real last = ((rest[0] + rest[4]) + (rest[1] + rest[5])) + ((rest[2] + rest[6]) + (rest[3] + rest[7]));
    return whole > 0 ? wk_fold_sum(total) + last : last;
}

/* the largest value, NaN ignored (softmax meets it again in the sum); -infinity of nothing */
WK_INLINE real wk_row_max(const real *x, int64_t n)
{
    real lanes[WK_LANES], max = -INFINITY;
    const int64_t whole = n - n % WK_LANES;
    for (int lane = 0; lane < WK_LANES; lane++)
        lanes[lane] = -INFINITY;
    for (int64_t start = 0; start < whole; start += WK_LANES) {
#pragma omp simd
        for (int lane = 0; lane < WK_LANES; lane++)
            lanes[lane] = x[start + lane] > lanes[lane] ? x[start + lane] : lanes[lane];
    }
    for (int64_t i = whole; i < n; i++)
        max = x[i] > max ? x[i] : max;
    for (int lane = 0; whole > 0 && lane < WK_LANES; lane++)
        max = lanes[lane] > max ? lanes[lane] : max;
    return max;
}

#endif
