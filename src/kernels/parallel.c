#include "parallel.h"

#include <omp.h>

/* About what a range should cost: large enough to hide a thread's wake-up, small enough for its data to stay in L2. */
#define RANGE_COST 32768

void wk_parallel(wk_kernel *kernel, const void *work, int64_t count, int64_t cost)
{
    if (count <= 0)
        return;
    int64_t range = cost >= RANGE_COST ? 1 : RANGE_COST / (cost > 0 ? cost : 1);
    int64_t ranges = (count + range - 1) / range;
    if (ranges == 1) {
        kernel(work, 0, count);
        return;
    }
/* static: a thread meets the same part of an array again in its own cache (a 4 MB copy takes half the time) */
#pragma omp parallel for schedule(static) if (!omp_in_parallel())
    for (int64_t i = 0; i < ranges; i++) {
        int64_t begin = i * range;
        kernel(work, begin, begin + range < count ? begin + range : count);
    }
}

int wk_get_num_threads(void) { return omp_get_max_threads(); }

void wk_set_num_threads(int threads) { omp_set_num_threads(threads > 0 ? threads : 1); }
