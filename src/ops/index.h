/* What the files of indexing share. */
#ifndef WICK_OPS_INDEX_H
#define WICK_OPS_INDEX_H

#include <stdarg.h>

#include <wick/index.h>

#include "kernels/index.h"
#include "ops.h"

/* index as dense int64, as kernels read it; NULL after an error: of another dtype, or on another device than x.  The
   kernels themselves find what is out of range. */
wk_tensor *wk_index_dense(const char *op, wk_tensor *index, const wk_tensor *x);
/* index_select, whose errors name op */
wk_tensor *wk_select_rows(const char *op, wk_tensor *x, int64_t dim, wk_tensor *index);
/* what a kernel must know of x's dim to check its indices; a 0-d tensor is one row of one */
wk_indexed wk_index_along(const wk_tensor *x, int dim);
/* reads an index; key->failed after an error */
void wk_index_read(wk_index_key *key, const char *format, va_list *values);
/* an error that shows the index and points at a column of it; returns NULL */
void *wk_index_complain(const wk_index_key *key, int column, const char *problem);
/* where x is not 0: row-major positions as a 1-D int64 tensor on x's device, whose size the host must wait for */
wk_tensor *wk_nonzero_positions(const char *op, wk_tensor *x);

#endif
