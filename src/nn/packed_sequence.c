/* pack_padded_sequence and pad_packed_sequence: rows of padded sequences, taken step by step, and put back.  Both are
   one index_select of rows, so that gradients come with it. */
#include "packed_sequence.h"

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/index.h>
#include <wick/join.h>
#include <wick/pointwise.h>
#include <wick/sorting.h>
#include <wick/view.h>

#include "core/error_internal.h"
#include "core/host.h"
#include "core/tensor.h"
#include "ops/ops.h"

static const char PACK[] = "pack_padded_sequence", PAD[] = "pad_packed_sequence";

static wk_tensor *new_integers(const char *op, int ndim, const int64_t *shape, int64_t **values)
{
    wk_tensor *x = wk_tensor_new(op, ndim, shape, wk_int64, wk_cpu);
    *values = x ? wk_host(op, x) : NULL;
    return *values ? x : NULL;
}

/* ---------------------------------------------------------------- packed */

static bool check_pack(const wk_nn_pack_padded_sequence_args *args)
{
    const wk_tensor *x = args->input, *lengths = args->lengths;
    WK_REQUIRE(PACK, args->input);
    WK_REQUIRE(PACK, args->lengths);
    if (x->ndim < 2 || x->numel == 0)
        return wk_fail(PACK, "input: expected (%s, ...), none of them 0, got %s", args->batch_first ? "N, L" : "L, N",
                       wk_shape_string(x));
    const int64_t N = x->shape[!args->batch_first];
    if (lengths->dtype != wk_int64 || lengths->device.type != WK_CPU)
        return wk_fail(PACK, "lengths: expected int64 on the cpu, got %s", wk_dtype_name(lengths->dtype));
    return (lengths->ndim == 1 && lengths->shape[0] == N) ||
           wk_fail(PACK, "lengths: expected (%lld,), one for each sequence, got %s", (long long)N,
                   wk_shape_string(lengths));
}

static bool check_lengths(const int64_t *lengths, int64_t N, int64_t L, bool enforce_sorted)
{
    for (int64_t i = 0; i < N; i++) {
        if (lengths[i] < 1 || lengths[i] > L)
            return wk_fail(PACK, "lengths: expected 1 to %lld, got %lld", (long long)L, (long long)lengths[i]);
        if (enforce_sorted && i > 0 && lengths[i] > lengths[i - 1])
            return wk_fail(PACK,
                           "lengths: expected the longest first, got %lld after %lld\n"
                           "hint: .enforce_sorted = false sorts them",
                           (long long)lengths[i], (long long)lengths[i - 1]);
    }
    return true;
}

/* rows of x, as (L N, ...) or (N L, ...), step by step; order: which sequence is the longest, ..., NULL as they are */
static wk_tensor *packed_rows(const wk_nn_pack_padded_sequence_args *args, const int64_t *lengths, const int64_t *order,
                              int64_t *sizes, int64_t steps)
{
    const int64_t N = args->input->shape[!args->batch_first], L = args->input->shape[args->batch_first];
    int64_t total = 0, *rows;
    for (int64_t i = 0; i < N; i++)
        total += lengths[i];
    wk_tensor *index = new_integers(PACK, 1, &total, &rows);
    for (int64_t t = 0, at = 0; index && t < steps; t++)
        for (sizes[t] = 0; sizes[t] < N; sizes[t]++) {
            const int64_t sequence = order ? order[sizes[t]] : sizes[t];
            if (lengths[sequence] <= t)
                break;
            rows[at++] = args->batch_first ? sequence * L + t : t * N + sequence;
        }
    return index;
}

static bool pack(const wk_nn_pack_padded_sequence_args *args, wk_nn_packed_sequence *y)
{
    const int64_t N = args->input->shape[!args->batch_first], L = args->input->shape[args->batch_first];
    wk_tensor *x = args->input, *dense = wk_dense(args->lengths), *order = NULL;
    const int64_t *lengths = dense ? wk_host(PACK, dense) : NULL;
    if (!lengths || !check_lengths(lengths, N, L, args->enforce_sorted))
        return false;
    if (!args->enforce_sorted && !(order = wk_argsort(dense, .descending = true, .stable = true)))
        return false;
    const int64_t *first = order ? wk_host(PACK, order) : NULL;
    const int64_t longest = lengths[first ? first[0] : 0];
    int64_t *sizes;
    y->batch_sizes = new_integers(PACK, 1, &longest, &sizes);
    wk_tensor *index = y->batch_sizes ? packed_rows(args, lengths, first, sizes, longest) : NULL;
    y->data = index ? wk_index_select(wk_flatten(x, 0, 1), 0, wk_to(index, x->device)) : NULL;
    if (order) {
        y->sorted_indices = wk_to(order, x->device);
        y->unsorted_indices = wk_to(wk_argsort(order), x->device);
    }
    return y->data && (!order || (y->sorted_indices && y->unsorted_indices));
}

wk_nn_packed_sequence wk_nn_utils_rnn_pack_padded_sequence_with(wk_nn_pack_padded_sequence_args args)
{
    WK_NAMES_ERRORS("pack_padded_sequence");
    wk_nn_packed_sequence y = {0}, kept = {0};
    if (!check_pack(&args))
        return kept;
    wk_scope
    if (pack(&args, &y))
        kept = (wk_nn_packed_sequence){wk_keep(y.data), wk_keep(y.batch_sizes),
                                       y.sorted_indices ? wk_keep(y.sorted_indices) : NULL,
                                       y.unsorted_indices ? wk_keep(y.unsorted_indices) : NULL};
    return kept;
}

/* ---------------------------------------------------------------- padded again */

static bool check_parts(const char *op, const wk_nn_packed_sequence *packed)
{
    WK_REQUIRE(op, packed->data);
    WK_REQUIRE(op, packed->batch_sizes);
    WK_OPTIONAL(op, packed->sorted_indices);
    WK_OPTIONAL(op, packed->unsorted_indices);
    const wk_tensor *sizes = packed->batch_sizes;
    if (packed->data->ndim < 1)
        return wk_fail(op, "packed->data: expected (steps of all sequences, ...), got %s",
                       wk_shape_string(packed->data));
    if (sizes->dtype != wk_int64 || sizes->device.type != WK_CPU || sizes->ndim != 1 || sizes->numel < 1)
        return wk_fail(op, "packed->batch_sizes: expected (L) of int64 on the cpu, got %s of %s",
                       wk_shape_string(sizes), wk_dtype_name(sizes->dtype));
    return !packed->sorted_indices == !packed->unsorted_indices ||
           wk_fail(op, "packed->unsorted_indices: expected both it and sorted_indices, or neither");
}

const int64_t *wk_packed_sizes(const char *op, const wk_nn_packed_sequence *packed)
{
    wk_tensor *dense = check_parts(op, packed) ? wk_dense(packed->batch_sizes) : NULL;
    const int64_t *sizes = dense ? wk_host(op, dense) : NULL;
    if (!sizes)
        return NULL;
    int64_t total = 0;
    for (int64_t t = 0; t < dense->numel; t++) {
        if (sizes[t] < 1 || (t > 0 && sizes[t] > sizes[t - 1]))
            return wk_fail(op, "packed->batch_sizes: expected each 1 or more and none larger than the one before");
        total += sizes[t];
    }
    if (total != packed->data->shape[0])
        return wk_fail(op, "packed->batch_sizes: expected a sum of %lld, the rows of data, got %lld",
                       (long long)packed->data->shape[0], (long long)total);
    const wk_tensor *order = packed->unsorted_indices;
    if (order && (order->ndim != 1 || order->numel != sizes[0] || packed->sorted_indices->numel != sizes[0]))
        return wk_fail(op, "packed->unsorted_indices: expected (%lld,), got %s", (long long)sizes[0],
                       wk_shape_string(order));
    return sizes;
}

/* y (L, N, ...) and lengths (N); false after an error */
static bool pad(const wk_nn_pad_packed_sequence_args *args, wk_tensor **y, wk_tensor **lengths)
{
    const wk_nn_packed_sequence *packed = &args->packed;
    const int64_t *sizes = wk_packed_sizes(PAD, packed);
    if (!sizes)
        return false;
    const int64_t steps = packed->batch_sizes->numel, N = sizes[0], L = args->total_length ? args->total_length : steps;
    if (L < steps)
        return wk_fail(PAD, "total_length: expected %lld or more, the longest, got %lld", (long long)steps,
                       (long long)L);
    /* which row of data stands where; the one behind the last is padding */
    wk_tensor *x = packed->data;
    int64_t *rows, *counts;
    wk_tensor *index = new_integers(PAD, 2, (int64_t[]){L, N}, &rows);
    *lengths = new_integers(PAD, 1, &N, &counts);
    if (!index || !*lengths)
        return false;
    for (int64_t i = 0; i < N; i++)
        counts[i] = 0;
    for (int64_t t = 0, at = 0; t < L; t++)
        for (int64_t i = 0; i < N; i++) {
            const bool inside = t < steps && i < sizes[t];
            rows[t * N + i] = inside ? at++ : x->shape[0];
            counts[i] += inside;
        }
    if (packed->unsorted_indices) {
        wk_tensor *order = wk_to(packed->unsorted_indices, wk_cpu);
        index = wk_index_select(index, 1, order);
        *lengths = wk_index_select(*lengths, 0, order);
    }
    index = wk_to(wk_flatten(args->batch_first ? wk_t(index) : index), x->device);
    wk_tensor *padding = wk_full_like(wk_narrow(x, 0, 0, 1), args->padding_value);
    wk_tensor *all = wk_index_select(wk_cat((x, padding)), 0, index);
    *y = args->batch_first ? wk_unflatten(all, 0, (N, L)) : wk_unflatten(all, 0, (L, N));
    return *y && *lengths;
}

wk_tensor *wk_nn_utils_rnn_pad_packed_sequence_with(wk_nn_pad_packed_sequence_args args)
{
    WK_NAMES_ERRORS("pad_packed_sequence");
    wk_tensor *kept = NULL, *y = NULL, *lengths = NULL;
    if (args.lengths)
        *args.lengths = NULL;
    wk_scope
    if (pad(&args, &y, &lengths)) {
        kept = wk_keep(y);
        if (args.lengths)
            *args.lengths = wk_keep(lengths);
    }
    return kept;
}
