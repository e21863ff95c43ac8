/* Convolutions by oneDNN: layouts of its own making, several images a call.  Of float32, and of halves: bfloat16 as it
   is where the processor multiplies it, else floats, converted a piece at a time. */
#ifndef WICK_CONVOLUTION_ONEDNN_H
#define WICK_CONVOLUTION_ONEDNN_H

#include <stdbool.h>

#include "../convolution.h"
#include "../queue.h"

typedef enum wk_convolution_direction {
    WK_CONVOLUTION_FORWARD, // x, weight, bias -> y
    WK_CONVOLUTION_DATA,    // y, weight, bias -> x
    WK_CONVOLUTION_WEIGHT   // x, y -> weight
} wk_convolution_direction;

/* loops that the caller has for its instruction set and dtype */
typedef struct wk_convolution_loops {
    void (*add)(float *to, const float *from, int64_t n);
    void (*load)(float *to, const void *from, int64_t n); // of halves, else NULL
    void (*store)(void *to, const float *from, int64_t n);
} wk_convolution_loops;

/* Does the work; or answers false where the build has no oneDNN of version 2, where the plain way is faster, or where
   the library fails: the caller does it then.  True also after a fault of the queue: no memory. */
bool wk_convolution_onednn(wk_queue *queue, const wk_convolution_work *work, wk_convolution_direction direction,
                           wk_dtype dtype, const wk_convolution_loops *loops);

#endif
