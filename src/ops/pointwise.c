/* The engine of element-wise ops: promotion, broadcasting, the kernel; and the functions of one tensor, each a row of
   pointwise.def, with their first and second derivatives.

   dx = dy * slope is an op of its own (`slope` below), whose gradient for x is g * dy * curvature; the rows multiply by
   dy themselves.  No kernel where the slope or the curvature is 0 everywhere (STEP, LINEAR). */
#include <stdio.h>
#include <string.h>

#include "copy.h"
#include "core/host.h"
#include "core/layout.h"
#include "ops.h"

typedef enum number_class { CLASS_BOOL, CLASS_INTEGER, CLASS_FLOAT, CLASS_COMPLEX } number_class;

static number_class class_of(wk_dtype dtype)
{
    return dtype == wk_bool              ? CLASS_BOOL
           : wk_dtype_is_integral(dtype) ? CLASS_INTEGER
           : wk_dtype_is_complex(dtype)  ? CLASS_COMPLEX
                                         : CLASS_FLOAT;
}

static wk_dtype promote(wk_dtype a, wk_dtype b) { return !a ? b : !b ? a : wk_promote_types(a, b); }

/* the lower rank decides only if it is of a higher class; floats that it makes complex keep their width */
static wk_dtype outrank(wk_dtype high, wk_dtype low)
{
    if (!high || !low)
        return high ? high : low;
    if (class_of(high) == CLASS_FLOAT && class_of(low) == CLASS_COMPLEX)
        return promote(high, wk_complex64);
    return class_of(low) > class_of(high) ? promote(high, low) : high;
}

wk_dtype wk_result_type(const wk_operand *operands, int count)
{
    wk_dtype with_dims = 0, without_dims = 0, numbers = 0;
    for (int i = 0; i < count; i++) {
        const wk_tensor *x = operands[i].tensor;
        if (x && x->ndim > 0)
            with_dims = promote(with_dims, x->dtype);
        else if (x)
            without_dims = promote(without_dims, x->dtype);
        else
            numbers = promote(numbers, operands[i].number.kind == WK_BOOL_NUMBER  ? wk_bool
                                       : operands[i].number.kind == WK_INT_NUMBER ? wk_int64
                                                                                  : wk_get_default_dtype());
    }
    return outrank(outrank(with_dims, without_dims), numbers);
}

bool wk_operands_given(const char *op, wk_operand a, wk_operand b)
{
    WK_REQUIRE_OPERAND(op, a);
    WK_REQUIRE_OPERAND(op, b);
    return true;
}

/* strides of x as seen in the broadcast shape; of a number, NULL, 0 */
static void broadcast_strides(const wk_tensor *x, const wk_pointwise_work *work, int64_t *strides)
{
    if (!x) {
        memset(strides, 0, (size_t)work->ndim * sizeof *strides);
        return;
    }
    for (int dim = 0; dim < work->ndim; dim++) {
        const int own = dim - (work->ndim - x->ndim);
        strides[dim] = own < 0 || x->shape[own] == 1 ? 0 : x->strides[own];
    }
}

/* the dims in this order */
static void permute(wk_pointwise_work *work, const int *order)
{
    int64_t *const rows[5] = {work->shape, work->out.strides, work->in[0].strides, work->in[1].strides,
                              work->in[2].strides};
    int64_t before[WK_MAX_DIMS];
    for (int i = 0; i < 2 + work->inputs; i++) {
        memcpy(before, rows[i], (size_t)work->ndim * sizeof *before);
        for (int dim = 0; dim < work->ndim; dim++)
            rows[i][dim] = before[order[dim]];
    }
}

/* merges neighbouring dims that every operand steps through as one, so that kernels see long rows */
static void coalesce(wk_pointwise_work *work)
{
    wk_pointwise_operand *operands[4] = {&work->out, &work->in[0], &work->in[1], &work->in[2]};
    int kept = 0;
    for (int dim = 0; dim < work->ndim; dim++) {
        if (work->shape[dim] == 1)
            continue;
        bool merges = kept > 0;
        for (int i = 0; i <= work->inputs; i++)
            merges = merges && operands[i]->strides[kept - 1] == operands[i]->strides[dim] * work->shape[dim];
        const int to = merges ? kept - 1 : kept++;
        work->shape[to] = merges ? work->shape[to] * work->shape[dim] : work->shape[dim];
        for (int i = 0; i <= work->inputs; i++)
            operands[i]->strides[to] = operands[i]->strides[dim];
    }
    work->ndim = kept;
}

/* where an operand lies and what it is.  A 0-d tensor of the CPU's is a number to another device, as in PyTorch.
   Strides are set later. */
static void place_operand(wk_pointwise_operand *operand, const wk_tensor *x, const wk_number *number, wk_device device)
{
    operand->data = wk_data(x);
    if (x) {
        operand->dtype = x->dtype;
        if (x->ndim == 0 && x->device.type == WK_CPU && device.type != WK_CPU) {
            memcpy(&operand->number, operand->data, wk_dtype_size(x->dtype));
            operand->data = NULL;
        }
    } else if (number->kind == WK_FLOAT_NUMBER) {
        operand->dtype = wk_float64;
        operand->number.floating = number->value;
    } else {
        operand->dtype = wk_int64;
        operand->number.integer = number->integer;
    }
}

/* the broadcast shape of the operands, and where the work is done: where the result is, or what has dims */
static bool common_shape(const wk_pointwise_call *call, int *ndim, int64_t *shape, wk_device *device)
{
    bool placed = call->into != NULL;
    *device = placed ? call->into->device : wk_cpu;
    *ndim = -1;
    for (int i = 0; i < call->inputs; i++) {
        const wk_tensor *x = call->in[i].tensor;
        if (!x)
            continue;
        const bool number = x->device.type == WK_CPU && x->ndim == 0;
        if (!number && placed && !wk_device_equal(*device, x->device)) {
            char first[32];
            snprintf(first, sizeof first, "%s", wk_device_name(*device));
            return wk_fail(call->op, "expected all tensors on one device, got %s and %s\nhint: wk_to(x, device)", first,
                           wk_device_name(x->device));
        }
        if (!number && !placed) {
            *device = x->device;
            placed = true;
        }
        const bool same = *ndim == x->ndim && memcmp(shape, x->shape, (size_t)x->ndim * sizeof *shape) == 0;
        if (*ndim < 0) {
            *ndim = x->ndim;
            memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
        } else if (!same && !wk_broadcast_shapes(call->op, *ndim, shape, x->ndim, x->shape, ndim, shape)) {
            return false;
        }
    }
    if (*ndim < 0) // numbers alone
        *ndim = 0;
    return true;
}

/* an operand that does not broadcast */
static bool holds_all(const wk_tensor *x, const wk_pointwise_work *work)
{
    return x->ndim == work->ndim && memcmp(x->shape, work->shape, (size_t)x->ndim * sizeof *x->shape) == 0;
}

/* The result where not all is in order, `into` or new, and the order in which its memory has its dims; flat where all
   operands lie in memory as it does, without gaps.  As in PyTorch, a new one has the strides that all operands have, or
   its dims in their order. */
static wk_tensor *new_as_operands(const wk_pointwise_call *call, wk_pointwise_work *work, wk_device device, int *order,
                                  bool *flat)
{
    wk_tensor *y = call->into;
    if (call->contiguous && !(y = wk_tensor_new(call->op, work->ndim, work->shape, call->result, device)))
        return NULL;
    const wk_tensor *first = y;
    bool alike = true, numbers = false;
    for (int i = 0; i < call->inputs; i++) {
        const wk_tensor *x = call->in[i].tensor;
        broadcast_strides(x, work, work->in[i].strides);
        numbers |= !x;
        first = first ? first : x;
        alike = alike && (!x || (holds_all(x, work) &&
                                 memcmp(x->strides, first->strides, (size_t)x->ndim * sizeof *x->strides) == 0));
    }
    *flat = alike && wk_is_dense(first);
    if (*flat && (y || !numbers))
        return y ? y : wk_tensor_new_like(call->op, first, call->result, device);
    const int64_t *strides[4];
    int operands = 0;
    if (y) {
        broadcast_strides(y, work, work->out.strides);
        strides[operands++] = work->out.strides;
    }
    for (int i = 0; i < call->inputs; i++)
        strides[operands++] = work->in[i].strides;
    wk_order_dims(work->ndim, work->shape, operands, strides, order);
    return y ? y : wk_tensor_new_ordered(call->op, work->ndim, work->shape, order, call->result, device);
}

/* The dims lie in memory as they stand, the outermost first: expanded ones, and slices of what is contiguous. */
static bool in_order(const wk_tensor *x)
{
    int outer = -1;
    for (int dim = 0; dim < x->ndim; dim++) {
        if (x->strides[dim] == 0) // has no place of its own
            continue;
        if (outer >= 0 && (x->strides[outer] < x->strides[dim] ||
                           (x->strides[outer] == x->strides[dim] && x->shape[outer] < x->shape[dim])))
            return false;
        outer = dim;
    }
    return true;
}

enum { WORTH_A_COPY = 4096 }; // elements of a result

/* Puts in the place of a dense operand, which the walk along a large result's memory would step through with gaps, a
   copy in the result's order: a copy goes in blocks, the walk does not.  The copy, NULL where there is none; false
   after an error. */
static bool reorder(const wk_pointwise_call *call, int i, const int *order, wk_pointwise_work *work, wk_tensor **copy)
{
    wk_tensor *x = call->in[i].tensor;
    int last = work->ndim - 1;
    while (last > 0 && work->shape[order[last]] == 1)
        last--;
    *copy = NULL;
    if (!x || work->count < WORTH_A_COPY || x->device.type != WK_CPU || work->in[i].strides[order[last]] <= 1 ||
        !wk_is_dense(x))
        return true;
    int own[WK_MAX_DIMS], dims = 0;
    for (int dim = 0; dim < work->ndim; dim++)
        if (order[dim] >= work->ndim - x->ndim)
            own[dims++] = order[dim] - (work->ndim - x->ndim);
    *copy = wk_tensor_new_ordered(call->op, x->ndim, x->shape, own, x->dtype, x->device);
    if (!*copy || !wk_copy_values(x, *copy))
        return false;
    work->in[i].data = wk_data(*copy);
    broadcast_strides(*copy, work, work->in[i].strides);
    return true;
}

wk_tensor *wk_pointwise(const wk_pointwise_call *call)
{
    wk_pointwise_work work; // not zeroed: it is most of what an op on a small tensor would cost
    work.inputs = call->inputs;
    work.numbers[0] = call->p;
    work.numbers[1] = call->q;
    int64_t shape[2 * WK_MAX_DIMS];
    wk_device device;
    if (!common_shape(call, &work.ndim, shape, &device))
        return NULL;
    wk_tensor *y = call->into;
    if (y && (y->ndim != work.ndim || memcmp(shape, y->shape, (size_t)y->ndim * sizeof *shape) != 0)) {
        /* in place the result must be of x's own shape */
        int ndim = 0;
        int64_t both[2 * WK_MAX_DIMS];
        if (!wk_broadcast_shapes(call->op, work.ndim, shape, y->ndim, y->shape, &ndim, both))
            return NULL;
        if (ndim != y->ndim || memcmp(both, y->shape, (size_t)ndim * sizeof *both) != 0)
            return wk_fail(call->op, "x: of shape %s cannot hold the result in place, which has shape %s",
                           wk_shape_string(y), wk_shape_text(ndim, both, (char[WK_SHAPE_TEXT]){0}));
        work.ndim = ndim;
        memcpy(shape, both, sizeof shape);
    }
    memcpy(work.shape, shape, (size_t)work.ndim * sizeof *shape);
    bool flat = !y || wk_is_contiguous(y), ordered = flat || in_order(y); // flat: all in one way, without gaps
    for (int i = 0; ordered && i < call->inputs; i++) {
        const wk_tensor *x = call->in[i].tensor;
        const bool dense = !x || wk_is_contiguous(x);
        flat = flat && dense;
        ordered = dense || in_order(x);
    }
    int order[WK_MAX_DIMS];
    wk_tensor *copies[3] = {NULL};
    if (!ordered)
        y = new_as_operands(call, &work, device, order, &flat);
    else if (!y)
        y = wk_tensor_new(call->op, work.ndim, shape, call->result, device);
    if (!y)
        return NULL;
    work.count = y->numel;
    if (work.count == 0) // what is not defined for a dtype is an error here too
        return wk_run_row(call->op, device, call->compute, call->row, NULL) ? y : NULL;

    for (int i = 0; i < call->inputs; i++) {
        const wk_tensor *x = call->in[i].tensor;
        place_operand(&work.in[i], x, &call->in[i].number, device);
        flat = flat && (!x || x->numel == y->numel);
    }
    work.out.data = wk_data(y);
    work.out.dtype = y->dtype;
    if (flat) {
        work.ndim = 1;
        work.shape[0] = y->numel;
        work.out.strides[0] = 1;
        for (int i = 0; i < call->inputs; i++)
            work.in[i].strides[0] = call->in[i].tensor ? 1 : 0;
    } else {
        broadcast_strides(y, &work, work.out.strides);
        for (int i = 0; i < call->inputs; i++)
            if (ordered)
                broadcast_strides(call->in[i].tensor, &work, work.in[i].strides);
            else if (!reorder(call, i, order, &work, &copies[i]))
                return NULL;
        if (!ordered)
            permute(&work, order);
        coalesce(&work);
    }
    const bool fine = wk_run_row(call->op, device, call->compute, call->row, &work);
    for (int i = 0; !ordered && i < call->inputs; i++)
        wk_scope_release(copies[i]);
    if (!fine)
        return NULL;
    if (call->into)
        wk_count_write(y);
    if (wk_detects_anomaly() && !wk_anomaly_check_pointwise(call, y))
        return NULL;
    return y;
}

/* ---------------------------------------------------------------- functions of one tensor */

#define DEFINE(name_, saves_, curve_, any_number_)                                                                     \
    const wk_unary_op WK_UNARY_OP(name_) = {.name = #name_,                                                            \
                                            .in_place_name = #name_ "_",                                               \
                                            .backward_name = #name_ "_backward",                                       \
                                            .backward_backward_name = #name_ "_backward_backward",                     \
                                            .value = WK_ROW_##name_,                                                   \
                                            .slope = WK_ROW_##name_##_slope,                                           \
                                            .curvature = WK_ROW_##name_##_curvature,                                   \
                                            .saves = WK_SAVES_##saves_,                                                \
                                            .curve = WK_##curve_,                                                      \
                                            .any_number = any_number_};
#define DEFINE_VALUE(...)
#define DEFINE_STEP DEFINE
#define DEFINE_LINEAR DEFINE
#define DEFINE_CURVED DEFINE
#define UNARY(name, saves, curve, ...) DEFINE_##curve(name, saves, curve, false)
#define UNARY_NUMBER(name, saves, curve, ...) DEFINE_##curve(name, saves, curve, true)
#define UNARY_ANY UNARY_NUMBER
#include "kernels/pointwise.def"

typedef struct unary_kept {
    const wk_unary_op *op;
    double p, q;
} unary_kept;

static void third_backward(wk_node *node, wk_tensor *g)
{
    (void)g;
    const unary_kept *f = node->kept;
    wk_fail(f->op->name, "has first and second derivatives; a third was asked for");
}

/* a derivative, times dy; saved is x or y, whichever the row is in, NULL where it is in neither */
static wk_tensor *derivative(const unary_kept *f, wk_pointwise_row row, wk_tensor *dy, wk_tensor *saved)
{
    const char *const op = f->op->backward_name;
    const bool saves = f->op->saves != WK_SAVES_NOTHING;
    WK_REQUIRE(op, dy);
    if (saves)
        WK_REQUIRE(op, saved);
    return wk_pointwise(&(wk_pointwise_call){.op = op,
                                             .row = row,
                                             .inputs = saves ? 2 : 1,
                                             .in = {WK_OPERAND(dy), WK_OPERAND(saved)},
                                             .compute = dy->dtype,
                                             .result = dy->dtype,
                                             .p = f->p,
                                             .q = f->q});
}

static wk_tensor *slope(const unary_kept *f, wk_tensor *dy, wk_tensor *saved, wk_tensor *x);

/* with s = slope(x), c = curvature(x): z = dy * s; d dy = g * s, dx = g * dy * c */
static void slope_backward(wk_node *node, wk_tensor *g)
{
    const unary_kept *f = node->kept;
    wk_tensor *saved = wk_saved(node, 0);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, slope(f, g, saved, wk_input_stand_in(node, 1, g)));
    if (wk_needs(node, 1)) {
        wk_tensor *dy = wk_saved(node, 1), *x = wk_input_stand_in(node, 1, g);
        wk_tensor *c = derivative(f, f->op->curvature, dy, saved);
        c = wk_record(c, third_backward, WK_INPUTS(x, dy), .kept = f, .kept_bytes = sizeof *f);
        wk_accumulate(node, 1, wk_mul(g, c));
    }
}

/* dy * slope; x stands for the input in the graph */
static wk_tensor *slope(const unary_kept *f, wk_tensor *dy, wk_tensor *saved, wk_tensor *x)
{
    const bool curved = f->op->curve == WK_CURVED;
    return wk_record_one(derivative(f, f->op->slope, dy, saved),
                         &(wk_record_args){.name = f->op->backward_backward_name,
                                           .backward = slope_backward,
                                           WK_INPUTS(dy, curved ? x : NULL),
                                           WK_SAVED(saved, curved ? dy : NULL),
                                           .kept = f,
                                           .kept_bytes = sizeof *f});
}

static void unary_backward(wk_node *node, wk_tensor *dy)
{
    const unary_kept *f = node->kept;
    wk_accumulate(node, 0, f->op->curve == WK_STEP
                               ? wk_zeros_like(dy)
                               : slope(f, dy, wk_saved(node, 0), wk_input_stand_in(node, 0, dy)));
}

static wk_tensor *unary_into(const char *name, const wk_unary_op *op, wk_tensor *x, double p, double q, wk_tensor *into)
{
    const wk_dtype dtype = op->any_number ? x->dtype : wk_float_type(x->dtype);
    return wk_pointwise(&(wk_pointwise_call){.op = name,
                                             .row = op->value,
                                             .inputs = 1,
                                             .in = {WK_OPERAND(x)},
                                             .compute = dtype,
                                             .result = dtype,
                                             .p = p,
                                             .q = q,
                                             .into = into});
}

wk_tensor *wk_unary(const wk_unary_op *op, wk_tensor *x, double p, double q)
{
    WK_REQUIRE(op->name, x);
    wk_tensor *y = unary_into(op->name, op, x, p, q, NULL);
    return wk_record_one(y, &(wk_record_args){.name = op->backward_name,
                                              .backward = unary_backward,
                                              WK_INPUTS(x),
                                              WK_SAVED(op->saves == WK_SAVES_INPUT    ? x
                                                       : op->saves == WK_SAVES_RESULT ? y
                                                                                      : NULL),
                                              WK_KEPT(unary_kept, op, p, q)});
}

wk_tensor *wk_unary_(const wk_unary_op *op, wk_tensor *x, double p, double q)
{
    const char *const name = op->in_place_name;
    WK_REQUIRE(name, x);
    if (!wk_check_writable(name, x))
        return NULL;
    if (!op->any_number && wk_dtype_is_integral(x->dtype))
        return wk_fail(name, "x: a floating result cannot be written into a tensor of %s", wk_dtype_name(x->dtype));
    if (wk_needs_grad(x))
        return wk_write(name, x, wk_unary(op, x, p, q));
    return unary_into(name, op, x, p, q, x);
}
