/* What losses share. */
#ifndef WICK_OPS_LOSS_H
#define WICK_OPS_LOSS_H

#include <wick/activation.h>
#include <wick/loss.h>

#include "ops.h"

/* "mean", "sum" or "none" (or "batchmean" where allowed); false after an error */
bool wk_check_reduction(const char *op, const char *reduction, bool batchmean);

#endif
