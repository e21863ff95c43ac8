/* softmax and its backward along contiguous rows of n: y = exp(x - max) / sum. */
#include "cpu.h"

void KERNEL_NAME(softmax)(const void *work, int64_t begin, int64_t end)
{
    const wk_softmax_work *w = work;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *y = (real *)w->y + row * n;
        real max = -INFINITY, sum = 0;
#pragma omp simd reduction(max : max)
        for (int64_t i = 0; i < n; i++)
            max = x[i] > max ? x[i] : max;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; i++)
            sum += y[i] = EXP(x[i] - max);
        const real scale = 1 / sum;
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
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; i++)
            sum += dy[i] * y[i];
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = y[i] * (dy[i] - sum);
    }
}
