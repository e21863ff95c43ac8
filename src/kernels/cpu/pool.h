/* Of the pool of threads (parallel.c): what those ask who call libraries or end the process. */
#ifndef WICK_POOL_H
#define WICK_POOL_H

#include <stdbool.h>

/* wk_set_num_threads, for a library that asks OpenMP; false where there is no memory */
bool wk_set_own_threads(int threads);

/* At the end of the process: false where a thread is in the middle of its work, and all stays. */
bool wk_parallel_stop(void);

#endif
