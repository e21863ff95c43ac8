/* What layer_norm, group_norm and rms_norm share: the checks of weights and biases, and how kernels get them. */
#ifndef WICK_OPS_NORM_H
#define WICK_OPS_NORM_H

#include "core/tensor.h"

/* false after an error: a parameter (or NULL) has this shape and x's device; `of`: what the shape is, for errors */
bool wk_check_norm_parameter(const char *op, const wk_tensor *x, const char *name, const wk_tensor *parameter,
                             const wk_shape *shape, const char *of);
/* false after an error: both have x's dtype, or both the one that x is computed in */
bool wk_check_norm_dtypes(const char *op, const wk_tensor *x, const wk_tensor *weight, const wk_tensor *bias);

/* as a kernel reads it: *dense is parameter in contiguous memory, in this dtype, without history; NULL for NULL.  False
   after an error */
bool wk_norm_parameter(wk_tensor *parameter, wk_dtype dtype, wk_tensor **dense);

/* over the last dims, which stay as 1 */
wk_tensor *wk_mean_of_last(wk_tensor *x, int dims);

#endif
