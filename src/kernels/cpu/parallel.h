/* The one place that splits work among threads. */
#ifndef WICK_PARALLEL_H
#define WICK_PARALLEL_H

#include <stdint.h>

#include <wick/dtype.h> // wk_get_num_threads, wk_set_num_threads

/* About what a range should cost: large enough to hide a thread's wake-up, small enough for its data to stay in L2. */
#define WK_RANGE_COST 32768

/* Does the items begin..end of a work. */
typedef void wk_kernel(const void *work, int64_t begin, int64_t end);

/* Runs kernel over items 0..count, cut into ranges whose size depends on count and cost alone (cost: about how many
   elements one item touches or nanoseconds it takes), never on the number of threads: same bits on any number of cores.
   Small work runs in the calling thread. */
#define wk_parallel(kernel_, work_, count_, cost_)                                                                     \
    do {                                                                                                               \
        const int64_t items_ = (count_), each_ = (cost_);                                                              \
        if (items_ > 0 && items_ <= WK_RANGE_COST / (each_ > 0 ? each_ : 1))                                           \
            (kernel_)(work_, 0, items_); /* in sight of a debugger: from the kernel straight into its loop */          \
        else                                                                                                           \
            wk_parallel_ranges(kernel_, work_, items_, each_);                                                         \
    } while (0)
void wk_parallel_ranges(wk_kernel *kernel, const void *work, int64_t count, int64_t cost);

/* In a range function: which of the threads that share this work runs it, 0 to wk_parallel_threads() - 1: for scratch
   of its own. */
int wk_parallel_thread(void);
int wk_parallel_threads(void); // the most that there can be

#endif
