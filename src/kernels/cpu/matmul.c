/* matmul: C = A B + bias, A (m, k), B (k, n), C (m, n), for each matrix of a batch, in tiles of C that depend on the
   sizes alone: the bits depend on neither the number of threads nor the library's way of using them.

   A product is cut into 4 tiles, a large one into 8 or more.  Each packs its own part of A and B, which costs a tile of
   (m, n) about 1/m + 1/n of its arithmetic: on two cores 2048 x 288 x 96 runs at 406 GFLOPS in tiles of 512 x 288, 385
   in tiles of 256 x 144; 1024^3 at 398 in tiles of 512 x 512, 341 in tiles of 128 x 144.  Widths are multiples of 48,
   the columns that oneDNN keeps in registers.  Halves are summed in float, in a tile of the thread's own, and rounded
   once. */
// compiled for: float half integer complex
#include "../matmul.h"
#include "cpu.h"

#if WK_IS_FLOATING
#include "gemm.h"
#else
#if WK_IS_COMPLEX
/* C's own product would look for infinities in every one */
static inline real times(real a, real b)
{
    real product;
    __real__ product = __real__ a * __real__ b - __imag__ a * __imag__ b;
    __imag__ product = __real__ a * __imag__ b + __imag__ a * __real__ b;
    return product;
}
#else
static inline real times(real a, real b) { return (real)(a * b); } // wraps around
#endif

/* C = A B + beta C, beta 0 or 1: rows of C gather rows of B */
static void wk_gemm(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, int64_t a_row, int64_t a_column,
                    const elem *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    (void)alpha; // 1
    for (int64_t i = 0; i < m; i++) {
        real *y = c + i * c_row;
        for (int64_t j = 0; beta == 0 && j < n; j++)
            y[j] = 0;
        for (int64_t p = 0; p < k; p++) {
            const real x = a[i * a_row + p * a_column];
            for (int64_t j = 0; j < n; j++)
                y[j] += times(x, b[p * b_row + j * b_column]);
        }
    }
}
#endif

enum { LEAST_TILE = 1 << 18, USUAL_TILE = 20 << 20, MOST_TILE = 256 << 20, LEAST_SIDE = 48 }; // in multiply-adds
enum { ROUNDS = sizeof(elem) < sizeof(real), MOST_SUMS = 1 << 18 }; // of a tile of halves: 1 MB

typedef struct tiling {
    const wk_matmul_work *w;
    int64_t rows, columns; // of a tile
    int64_t across, tiles; // tiles in a row of C, and in C
    real *sums;            // (threads, rows, columns) of halves
} tiling;

static int64_t halved(int64_t side, int64_t multiple) { return (side / 2 + multiple - 1) / multiple * multiple; }

/* Thin products wait for memory: an element of A or B counts as 16 multiply-adds. */
static int64_t cost_of(int64_t m, int64_t n, int64_t k)
{
    const int64_t products = m * n * k, elements = 16 * k * (m + n);
    return products > elements ? products : elements;
}

static tiling cut(const wk_matmul_work *w, int64_t batches)
{
    const int64_t total = cost_of(w->m, w->n, w->k) / (ROUNDS ? 2 : 1), all = total * batches;
    int64_t most = all / 4 < USUAL_TILE ? all / 4 : all / 8 > USUAL_TILE ? all / 8 : USUAL_TILE;
    most = most < LEAST_TILE ? LEAST_TILE : most > MOST_TILE ? MOST_TILE : most;
    tiling t = {.w = w, .rows = w->m, .columns = w->n};
    for (int64_t tiles = 1; total / tiles > most || (ROUNDS && t.rows * t.columns > MOST_SUMS); tiles *= 2) {
        if (t.rows >= t.columns && t.rows > LEAST_SIDE)
            t.rows = halved(t.rows, 8);
        else if (t.columns > LEAST_SIDE)
            t.columns = halved(t.columns, LEAST_SIDE);
        else
            break;
    }
    t.across = (w->n + t.columns - 1) / t.columns;
    t.tiles = (w->m + t.rows - 1) / t.rows * t.across;
    return t;
}

/* elements from the batch's first matrix to this one */
static int64_t batch_offset(const wk_matmul_work *w, const int64_t *strides, int64_t batch)
{
    int64_t offset = 0;
    for (int dim = w->batch_ndim - 1; dim >= 0; dim--) {
        offset += batch % w->batch_shape[dim] * strides[dim];
        batch /= w->batch_shape[dim];
    }
    return offset;
}

static void matmul_tiles(const void *work, int64_t begin, int64_t end)
{
    const tiling *t = work;
    const wk_matmul_work *w = t->w;
    for (int64_t item = begin; item < end; item++) {
        const int64_t batch = item / t->tiles;
        const int64_t i = item % t->tiles / t->across * t->rows, j = item % t->across * t->columns;
        const int64_t rows = w->m - i < t->rows ? w->m - i : t->rows;
        const int64_t columns = w->n - j < t->columns ? w->n - j : t->columns;
        const elem *a = (const elem *)w->a + batch_offset(w, w->a_batch, batch) + i * w->a_row;
        const elem *b = (const elem *)w->b + batch_offset(w, w->b_batch, batch) + j * w->b_column;
        const elem *bias = w->bias ? (const elem *)w->bias + j : NULL;
        elem *c = (elem *)w->c + batch_offset(w, w->c_batch, batch) + i * w->c_row + j;
        real *sums = ROUNDS ? t->sums + (int64_t)wk_parallel_thread() * t->rows * t->columns : (real *)c;
        const int64_t sums_row = ROUNDS ? columns : w->c_row;
        for (int64_t row = 0; bias && row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                sums[row * sums_row + column] = LOAD(bias[column]);
        wk_gemm(rows, columns, w->k, 1, a, w->a_row, w->a_column, b, w->b_row, w->b_column, bias ? 1 : 0, sums,
                sums_row);
        const bool gaps = w->c_row != columns;
        const int64_t lines = gaps ? rows : 1, length = gaps ? columns : rows * columns;
        for (int64_t line = 0; ROUNDS && line < lines; line++) {
#pragma omp simd
            for (int64_t i = 0; i < length; i++)
                c[line * w->c_row + i] = STORE(sums[line * sums_row + i]);
        }
    }
}

WK_KERNEL(matmul, wk_matmul_work)
{
    int64_t batches = 1;
    for (int dim = 0; dim < w->batch_ndim; dim++)
        batches *= w->batch_shape[dim];
    if (w->m <= 0 || w->n <= 0 || batches <= 0)
        return;
    tiling t = cut(w, batches);
    if (ROUNDS &&
        !(t.sums = queue->scratch(queue, (size_t)(wk_parallel_threads() * t.rows * t.columns) * sizeof(real))))
        return;
    wk_parallel(matmul_tiles, &t, batches * t.tiles, cost_of(t.rows, t.columns, w->k) / 64 + 1);
}
