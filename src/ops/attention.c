/* scaled_dot_product_attention.

   The kernel takes (B, H, L, D) by strides and keeps each row's log sum of exponentials.  The composition, made of
   matmul and softmax, stands in for it where the kernel has no say: dropout, a mask that wants a gradient, batches that
   broadcast; and it gives the gradient's own gradient. */
#include <wick/activation.h>
#include <wick/attention.h>
#include <wick/random.h>

#include <math.h>
#include <string.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/attention.h"
#include "matmul.h"

static const char OP[] = "scaled_dot_product_attention";

/* ---------------------------------------------------------------- composed of ops */

static wk_tensor *positions(int64_t count, wk_device device) // 0, 1, ...
{
    return wk_arange_with(WK_NUMBER(0), WK_NUMBER(count), WK_NUMBER(1), (wk_range_args){.device = device});
}

/* softmax(scale q k^T + mask), 0 in rows that look nowhere */
static wk_tensor *probabilities(wk_tensor *q, wk_tensor *k, wk_tensor *mask, bool causal, double scale)
{
    wk_tensor *s = wk_mul(wk_matmul(q, wk_transpose(k, -2, -1)), scale);
    if (!s)
        return NULL;
    if (causal) {
        const int64_t L = s->shape[s->ndim - 2], S = s->shape[s->ndim - 1];
        mask = wk_le(positions(S, s->device), wk_unsqueeze(positions(L, s->device), 1));
        if (!mask)
            return NULL;
    }
    if (mask && mask->dtype == wk_bool)
        s = wk_where(mask, s, -INFINITY);
    else if (mask)
        s = wk_add(s, wk_to(mask, s->dtype));
    else
        return wk_softmax(s);
    wk_tensor *hidden = WK_WITHOUT_GRAD(wk_eq(wk_sum(wk_ne(s, -INFINITY), (-1), .keepdim = true), 0));
    return wk_masked_fill(wk_softmax(wk_masked_fill(s, hidden, 0)), hidden, 0);
}

/* (..., H / n, S, D) -> (..., H, S, D), for the query heads that read them */
static wk_tensor *repeat_heads(wk_tensor *x, int64_t heads)
{
    if (!x || x->ndim < 3 || x->shape[x->ndim - 3] == heads)
        return x;
    const int64_t own = x->shape[x->ndim - 3];
    wk_tensor *wide = wk_unsqueeze(x, x->ndim - 2);
    if (!wide)
        return NULL;
    wk_shape size = wk_shape_of(wide->ndim, wide->shape);
    size.sizes[wide->ndim - 3] = heads / own;
    wide = wk_expand_with(wide, size, NULL);
    size = wk_shape_of(x->ndim, x->shape);
    size.sizes[x->ndim - 3] = heads;
    return wk_reshape_with(wide, size);
}

/* halves compute in float32, as in PyTorch where there is no kernel */
static wk_tensor *as_real(wk_tensor *x) { return x ? wk_to(x, wk_real_dtype(x->dtype)) : NULL; }

static wk_tensor *composed(const wk_attention_args *args)
{
    const int64_t heads = args->enable_gqa ? args->query->shape[args->query->ndim - 3] : 0;
    wk_tensor *k = args->enable_gqa ? repeat_heads(args->key, heads) : args->key;
    wk_tensor *v = args->enable_gqa ? repeat_heads(args->value, heads) : args->value;
    wk_tensor *p = probabilities(as_real(args->query), as_real(k), args->attn_mask, args->is_causal, args->scale);
    if (args->dropout_p > 0) {
        const double keep = 1 - args->dropout_p;
        wk_tensor *kept = WK_WITHOUT_GRAD(wk_bernoulli_(wk_empty_like(p), keep));
        p = wk_mul(p, keep > 0 ? wk_div(kept, keep) : kept);
    }
    return wk_to(wk_matmul(p, as_real(v)), args->query->dtype);
}

/* ---------------------------------------------------------------- by the kernel */

typedef struct attention_kept {
    double scale;
    bool causal, masked;
} attention_kept;

static void first_three_strides(const wk_tensor *x, int64_t *strides)
{
    memcpy(strides, x->strides, 3 * sizeof *strides);
}

/* (B, H, L, width), its dims in memory in the order of like's, (B, H, L, D), as in PyTorch */
static wk_tensor *new_as(const wk_tensor *like, int64_t width)
{
    const int64_t shape[4] = {like->shape[0], like->shape[1], like->shape[2], width};
    int order[4] = {0, 1, 2, 3};
    for (int i = 1; i < 3; i++)
        for (int k = i; k > 0 && like->strides[order[k - 1]] < like->strides[order[k]]; k--) {
            const int outer = order[k - 1];
            order[k - 1] = order[k], order[k] = outer;
        }
    return wk_tensor_new_ordered(OP, 4, shape, order, like->dtype, like->device);
}

/* Where q, k and v are parts of one (B, L, 3, H, D), as a layer that computes all three at once makes them, so are
   their gradients: unbind then joins them without a copy. */
static bool parts_of_one(const wk_tensor *q, const wk_tensor *k, const wk_tensor *v)
{
    const int64_t H = q->shape[1], L = q->shape[2], D = q->shape[3], part = H * D;
    const int64_t strides[4] = {L * 3 * part, D, 3 * part, 1};
    return wk_same_shape(q, k) && wk_same_shape(q, v) && q->storage == k->storage && q->storage == v->storage &&
           k->offset - q->offset == part && v->offset - k->offset == part &&
           memcmp(q->strides, strides, sizeof strides) == 0 && memcmp(k->strides, strides, sizeof strides) == 0 &&
           memcmp(v->strides, strides, sizeof strides) == 0;
}

static bool new_gradients(wk_tensor *q, wk_tensor *k, wk_tensor *v, wk_tensor **dq, wk_tensor **dk, wk_tensor **dv)
{
    if (parts_of_one(q, k, v)) {
        const int64_t size[5] = {q->shape[0], q->shape[2], 3, q->shape[1], q->shape[3]}, part = size[3] * size[4];
        wk_tensor *all = wk_tensor_new(OP, 5, size, q->dtype, q->device);
        *dq = all ? wk_tensor_alias(OP, all, 4, q->shape, q->strides, 0) : NULL;
        *dk = *dq ? wk_tensor_alias(OP, all, 4, q->shape, q->strides, part) : NULL;
        *dv = *dk ? wk_tensor_alias(OP, all, 4, q->shape, q->strides, 2 * part) : NULL;
    } else {
        *dq = new_as(q, q->shape[3]);
        *dk = *dq ? new_as(k, k->shape[3]) : NULL;
        *dv = *dk ? new_as(v, v->shape[3]) : NULL;
    }
    return *dv;
}

static bool rows_contiguous(const wk_tensor *x) { return x->strides[3] == 1 || x->shape[3] <= 1; }

/* what forward and backward both tell the kernel */
static wk_attention_work work_of(const wk_tensor *q, const wk_tensor *k, const wk_tensor *v, const wk_tensor *mask,
                                 const wk_tensor *y, const wk_tensor *lse, bool causal, double scale)
{
    wk_attention_work work = {.q = wk_data(q), .k = wk_data(k), .v = wk_data(v), .y = wk_data(y), .lse = wk_data(lse)};
    work.batch = q->shape[0], work.heads = q->shape[1], work.group = k->shape[1] > 0 ? q->shape[1] / k->shape[1] : 1;
    work.L = q->shape[2], work.S = k->shape[2], work.D = q->shape[3], work.Dv = v->shape[3];
    work.scale = scale, work.causal = causal;
    first_three_strides(q, work.q_strides);
    first_three_strides(k, work.k_strides);
    first_three_strides(v, work.v_strides);
    first_three_strides(y, work.y_strides);
    if (mask) {
        work.mask = wk_data(mask);
        work.mask_dtype = mask->dtype;
        memcpy(work.mask_strides, mask->strides, sizeof work.mask_strides);
    }
    return work;
}

/* The gradients of q, k and v, through ops: p = softmax(..), dv = p^T dy, ds = p * (dy v^T - sum(dy v^T * p)),
   dq = scale ds k, dk = scale ds^T q. */
static void composed_backward(wk_node *node, wk_tensor *dy)
{
    const attention_kept *kept = node->kept;
    wk_tensor *q = as_real(wk_saved(node, 0)), *mask = kept->masked ? wk_saved(node, 5) : NULL;
    if (!q)
        return;
    wk_tensor *k = repeat_heads(as_real(wk_saved(node, 1)), q->shape[1]);
    wk_tensor *v = repeat_heads(as_real(wk_saved(node, 2)), q->shape[1]);
    wk_tensor *p = probabilities(q, k, mask, kept->causal, kept->scale);
    dy = as_real(dy);
    wk_tensor *dp = wk_matmul(dy, wk_transpose(v, -2, -1)), *ds = wk_mul(wk_softmax_backward(dp, p, -1), kept->scale);
    wk_tensor *dq = wk_matmul(ds, k), *dk = wk_matmul(wk_transpose(ds, -2, -1), q);
    wk_tensor *dv = wk_matmul(wk_transpose(p, -2, -1), dy);
    const wk_tensor *own = wk_saved(node, 1);
    if (own && own->shape[1] != q->shape[1]) { // the heads that read one key head are summed
        const int64_t groups = own->shape[1];
        dk = wk_sum(wk_unflatten(dk, 1, (groups, -1)), (2));
        dv = wk_sum(wk_unflatten(dv, 1, (groups, -1)), (2));
    }
    wk_accumulate(node, 0, dq);
    wk_accumulate(node, 1, dk);
    wk_accumulate(node, 2, dv);
}

static void scaled_dot_product_attention_backward(wk_node *node, wk_tensor *dy)
{
    const attention_kept *kept = node->kept;
    wk_tensor *q = wk_saved(node, 0), *k = wk_saved(node, 1), *v = wk_saved(node, 2), *y = wk_saved(node, 3);
    wk_tensor *lse = wk_saved(node, 4), *mask = kept->masked ? wk_saved(node, 5) : NULL;
    if (!q || !k || !v || !y || !lse || (kept->masked && !mask))
        return;
    if (!rows_contiguous(dy))
        dy = wk_dense(dy);
    wk_tensor *dq, *dk, *dv;
    if (!dy || !new_gradients(q, k, v, &dq, &dk, &dv))
        return;
    wk_attention_backward_work work = {.forward = work_of(q, k, v, mask, y, lse, kept->causal, kept->scale),
                                       .dy = wk_data(dy),
                                       .dq = wk_data(dq),
                                       .dk = wk_data(dk),
                                       .dv = wk_data(dv)};
    first_three_strides(dy, work.dy_strides);
    first_three_strides(dq, work.dq_strides);
    first_three_strides(dk, work.dk_strides);
    first_three_strides(dv, work.dv_strides);
    if (!wk_run_work(OP, q, attention_backward, &work))
        return;
    wk_accumulate(node, 0, dq);
    wk_accumulate(node, 1, dk);
    wk_accumulate(node, 2, dv);
}

/* (B, H, L, D) each, same B; mask (B, H, L, S) by strides, or NULL */
static wk_tensor *by_kernel(wk_tensor *q, wk_tensor *k, wk_tensor *v, wk_tensor *mask, bool causal, double scale)
{
    wk_tensor *y = new_as(q, v->shape[3]);
    wk_tensor *lse = y ? wk_tensor_new(OP, 3, q->shape, wk_real_dtype(q->dtype), q->device) : NULL;
    if (!lse)
        return NULL;
    const wk_attention_work work = work_of(q, k, v, mask, y, lse, causal, scale);
    if (!wk_run_work(OP, q, attention, &work))
        return NULL;
    wk_count_multiply_adds(work.batch * work.heads * work.L * work.S * (work.D + work.Dv));
    wk_tensor *saved[6] = {q, k, v, y, lse, mask};
    return wk_record(y, scaled_dot_product_attention_backward,
                     .name = "scaled_dot_product_flash_attention_for_cpu_backward", .composed = composed_backward,
                     WK_INPUTS(q, k, v), .saved = {mask ? 6 : 5, saved},
                     WK_KEPT(attention_kept, .scale = scale, .causal = causal, .masked = mask != NULL));
}

/* ---------------------------------------------------------------- the op */

static bool check_mask(const wk_attention_args *args)
{
    const wk_tensor *mask = args->attn_mask, *q = args->query;
    if (mask->dtype != wk_bool && mask->dtype != q->dtype && mask->dtype != wk_float32)
        return wk_fail(
            OP,
            "attn_mask: expected dtype bool or query's, %s, got %s\nhint: bool is true where a query may look, "
            "floating is added to the scores",
            wk_dtype_name(q->dtype), wk_dtype_name(mask->dtype));
    int64_t shape[WK_MAX_DIMS];
    memcpy(shape, q->shape, sizeof shape);
    shape[q->ndim - 1] = args->key->shape[args->key->ndim - 2];
    for (int dim = 1; dim <= mask->ndim; dim++)
        if (mask->shape[mask->ndim - dim] != 1 &&
            (dim > q->ndim || mask->shape[mask->ndim - dim] != shape[q->ndim - dim]) && (dim <= 2 || dim > q->ndim))
            return wk_fail(OP, "attn_mask: expected a shape that broadcasts to (..., L, S) = %s, got %s",
                           wk_shape_text(q->ndim, shape, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(mask));
    return true;
}

static bool check(const wk_attention_args *args)
{
    const wk_tensor *q = args->query, *k = args->key, *v = args->value;
    if (q->ndim < 2 || k->ndim < 2 || v->ndim < 2)
        return wk_fail(OP, "query, key and value: expected at least 2 dims, (..., L, D), got shapes %s, %s and %s",
                       wk_shape_string(q), wk_shape_string(k), wk_shape_string(v));
    if (!wk_check_product(OP, "query", q, "key", k) || !wk_check_product(OP, "query", q, "value", v) ||
        !wk_check_floating(OP, q))
        return false;
    if (q->shape[q->ndim - 1] != k->shape[k->ndim - 1])
        return wk_fail(
            OP, "query and key: expected one last dim, got query of shape %s and key of shape %s: %lld != %lld",
            wk_shape_string(q), wk_shape_string(k), (long long)q->shape[q->ndim - 1], (long long)k->shape[k->ndim - 1]);
    if (k->shape[k->ndim - 2] != v->shape[v->ndim - 2])
        return wk_fail(
            OP,
            "key and value: expected one length (dim -2), got key of shape %s and value of shape %s: %lld != "
            "%lld",
            wk_shape_string(k), wk_shape_string(v), (long long)k->shape[k->ndim - 2], (long long)v->shape[v->ndim - 2]);
    if (args->is_causal && args->attn_mask)
        return wk_fail(OP, "attn_mask: expected none beside is_causal\nhint: make the mask causal, or leave one out");
    if (args->dropout_p < 0 || args->dropout_p > 1)
        return wk_fail(OP, "dropout_p: expected 0 to 1, got %g", args->dropout_p);
    if (args->enable_gqa) {
        const bool fits = q->ndim >= 3 && k->ndim >= 3 && v->ndim >= 3 && k->shape[k->ndim - 3] > 0 &&
                          v->shape[v->ndim - 3] > 0 && q->shape[q->ndim - 3] % k->shape[k->ndim - 3] == 0 &&
                          q->shape[q->ndim - 3] % v->shape[v->ndim - 3] == 0;
        if (!fits)
            return wk_fail(OP,
                           "query, key and value: with enable_gqa expected query's heads (dim -3) to be a multiple of "
                           "key's and value's, got shapes %s, %s and %s",
                           wk_shape_string(q), wk_shape_string(k), wk_shape_string(v));
    }
    return !args->attn_mask ||
           (wk_check_same_device(OP, "query", q, "attn_mask", args->attn_mask) && check_mask(args));
}

/* whether leading dims (and heads) are the same, so that the kernel can count them together */
static bool same_batch(const wk_attention_args *args)
{
    const wk_tensor *q = args->query, *k = args->key, *v = args->value;
    if (q->ndim != k->ndim || q->ndim != v->ndim)
        return false;
    for (int dim = 0; dim < q->ndim - 2; dim++) {
        const bool heads = args->enable_gqa && dim == q->ndim - 3;
        if (k->shape[dim] != v->shape[dim] || (!heads && q->shape[dim] != k->shape[dim]))
            return false;
    }
    return true;
}

/* (..., H, L, D) -> (B, H, L, D) with contiguous rows */
static wk_tensor *four_dims(wk_tensor *x)
{
    while (x && x->ndim < 4)
        x = wk_unsqueeze(x, 0);
    if (x && x->ndim > 4)
        x = wk_flatten(x, 0, x->ndim - 4);
    return !x || rows_contiguous(x) ? x : wk_contiguous(x);
}

wk_tensor *wk_scaled_dot_product_attention_with(wk_attention_args args)
{
    WK_AUTOCAST(LOW, &args.query, &args.key, &args.value, &args.attn_mask);
    wk_tensor *q = args.query;
    WK_REQUIRE(OP, q);
    WK_REQUIRE(OP, args.key);
    WK_REQUIRE(OP, args.value);
    if (!check(&args))
        return NULL;
    if (isnan(args.scale))
        args.scale = 1 / sqrt((double)q->shape[q->ndim - 1]);
    const bool mask_learns = args.attn_mask && wk_needs_grad(args.attn_mask);
    if (args.dropout_p > 0 || mask_learns || !same_batch(&args))
        return composed(&args);

    wk_tensor *mask = args.attn_mask, *k = four_dims(args.key), *v = four_dims(args.value);
    if (mask && mask->dtype != wk_bool && mask->dtype != wk_real_dtype(q->dtype))
        mask = wk_to(mask, q->dtype);
    if (mask) { // (..., H, L, S), repeated by strides of 0
        wk_shape size = wk_shape_of(q->ndim, q->shape);
        size.sizes[q->ndim - 1] = args.key->shape[args.key->ndim - 2];
        mask = wk_expand_with(mask, size, NULL);
        while (mask && mask->ndim < 4)
            mask = wk_unsqueeze(mask, 0);
        if (mask && mask->ndim > 4)
            mask = wk_flatten(mask, 0, mask->ndim - 4);
    }
    q = four_dims(q);
    if (!q || !k || !v || (args.attn_mask && !mask))
        return NULL;
    wk_tensor *y = by_kernel(q, k, v, mask, args.is_causal, args.scale);
    if (!y || args.query->ndim == 4)
        return y;
    wk_shape size = wk_shape_of(args.query->ndim, args.query->shape);
    size.sizes[size.ndim - 1] = v->shape[3];
    return wk_reshape_with(y, size);
}
