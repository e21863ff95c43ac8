/* softmax and its backward along contiguous rows of n.

   y = exp(x - max) / sum(exp(x - max)).  Three passes over a row that stays in cache.  A row with +infinity or NaN, or
   of -infinity alone, is all NaN, as in PyTorch. */
// compiled for: float half
#include "../softmax.h"
#include "rows.h"

static void softmax_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_softmax_work *w = rows->work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const real max = wk_row_max(x, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = EXP_NEGATIVE(x[i] - max);
        const real scale = 1 / wk_row_sum(wk_value, y, NULL, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] *= scale;
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(softmax, wk_softmax_work)
{
    wk_rows_run(softmax_rows, queue, w, 1, w->rows, w->n, 4 * w->n);
}

/* dx = y * (dy - sum(dy * y)) */
static void softmax_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_softmax_backward_work *w = rows->work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *dy = wk_row_in(rows, 0, w->dy, row, n), *y = wk_row_in(rows, 1, w->y, row, n);
        real *dx = wk_row_out(rows, 0, w->dx, row, n);
        const real sum = wk_row_sum(wk_product, dy, y, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = y[i] * (dy[i] - sum);
        wk_row_store(dx, w->dx, row, n);
    }
}

WK_KERNEL(softmax_backward, wk_softmax_backward_work)
{
    wk_rows_run(softmax_backward_rows, queue, w, 2, w->rows, w->n, w->n);
}
