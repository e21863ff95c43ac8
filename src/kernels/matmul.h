/* How a matrix product is run: cut into tiles of C by its sizes alone, so that its bits depend on neither the number of
   threads nor the library's way of using them. */
#ifndef WICK_MATMUL_H
#define WICK_MATMUL_H

#include "kernels.h"

/* Fills in work's tile_m and tile_n and runs the kernel over all tiles of all batches.  Sizes may be 0. */
void wk_matmul_run(const wk_kernels *kernels, wk_matmul_work *work);

#endif
