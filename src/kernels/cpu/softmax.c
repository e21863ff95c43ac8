/* softmax and its backward along contiguous rows of n.

   y = exp(x - max) / sum(exp(x - max)).  Three passes over a row that stays in cache.  A row with +infinity or NaN, or
   of -infinity alone, is all NaN, as in PyTorch. */
#include "rows.h"

void KERNEL_NAME(softmax)(const void *work, int64_t begin, int64_t end)
{
    const wk_softmax_work *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *y = (real *)w->y + row * n;
        const real max = wk_row_max(x, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = EXP_NEGATIVE(x[i] - max);
        const real scale = 1 / wk_row_sum(wk_value, y, NULL, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] *= scale;
    }
}

/* dx = y * (dy - sum(dy * y)) */
void KERNEL_NAME(softmax_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_softmax_backward_work *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *dy = (const real *)w->dy + row * n, *y = (const real *)w->y + row * n;
        real *dx = (real *)w->dx + row * n;
        const real sum = wk_row_sum(wk_product, dy, y, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = y[i] * (dy[i] - sum);
    }
}
