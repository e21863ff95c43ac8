/* Floor 3, reductions: the plan they share. */
#ifndef WICK_OPS_REDUCTION_H
#define WICK_OPS_REDUCTION_H

#include <wick/reduction.h>

#include "autograd/node.h"

/* What is reduced, seen as source (outer, n, inner): x itself where the reduced dims are neighbours in dense memory,
   else a copy with the reduced dims last. */
typedef struct wk_reduction {
    wk_tensor *source;
    int64_t outer, n, inner;
    wk_shape result; // without the reduced dims, or with 1 for them
    wk_shape kept;   // with 1 for the reduced dims
} wk_reduction;

/* false after an error */
bool wk_plan_reduction(const char *op, wk_tensor *x, const wk_shape *dims, bool keepdim, wk_reduction *plan);
/* y = a kernel of the shape of `sum` (its slot), in two stages where n is large; without history */
wk_tensor *wk_fold(const char *op, size_t kernel, const wk_reduction *plan);
/* dy as it was before the reduced dims were dropped */
wk_tensor *wk_keep_dims(wk_node *node, wk_tensor *dy);

#endif
