/* gemm of float16 and bfloat16, summed in float: a row or a column as in gemv.h; bfloat16 by a library where the
   processor multiplies it; the rest as float32, a block of each operand converted at a time. */
// compiled for: half
#include "../libraries/gemm.h"
#include "gemm.h"
#include "gemv.h"

/* 128 KB of floats; the library's call pays from LEAST_CALL multiply-adds on */
enum { BLOCK_SIDE = 256, BLOCK_DEPTH = 128, BLOCK = BLOCK_SIDE * BLOCK_DEPTH, LEAST_CALL = 8192 };

#define wk_gemm_of_floats WK_PASTE(gemm, WK_ISA, float32)
void wk_gemm_of_floats(int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t a_row, int64_t a_column,
                       const float *b, int64_t b_row, int64_t b_column, float beta, float *c, int64_t c_row);

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* How a block of a matrix becomes one without gaps: its lines one after another; the side that was contiguous still
   is. */
typedef struct packing {
    int64_t lines, length, line, step; // from strides between lines and along one
    int64_t row, column;               // to strides
} packing;

static packing packing_of(int64_t rows, int64_t columns, int64_t row, int64_t column)
{
    packing p = column == 1 ? (packing){rows, columns, row, 1, .row = columns, .column = 1}
                            : (packing){columns, rows, column, row, .row = 1, .column = rows};
    if (p.step == 1 && p.line == p.length) { // no gaps: one line
        p.length *= p.lines;
        p.lines = 1;
    }
    return p;
}

static packing pack_floats(int64_t rows, int64_t columns, const elem *x, int64_t row, int64_t column, float *to)
{
    const packing p = packing_of(rows, columns, row, column);
    for (int64_t i = 0; i < p.lines; i++, x += p.line, to += p.length) {
        if (p.step == 1) {
#pragma omp simd
            for (int64_t j = 0; j < p.length; j++)
                to[j] = LOAD(x[j]);
        } else
            for (int64_t j = 0; j < p.length; j++)
                to[j] = LOAD(x[j * p.step]);
    }
    return p;
}

static packing pack_rounded(int64_t rows, int64_t columns, const float *x, int64_t row, int64_t column, elem *to)
{
    const packing p = packing_of(rows, columns, row, column);
    for (int64_t i = 0; i < p.lines; i++, x += p.line, to += p.length) {
#pragma omp simd
        for (int64_t j = 0; j < p.length; j++)
            to[j] = STORE(x[j * p.step]);
    }
    return p;
}

/* A is a, or where that is NULL a_reals */
static void gemm_by_floats(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, const real *a_reals,
                           int64_t a_row, int64_t a_column, const elem *b, int64_t b_row, int64_t b_column, real beta,
                           real *c, int64_t c_row)
{
    _Alignas(64) float a_floats[BLOCK], b_floats[BLOCK];
    int64_t p = 0;
    do { // once even where k is 0: C becomes beta * C
        const int64_t depth = least(k - p, BLOCK_DEPTH);
        for (int64_t j = 0; j < n; j += BLOCK_SIDE) {
            const int64_t columns = least(n - j, BLOCK_SIDE);
            const packing of_b = pack_floats(depth, columns, b + p * b_row + j * b_column, b_row, b_column, b_floats);
            for (int64_t i = 0; i < m; i += BLOCK_SIDE) {
                const int64_t rows = least(m - i, BLOCK_SIDE), at = i * a_row + p * a_column;
                packing of_a = {.row = a_row, .column = a_column};
                if (a)
                    of_a = pack_floats(rows, depth, a + at, a_row, a_column, a_floats);
                wk_gemm_of_floats(rows, columns, depth, alpha, a ? a_floats : a_reals + at, of_a.row, of_a.column,
                                  b_floats, of_b.row, of_b.column, p > 0 ? 1 : beta, c + i * c_row + j, c_row);
            }
        }
        p += depth;
    } while (p < k);
}

/* whether a library multiplies this one */
static bool is_of_library(int64_t m, int64_t n, int64_t k)
{
#ifdef __AVX512F__ // of the processors that multiply bfloat16, all have AVX-512
    return WK_DTYPE_ID == wk_bfloat16 && m * n * k >= LEAST_CALL && wk_has_gemm_bfloat16();
#else
    return (void)m, (void)n, (void)k, false;
#endif
}

void wk_gemm(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, int64_t a_row, int64_t a_column, const elem *b,
             int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    const bool transpose_a = a_column != 1, transpose_b = b_column != 1;
    const bool dense = (a_column == 1 || a_row == 1) && (b_column == 1 || b_row == 1);
    if (dense && m == 1 && a_column == 1)
        gemv(n, k, alpha, a, b, b_row, b_column, beta, c, 1);
    else if (dense && n == 1 && b_row == 1)
        gemv(m, k, alpha, b, a, a_column, a_row, beta, c, c_row);
    else if (!dense || !is_of_library(m, n, k) ||
             !wk_gemm_bfloat16(transpose_a, transpose_b, m, n, k, alpha, a, transpose_a ? a_column : a_row, b,
                               transpose_b ? b_column : b_row, beta, c, c_row))
        gemm_by_floats(m, n, k, alpha, a, NULL, a_row, a_column, b, b_row, b_column, beta, c, c_row);
}

void wk_gemm_of_reals(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column,
                      const elem *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    if (!is_of_library(m, n, k)) {
        gemm_by_floats(m, n, k, alpha, NULL, a, a_row, a_column, b, b_row, b_column, beta, c, c_row);
        return;
    }
    _Alignas(64) elem rounded[BLOCK];
    const int64_t most_rows = least(m, BLOCK_SIDE), most_depth = BLOCK / most_rows;
    for (int64_t i = 0; i < m; i += most_rows)
        for (int64_t p = 0; p < k; p += most_depth) {
            const int64_t rows = least(m - i, most_rows), depth = least(k - p, most_depth);
            const packing of_a = pack_rounded(rows, depth, a + i * a_row + p * a_column, a_row, a_column, rounded);
            wk_gemm(rows, n, depth, alpha, rounded, of_a.row, of_a.column, b + p * b_row, b_row, b_column,
                    p > 0 ? 1 : beta, c + i * c_row, c_row);
        }
}
