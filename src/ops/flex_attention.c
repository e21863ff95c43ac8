/* flex_attention, a block of query rows at a time, over the keys from the first to the last block that it looks at.

   Without score_mod a block is scaled_dot_product_attention with the block's mask; with it, ops. */
#include <wick/activation.h>
#include <wick/attention.h>
#include <wick/flex_attention.h>
#include <wick/join.h>
#include <wick/matmul.h>

#include <math.h>

#include "attention.h"
#include "core/host.h"
#include "matmul.h"
#include "ops.h"

static const char OP[] = "nn_attention_flex_attention";

/* ---------------------------------------------------------------- masks */

/* from, from + 1, ..., along one of four dims */
static wk_tensor *indices(int64_t from, int64_t count, int dim, wk_device device)
{
    wk_shape size = WK_SHAPE(1, 1, 1, 1);
    size.sizes[dim] = count;
    return wk_reshape_with(wk_arange_with(WK_NUMBER(from), WK_NUMBER(from + count), WK_NUMBER(1),
                                          (wk_range_args){.dtype = wk_int64, .device = device}),
                           size);
}

/* one part of the scores */
typedef struct part {
    int64_t B, H, row, rows, key, keys;
    wk_device device;
} part;

/* the mask of a part, (B, H, rows, keys) by strides */
static wk_tensor *mask_of(const char *op, wk_mask_mod *mask_mod, void *context, const part *of)
{
    wk_tensor *b = indices(0, of->B, 0, of->device), *h = indices(0, of->H, 1, of->device);
    wk_tensor *q = indices(of->row, of->rows, 2, of->device), *kv = indices(of->key, of->keys, 3, of->device);
    wk_tensor *mask = b && h && q && kv ? mask_mod(b, h, q, kv, context) : NULL;
    if (!mask)
        return NULL;
    WK_REQUIRE(op, mask);
    if (mask->dtype != wk_bool)
        return wk_fail(op, "mask_mod: expected a result of dtype bool, got %s", wk_dtype_name(mask->dtype));
    return wk_expand(mask, (of->B, of->H, of->rows, of->keys));
}

static int64_t blocks_in(int64_t length, int64_t block) { return (length + block - 1) / block; }

wk_block_mask wk_nn_attention_create_block_mask_with(wk_create_block_mask_args args)
{
    const char *const op = "nn_attention_create_block_mask";
    WK_NAMES_ERRORS(op);
    wk_block_mask made = {args.mask_mod, args.B, args.H, args.Q_LEN, args.KV_LEN, args.block_size, args.context, NULL};
    const wk_device device = args.device.type == WK_DEVICE_DEFAULT ? wk_cpu : args.device;
    const int64_t block = args.block_size;
    if (!args.mask_mod)
        wk_fail(op, "mask_mod: expected a function, got NULL");
    else if (args.B < 1 || args.H < 1 || args.Q_LEN < 1 || args.KV_LEN < 1 || block < 1)
        wk_fail(op, "B, H, Q_LEN, KV_LEN, block_size: expected 1 or more, got %lld, %lld, %lld, %lld, %lld",
                (long long)args.B, (long long)args.H, (long long)args.Q_LEN, (long long)args.KV_LEN, (long long)block);
    if (wk_failing())
        return made;
    const int64_t columns = blocks_in(args.KV_LEN, block), padding = columns * block - args.KV_LEN;
    wk_no_grad wk_scope
    {
        wk_tensor *all = NULL;
        for (int64_t row = 0; row < args.Q_LEN; row += block) {
            const int64_t rows = args.Q_LEN - row < block ? args.Q_LEN - row : block;
            wk_tensor *mask =
                mask_of(op, args.mask_mod, args.context, &(part){args.B, args.H, row, rows, 0, args.KV_LEN, device});
            mask = wk_any(mask, 2); // (B, H, KV_LEN)
            if (padding > 0)
                mask = wk_cat((mask, wk_zeros((args.B, args.H, padding), .dtype = wk_bool, .device = device)), -1);
            mask = wk_unsqueeze(wk_any(wk_unflatten(mask, -1, (columns, block)), -1), 2);
            all = all ? wk_cat((all, mask), 2) : mask;
            if (!all)
                break;
        }
        made.blocks = wk_keep(all);
    }
    return made;
}

/* ---------------------------------------------------------------- attention */

static wk_tensor *with_score_mod(const wk_flex_attention_args *args, wk_tensor *q, wk_tensor *k, wk_tensor *v,
                                 wk_tensor *mask, const part *of)
{
    const wk_dtype real = wk_real_dtype(q->dtype);
    wk_tensor *s = wk_mul(wk_matmul(wk_to(q, real), wk_transpose(wk_to(k, real), -2, -1)), args->scale);
    wk_tensor *b = indices(0, of->B, 0, of->device), *h = indices(0, of->H, 1, of->device);
    wk_tensor *row = indices(of->row, of->rows, 2, of->device), *key = indices(of->key, of->keys, 3, of->device);
    s = s && b && h && row && key ? args->score_mod(s, b, h, row, key, args->context) : NULL;
    if (!s)
        return NULL;
    WK_REQUIRE(OP, s);
    if (!wk_check_floating(OP, s))
        return NULL;
    s = wk_to(wk_expand(s, (of->B, of->H, of->rows, of->keys)), real);
    if (mask)
        s = wk_where(mask, s, -INFINITY);
    return wk_to(wk_matmul(wk_softmax_or_zero(s), wk_to(v, real)), q->dtype);
}

/* a block of rows over a range of keys */
static wk_tensor *attend(const wk_flex_attention_args *args, wk_tensor *k, wk_tensor *v, const part *of)
{
    const wk_block_mask *by = args->block_mask;
    wk_tensor *q = wk_narrow(args->query, 2, of->row, of->rows), *mask = NULL;
    if (by) {
        const part own = {by->B, by->H, of->row, of->rows, of->key, of->keys, of->device};
        mask = WK_WITHOUT_GRAD(mask_of(OP, by->mask_mod, by->context, &own));
        if (!mask)
            return NULL;
    }
    k = wk_narrow(k, 2, of->key, of->keys);
    v = wk_narrow(v, 2, of->key, of->keys);
    if (!q || !k || !v)
        return NULL;
    if (args->score_mod)
        return with_score_mod(args, q, k, v, mask, of);
    return wk_scaled_dot_product_attention(q, k, v, mask, .scale = args->scale, .enable_gqa = args->enable_gqa);
}

static bool check(const wk_flex_attention_args *args)
{
    const wk_tensor *q = args->query, *k = args->key, *v = args->value;
    if (!wk_check_product(OP, "query", q, "key", k) || !wk_check_product(OP, "query", q, "value", v) ||
        !wk_check_floating(OP, q))
        return false;
    if (q->ndim != 4 || k->ndim != 4 || v->ndim != 4)
        return wk_fail(OP, "query, key and value: expected (B, H, L, E), got %s, %s and %s", wk_shape_string(q),
                       wk_shape_string(k), wk_shape_string(v));
    const bool heads = args->enable_gqa
                           ? k->shape[1] > 0 && q->shape[1] % k->shape[1] == 0 && k->shape[1] == v->shape[1]
                           : q->shape[1] == k->shape[1] && q->shape[1] == v->shape[1];
    if (q->shape[0] != k->shape[0] || q->shape[0] != v->shape[0] || !heads || k->shape[2] != v->shape[2] ||
        q->shape[3] != k->shape[3])
        return wk_fail(OP, "query, key and value: shapes %s, %s and %s do not fit%s", wk_shape_string(q),
                       wk_shape_string(k), wk_shape_string(v),
                       args->enable_gqa ? "" : "\nhint: .enable_gqa = true, where heads of query share one of key");
    const wk_block_mask *by = args->block_mask;
    if (by && !by->blocks)
        return wk_failing() ? false : wk_fail(OP, "block_mask: was not made, after an error");
    if (by && (by->Q_LEN != q->shape[2] || by->KV_LEN != k->shape[2] || (by->B != 1 && by->B != q->shape[0]) ||
               (by->H != 1 && by->H != q->shape[1])))
        return wk_fail(OP, "block_mask: of (%lld, %lld, %lld, %lld), does not fit query %s and key %s",
                       (long long)by->B, (long long)by->H, (long long)by->Q_LEN, (long long)by->KV_LEN,
                       wk_shape_string(q), wk_shape_string(k));
    return true;
}

wk_tensor *wk_nn_attention_flex_attention_with(wk_flex_attention_args args)
{
    WK_NAMES_ERRORS(OP);
    WK_REQUIRE(OP, args.query);
    WK_REQUIRE(OP, args.key);
    WK_REQUIRE(OP, args.value);
    if (!check(&args))
        return NULL;
    wk_tensor *q = args.query, *k = args.key, *v = args.value;
    const wk_block_mask *by = args.block_mask;
    const int64_t L = q->shape[2], S = k->shape[2], block = by ? by->block_size : 128, columns = blocks_in(S, block);
    if (isnan(args.scale))
        args.scale = 1 / sqrt((double)q->shape[3]);
    if (L == 0 || (!by && !args.score_mod))
        return wk_scaled_dot_product_attention(q, k, v, .scale = args.scale, .enable_gqa = args.enable_gqa);
    if (args.score_mod && args.enable_gqa) {
        k = wk_repeat_heads(k, q->shape[1]);
        v = wk_repeat_heads(v, q->shape[1]);
    }
    const bool *looks = NULL; // (blocks of queries, blocks of keys)
    if (by) {
        wk_tensor *any = WK_WITHOUT_GRAD(wk_to(wk_any(wk_any(by->blocks, 0), 0), wk_cpu));
        if (!any || !(looks = wk_host(OP, any)))
            return NULL;
    }
    const int64_t count = blocks_in(L, block);
    wk_tensor **parts = wk_alloc((size_t)count * sizeof *parts), *y = NULL;
    if (!parts)
        return wk_out_of_memory(OP, (size_t)count * sizeof *parts);
    int64_t made = 0;
    for (; made < count && k && v; made++) {
        const int64_t row = made * block, rows = L - row < block ? L - row : block;
        int64_t first = 0, last = columns;
        while (looks && first < last && !looks[made * columns + first])
            first++;
        while (looks && first < last && !looks[made * columns + last - 1])
            last--;
        const int64_t end = last * block < S ? last * block : S;
        const part of = {q->shape[0], q->shape[1], row, rows, first * block, end - first * block, q->device};
        parts[made] = first < last ? attend(&args, k, v, &of)
                                   : wk_zeros((of.B, of.H, rows, v->shape[3]), .dtype = q->dtype, .device = q->device);
        if (!parts[made])
            break;
    }
    if (made == count)
        y = count == 1 ? parts[0] : wk_cat_with((wk_join_args){.tensors = {count, parts}, .dim = 2});
    wk_free(parts);
    return y;
}
