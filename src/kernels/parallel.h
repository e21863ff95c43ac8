/* The one place that splits work among threads. */
#ifndef WICK_PARALLEL_H
#define WICK_PARALLEL_H

#include <stdint.h>

#include <wick/dtype.h> // wk_get_num_threads, wk_set_num_threads

/* Does the items begin..end of a work. */
typedef void wk_kernel(const void *work, int64_t begin, int64_t end);

/* Runs kernel over items 0..count, cut into ranges whose size depends on count and cost alone (cost: about how many
   elements one item touches or nanoseconds it takes), never on the number of threads: same bits on any number of cores.
   Small work runs in the calling thread. */
void wk_parallel(wk_kernel *kernel, const void *work, int64_t count, int64_t cost);

#endif
