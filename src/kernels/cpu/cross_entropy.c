/* Cross entropy of rows of n logits with a class each: one pass to the loss, without log_softmax in memory; nll_loss.

   With p = softmax(x), w the class weights (or 1), W their sum, t the row's class and e the label smoothing:
       loss = (1 - e) w[t] (max - x[t] + log_sum) + e / n * (W log_sum - sum(w (x - max)))
   max and log_sum = log(sum(exp(x - max))) are never added up: of logits near 1e8, log_sum would be lost in the sum. */
// compiled for: float half
#include "../cross_entropy.h"
#include "rows.h"

WK_INLINE real centered(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return a[i] - c;
}

/* the class of a row; -1 where it is ignored, or (a fault) none */
static int64_t class_of(wk_queue *queue, int64_t class, int64_t n, int64_t ignore)
{
    if (class == ignore)
        return -1;
    if (class >= 0 && class < n)
        return class;
    wk_queue_fault(queue,
                   &(wk_fault){.kind = WK_FAULT_CLASS, .name = "target", .value = class, .high = n, .ignore = ignore});
    return -1;
}

static real total_of(const real *weight, int64_t n)
{
    return weight ? wk_row_sum(wk_value, weight, NULL, 0, n) : (real)n;
}

/* ---------------------------------------------------------------- cross_entropy */

typedef struct cross_entropy_call {
    const wk_cross_entropy_work *w;
    wk_queue *queue;
    real total; // of the class weights
} cross_entropy_call;

static void cross_entropy_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const cross_entropy_call *call = rows->work;
    const wk_cross_entropy_work *w = call->w;
    const real *weight = w->weight, smoothing = (real)w->smoothing;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        const int64_t class = class_of(call->queue, w->target[row], n, w->ignore);
        const real max = wk_row_max(x, n);
        const real log_sum = LOG(wk_row_sum(wk_exponential, x, NULL, max, n));
        const real own = class < 0 ? 0 : weight ? weight[class] : 1;
        real loss = class < 0 ? 0 : own * (max - x[class] + log_sum);
        if (smoothing > 0 && class >= 0) {
            const real sum =
                weight ? wk_row_sum(wk_product_centered, weight, x, max, n) : wk_row_sum(centered, x, NULL, max, n);
            loss = (1 - smoothing) * loss + smoothing / (real)n * (call->total * log_sum - sum);
        }
        ((real *)w->statistics)[row] = max;
        ((real *)w->statistics)[w->rows + row] = log_sum;
        ((real *)w->losses)[row] = loss;
        ((real *)w->weights)[row] = own;
    }
}

WK_KERNEL(cross_entropy, wk_cross_entropy_work)
{
    const cross_entropy_call call = {w, queue, total_of(w->weight, w->n)};
    wk_rows_run(cross_entropy_rows, queue, &call, 1, w->rows, w->n, 4 * w->n);
}

typedef struct cross_entropy_backward_call {
    const wk_cross_entropy_backward_work *w;
    wk_queue *queue;
    real total;
} cross_entropy_backward_call;

/* dx = dy * (((1 - e) w[t] + e / n W) p - (1 - e) w[t] onehot - e / n w) */
static void cross_entropy_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const wk_rows *rows = work;
    const cross_entropy_backward_call *call = rows->work;
    const wk_cross_entropy_backward_work *w = call->w;
    const real *weight = w->weight, smoothing = (real)w->smoothing;
    const int64_t n = w->n;
    for (int64_t row = begin; row < end; row++) {
        const int64_t class = class_of(call->queue, w->target[row], n, w->ignore);
        if (class < 0) {
            memset((elem *)w->dx + row * n, 0, (size_t)n * sizeof(elem));
            continue;
        }
        const real *x = wk_row_in(rows, 0, w->x, row, n);
        real *dx = wk_row_out(rows, 0, w->dx, row, n);
        const real dy = ((const real *)w->dy)[w->per_row ? row : 0];
        const real max = ((const real *)w->statistics)[row], log_sum = ((const real *)w->statistics)[w->rows + row];
        const real own = dy * (1 - smoothing) * (weight ? weight[class] : 1), smooth = dy * smoothing / (real)n;
        const real scale = own + smooth * call->total;
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            dx[i] = scale * EXP_NEGATIVE(x[i] - max - log_sum);
        for (int64_t i = 0; smooth != 0 && i < n; i++)
            dx[i] -= smooth * (weight ? weight[i] : 1);
        dx[class] -= own;
        wk_row_store(dx, w->dx, row, n);
    }
}

WK_KERNEL(cross_entropy_backward, wk_cross_entropy_backward_work)
{
    const cross_entropy_backward_call call = {w, queue, total_of(w->weight, w->n)};
    wk_rows_run(cross_entropy_backward_rows, queue, &call, 1, w->rows, w->n, 4 * w->n);
}

/* ---------------------------------------------------------------- nll_loss */

typedef struct nll_loss_call {
    const wk_nll_loss_work *w;
    wk_queue *queue;
} nll_loss_call;

static void nll_loss_rows(const void *work, int64_t begin, int64_t end)
{
    const nll_loss_call *call = work;
    const wk_nll_loss_work *w = call->w;
    const real *weight = w->weight;
    for (int64_t row = begin; row < end; row++) {
        const int64_t class = class_of(call->queue, w->target[row], w->n, w->ignore);
        const real own = class < 0 ? 0 : weight ? weight[class] : 1;
        ((real *)w->losses)[row] = class < 0 ? 0 : -LOAD(((const elem *)w->x)[row * w->n + class]) * own;
        ((real *)w->weights)[row] = own;
    }
}

WK_KERNEL(nll_loss, wk_nll_loss_work)
{
    const nll_loss_call call = {w, queue};
    wk_parallel(nll_loss_rows, &call, w->rows, 4);
}

typedef struct nll_loss_backward_call {
    const wk_nll_loss_backward_work *w;
    wk_queue *queue;
} nll_loss_backward_call;

static void nll_loss_backward_rows(const void *work, int64_t begin, int64_t end)
{
    const nll_loss_backward_call *call = work;
    const wk_nll_loss_backward_work *w = call->w;
    const real *weight = w->weight;
    for (int64_t row = begin; row < end; row++) {
        elem *dx = (elem *)w->dx + row * w->n;
        memset(dx, 0, (size_t)w->n * sizeof(elem));
        const int64_t class = class_of(call->queue, w->target[row], w->n, w->ignore);
        if (class >= 0)
            dx[class] = STORE(-((const real *)w->dy)[w->per_row ? row : 0] * (weight ? weight[class] : 1));
    }
}

WK_KERNEL(nll_loss_backward, wk_nll_loss_backward_work)
{
    const nll_loss_backward_call call = {w, queue};
    wk_parallel(nll_loss_backward_rows, &call, w->rows, w->n);
}
