/* How an element-wise kernel walks its operands: in pieces of a row, each handed to a loop over contiguous arrays.

   A piece whose operand is contiguous and of the table's dtype is used where it lies; any other (broadcast, strided, of
   another dtype) is first brought into a buffer on the stack, small enough for L1. */
#ifndef WICK_WALK_H
#define WICK_WALK_H

#include "../pointwise.h"
#include "cpu.h"

#define WK_PIECE 512

/* y[i] = f(a[i], b[i], c[i]) for i in 0..n */
typedef void wk_loop(const real *a, const real *b, const real *c, real *y, real p, real q, int64_t n);

void KERNEL_NAME(walk)(const wk_pointwise_work *work, wk_loop *loop, int64_t begin, int64_t end);

#endif
