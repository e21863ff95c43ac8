/* One product in one thread: rows and columns by dots, large products by a library, the rest by tiles of registers that
   meet packed panels of B. */
// compiled for: float
#include "../libraries/gemm.h"
#include "gemm_tile.h"
#include "gemv.h"

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

static void plain_gemm(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column,
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

void wk_gemm(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, int64_t a_row, int64_t a_column, const elem *b,
             int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    const bool dense = (a_column == 1 || a_row == 1) && (b_column == 1 || b_row == 1);
    if (dense && m == 1 && a_column == 1) {
        gemv(n, k, alpha, a, b, b_row, b_column, beta, c, 1);
        return;
    }
    if (dense && n == 1 && b_row == 1) {
        gemv(m, k, alpha, b, a, a_column, a_row, beta, c, c_row);
        return;
    }
    /* to the library what is 0.25 us of arithmetic */
    if (WK_DTYPE_ID == wk_float32 && dense && m > 0 && n > 0 && k > 0 && m * n * k >= 8192) {
        const bool transpose_a = a_column != 1, transpose_b = b_column != 1;
        if (wk_gemm_float32(transpose_a, transpose_b, m, n, k, (float)alpha, (const float *)a,
                            transpose_a ? a_column : a_row, (const float *)b, transpose_b ? b_column : b_row,
                            (float)beta, (float *)c, c_row))
            return;
    }
    plain_gemm(m, n, k, alpha, a, a_row, a_column, b, b_row, b_column, beta, c, c_row);
}
