/* The register tile that products are made of: up to TILE_ROWS rows by 1 or 2 vectors of columns, summed over k while
   it stays in registers.  A may have any strides, so a transposed operand costs nothing; B is a panel: row p holds its
   columns side by side at panel + p * panel_row, full vectors wide (whoever packs it pads with zeros).

   GCC's vector types, because only they keep the sums in registers with gcc 12 and clang 14 alike: arrays in plain
   loops spill to the stack.  Sums run over k in order, each column by itself, so a column's bits do not depend on its
   place. */
#ifndef WICK_TILE_H
#define WICK_TILE_H

#include "cpu.h"

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, TILE_ROWS = 12 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, TILE_ROWS = 6 };
#else
enum { VECTOR_BYTES = 16, TILE_ROWS = 6 };
#endif
enum { LANES = VECTOR_BYTES / sizeof(real), TILE_COLUMNS = 2 * LANES };

typedef real vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef real aligned_vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

static inline int64_t round_up_to_lanes(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/* c = alpha * a * panel + beta * c, the `columns` first columns of it */
__attribute__((always_inline)) static inline void tile_of(int rows, int vectors, int64_t k, real alpha, const real *a,
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
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
        real *y = c + i * c_row;
        aligned_vector first = alpha * sum[i][0], second = alpha * sum[i][1];
        if (columns == vectors * LANES) {
            if (beta != 0) {
                first += beta * *(vector *)y;
                if (vectors == 2)
                    second += beta * *(vector *)(y + LANES);
            }
            *(vector *)y = first;
            if (vectors == 2)
                *(vector *)(y + LANES) = second;
        } else {
            real row[TILE_COLUMNS];
            memcpy(row, &first, sizeof first);
            memcpy(row + LANES, &second, sizeof second);
            for (int64_t j = 0; j < columns; j++)
                y[j] = beta != 0 ? row[j] + beta * y[j] : row[j];
        }
    }
}

/* The same for any number of rows up to TILE_ROWS, each with code of its own. */
__attribute__((always_inline)) static inline void tile(int64_t rows, int vectors, int64_t k, real alpha, const real *a,
                                                       int64_t a_row, int64_t a_column, const real *panel,
                                                       int64_t panel_row, real beta, real *c, int64_t c_row,
                                                       int64_t columns)
{
#define ROWS(count)                                                                                                    \
    case count:                                                                                                        \
        tile_of(count, vectors, k, alpha, a, a_row, a_column, panel, panel_row, beta, c, c_row, columns);              \
        break;
    switch (rows) {
        ROWS(1)
        ROWS(2)
        ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if defined(__AVX512F__)
            ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#endif
    }
#undef ROWS
}

/* c (m, columns) = alpha * a (m, k) * panel (k, columns) + beta * c, columns <= TILE_COLUMNS: tiles from top to bottom
 */
__attribute__((noinline, noclone)) static void tiles(int64_t m, int64_t k, real alpha, const real *a, int64_t a_row,
                                                     int64_t a_column, const real *panel, int64_t panel_row, real beta,
                                                     real *c, int64_t c_row, int64_t columns)
{
    for (int64_t i = 0; i < m; i += TILE_ROWS) {
        const int64_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
        if (columns > LANES)
            tile(rows, 2, k, alpha, a + i * a_row, a_row, a_column, panel, panel_row, beta, c + i * c_row, c_row,
                 columns);
        else
            tile(rows, 1, k, alpha, a + i * a_row, a_row, a_column, panel, panel_row, beta, c + i * c_row, c_row,
                 columns);
    }
}

#endif
