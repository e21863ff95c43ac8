/* gemm of float16 and bfloat16, summed in float: a row or a column as in gemv.h; bfloat16 by a library where the
   processor multiplies it; the rest as float32, a block of each operand converted at a time. */
// compiled for: half
#include "../libraries/gemm.h"
#include "gemm.h"
#include "gemv.h"

enum { BLOCK_SIDE = 256, BLOCK_DEPTH = 128 }; // 128 KB for each operand

#define wk_gemm_of_floats WK_PASTE(gemm, WK_ISA, float32)
void wk_gemm_of_floats(int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t a_row, int64_t a_column,
                       const float *b, int64_t b_row, int64_t b_column, float beta, float *c, int64_t c_row);

/* a block as floats, without gaps, its contiguous side as it was */
typedef struct float_block {
    int64_t row, column; // strides
    float *x;
} float_block;

static void fill_block(float_block *block, int64_t rows, int64_t columns, const elem *x, int64_t row, int64_t column)
{
    const bool by_rows = column == 1;
    const int64_t lines = by_rows ? rows : columns, length = by_rows ? columns : rows;
    const int64_t line = by_rows ? row : column, step = by_rows ? 1 : row;
    block->row = by_rows ? length : 1;
    block->column = by_rows ? 1 : length;
    for (int64_t i = 0; i < lines; i++) {
        const elem *from = x + i * line;
        float *to = block->x + i * length;
        if (step == 1) {
#pragma omp simd
            for (int64_t j = 0; j < length; j++)
                to[j] = LOAD(from[j]);
        } else
            for (int64_t j = 0; j < length; j++)
                to[j] = LOAD(from[j * step]);
    }
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void gemm_by_blocks(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, int64_t a_row, int64_t a_column,
                           const elem *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    _Alignas(64) float a_memory[BLOCK_SIDE * BLOCK_DEPTH], b_memory[BLOCK_SIDE * BLOCK_DEPTH];
    float_block a_block = {.x = a_memory}, b_block = {.x = b_memory};
    int64_t p = 0;
    do { // once even where k is 0: C becomes beta * C
        const int64_t depth = least(k - p, BLOCK_DEPTH);
        for (int64_t j = 0; j < n; j += BLOCK_SIDE) {
            const int64_t columns = least(n - j, BLOCK_SIDE);
            fill_block(&b_block, depth, columns, b + p * b_row + j * b_column, b_row, b_column);
            for (int64_t i = 0; i < m; i += BLOCK_SIDE) {
                const int64_t rows = least(m - i, BLOCK_SIDE);
                fill_block(&a_block, rows, depth, a + i * a_row + p * a_column, a_row, a_column);
                wk_gemm_of_floats(rows, columns, depth, alpha, a_block.x, a_block.row, a_block.column, b_block.x,
                                  b_block.row, b_block.column, p > 0 ? 1 : beta, c + i * c_row + j, c_row);
            }
        }
        p += depth;
    } while (p < k);
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
#ifdef __AVX512F__ // of the processors that multiply bfloat16, all have AVX-512
    const bool transpose_a = a_column != 1, transpose_b = b_column != 1;
    if (WK_DTYPE_ID == wk_bfloat16 && dense && m > 0 && n > 0 && k > 0 && m * n * k >= 2048 &&
        wk_gemm_bfloat16(transpose_a, transpose_b, m, n, k, alpha, a, transpose_a ? a_column : a_row, b,
                         transpose_b ? b_column : b_row, beta, c, c_row))
        return;
#endif
    gemm_by_blocks(m, n, k, alpha, a, a_row, a_column, b, b_row, b_column, beta, c, c_row);
}
