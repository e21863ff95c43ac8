/* One product in one thread: rows and columns by dots, large products by a library, the rest by tiles of registers that
   meet packed panels of B. */
// compiled for: float
#include "../libraries/gemm.h"
#include "tile.h"

enum { PANEL_ROWS = 256 }; // of B at a time: 32 KB, which L1 keeps

/* panel[q, 0..3] = lines[0..3][q] for q in 0..3 */
static inline void transpose_four(const real *lines, int64_t line, real *panel)
{
    const four a = *(const four *)lines, b = *(const four *)(lines + line);
    const four c = *(const four *)(lines + 2 * line), d = *(const four *)(lines + 3 * line);
    const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)panel = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(four *)(panel + TILE_COLUMNS) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(four *)(panel + 2 * TILE_COLUMNS) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(four *)(panel + 3 * TILE_COLUMNS) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* `rows` rows of `columns` columns of B, then zeros up to full vectors */
static void pack_panel(int64_t rows, int64_t columns, const real *b, int64_t b_row, int64_t b_column, real *panel)
{
    const int64_t width = columns > LANES ? TILE_COLUMNS : LANES;
    if (columns < width)
        for (int64_t p = 0; p < rows; p++)
            *(vector *)(panel + p * TILE_COLUMNS + width - LANES) = (vector){0};
    if (b_column == 1) {
        for (int64_t p = 0; p < rows; p++) {
            const real *from = b + p * b_row;
            real *to = panel + p * TILE_COLUMNS;
            int64_t j = 0;
            for (; j + LANES <= columns; j += LANES)
                *(vector *)(to + j) = *(const vector *)(from + j);
            for (; j + 4 <= columns; j += 4)
                *(four *)(to + j) = *(const four *)(from + j);
            for (; j < columns; j++)
                to[j] = from[j];
        }
        return;
    }
    int64_t j = 0;
    for (; b_row == 1 && j + 4 <= columns; j += 4) {
        int64_t p = 0;
        for (; p + 4 <= rows; p += 4)
            transpose_four(b + p + j * b_column, b_column, panel + p * TILE_COLUMNS + j);
        for (; p < rows; p++)
            for (int64_t q = 0; q < 4; q++)
                panel[p * TILE_COLUMNS + j + q] = b[p + (j + q) * b_column];
    }
    for (; j < columns; j++)
        for (int64_t p = 0; p < rows; p++)
            panel[p * TILE_COLUMNS + j] = b[p * b_row + j * b_column];
}

static void plain_product(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column,
                          const real *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    _Alignas(VECTOR_BYTES) real panel[PANEL_ROWS * TILE_COLUMNS];
    for (int64_t j = 0; j < n; j += TILE_COLUMNS) {
        const int64_t columns = n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS;
        int64_t p = 0;
        if (b_column == 1 && columns % LANES == 0) { // B as it lies is a panel
            tiles(m, k, alpha, a, a_row, a_column, b + j, b_row, beta, c + j, c_row, columns);
            continue;
        }
        do { // once even where k is 0: C becomes beta * C
            const int64_t depth = k - p < PANEL_ROWS ? k - p : PANEL_ROWS;
            pack_panel(depth, columns, b + p * b_row + j * b_column, b_row, b_column, panel);
            tiles(m, depth, alpha, a + p * a_column, a_row, a_column, panel, TILE_COLUMNS, p ? 1 : beta, c + j, c_row,
                  columns);
            p += depth;
        } while (p < k);
    }
}

/* One row or one column of C: y[j] = alpha * sum over p of x[p] * b[p, j] + beta * y[j], x contiguous.  It waits for B,
   which is read once along its contiguous side, four lines at a time. */
static void sum_of_rows(int64_t columns, int64_t k, const real *x, const real *b, int64_t b_row, real *sum)
{
    int64_t p = 0;
    memset(sum, 0, (size_t)columns * sizeof(real));
    for (; p + 4 <= k; p += 4) {
        const real *b0 = b + p * b_row, *b1 = b0 + b_row, *b2 = b1 + b_row, *b3 = b2 + b_row;
        const real x0 = x[p], x1 = x[p + 1], x2 = x[p + 2], x3 = x[p + 3];
        for (int64_t j = 0; j < columns; j++)
            sum[j] += x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
    }
    for (; p < k; p++)
        for (int64_t j = 0; j < columns; j++)
            sum[j] += x[p] * b[p * b_row + j];
}

static void dots_of_columns(int64_t columns, int64_t k, const real *x, const real *b, int64_t b_column, real *sum)
{
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        const real *b0 = b + j * b_column, *b1 = b0 + b_column, *b2 = b1 + b_column, *b3 = b2 + b_column;
        real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
        for (int64_t p = 0; p < k; p++) {
            s0 += x[p] * b0[p];
            s1 += x[p] * b1[p];
            s2 += x[p] * b2[p];
            s3 += x[p] * b3[p];
        }
        sum[j] = s0, sum[j + 1] = s1, sum[j + 2] = s2, sum[j + 3] = s3;
    }
    for (; j < columns; j++) {
        real dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t p = 0; p < k; p++)
            dot += x[p] * b[j * b_column + p];
        sum[j] = dot;
    }
}

static void vector_product(int64_t n, int64_t k, real alpha, const real *x, const real *b, int64_t b_row,
                           int64_t b_column, real beta, real *y, int64_t y_step)
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

#define LIBRARY_PRODUCT_(dtype) wk_gemm_##dtype
#define LIBRARY_PRODUCT(dtype) LIBRARY_PRODUCT_(dtype)

void product(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column, const real *b,
             int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    const bool large = m > 0 && n > 0 && k > 0 && m * n * k >= 8192; // 0.25 us of arithmetic
    const bool dense = (a_column == 1 || a_row == 1) && (b_column == 1 || b_row == 1);
    if (dense && m == 1 && a_column == 1) {
        vector_product(n, k, alpha, a, b, b_row, b_column, beta, c, 1);
        return;
    }
    if (dense && n == 1 && b_row == 1) {
        vector_product(m, k, alpha, b, a, a_column, a_row, beta, c, c_row);
        return;
    }
    const bool transpose_a = a_column != 1, transpose_b = b_column != 1;
    if (large && dense &&
        LIBRARY_PRODUCT(WK_DTYPE)(transpose_a, transpose_b, m, n, k, alpha, a, transpose_a ? a_column : a_row, b,
                                  transpose_b ? b_column : b_row, beta, c, c_row))
        return;
    plain_product(m, n, k, alpha, a, a_row, a_column, b, b_row, b_column, beta, c, c_row);
}
