/* What a device is to the rest of the house: its memory, copies to and from it, its queue, its tables of kernels,
   behind one struct of functions.  Above it stand core/device_memory.c (counting, caching, injected failures) and
   core/run.h (which runs kernels).  A device is added by filling one in: the CPU's is in cpu/select.c.

   Everything but alloc and free is in the order of the queue.  The host may touch memory of the CPU alone. */
#ifndef WICK_DEVICE_H
#define WICK_DEVICE_H

#include "queue.h"

struct wk_kernels;

typedef enum wk_copy_direction { WK_COPY_IN, WK_COPY_OUT, WK_COPY_WITHIN } wk_copy_direction;

typedef struct wk_backend {
    const char *name; // "cuda"
    int (*count)(void);
    const struct wk_kernels *kernels[WK_DTYPES]; // a table each (kernels.h)

    void *(*alloc)(int index, size_t bytes); // aligned to 64 bytes; NULL where there is no memory
    void (*free)(int index, void *memory);   // after a wait
    wk_queue *(*queue)(int index);           // of the calling thread
    /* from the host, to it, or from place to place.  Host memory that is read may be changed as soon as this returns;
       host memory that is written is there after a wait. */
    void (*copy)(wk_queue *queue, void *to, const void *from, size_t bytes, wk_copy_direction direction);
    void (*fill)(wk_queue *queue, void *to, int byte, size_t bytes);
    void (*wait)(wk_queue *queue); // until all that is in the queue is done
} wk_backend;

extern wk_backend wk_cpu_backend;
extern const wk_backend *wk_backends[WK_DEVICE_TYPES]; // NULL: not in this build

#endif
