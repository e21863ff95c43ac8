/* Floor 0: arithmetic on plain arrays.  Knows dtypes and devices, but no tensor and no graph.

   The table of a device's kernels for one dtype.  A kernel is a function that does the whole of its work,
       void softmax(wk_queue *queue, const wk_softmax_work *work)
   or, on a device that computes later, puts it into the queue; the work is then copied.  What it works on is a plain
   struct in its family's header (softmax.h); how it is cut among threads, into tiles or chunks, stands beside its loop
   (cpu/softmax.c).  kernels.def lists the names, pointwise.def the rows of element-wise maths. */
#ifndef WICK_KERNELS_H
#define WICK_KERNELS_H

#include <stdbool.h>

#include "queue.h"

/* the name of a kernel's work, wherever its struct is */
#define KERNEL(name, work, kinds) typedef struct wk_##work##_work wk_##name##_work;
#include "kernels.def"

struct wk_pointwise_work;
typedef void wk_pointwise_kernel(wk_queue *queue, const struct wk_pointwise_work *work);

typedef struct wk_kernels {
    const char *name;                       // "cpu avx512 float32"
    wk_pointwise_kernel *const *pointwise; // by wk_pointwise_row (pointwise.h); NULL: absent
#define KERNEL(name, work, kinds) void (*name)(wk_queue *queue, const struct wk_##work##_work *work_); // NULL: absent
#include "kernels.def"
} wk_kernels;

#endif
