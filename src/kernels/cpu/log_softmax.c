/* log_softmax and its backward along contiguous rows of n.

   y = x - max - log(sum(exp(x - max))).  The backward takes the result: softmax is exp(y). */
// compiled for: float
#include "rows.h"

/* exp(a - c), of a <= c */
WK_INLINE real exponential(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return EXP_NEGATIVE(a[i] - c);
}

void KERNEL_NAME(log_softmax)(const void *work, int64_t begin, int64_t end)
{
    const wk_log_softmax_work *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *y = (real *)w->y + row * n;
        const real max = wk_row_max(x, n);
        const real log_sum = LOG(wk_row_sum(exponential, x, NULL, max, n));
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] - max - log_sum;
    }
}

/* dx = dy - exp(y) * sum(dy) */
void KERNEL_NAME(log_softmax_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_log_softmax_backward_work *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *dy = (const real *)w->dy + row * n, *y = (const real *)w->y + row * n;
        real *dx = (real *)w->dx + row * n;
        const real sum = wk_row_sum(wk_value, dy, NULL, 0, n);
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = dy[i] - EXP_NEGATIVE(y[i]) * sum;
    }
}
