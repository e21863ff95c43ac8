/* One row or one column of C: y[j] = alpha * sum over p of x[p] * b[p, j] + beta * y[j], x contiguous.  It waits for B,
   which is read once along its contiguous side, four lines at a time. */
#ifndef WICK_CPU_GEMV_H
#define WICK_CPU_GEMV_H

#include "cpu.h"

static void sum_of_rows(int64_t columns, int64_t k, const elem *x, const elem *b, int64_t b_row, real *sum)
{
    int64_t p = 0;
    memset(sum, 0, (size_t)columns * sizeof(real));
    for (; p + 4 <= k; p += 4) {
        const elem *b0 = b + p * b_row, *b1 = b0 + b_row, *b2 = b1 + b_row, *b3 = b2 + b_row;
        const real x0 = LOAD(x[p]), x1 = LOAD(x[p + 1]), x2 = LOAD(x[p + 2]), x3 = LOAD(x[p + 3]);
        for (int64_t j = 0; j < columns; j++)
            sum[j] += x0 * LOAD(b0[j]) + x1 * LOAD(b1[j]) + x2 * LOAD(b2[j]) + x3 * LOAD(b3[j]);
    }
    for (; p < k; p++)
        for (int64_t j = 0; j < columns; j++)
            sum[j] += LOAD(x[p]) * LOAD(b[p * b_row + j]);
}

static void dots_of_columns(int64_t columns, int64_t k, const elem *x, const elem *b, int64_t b_column, real *sum)
{
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        const elem *b0 = b + j * b_column, *b1 = b0 + b_column, *b2 = b1 + b_column, *b3 = b2 + b_column;
        real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
        for (int64_t p = 0; p < k; p++) {
            s0 += LOAD(x[p]) * LOAD(b0[p]);
            s1 += LOAD(x[p]) * LOAD(b1[p]);
            s2 += LOAD(x[p]) * LOAD(b2[p]);
            s3 += LOAD(x[p]) * LOAD(b3[p]);
        }
        sum[j] = s0, sum[j + 1] = s1, sum[j + 2] = s2, sum[j + 3] = s3;
    }
    for (; j < columns; j++) {
        real dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t p = 0; p < k; p++)
            dot += LOAD(x[p]) * LOAD(b[j * b_column + p]);
        sum[j] = dot;
    }
}

static void gemv(int64_t n, int64_t k, real alpha, const elem *x, const elem *b, int64_t b_row, int64_t b_column,
                 real beta, real *y, int64_t y_step)
{
    enum { BLOCK = 512 };
    for (int64_t first = 0; first < n; first += BLOCK) {
        const int64_t columns = n - first < BLOCK ? n - first : BLOCK;
        real sum[BLOCK];
        if (b_column == 1)
            sum_of_rows(columns, k, x, b + first, b_row, sum);
        else
            dots_of_columns(columns, k, x, b + first * b_column, b_column, sum);
        for (int64_t j = 0; j < columns; j++) {
            real *place = y + (first + j) * y_step;
            *place = beta != 0 ? alpha * sum[j] + beta * *place : alpha * sum[j];
        }
    }
}

#endif
