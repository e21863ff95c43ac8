/* flex_attention: the functions of golden/flex_attention.py, in ops. */
#include <math.h>
#include <string.h>

#include "op_table.h"

static wk_tensor *causal(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b, (void)h, (void)context;
    return wk_ge(q, kv);
}
static wk_tensor *sliding(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    return wk_logical_and(causal(b, h, q, kv, context), wk_le(wk_sub(q, kv), 3));
}
static wk_tensor *late(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b, (void)h, (void)context;
    return wk_logical_and(wk_ge(q, 3), wk_ge(kv, 5));
}
static wk_tensor *of_heads(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)context;
    return wk_ge(wk_remainder(wk_add(q, h), 3), wk_remainder(wk_add(kv, b), 2));
}
static wk_tensor *numbers(wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b, (void)h, (void)kv, (void)context;
    return q;
}

static wk_tensor *alibi(wk_tensor *s, wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b, (void)context;
    return wk_sub(s, wk_mul(wk_mul(wk_add(h, 1), 0.25), wk_sub(q, kv)));
}
static wk_tensor *softcap(wk_tensor *s, wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b, (void)h, (void)q, (void)kv, (void)context;
    return wk_mul(wk_tanh(wk_div(s, 2)), 2);
}
static wk_tensor *biased(wk_tensor *s, wk_tensor *b, wk_tensor *h, wk_tensor *q, wk_tensor *kv, void *context)
{
    (void)b;
    wk_tensor *bias = context; // (H, 16)
    return wk_add(s, wk_index(bias, "%p, %p", h, wk_add(wk_sub(q, kv), 8)));
}

static wk_tensor *run_flex(golden_case *c)
{
    wk_tensor *q = input(c, 0), *k = input(c, 1), *v = input(c, 2), *bias = optional(c, 3);
    const char *mask = text(c, "mask"), *mod = text(c, "mod");
    wk_block_mask by = {0};
    wk_mask_mod *mask_mod = !mask                          ? NULL
                            : strcmp(mask, "causal") == 0  ? causal
                            : strcmp(mask, "sliding") == 0 ? sliding
                            : strcmp(mask, "late") == 0    ? late
                                                           : of_heads;
    wk_score_mod *score_mod = !mod                          ? NULL
                              : strcmp(mod, "alibi") == 0   ? alibi
                              : strcmp(mod, "softcap") == 0 ? softcap
                                                            : biased;
    if (mask && q && k && wk_numel(q) >= 0 && wk_numel(k) >= 0 && !wk_failing() && q->ndim == 4 && k->ndim == 4)
        by = wk_nn_attention_create_block_mask(mask_mod, mask_mod == of_heads ? wk_size(q, 0) : WK_ALL,
                                               mask_mod == of_heads ? wk_size(q, 1) : WK_ALL, wk_size(q, 2),
                                               wk_size(k, 2), q->device, .block_size = integer_or(c, "block", 128));
    return wk_nn_attention_flex_attention(q, k, v, score_mod, mask ? &by : NULL, real_or(c, "scale", NAN),
                                          integer_or(c, "enable_gqa", 0), bias);
}
OP(nn_attention_flex_attention, run_flex)
BAD(nn_attention_flex_attention,
    wk_nn_attention_flex_attention(wk_ones((2, 3, 4)), wk_ones((2, 3, 4)), wk_ones((2, 3, 4))),
    "expected (B, H, L, E), got (2, 3, 4)")
BAD(nn_attention_flex_attention,
    wk_nn_attention_flex_attention(wk_ones((1, 4, 3, 2)), wk_ones((1, 2, 3, 2)), wk_ones((1, 2, 3, 2))),
    "do not fit\nhint: .enable_gqa = true")
BAD(nn_attention_create_block_mask, wk_nn_attention_create_block_mask(numbers, 1, 1, 3, 4).blocks,
    "mask_mod: expected a result of dtype bool, got int64")
BAD(nn_attention_create_block_mask, wk_nn_attention_create_block_mask(causal, 1, 1, 0, 4).blocks,
    "expected 1 or more, got 1, 1, 0, 4, 128")
