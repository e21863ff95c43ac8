/* What attention.c and flex_attention.c share. */
#ifndef WICK_OPS_ATTENTION_H
#define WICK_OPS_ATTENTION_H

#include <wick/tensor.h>

/* softmax along the last dim, 0 in rows that are -inf alone */
wk_tensor *wk_softmax_or_zero(wk_tensor *scores);
/* (..., H / n, S, D) -> (..., H, S, D), for the query heads that read them */
wk_tensor *wk_repeat_heads(wk_tensor *x, int64_t heads);

#endif
