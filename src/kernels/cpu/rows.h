/* Sums and maxima along a contiguous row, for the row kernels.

   WK_LANES partial results run side by side, so that additions do not wait for each other and stay in registers.  After
   every 16 rounds they are added to a second set: the error of a sum grows with 16 + n / (16 WK_LANES), as in a
   cascade. The order of additions depends on n alone.  The loops take the function of one term as a parameter: always
   inlined, it vectorizes as if written into the loop, and gdb still steps through it. */
#ifndef WICK_ROWS_H
#define WICK_ROWS_H

#include "cpu.h"

#if defined(__AVX512F__)
#define WK_LANES (256 / (int)sizeof(real))
#else
#define WK_LANES (128 / (int)sizeof(real))
#endif
#define WK_STEP (WK_LANES / 4) // what is left of a row goes on in steps of a vector
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
WK_INLINE real wk_product_centered(const real *a, const real *b, real c, int64_t i) { return a[i] * (b[i] - c); }
/* (a - c)^2 */
WK_INLINE real wk_deviation(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return (a[i] - c) * (a[i] - c);
}

WK_INLINE real wk_row_sum(wk_term *term, const real *a, const real *b, real c, int64_t n)
{
    real total[WK_LANES] = {0};
    int64_t start = 0;
    while (n - start >= WK_LANES) {
        const int64_t rest = n - start, stop = start + (rest < WK_CASCADE ? rest - rest % WK_LANES : WK_CASCADE);
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
    real folded[WK_STEP], sum = 0, last = 0;
#pragma omp simd
    for (int lane = 0; lane < WK_STEP; lane++)
        folded[lane] = (total[lane] + total[lane + WK_STEP]) + (total[lane + 2 * WK_STEP] + total[lane + 3 * WK_STEP]);
    for (; n - start >= WK_STEP; start += WK_STEP) {
#pragma omp simd
        for (int lane = 0; lane < WK_STEP; lane++)
            folded[lane] += term(a, b, c, start + lane);
    }
#pragma omp simd reduction(+ : sum)
    for (int lane = 0; lane < WK_STEP; lane++)
        sum += folded[lane];
    for (; start < n; start++)
        last += term(a, b, c, start);
    return sum + last;
}

/* the largest value, NaN ignored (softmax meets it again in the sum); -infinity of nothing */
WK_INLINE real wk_row_max(const real *x, int64_t n)
{
    real lanes[WK_LANES], max = -INFINITY;
    int64_t start = 0;
    for (int lane = 0; lane < WK_LANES; lane++)
        lanes[lane] = -INFINITY;
    for (; n - start >= WK_LANES; start += WK_LANES) {
#pragma omp simd
        for (int lane = 0; lane < WK_LANES; lane++)
            lanes[lane] = x[start + lane] > lanes[lane] ? x[start + lane] : lanes[lane];
    }
    for (; n - start >= WK_STEP; start += WK_STEP) {
#pragma omp simd
        for (int lane = 0; lane < WK_STEP; lane++)
            lanes[lane] = x[start + lane] > lanes[lane] ? x[start + lane] : lanes[lane];
    }
    for (; start < n; start++)
        max = x[start] > max ? x[start] : max;
#pragma omp simd reduction(max : max)
    for (int lane = 0; lane < WK_LANES; lane++)
        max = lanes[lane] > max ? lanes[lane] : max;
    return max;
}

#endif
