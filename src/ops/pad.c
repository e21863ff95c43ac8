/* pad.  With a constant: filled, and x copied into its place; the gradient is dy with the negative padding, which cuts
   off what was added.  Other modes: index_select along each dim of where every element comes from. */
#include <wick/rearrange.h>

#include <string.h>

#include <wick/index.h>

#include "autocast.h"
#include "copy.h"
#include "core/host.h"
#include "core/layout.h"
#include "ops.h"

/* how many are added (cut off where negative) at the two ends of each dim */
typedef struct ends {
    int64_t before[WK_MAX_DIMS], after[WK_MAX_DIMS];
} ends;

static bool read_ends(wk_tensor *x, wk_sizes pad, ends *e)
{
    if (pad.count % 2 != 0 || pad.count > 2 * x->ndim)
        return wk_fail("pad", "pad: expected two numbers for each dim from the last on, for %s at most %d, got %lld",
                       wk_shape_string(x), 2 * x->ndim, (long long)pad.count);
    *e = (ends){{0}, {0}};
    for (int64_t i = 0; i < pad.count / 2; i++) {
        e->before[x->ndim - 1 - i] = pad.items[2 * i];
        e->after[x->ndim - 1 - i] = pad.items[2 * i + 1];
    }
    for (int dim = 0; dim < x->ndim; dim++) {
        const int64_t before = e->before[dim], after = e->after[dim], most = INT64_MAX / 4;
        if (before < -most || before > most || after < -most || after > most)
            return wk_fail("pad", "pad: %lld and %lld are more than can be counted", (long long)before,
                           (long long)after);
        const int64_t size = x->shape[dim] + before + after;
        if (size < 0)
            return wk_fail("pad", "pad: %lld and %lld leave less than nothing of dim %d of %s", (long long)before,
                           (long long)after, dim, wk_shape_string(x));
    }
    return true;
}

/* ---------------------------------------------------------------- constant */

static wk_tensor *pad_constant(wk_tensor *x, const ends *e, double value);

static void constant_pad_nd_backward(wk_node *node, wk_tensor *dy)
{
    ends back = *(const ends *)node->kept;
    for (int dim = 0; dim < dy->ndim; dim++) {
        back.before[dim] = -back.before[dim];
        back.after[dim] = -back.after[dim];
    }
    wk_accumulate(node, 0, pad_constant(dy, &back, 0));
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static wk_tensor *pad_constant(wk_tensor *x, const ends *e, double value)
{
    wk_shape size = {x->ndim, {0}};
    int64_t inside[WK_MAX_DIMS];
    wk_copy_side from = {.tensor = x}, to = {0};
    bool covers = true; // nothing of the result is padding
    for (int dim = 0; dim < x->ndim; dim++) {
        size.sizes[dim] = x->shape[dim] + e->before[dim] + e->after[dim];
        inside[dim] = larger(x->shape[dim] - larger(-e->before[dim], 0) - larger(-e->after[dim], 0), 0);
        from.offset += larger(-e->before[dim], 0) * x->strides[dim];
        from.strides[dim] = x->strides[dim];
        covers = covers && e->before[dim] <= 0 && e->after[dim] <= 0;
    }
    const wk_memory_format format = wk_format_of(x);
    wk_tensor *y = covers ? wk_tensor_new_format("pad", size.ndim, size.sizes, format, x->dtype, x->device)
                          : wk_full_with((wk_factory_args){.size = size,
                                                           .fill = WK_NUMBER(value),
                                                           .dtype = x->dtype,
                                                           .device = x->device,
                                                           .memory_format = format});
    if (!y)
        return NULL;
    to.tensor = y;
    for (int dim = 0; dim < x->ndim; dim++) {
        to.offset += larger(e->before[dim], 0) * y->strides[dim];
        to.strides[dim] = y->strides[dim];
    }
    if (!wk_copy_region(x->ndim, inside, &from, &to))
        return NULL;
    return wk_record(y, constant_pad_nd_backward, WK_INPUTS(x), .kept = e, .kept_bytes = sizeof *e);
}

/* ---------------------------------------------------------------- reflect, replicate, circular */

typedef enum pad_mode { REFLECT, REPLICATE, CIRCULAR } pad_mode;

/* of a dim, when what is negative was cut off */
static int64_t left_of(int64_t size, int64_t before, int64_t after)
{
    return size - larger(-before, 0) - larger(-after, 0);
}

static bool check_mode(const wk_tensor *x, wk_sizes pad, const ends *e, pad_mode mode, const char *name)
{
    const int64_t dims = pad.count / 2;
    if (dims < 1 || dims > 3 || (x->ndim != dims + 1 && x->ndim != dims + 2))
        return wk_fail("pad",
                       "mode: \"%s\" pads the last 1, 2 or 3 dims of a tensor that has one or two more, got %lld dims "
                       "and %s",
                       name, (long long)dims, wk_shape_string(x));
    for (int dim = x->ndim - (int)dims; dim < x->ndim; dim++) {
        const int64_t size = x->shape[dim], most = larger(e->before[dim], e->after[dim]);
        const int64_t result = size + e->before[dim] + e->after[dim];
        bool fits = size > 0 && result > 0;
        if (mode == REFLECT)
            fits = fits && most < size;
        else if (mode == CIRCULAR) // something must be left to go round in, or nothing is asked for
            fits = most <= 0 || (most <= size && left_of(size, e->before[dim], e->after[dim]) > 0);
        if (!fits)
            return wk_fail("pad", "pad: %lld and %lld do not fit \"%s\" along dim %d of %s", (long long)e->before[dim],
                           (long long)e->after[dim], name, dim, wk_shape_string(x));
    }
    return true;
}

/* of which element the one at index i of the result is a copy */
static int64_t source_of(int64_t i, int64_t size, int64_t before, int64_t after, pad_mode mode)
{
    const int64_t at = i - before;
    const int64_t cut = larger(-before, 0), left = left_of(size, before, after); // what circular goes round in
    switch (mode) {
    case REFLECT:
        return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
    case REPLICATE:
        return at < 0 ? 0 : at >= size ? size - 1 : at;
    default:
        return cut + ((at - cut) % left + left) % left;
    }
}

static wk_tensor *pad_from_inside(wk_tensor *x, wk_sizes pad, const ends *e, pad_mode mode)
{
    wk_tensor *y = x;
    for (int dim = x->ndim - (int)pad.count / 2; y && dim < x->ndim; dim++) {
        const int64_t size = x->shape[dim] + e->before[dim] + e->after[dim];
        if (e->before[dim] == 0 && e->after[dim] == 0)
            continue;
        wk_tensor *index = wk_tensor_new("pad", 1, &size, wk_int64, wk_cpu);
        int64_t *to = index ? wk_host("pad", index) : NULL;
        if (!to)
            return NULL;
        for (int64_t i = 0; i < size; i++)
            to[i] = source_of(i, x->shape[dim], e->before[dim], e->after[dim], mode);
        y = wk_index_select(y, dim, wk_to(index, x->device));
    }
    if (!y)
        return NULL;
    return y == x ? wk_clone(x) : wk_contiguous(y, wk_format_of(x));
}

wk_tensor *wk_pad_with(wk_pad_args args)
{
    const bool replicates = args.mode && strcmp(args.mode, "replicate") == 0;
    const bool reflects = args.mode && strcmp(args.mode, "reflect") == 0 && args.pad.count <= 4; // as PyTorch's list
    wk_tensor *none = NULL;
    WK_AUTOCAST(FLOAT32, replicates || reflects ? &args.x : &none);
    WK_REQUIRE("pad", args.x);
    static const char *const names[] = {"reflect", "replicate", "circular"};
    ends e;
    if (!read_ends(args.x, args.pad, &e))
        return NULL;
    if (!args.mode || strcmp(args.mode, "constant") == 0)
        return wk_check_value("pad", "value", WK_OPERAND(args.value), args.x->dtype)
                   ? pad_constant(args.x, &e, args.value) : NULL;
    for (pad_mode mode = REFLECT; mode <= CIRCULAR; mode++)
        if (strcmp(args.mode, names[mode]) == 0)
            return check_mode(args.x, args.pad, &e, mode, args.mode) ? pad_from_inside(args.x, args.pad, &e, mode)
                                                                     : NULL;
    return wk_fail("pad", "mode: expected \"constant\", \"reflect\", \"replicate\" or \"circular\", got \"%s\"",
                   args.mode);
}
