/* log_softmax and its backward along contiguous rows of n.

   y = x - max - log(sum(exp(x - max))).  The backward takes the result: softmax is exp(y). */
// compiled for: float half
#include "../log_softmax.h"
#include "rows.h"

static void log_softmax_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_log_softmax_work *w = rows->work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *y = wk_row_out(rows, 0, w->y, row, n);
        const real max = wk_row_max(x, n);
        const real log_sum = LOG(wk_row_sum(wk_exponential, x, NULL, max, n));
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] - max - log_sum;
        wk_row_store(y, w->y, row, n);
    }
}

WK_KERNEL(log_softmax, wk_log_softmax_work)
{
    wk_rows_run(log_softmax_rows, queue, w, 1, w->rows, w->n, 4 * w->n);
}

/* dx = dy - exp(y) * sum(dy) */
static void log_softmax_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const wk_log_softmax_backward_work *w = rows->work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *dy = wk_row_in(rows, 0, w->dy, row, n), *y = wk_row_in(rows, 1, w->y, row, n);
        real *dx = wk_row_out(rows, 0, w->dx, row, n);
        const real sum = wk_row_sum(wk_value, dy, NULL, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = dy[i] - EXP_NEGATIVE(y[i]) * sum;
        wk_row_store(dx, w->dx, row, n);
    }
}

WK_KERNEL(log_softmax_backward, wk_log_softmax_backward_work)
{
    wk_rows_run(log_softmax_backward_rows, queue, w, 2, w->rows, w->n, 4 * w->n);
}
