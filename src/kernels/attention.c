#include "attention.h"

/* An exponential costs about 16 multiply-adds; 64 of those make what wk_parallel counts as 1. */
static int64_t cost_of(const wk_attention_work *work, int64_t rows, int64_t products)
{
    return rows * work->S * (products * (work->D + work->Dv) + 16) / 64 + 1;
}

void wk_attention_run(const wk_kernels *kernels, wk_attention_work *work, int64_t batch)
{
    work->blocks = (work->L + WK_ATTENTION_ROWS - 1) / WK_ATTENTION_ROWS;
    const int64_t rows = work->L < WK_ATTENTION_ROWS ? work->L : WK_ATTENTION_ROWS;
    wk_parallel(kernels->attention, work, batch * work->heads * work->blocks, cost_of(work, rows, 1));
}

void wk_attention_backward_run(const wk_kernels *kernels, wk_attention_backward_work *work, int64_t batch)
{
    const wk_attention_work *forward = &work->forward;
    wk_parallel(kernels->attention_backward, work, batch * (forward->heads / forward->group),
                forward->group * cost_of(forward, forward->L, 3));
}
