/* Lists of tensors made at run time, and what returns several tensors. */
#ifndef WICK_OPS_TENSORS_H
#define WICK_OPS_TENSORS_H

#include "core/tensor.h"

/* room for count tensors, which belongs to the innermost scope; items is NULL after an error */
wk_tensors wk_tensors_room(const char *op, int64_t count);
/* Ends an op with several results: true puts them in the places, if there are any, and returns them; false puts NULL.
   The number of places was checked by wk_check_places. */
wk_tensors wk_tensors_return(wk_tensors results, wk_places places, bool fine);
bool wk_check_places(const char *op, wk_places places, int64_t count);

#endif
