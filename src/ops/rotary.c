/* Rotary position embeddings: the angles, composed of ops, and the turning, a kernel, linear in x. */
#include <wick/complex.h>
#include <wick/join.h>
#include <wick/rotary.h>

#include <string.h>

#include "core/layout.h"
#include "core/run.h"
#include "kernels/rotary.h"
#include "ops.h"

static wk_tensor *complex_of(wk_tensor *real, wk_tensor *imaginary)
{
    return wk_view_as_complex(wk_stack((real, imaginary), .dim = -1));
}

/* ---------------------------------------------------------------- angles */

static wk_tensor *numbers(int64_t count, int64_t step, const wk_precompute_freqs_cis_args *args)
{
    return wk_arange_with(WK_NUMBER(0), WK_NUMBER(count), WK_NUMBER(step),
                          (wk_range_args){.dtype = args->dtype, .device = args->device});
}

/* (end, dim / 2): position / theta^(2 p / dim), in PyTorch's order of operations */
static wk_tensor *angles(const wk_precompute_freqs_cis_args *args, int axis)
{
    const int64_t dim = args->dim.sizes[axis];
    wk_tensor *powers = wk_pow(args->theta, wk_div(numbers(dim, 2, args), dim));
    return wk_mul(wk_unsqueeze(numbers(args->end.sizes[axis], 1, args), 1), wk_div(1, powers));
}

wk_tensor *wk_precompute_freqs_cis_with(wk_precompute_freqs_cis_args args)
{
    const char *const op = "precompute_freqs_cis";
    WK_NAMES_ERRORS(op);
    wk_read_shape(&args.dim);
    wk_read_shape(&args.end);
    if (args.dtype == wk_dtype_default)
        args.dtype = wk_float32;
    if (args.dtype != wk_float32 && args.dtype != wk_float64)
        return wk_fail(op, "dtype: expected float32 or float64, got %s", wk_dtype_name(args.dtype));
    const int axes = args.dim.ndim;
    if (axes < 1 || axes != args.end.ndim || axes > WK_MAX_DIMS - 1)
        return wk_fail(op, "dim, end: expected as many of each, got %d and %d", axes, args.end.ndim);
    wk_tensor *parts[WK_MAX_DIMS];
    for (int axis = 0; axis < axes; axis++) {
        if (args.dim.sizes[axis] < 2 || args.dim.sizes[axis] % 2)
            return wk_fail(op, "dim: expected an even number of features, got %lld", (long long)args.dim.sizes[axis]);
        if (args.end.sizes[axis] < 0)
            return wk_fail(op, "end: expected 0 or more, got %lld", (long long)args.end.sizes[axis]);
        wk_shape size = args.end, along = {axes + 1, {0}}; // (1, .., end, .., 1, pairs) for all places of the grid
        for (int i = 0; i < axes; i++)
            along.sizes[i] = i == axis ? args.end.sizes[axis] : 1;
        along.sizes[axes] = size.sizes[axes] = args.dim.sizes[axis] / 2;
        size.ndim = axes + 1;
        wk_tensor *one = angles(&args, axis);
        parts[axis] = one ? wk_expand_with(wk_reshape_with(one, along), size, NULL) : NULL;
        if (!parts[axis])
            return NULL;
    }
    wk_tensor *all = wk_cat_with((wk_join_args){.tensors = {axes, parts}, .dim = -1});
    if (!all)
        return NULL;
    all = wk_flatten(all, 0, axes - 1);
    return complex_of(wk_cos(all), wk_sin(all));
}

/* ---------------------------------------------------------------- turning */

static const char OP[] = "apply_rotary_emb";

typedef struct rotary_kept {
    bool interleaved, back;
    int seq_dim;
} rotary_kept;

static wk_tensor *turn(wk_tensor *x, wk_tensor *freqs, rotary_kept how);

/* (..., pairs, 2) of x's first features */
static wk_tensor *pairs_of(wk_tensor *x, int64_t pairs, bool interleaved)
{
    x = wk_to(wk_narrow(x, -1, 0, 2 * pairs), x ? wk_real_dtype(x->dtype) : wk_float32);
    return interleaved ? wk_unflatten(x, -1, (pairs, 2)) : wk_transpose(wk_unflatten(x, -1, (2, pairs)), -1, -2);
}

/* y = f x of complex pairs: df = sum(conj(x) dy), and of y = conj(f) x the conjugate of that */
static wk_tensor *gradient_of_freqs(wk_tensor *x, wk_tensor *dy, const wk_tensor *freqs, rotary_kept how)
{
    const int64_t pairs = freqs->shape[freqs->ndim - 1];
    wk_tensor *from = pairs_of(x, pairs, how.interleaved), *to = pairs_of(dy, pairs, how.interleaved);
    wk_tensor *a = wk_select(from, -1, 0), *b = wk_select(from, -1, 1);
    wk_tensor *da = wk_select(to, -1, 0), *db = wk_select(to, -1, 1);
    wk_tensor *cosine = wk_add(wk_mul(a, da), wk_mul(b, db)), *sine = wk_sub(wk_mul(a, db), wk_mul(b, da));
    for (int dim = x->ndim - 2; dim >= 0; dim--)
        if (dim != how.seq_dim && (dim > 0 || freqs->ndim == 2)) {
            cosine = wk_sum(cosine, (dim));
            sine = wk_sum(sine, (dim));
        }
    return complex_of(cosine, how.back ? wk_neg(sine) : sine);
}

/* turned back: y = R x with R orthogonal in each pair, dx = R^T dy; dx's own gradient is turned forth */
static void apply_rotary_emb_backward(wk_node *node, wk_tensor *dy)
{
    const rotary_kept *kept = node->kept;
    wk_tensor *freqs = wk_saved(node, 0);
    if (!freqs)
        return;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, turn(dy, freqs, (rotary_kept){kept->interleaved, !kept->back, kept->seq_dim}));
    wk_tensor *x = wk_needs(node, 1) ? wk_saved(node, 1) : NULL;
    if (x)
        wk_accumulate(node, 1, gradient_of_freqs(x, dy, freqs, *kept));
}

/* x of 2 to 4 dims; freqs (L, pairs), or (B, L, pairs), complex of x's real dtype */
static wk_tensor *turn(wk_tensor *x, wk_tensor *freqs, rotary_kept how)
{
    const int features = x->ndim - 1;
    wk_tensor *from = x->strides[features] == 1 || x->shape[features] <= 1 ? x : wk_dense(x);
    wk_tensor *angles = wk_dense(freqs);
    wk_tensor *y = from && angles ? wk_tensor_new_like(OP, x, x->dtype, x->device) : NULL;
    if (y && y->strides[features] != 1 && y->shape[features] > 1)
        y = wk_tensor_new(OP, x->ndim, x->shape, x->dtype, x->device);
    if (!y)
        return NULL;
    wk_rotary_work work = {.x = wk_data(from),
                           .freqs = wk_data(angles),
                           .y = wk_data(y),
                           .D = x->shape[features],
                           .pairs = freqs->shape[freqs->ndim - 1],
                           .interleaved = how.interleaved,
                           .back = how.back};
    for (int i = 0; i < 3; i++) {
        const int dim = i - 3 + features; // the work's dims are the last of x's, but for the features
        work.shape[i] = dim < 0 ? 1 : x->shape[dim];
        work.x_strides[i] = dim < 0 ? 0 : from->strides[dim];
        work.y_strides[i] = dim < 0 ? 0 : y->strides[dim];
        work.freqs_strides[i] = dim == how.seq_dim             ? angles->strides[freqs->ndim - 2]
                                : dim == 0 && freqs->ndim == 3 ? angles->strides[0]
                                                               : 0;
    }
    if (!wk_run_work(OP, x, rotary, &work))
        return NULL;
    wk_tensor *saved[2] = {freqs, x}; // x for the gradient of angles that learn, which few do
    return wk_record(y, apply_rotary_emb_backward, WK_INPUTS(x, freqs), .saved = {1 + wk_needs_grad(freqs), saved},
                     WK_KEPT(rotary_kept, how.interleaved, how.back, how.seq_dim));
}

static bool check(const wk_apply_rotary_emb_args *args, int seq_dim)
{
    const wk_tensor *x = args->x, *freqs = args->freqs_cis;
    const int64_t L = x->shape[seq_dim], D = x->shape[x->ndim - 1];
    if (!wk_dtype_is_complex(freqs->dtype) || freqs->ndim < 2 || freqs->ndim > 3)
        return wk_fail(OP, "freqs_cis: expected complex (T, R / 2) or (B, L, R / 2), got %s %s",
                       wk_dtype_name(freqs->dtype), wk_shape_string(freqs));
    if (2 * freqs->shape[freqs->ndim - 1] > D)
        return wk_fail(OP, "freqs_cis: expected at most %lld pairs for %lld features, got %s", (long long)(D / 2),
                       (long long)D, wk_shape_string(freqs));
    if (args->offset < 0 || args->offset > freqs->shape[freqs->ndim - 2] - L)
        return wk_fail(OP, "freqs_cis: expected rows for positions %lld to %lld, got %lld", (long long)args->offset,
                       (long long)(args->offset + L), (long long)freqs->shape[freqs->ndim - 2]);
    if (freqs->ndim == 3 && (seq_dim == 0 || freqs->shape[0] != x->shape[0]))
        return wk_fail(OP, "freqs_cis: expected the batch of x, %s, got %s", wk_shape_string(x),
                       wk_shape_string(freqs));
    return wk_check_same_device(OP, "x", x, "freqs_cis", freqs);
}

wk_tensor *wk_apply_rotary_emb_with(wk_apply_rotary_emb_args args)
{
    WK_REQUIRE(OP, args.x);
    WK_REQUIRE(OP, args.freqs_cis);
    if (!wk_check_floating(OP, args.x))
        return NULL;
    if (args.x->ndim < 2 || args.x->ndim > 4)
        return wk_fail(OP, "x: expected 2 to 4 dims, got %s", wk_shape_string(args.x));
    const int seq_dim = wk_check_dim(OP, args.x->ndim, args.seq_dim);
    if (seq_dim < 0)
        return NULL;
    if (seq_dim == args.x->ndim - 1)
        return wk_fail(OP, "seq_dim: expected another dim than the last, which has the features, got %lld",
                       (long long)args.seq_dim);
    if (!check(&args, seq_dim))
        return NULL;
    const wk_dtype complex = wk_real_dtype(args.x->dtype) == wk_float64 ? wk_complex128 : wk_complex64;
    wk_tensor *freqs = wk_to(wk_narrow(args.freqs_cis, -2, args.offset, args.x->shape[seq_dim]), complex);
    return freqs ? turn(args.x, freqs, (rotary_kept){args.interleaved, false, seq_dim}) : NULL;
}
