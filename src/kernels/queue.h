/* Where a device's work goes, in order.  The CPU's runs at once, in the thread that asks, which has a queue of its own;
   CUDA's is a stream; the mirror's of the tests is a thread.

   What a kernel finds wrong (an index out of range, no memory for scratch) becomes the queue's fault: the first one
   stays, names the op that was running, and is raised as an error by the host at the next wait (core/run.h), on the CPU
   right after the kernel. */
#ifndef WICK_QUEUE_H
#define WICK_QUEUE_H

#include <stddef.h>

#include <wick/dtype.h>

#define WK_KERNEL_MAX_DIMS 8

typedef enum wk_fault_kind {
    WK_FAULT_NONE = 0,
    WK_FAULT_MEMORY, // value: bytes that were not there
    WK_FAULT_INDEX,  // value is outside 0..high-1 of dim `dim` of shape; name: the argument
    WK_FAULT_CLASS,  // value is outside low..high-1, and not `ignore`; name: the argument
    WK_FAULT_NUMBER  // number is not what name says: "p: expected 0 to 1"
} wk_fault_kind;

typedef struct wk_fault {
    wk_fault_kind kind;
    const char *op, *name; // constant
    int64_t value, low, high, ignore;
    double number;
    int dim, ndim;
    int64_t shape[WK_KERNEL_MAX_DIMS];
} wk_fault;

typedef struct wk_queue {
    wk_device device;
    const char *op; // whose kernel runs
    wk_fault fault;
    /* until this kernel's work is done; NULL, and a fault, where there is no memory */
    void *(*scratch)(struct wk_queue *queue, size_t bytes);
    void *scratch_blocks;
    void *stream;       // of a device that has them
    void *libraries[4]; // its handles, made on first use
} wk_queue;

/* keeps the first fault; from any thread of a kernel */
void wk_queue_fault(wk_queue *queue, const wk_fault *fault);

#endif
