/* Attention: y = dropout(softmax(scale q k^T + mask)) v for each head, and its gradients. */
#ifndef WICK_KERNELS_ATTENTION_H
#define WICK_KERNELS_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include <wick/dtype.h>

enum { WK_ATTENTION_ROWS = 128 }; // of a block, whose dropout is drawn again from a mark of its own

/* Strides count elements, of batch, head and row (and of the mask's keys); the last dim of the others is contiguous.
   Heads of k and v are read by `group` heads of q each.  Sizes may be 0. */
typedef struct wk_attention_work {
    const void *q;       // (batch, heads, L, D)
    const void *k;       // (batch, heads / group, S, D)
    const void *v;       // (batch, heads / group, S, Dv)
    const void *mask;    // (batch, heads, L, S), or NULL
    wk_dtype mask_dtype; // bool: where a query may look; q's, or (of halves) float32: added to the scores
    void *y;             // (batch, heads, L, Dv)
    void *lse;           // (batch, heads, L): the log of a row's sum of exponentials; float32 of halves
    int64_t batch, heads, group, L, S, D, Dv;
    int64_t q_strides[3], k_strides[3], v_strides[3], y_strides[3], mask_strides[4];
    double scale;
    bool causal; // query i looks at keys 0..i
    /* of scores (batch, heads, L, S), in that order, each stays with probability `keep` and is then divided by it */
    bool drops;
    double keep;
    struct wk_generator *generator; // forward alone draws
    void *marks;                    // (batch, heads, blocks of rows, WK_TWISTER_MARK) uint32, written by it
} wk_attention_work;

typedef struct wk_attention_backward_work {
    wk_attention_work forward; // with its results
    const void *dy;            // (batch, heads, L, Dv)
    void *dq, *dk, *dv;        // as q, k, v
    void *dmask;               // (mask_shape) reals, or NULL: of an added mask
    int64_t mask_shape[4];     // that of the scores, or 1 where its stride is 0
    int64_t dy_strides[3], dq_strides[3], dk_strides[3], dv_strides[3];
} wk_attention_backward_work;

#endif
