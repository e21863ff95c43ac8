/* Between the mirror's tables and its queue. */
#ifndef WICK_TESTS_MIRROR_KERNELS_H
#define WICK_TESTS_MIRROR_KERNELS_H

#include "kernels/kernels.h"

/* runs a kernel of the CPU's on a work that was kept */
typedef void mirror_now(wk_queue *queue, const void *work);
/* keeps a copy of the work, for later */
void mirror_push(wk_queue *queue, mirror_now *run, const void *work, size_t bytes);

void mirror_fill_tables(const wk_kernels *tables[WK_DTYPES]);

#endif
