/* What the files of indexing share. */
#ifndef WICK_OPS_INDEX_H
#define WICK_OPS_INDEX_H

#include <stdarg.h>

#include <wick/index.h>

#include "ops.h"

/* index as dense int64; NULL after an error: of another dtype, or an element outside 0..size-1, which names op */
wk_tensor *wk_index_checked(const char *op, wk_tensor *index, int64_t size, int dim, const wk_tensor *x);
/* reads an index; key->failed after an error */
void wk_index_read(wk_index_key *key, const char *format, va_list *values);
/* an error that shows the index and points at a column of it; returns NULL */
void *wk_index_complain(const wk_index_key *key, int column, const char *problem);
/* where x is not 0: row-major positions as a 1-D int64 tensor */
wk_tensor *wk_nonzero_positions(const char *op, wk_tensor *x);

#endif
