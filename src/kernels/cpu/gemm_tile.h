/* The register tile that products are made of: up to TILE_ROWS rows by 1 or 2 vectors of columns, summed over k while
   it stays in registers.  A may have any strides, so a transposed operand costs nothing; B is a panel: row p holds its
   columns side by side at panel + p * panel_row, full vectors wide (whoever packs it pads with zeros).

   GCC's vector types, because only they keep the sums in registers with gcc 12 and clang 14 alike: arrays in plain
   loops spill to the stack.  Sums run over k in order, each column by itself, so a column's bits do not depend on its
   place. */
#ifndef WICK_GEMM_TILE_H
#define WICK_GEMM_TILE_H

#include "gemm.h"

#if defined(__AVX512F__)
enum { TILE_ROWS = 12 };
#else
enum { TILE_ROWS = 6 };
#endif
enum { TILE_COLUMNS = 2 * LANES };

typedef real vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef real aligned_vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

typedef real four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));

/* c = alpha * sum + beta * c, where that is more than a store of whole vectors */
__attribute__((noinline)) static void finish_tile(int64_t rows, int64_t columns, real alpha, const real *sum, real beta,
                                                  real *c, int64_t c_row)
{
    for (int64_t i = 0; i < rows; i++, sum += TILE_COLUMNS, c += c_row) {
        int64_t j = 0;
        for (; j + LANES <= columns; j += LANES) {
            vector value = alpha * *(const vector *)(sum + j);
            if (beta != 0)
                value += beta * *(vector *)(c + j);
            *(vector *)(c + j) = value;
        }
        for (; j + 4 <= columns; j += 4) {
            four value = alpha * *(const four *)(sum + j);
            if (beta != 0)
                value += beta * *(four *)(c + j);
            *(four *)(c + j) = value;
        }
        for (; j < columns; j++)
            c[j] = beta != 0 ? alpha * sum[j] + beta * c[j] : alpha * sum[j];
    }
}

/* c = alpha * a * panel + beta * c, the `columns` first columns of it; rows and vectors are constants */
__attribute__((always_inline)) static inline void tile(int rows, int vectors, int64_t k, real alpha, const real *a,
                                                       int64_t a_row, int64_t a_column, const real *panel,
                                                       int64_t panel_row, real beta, real *c, int64_t c_row,
                                                       int64_t columns)
{
    aligned_vector sum[TILE_ROWS][2];
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
        sum[i][0] = sum[i][1] = (aligned_vector){0};
    for (int64_t p = 0; p < k; p++) {
        const aligned_vector b0 = *(const vector *)(panel + p * panel_row);
        const aligned_vector b1 = *(const vector *)(panel + p * panel_row + (vectors == 2 ? LANES : 0));
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            const real x = a[i * a_row + p * a_column];
            sum[i][0] += x * b0;
            if (vectors == 2)
                sum[i][1] += x * b1;
        }
    }
    if (beta == 0 && columns == vectors * LANES) {
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            *(vector *)(c + i * c_row) = alpha * sum[i][0];
            if (vectors == 2)
                *(vector *)(c + i * c_row + LANES) = alpha * sum[i][1];
        }
    } else {
        _Alignas(VECTOR_BYTES) real spilled[TILE_ROWS * TILE_COLUMNS];
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            *(aligned_vector *)(spilled + i * TILE_COLUMNS) = sum[i][0];
            if (vectors == 2)
                *(aligned_vector *)(spilled + i * TILE_COLUMNS + LANES) = sum[i][1];
        }
        finish_tile(rows, columns, alpha, spilled, beta, c, c_row);
    }
}

/* c (m, columns) = alpha * a (m, k) * panel (k, columns) + beta * c, columns <= TILE_COLUMNS, from top to bottom in
   tiles of 12, 4 and 1 rows (6, 4 and 1 where there are 16 registers): every height of its own would take gcc ten times
   as long */
__attribute__((always_inline)) static inline void tiles_of(int vectors, int64_t m, int64_t k, real alpha, const real *a,
                                                           int64_t a_row, int64_t a_column, const real *panel,
                                                           int64_t panel_row, real beta, real *c, int64_t c_row,
                                                           int64_t columns)
{
    int64_t i = 0;
    for (; i + TILE_ROWS <= m; i += TILE_ROWS)
        tile(TILE_ROWS, vectors, k, alpha, a + i * a_row, a_row, a_column, panel, panel_row, beta, c + i * c_row, c_row,
             columns);
    for (; i + 4 <= m; i += 4)
        tile(4, vectors, k, alpha, a + i * a_row, a_row, a_column, panel, panel_row, beta, c + i * c_row, c_row,
             columns);
    for (; i < m; i++)
        tile(1, vectors, k, alpha, a + i * a_row, a_row, a_column, panel, panel_row, beta, c + i * c_row, c_row,
             columns);
}

__attribute__((noinline)) static void tiles(int64_t m, int64_t k, real alpha, const real *a, int64_t a_row,
                                            int64_t a_column, const real *panel, int64_t panel_row, real beta, real *c,
                                            int64_t c_row, int64_t columns)
{
    if (columns > LANES)
        tiles_of(2, m, k, alpha, a, a_row, a_column, panel, panel_row, beta, c, c_row, columns);
    else
        tiles_of(1, m, k, alpha, a, a_row, a_column, panel, panel_row, beta, c, c_row, columns);
}

#endif
