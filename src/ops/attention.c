/* scaled_dot_product_attention.

   The kernel takes (B, H, L, D) by strides and keeps each row's log sum of exponentials.  The composition, made of
   matmul and softmax, gives the gradient's own gradient, and is what sdpa_kernel's "math" asks for. */
#include <wick/activation.h>
#include <wick/attention.h>
#include <wick/random.h>

#include <math.h>
#include <string.h>

#include "autocast.h"
#include "attention.h"
#include "core/random.h"
#include "core/run.h"
#include "kernels/attention.h"
#include "matmul.h"

static const char OP[] = "scaled_dot_product_attention";
static _Thread_local bool only_math; // inside of sdpa_kernel (math)

/* ---------------------------------------------------------------- composed of ops */

static wk_tensor *positions(int64_t count, wk_device device) // 0, 1, ...
{
    return wk_arange_with(WK_NUMBER(0), WK_NUMBER(count), WK_NUMBER(1), (wk_range_args){.device = device});
}

wk_tensor *wk_softmax_or_zero(wk_tensor *s)
{
    wk_tensor *hidden = WK_WITHOUT_GRAD(wk_eq(wk_sum(wk_ne(s, -INFINITY), (-1), .keepdim = true), 0));
    return wk_masked_fill(wk_softmax(wk_masked_fill(s, hidden, 0)), hidden, 0);
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
    return wk_softmax_or_zero(s);
}

wk_tensor *wk_repeat_heads(wk_tensor *x, int64_t heads)
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
    wk_tensor *k = args->enable_gqa ? wk_repeat_heads(args->key, heads) : args->key;
    wk_tensor *v = args->enable_gqa ? wk_repeat_heads(args->value, heads) : args->value;
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
    double scale, dropout_p;
    bool causal, masked;
} attention_kept;

/* what is saved, by its place; mask and marks only where there are such */
enum { Q, K, V, Y, LSE, MASK, MARKS };

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
        for (int k = i; k > 0; k--) {
            const int outer = order[k - 1];
            if (like->strides[outer] == 0 || like->strides[outer] >= like->strides[order[k]]) // 0: repeated
                break;
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

/* what forward and backward both tell the kernel, of the saved tensors */
static wk_attention_work work_of(wk_tensor *const *saved, const attention_kept *kept)
{
    const wk_tensor *q = saved[Q], *k = saved[K], *v = saved[V], *mask = saved[MASK], *y = saved[Y], *lse = saved[LSE];
    wk_attention_work work = {.q = wk_data(q), .k = wk_data(k), .v = wk_data(v), .y = wk_data(y), .lse = wk_data(lse)};
    const bool heads = q->shape[1] > 0 && k->shape[1] > 0;
    work.batch = q->shape[0], work.heads = q->shape[1], work.group = heads ? q->shape[1] / k->shape[1] : 1;
    work.L = q->shape[2], work.S = k->shape[2], work.D = q->shape[3], work.Dv = v->shape[3];
    work.scale = kept->scale, work.causal = kept->causal;
    work.drops = kept->dropout_p > 0, work.keep = 1 - kept->dropout_p, work.marks = wk_data(saved[MARKS]);
    first_three_strides(q, work.q_strides);
    first_three_strides(k, work.k_strides);
    first_three_strides(v, work.v_strides);
    first_three_strides(y, work.y_strides);
    if (mask) {
        work.mask = wk_data(mask);
        work.mask_dtype = mask->dtype;
        for (int dim = 0; dim < 4; dim++)
            work.mask_strides[dim] = mask->shape[dim] == 1 ? 0 : mask->strides[dim]; // repeated
    }
    return work;
}

static bool read_saved(wk_node *node, wk_tensor *saved[MARKS + 1])
{
    const attention_kept *kept = node->kept;
    int at = 0;
    for (int i = 0; i <= MARKS; i++) {
        const bool there = i == MASK ? kept->masked : i == MARKS ? kept->dropout_p > 0 : true;
        saved[i] = there ? wk_saved(node, at++) : NULL;
        if (there && !saved[i])
            return false;
    }
    return true;
}

/* what dropout multiplied the probabilities by, (B, H, L, S), drawn again; NULL after an error */
static wk_tensor *dropout_again(wk_tensor *const *saved, const attention_kept *kept)
{
    wk_attention_work work = work_of(saved, kept);
    const wk_tensor *q = saved[Q];
    wk_tensor *factors =
        wk_tensor_new(OP, 4, (int64_t[]){work.batch, work.heads, work.L, work.S}, wk_real_dtype(q->dtype), q->device);
    work.y = wk_data(factors);
    return factors && wk_run_work(OP, q, attention_dropout, &work) ? factors : NULL;
}

/* The gradients through ops: p = softmax(..), f what dropout multiplies by, dv = (f p)^T dy, dm = p * (f dy v^T - sum(f
   dy v^T * p)), dq = scale dm k, dk = scale dm^T q. */
static void composed_backward(wk_node *node, wk_tensor *dy)
{
    const attention_kept *kept = node->kept;
    wk_tensor *saved[MARKS + 1];
    if (!read_saved(node, saved))
        return;
    wk_tensor *q = as_real(saved[Q]), *k = wk_repeat_heads(as_real(saved[K]), saved[Q]->shape[1]);
    wk_tensor *v = wk_repeat_heads(as_real(saved[V]), saved[Q]->shape[1]);
    wk_tensor *p = probabilities(q, k, saved[MASK], kept->causal, kept->scale);
    dy = as_real(dy);
    wk_tensor *dp = wk_matmul(dy, wk_transpose(v, -2, -1)), *dropped = p;
    if (kept->dropout_p > 0) {
        wk_tensor *factors = dropout_again(saved, kept);
        dp = wk_mul(dp, factors);
        dropped = wk_mul(p, factors);
    }
    wk_tensor *dmask = wk_softmax_backward(dp, p, -1), *ds = wk_mul(dmask, kept->scale);
    wk_tensor *dq = wk_matmul(ds, k), *dk = wk_matmul(wk_transpose(ds, -2, -1), q);
    wk_tensor *dv = wk_matmul(wk_transpose(dropped, -2, -1), dy);
    const int64_t groups = saved[K]->shape[1];
    if (groups != saved[Q]->shape[1]) { // the heads that read one key head are summed
        dk = wk_sum(wk_unflatten(dk, 1, (groups, -1)), (2));
        dv = wk_sum(wk_unflatten(dv, 1, (groups, -1)), (2));
    }
    wk_accumulate(node, 0, dq);
    wk_accumulate(node, 1, dk);
    wk_accumulate(node, 2, dv);
    if (kept->masked && wk_needs(node, 3))
        wk_accumulate(node, 3, dmask);
}

static void scaled_dot_product_attention_backward(wk_node *node, wk_tensor *dy)
{
    const attention_kept *kept = node->kept;
    wk_tensor *saved[MARKS + 1], *dq, *dk, *dv, *dmask = NULL;
    if (!read_saved(node, saved))
        return;
    const wk_tensor *q = saved[Q], *mask = saved[MASK];
    if (!rows_contiguous(dy))
        dy = wk_dense(dy);
    if (!dy || !new_gradients(saved[Q], saved[K], saved[V], &dq, &dk, &dv))
        return;
    if (q->shape[1] == 0 && (!wk_zero_(dk) || !wk_zero_(dv))) // no head reads them
        return;
    wk_attention_backward_work work = {.forward = work_of(saved, kept), .dy = wk_data(dy)};
    if (mask && wk_needs(node, 3)) {
        dmask = wk_tensor_new(OP, 4, mask->shape, wk_real_dtype(q->dtype), q->device);
        if (!dmask)
            return;
        memcpy(work.mask_shape, mask->shape, sizeof work.mask_shape);
    }
    work.dq = wk_data(dq), work.dk = wk_data(dk), work.dv = wk_data(dv), work.dmask = wk_data(dmask);
    first_three_strides(dy, work.dy_strides);
    first_three_strides(dq, work.dq_strides);
    first_three_strides(dk, work.dk_strides);
    first_three_strides(dv, work.dv_strides);
    if (!wk_run_work(OP, q, attention_backward, &work))
        return;
    wk_accumulate(node, 0, dq);
    wk_accumulate(node, 1, dk);
    wk_accumulate(node, 2, dv);
    if (dmask)
        wk_accumulate(node, 3, dmask);
}

/* (B, H, L, D) each, same B; mask (B, H, L, S), its dims that repeat of size 1, or NULL */
static wk_tensor *by_kernel(wk_tensor *q, wk_tensor *k, wk_tensor *v, wk_tensor *mask, const wk_attention_args *args)
{
    const attention_kept kept = {args->scale, args->dropout_p, args->is_causal, mask != NULL};
    wk_tensor *saved[MARKS + 1] = {q, k, v, new_as(q, v->shape[3]), NULL, mask, NULL};
    saved[LSE] = saved[Y] ? wk_tensor_new(OP, 3, q->shape, wk_real_dtype(q->dtype), q->device) : NULL;
    if (!saved[LSE])
        return NULL;
    const int64_t blocks = (q->shape[2] + WK_ATTENTION_ROWS - 1) / WK_ATTENTION_ROWS;
    const int64_t marks[2] = {q->shape[0] * q->shape[1] * blocks, WK_TWISTER_MARK};
    if (kept.dropout_p > 0 && !(saved[MARKS] = wk_tensor_new(OP, 2, marks, wk_int32, q->device)))
        return NULL;
    wk_attention_work work = work_of(saved, &kept);
    work.generator = wk_generator_or_default(NULL);
    if (!wk_run_work(OP, q, attention, &work))
        return NULL;
    wk_count_multiply_adds(work.batch * work.heads * work.L * work.S * (work.D + work.Dv));
    wk_tensor *y = saved[Y];
    int count = 0;
    for (int i = 0; i <= MARKS; i++)
        if (saved[i])
            saved[count++] = saved[i];
    wk_tensor *inputs[4] = {q, k, v, mask};
    return wk_record(y, scaled_dot_product_attention_backward,
                     .name = "scaled_dot_product_flash_attention_for_cpu_backward", .composed = composed_backward,
                     .inputs = {mask ? 4 : 3, inputs}, .saved = {count, saved}, .kept = &kept,
                     .kept_bytes = sizeof kept);
}

/* ---------------------------------------------------------------- the op */

static bool check_mask(const wk_attention_args *args, const wk_shape *scores)
{
    const wk_tensor *mask = args->attn_mask, *q = args->query;
    if (mask->dtype != wk_bool && mask->dtype != q->dtype && mask->dtype != wk_float32)
        return wk_fail(
            OP,
            "attn_mask: expected dtype bool or query's, %s, got %s\nhint: bool is true where a query may look, "
            "floating is added to the scores",
            wk_dtype_name(q->dtype), wk_dtype_name(mask->dtype));
    for (int dim = 1; dim <= mask->ndim; dim++)
        if (mask->shape[mask->ndim - dim] != 1 &&
            (dim > scores->ndim || mask->shape[mask->ndim - dim] != scores->sizes[scores->ndim - dim]))
            return wk_fail(OP, "attn_mask: expected a shape that broadcasts to (..., L, S) = %s, got %s",
                           wk_shape_text(scores->ndim, scores->sizes, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(mask));
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
    return !args->attn_mask || wk_check_same_device(OP, "query", q, "attn_mask", args->attn_mask);
}

/* the shape of all scores, (..., H, L, S), to which the leading dims of query, key and value broadcast; with grouped
   heads theirs count as query's.  False after an error. */
static bool shape_of_scores(const wk_attention_args *args, wk_shape *scores)
{
    const wk_tensor *all[3] = {args->query, args->key, args->value};
    int64_t lead[WK_MAX_DIMS];
    *scores = (wk_shape){0};
    for (int i = 0; i < 3; i++) {
        const int ndim = all[i]->ndim - 2;
        memcpy(lead, all[i]->shape, sizeof lead);
        if (args->enable_gqa)
            lead[ndim - 1] = args->query->shape[args->query->ndim - 3];
        const wk_shape before = *scores;
        if (!wk_broadcast_shapes(OP, before.ndim, before.sizes, ndim, lead, &scores->ndim, scores->sizes))
            return false;
    }
    scores->sizes[scores->ndim++] = args->query->shape[args->query->ndim - 2];
    scores->sizes[scores->ndim++] = args->key->shape[args->key->ndim - 2];
    return true;
}

/* x (..., heads, rows, width) with the leading dims of scores, repeated by strides of 0, as (B, H, L, D) with
   contiguous rows; heads: its own, where they are not those of scores */
static wk_tensor *four_dims(wk_tensor *x, const wk_shape *scores, int64_t heads)
{
    wk_shape size = *scores;
    size.sizes[size.ndim - 2] = x->shape[x->ndim - 2];
    size.sizes[size.ndim - 1] = x->shape[x->ndim - 1];
    if (heads >= 0)
        size.sizes[size.ndim - 3] = heads;
    if (x->ndim != size.ndim || memcmp(x->shape, size.sizes, (size_t)size.ndim * sizeof *size.sizes) != 0)
        x = wk_expand_with(x, size, NULL);
    while (x && x->ndim < 4)
        x = wk_unsqueeze(x, 0);
    if (x && x->ndim > 4)
        x = wk_flatten(x, 0, x->ndim - 4);
    return !x || rows_contiguous(x) ? x : wk_contiguous(x);
}

/* (B, H, L, S), 1 where it repeats: a gradient is then no larger than the mask.  Its leading dims before H become one,
   so they are either all repeated or none. */
static wk_tensor *four_dims_of_mask(wk_tensor *mask, const wk_shape *scores, wk_dtype dtype)
{
    if (mask->dtype != wk_bool && mask->dtype != wk_real_dtype(dtype))
        mask = wk_to(mask, dtype);
    while (mask && mask->ndim < (scores->ndim > 4 ? scores->ndim : 4))
        mask = wk_unsqueeze(mask, 0);
    if (!mask || mask->ndim == 4)
        return mask;
    const int last = mask->ndim - 4; // of those that become one
    wk_shape size = wk_shape_of(mask->ndim, mask->shape);
    if (wk_shape_numel(last + 1, mask->shape) != 1)
        memcpy(size.sizes, scores->sizes, (size_t)(last + 1) * sizeof *size.sizes);
    return wk_flatten(wk_expand_with(mask, size, NULL), 0, last);
}

wk_tensor *wk_scaled_dot_product_attention_with(wk_attention_args args)
{
    WK_AUTOCAST(LOW, &args.query, &args.key, &args.value, &args.attn_mask);
    WK_REQUIRE(OP, args.query);
    WK_REQUIRE(OP, args.key);
    WK_REQUIRE(OP, args.value);
    WK_OPTIONAL(OP, args.attn_mask);
    wk_tensor *q = args.query, *k = args.key, *v = args.value, *mask = args.attn_mask;
    wk_shape scores;
    if (!check(&args) || !shape_of_scores(&args, &scores) || (mask && !check_mask(&args, &scores)))
        return NULL;
    if (isnan(args.scale))
        args.scale = 1 / sqrt((double)q->shape[q->ndim - 1]);
    if (only_math)
        return composed(&args);

    int64_t heads = -1; // of key and value, where they are not query's
    if (args.enable_gqa) {
        const bool alike = k->shape[k->ndim - 3] == v->shape[v->ndim - 3];
        heads = alike ? k->shape[k->ndim - 3] : q->shape[q->ndim - 3];
        k = alike ? k : wk_repeat_heads(k, heads);
        v = alike ? v : wk_repeat_heads(v, heads);
    }
    k = k ? four_dims(k, &scores, heads) : NULL;
    v = v ? four_dims(v, &scores, heads) : NULL;
    if (mask && !(mask = four_dims_of_mask(mask, &scores, q->dtype)))
        return NULL;
    q = four_dims(q, &scores, -1);
    wk_tensor *y = q && k && v ? by_kernel(q, k, v, mask, &args) : NULL;
    if (!y || scores.ndim == 4)
        return y;
    scores.sizes[scores.ndim - 1] = v->shape[3];
    return wk_reshape_with(y, scores);
}

/* ---------------------------------------------------------------- which way */

wk_sdpa_guard wk_sdpa_open(wk_sdp_backends backends)
{
    const wk_sdpa_guard guard = {only_math, true};
    bool fused = false, math = false;
    for (int i = 0; i < backends.count; i++) {
        const bool first = i == 0 || !backends.set_priority;
        math = math || (first && backends.items[i] == wk_sdp_math);
        fused = fused || (first && backends.items[i] != wk_sdp_math);
    }
    only_math = math && !fused;
    return guard;
}

void wk_sdpa_close(wk_sdpa_guard *guard) { only_math = guard->before; }
