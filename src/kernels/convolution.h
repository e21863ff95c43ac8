/* How a 2-d convolution and its gradients are run: oneDNN's kernels where they are built in and come first, else a
   matrix product per image (cpu/convolution.c).  The images are shared among a fixed number of slots, each with scratch
   of its own, so the bits do not depend on the number of threads: the gradient of the weight is one sum per slot, added
   up in order.

       wk_convolution_open(&work, dtype, direction, &bytes);  work.scratch = memory of that many bytes;
       wk_convolution_run(&work, ...);  wk_convolution_close(&work)                                          */
#ifndef WICK_CONVOLUTION_KERNEL_H
#define WICK_CONVOLUTION_KERNEL_H

#include <stddef.h>

#include "kernels.h"

typedef enum wk_convolution_direction {
    WK_CONVOLUTION_FORWARD, // x, weight, bias (or NULL) -> y
    WK_CONVOLUTION_DATA,    // y, weight -> x: the gradient dx of dy
    WK_CONVOLUTION_WEIGHT   // x, y -> weight: the gradient dweight of dy
} wk_convolution_direction;

/* what a library made ready */
typedef struct wk_convolution_plan {
    wk_convolution_direction direction;
    wk_dtype dtype;
    bool by_onednn, failed;
    int64_t piece;       // images in one call
    int64_t part_bytes;  // of one slot's part of dweight
    size_t bytes;        // of scratch
    size_t shared_bytes; // of it, at its beginning, before the slots
    void *handles[16];
} wk_convolution_plan;

/* Fills in work's plan and slots from its shape (no size is 0); plan->bytes is the scratch it wants. */
void wk_convolution_open(wk_convolution_work *work, wk_convolution_plan *plan, wk_dtype dtype,
                         wk_convolution_direction direction);
/* Runs it on work's arrays and scratch; false where a library failed. */
bool wk_convolution_run(const wk_kernels *kernels, wk_convolution_work *work);
void wk_convolution_close(wk_convolution_work *work);

/* multiply-adds of the whole convolution */
int64_t wk_convolution_products(const wk_convolution_shape *shape);

#endif
