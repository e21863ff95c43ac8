/* What other ops take of linear algebra. */
#ifndef WICK_OPS_LINALG_H
#define WICK_OPS_LINALG_H

#include "ops.h"

/* (..., m, n) -> (..., min(m, n)), the largest first; errors name op */
wk_tensor *wk_singular_values(const char *op, wk_tensor *A);

#endif
