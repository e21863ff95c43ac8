/* y[outer, inner] = sum over n of x[outer, n, inner]. */
#include "cpu.h"

void KERNEL_NAME(sum)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = work;
    const real *x = w->x;
    real *y = w->y;
    for (int64_t item = begin; item < end; item++) {
        const real *column = x + item / w->inner * w->n * w->inner + item % w->inner;
        real sum = 0;
        if (w->inner == 1) {
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < w->n; i++)
                sum += column[i];
        } else {
            for (int64_t i = 0; i < w->n; i++)
                sum += column[i * w->inner];
        }
        y[item] = sum;
    }
}
