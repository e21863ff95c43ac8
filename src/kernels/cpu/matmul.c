/* matmul: tiles of C = alpha A B + beta C + bias, A (m, k), B (k, n), C (m, n), for each matrix of a batch. */
// compiled for: float integer
#include "../kernels.h"
#include "cpu.h"

#if WK_IS_FLOATING
#include "product.h"
#else
/* Integers wrap around, bool is "any": rows of C gather rows of B. */
static void product(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column,
                    const real *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row)
{
    for (int64_t i = 0; i < m; i++) {
        real *y = c + i * c_row;
        for (int64_t j = 0; j < n; j++)
            y[j] = beta ? beta * y[j] : 0;
        for (int64_t p = 0; p < k; p++) {
            const real x = alpha * a[i * a_row + p * a_column];
            for (int64_t j = 0; j < n; j++)
                y[j] += x * b[p * b_row + j * b_column];
        }
    }
}
#endif

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

void KERNEL_NAME(matmul)(const void *work, int64_t begin, int64_t end)
{
    const wk_matmul_work *w = work;
    const int64_t across = (w->n + w->tile_n - 1) / w->tile_n;
    const int64_t tiles = (w->m + w->tile_m - 1) / w->tile_m * across;
    for (int64_t item = begin; item < end; item++) {
        const int64_t batch = item / tiles;
        const int64_t i = item % tiles / across * w->tile_m, j = item % across * w->tile_n;
        const int64_t rows = w->m - i < w->tile_m ? w->m - i : w->tile_m;
        const int64_t columns = w->n - j < w->tile_n ? w->n - j : w->tile_n;
        const real *a = (const real *)w->a + batch_offset(w, w->a_batch, batch) + i * w->a_row;
        const real *b = (const real *)w->b + batch_offset(w, w->b_batch, batch) + j * w->b_column;
        real *c = (real *)w->c + batch_offset(w, w->c_batch, batch) + i * w->c_row + j;
        const real *bias = w->bias;
        for (int64_t row = 0; bias && row < rows; row++)
            memcpy(c + row * w->c_row, bias + j, (size_t)columns * sizeof(real));
        product(rows, columns, w->k, (real)w->alpha, a, w->a_row, w->a_column, b, w->b_row, w->b_column,
                bias ? 1 : (real)w->beta, c, w->c_row);
    }
}
