/* What random.c, random_inplace.c and nn/init.c share. */
#ifndef WICK_OPS_RANDOM_H
#define WICK_OPS_RANDOM_H

#include <wick/random.h>

#include "autograd/node.h"
#include "core/layout.h"

/* fills x, dense and floating or complex, with normals; singly: as PyTorch draws a tensor that is not contiguous.
   Returns x, or NULL after an error. */
wk_tensor *wk_normal_into(const char *op, wk_generator *generator, wk_tensor *x, double mean, double std, bool singly);
/* low < high, and dtype holds low .. high - 1 exactly; false after an error */
bool wk_check_random_limits(const char *op, wk_dtype dtype, int64_t low, int64_t high);

#endif
