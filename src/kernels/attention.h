/* How attention is run: query rows in blocks, cut among threads by size alone. */
#ifndef WICK_ATTENTION_KERNEL_H
#define WICK_ATTENTION_KERNEL_H

#include "kernels.h"

/* Fills in work's blocks and runs the kernel over a batch.  Sizes may be 0. */
void wk_attention_run(const wk_kernels *kernels, wk_attention_work *work, int64_t batch);
void wk_attention_backward_run(const wk_kernels *kernels, wk_attention_backward_work *work, int64_t batch);

#endif
