/* What ops that multiply matrices share. */
#ifndef WICK_OPS_MATMUL_H
#define WICK_OPS_MATMUL_H

#include <wick/matmul.h>

#include "kernels/matmul.h"
#include "ops.h"

/* Every op that multiplies matrices counts its multiply-adds, per thread; a model's summary takes the difference. */
void wk_count_multiply_adds(int64_t count);
int64_t wk_multiply_adds(void); // of this thread, since its start

/* y (..., m, n) = a (..., m, k) b (..., k, n) + bias (n): at least 2 dims each, leading dims that broadcast, one dtype;
   without history.  bias may be NULL. */
wk_tensor *wk_multiply(const char *op, wk_tensor *a, wk_tensor *b, wk_tensor *bias);
/* the same of two matrices into y, contiguous, as many rows of n in whatever dims; false after an error */
bool wk_multiply_into(const char *op, wk_tensor *y, wk_tensor *a, wk_tensor *b, wk_tensor *bias);

/* false after an error that names both: dtypes that differ or cannot be multiplied, devices that differ */
bool wk_check_product(const char *op, const char *a_name, const wk_tensor *a, const char *b_name, const wk_tensor *b);

#endif
