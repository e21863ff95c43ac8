/* Cross entropy of rows of n logits with a class each: one pass to the loss, without log_softmax in memory.

   With p = softmax(x), w the class weights (or 1), W their sum, t the row's class and e the label smoothing:
       loss = (1 - e) w[t] (lse - x[t]) + e / n * (W lse - sum(w x)),   lse = log(sum(exp(x)))
   A row whose class is `ignore` has loss 0 and weight 0.  lse is kept for the backward; weights[row] is w[t]. */
// compiled for: float
#include "../kernels.h"
#include "rows.h"

void KERNEL_NAME(cross_entropy)(const void *work, int64_t begin, int64_t end)
{
    const wk_cross_entropy_work *w = work;
    const real *weight = w->weight, smoothing = (real)w->smoothing;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        const int64_t class = w->target[row];
        const real max = wk_row_max(x, n);
        const real lse = max + LOG(wk_row_sum(wk_exponential, x, NULL, max, n));
        const real own = class == w->ignore ? 0 : weight ? weight[class] : 1;
        real loss = class == w->ignore ? 0 : own * (lse - x[class]);
        if (smoothing > 0 && class != w->ignore) {
            const real total = weight ? wk_row_sum(wk_value, weight, NULL, 0, n) : (real)n;
            const real mean = weight ? wk_row_sum(wk_product, weight, x, 0, n) : wk_row_sum(wk_value, x, NULL, 0, n);
            loss = (1 - smoothing) * loss + smoothing / (real)n * (total * lse - mean);
        }
        ((real *)w->lse)[row] = lse;
        ((real *)w->losses)[row] = loss;
        ((real *)w->weights)[row] = own;
    }
}

/* dx = dy * (((1 - e) w[t] + e / n W) p - (1 - e) w[t] onehot - e / n w), dy one a row; dy_step is 0 where all share
 * one */
void KERNEL_NAME(cross_entropy_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_cross_entropy_backward_work *w = work;
    const real *weight = w->weight, smoothing = (real)w->smoothing;
    const int64_t n = w->n;
    const real total = weight ? wk_row_sum(wk_value, weight, NULL, 0, n) : (real)n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = (const real *)w->x + row * n;
        real *dx = (real *)w->dx + row * n;
        const int64_t class = w->target[row];
        if (class == w->ignore) {
            memset(dx, 0, (size_t)n * sizeof(real));
            continue;
        }
        const real dy = ((const real *)w->dy)[row * w->dy_step], lse = ((const real *)w->lse)[row];
        const real own = dy * (1 - smoothing) * (weight ? weight[class] : 1), spread = dy * smoothing / (real)n;
        const real scale = own + spread * total;
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = scale * EXP_NEGATIVE(x[i] - lse);
        for (int64_t i = 0; spread != 0 && i < n; i++)
            dx[i] -= spread * (weight ? weight[i] : 1);
        dx[class] -= own;
    }
}
