/* dtype, copies, in-place writes of whole tensors, reading values out. */
#include <wick/cast.h>

#include <math.h>
#include <string.h>

#include "copy.h"
#include "core/element.h"
#include "core/host.h"
#include "core/layout.h"
#include "ops.h"

/* from's values, cast, in new memory or (broadcast) in into's */
static wk_tensor *copy_into(const char *op, wk_tensor *from, wk_dtype dtype, wk_tensor *into)
{
    if (!from)
        return NULL;
    if (into && !wk_same_shape(from, into))
        return wk_pointwise(&(wk_pointwise_call){.op = op, .row = WK_ROW_copy, .inputs = 1,
                                                 .in = {WK_OPERAND(from)}, .compute = dtype, .result = dtype,
                                                 .into = into});
    wk_tensor *y = into ? into : wk_tensor_new_like(op, from, dtype, from->device);
    if (!y)
        return NULL;
    if (!wk_copy_values(from, y))
        return NULL;
    if (into)
        wk_count_write(into);
    return y;
}

/* wk_accumulate casts dy back */
static void to_copy_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, dy); }

wk_tensor *wk_to_dtype(wk_tensor *x, wk_dtype dtype)
{
    WK_REQUIRE("to", x);
    if (dtype <= wk_dtype_default || dtype >= WK_DTYPES)
        return wk_fail("to", "dtype: %d is none", (int)dtype);
    return dtype == x->dtype ? x : wk_record(copy_into("to", x, dtype, NULL), to_copy_backward, WK_INPUTS(x));
}

typedef struct to_device_kept {
    wk_device device; // x's
} to_device_kept;

static wk_tensor *to_device(wk_tensor *x, wk_device device, bool non_blocking);

/* back to where x is */
static void to_device_backward(wk_node *node, wk_tensor *dy)
{
    const to_device_kept *kept = node->kept;
    wk_accumulate(node, 0, to_device(dy, kept->device, false));
}

static wk_tensor *to_device(wk_tensor *x, wk_device device, bool non_blocking)
{
    if (!x || !device.type || wk_device_equal(device, x->device))
        return x;
    wk_tensor *from = wk_is_dense(x) ? x : wk_dense(x); // as in PyTorch, a permuted tensor keeps its strides
    return wk_record(wk_transfer("to", from, device, non_blocking), to_device_backward, WK_INPUTS(x),
                     WK_KEPT(to_device_kept, x->device), .name = "to_copy_backward");
}

static void clone_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, dy); }

static wk_tensor *clone_in(const char *op, wk_tensor *x, wk_memory_format format)
{
    wk_tensor *y = wk_tensor_new_format(op, x->ndim, x->shape, format, x->dtype, x->device);
    return wk_record(y && wk_copy_values(x, y) ? y : NULL, clone_backward, WK_INPUTS(x));
}

wk_tensor *wk_clone_contiguous(wk_tensor *x)
{
    WK_REQUIRE("contiguous", x);
    return clone_in("contiguous", x, wk_contiguous_format);
}

static wk_tensor *in_format(const char *op, wk_tensor *x, wk_memory_format format)
{
    if (!wk_check_format(op, x->ndim, x->shape, format))
        return NULL;
    return wk_is_contiguous(x, format) ? x : clone_in(op, x, format);
}

wk_tensor *wk_contiguous_with(wk_contiguous_args args)
{
    WK_REQUIRE("contiguous", args.x);
    return in_format("contiguous", args.x, args.memory_format);
}

wk_tensor *wk_kept_format(wk_tensor *y, wk_memory_format format)
{
    if (!y || format < wk_channels_last || wk_is_contiguous(y, format))
        return y;
    return WK_WITHOUT_GRAD(clone_in("contiguous", y, format));
}

wk_tensor *wk_to_with(wk_to_args args)
{
    WK_REQUIRE("to", args.x);
    WK_OPTIONAL("to", args.to.like);
    if (args.to.like) {
        args.to.device = args.to.like->device;
        args.to.dtype = args.to.like->dtype;
    } else if (args.to.wants_like) {
        return wk_null_input("to", "other");
    }
    if (args.dtype)
        args.to.dtype = args.dtype;
    wk_tensor *x = args.x;
    /* the smaller of the two dtypes travels */
    const bool widens = args.to.dtype && wk_dtype_size(args.to.dtype) > wk_dtype_size(x->dtype);
    if (args.to.dtype && !widens)
        x = wk_to_dtype(x, args.to.dtype);
    x = to_device(x, args.to.device, args.non_blocking);
    x = widens ? wk_to_dtype(x, args.to.dtype) : x;
    x = x && args.memory_format != wk_preserve_format ? in_format("to", x, args.memory_format) : x;
    return args.copy && x == args.x ? wk_clone(x) : x;
}

wk_tensor *wk_to_device(wk_tensor *x, wk_device device)
{
    WK_REQUIRE("to", x);
    return to_device(x, device, false);
}

wk_tensor *wk_type_as(wk_tensor *x, wk_tensor *like)
{
    WK_NAMES_ERRORS("type_as");
    WK_REQUIRE("to", x);
    WK_REQUIRE("to", like);
    return wk_to_dtype(wk_to_device(x, like->device), like->dtype);
}

wk_tensor *wk_clone(wk_tensor *x)
{
    WK_REQUIRE("clone", x);
    return wk_record(copy_into("clone", x, x->dtype, NULL), clone_backward, WK_INPUTS(x));
}

wk_float_info wk_finfo(wk_dtype dtype)
{
    switch (wk_dtype_to_real(dtype)) {
    case wk_float16:
        return (wk_float_info){16, 65504, -65504, 0x1p-10, 0x1p-14, 1e-3};
    case wk_bfloat16:
        return (wk_float_info){16, 0x1.fep127, -0x1.fep127, 0x1p-7, 0x1p-126, 1e-2};
    case wk_float32:
        return (wk_float_info){32, 0x1.fffffep127, -0x1.fffffep127, 0x1p-23, 0x1p-126, 1e-6};
    case wk_float64:
        return (wk_float_info){64, 0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023, 0x1p-52, 0x1p-1022, 1e-15};
    default:
        wk_fail("finfo", "dtype: expected a floating or complex dtype, got %s", wk_dtype_name(dtype));
    }
    return (wk_float_info){0};
}

wk_integer_info wk_iinfo(wk_dtype dtype)
{
    switch (dtype) {
    case wk_uint8:
        return (wk_integer_info){8, UINT8_MAX, 0};
    case wk_int8:
        return (wk_integer_info){8, INT8_MAX, INT8_MIN};
    case wk_int16:
        return (wk_integer_info){16, INT16_MAX, INT16_MIN};
    case wk_int32:
        return (wk_integer_info){32, INT32_MAX, INT32_MIN};
    case wk_int64:
        return (wk_integer_info){64, INT64_MAX, INT64_MIN};
    default:
        wk_fail("iinfo", "dtype: expected an integer dtype, got %s", wk_dtype_name(dtype));
    }
    return (wk_integer_info){0};
}

bool wk_check_floating(const char *op, const wk_tensor *x)
{
    if (wk_dtype_is_floating(x->dtype))
        return true;
    return wk_fail(op, "expected a floating dtype, got %s%s", wk_dtype_name(x->dtype),
                   wk_dtype_is_complex(x->dtype) ? "" : "\nhint: wk_to(x, wk_float32)");
}

bool wk_check_inexact(const char *op, const wk_tensor *x)
{
    if (wk_dtype_is_floating(x->dtype) || wk_dtype_is_complex(x->dtype))
        return true;
    return wk_fail(op, "expected a floating or complex dtype, got %s\nhint: wk_to(x, wk_float32)",
                   wk_dtype_name(x->dtype));
}

static bool is_number(const wk_tensor *x) { return x && x->ndim == 0 && x->device.type == WK_CPU; }

bool wk_check_operands_device(const char *op, const char *a_name, const wk_tensor *a, const char *b_name,
                              const wk_tensor *b)
{
    const bool given = (!a || wk_is_tensor(a)) && (!b || wk_is_tensor(b));
    return (given && (is_number(a) || is_number(b))) || wk_check_same_device(op, a_name, a, b_name, b);
}

bool wk_check_value(const char *op, const char *name, wk_operand value, wk_dtype dtype)
{
    if (value.tensor && wk_dtype_is_complex(value.tensor->dtype) && !wk_dtype_is_complex(dtype))
        return wk_fail(op, "%s: %s cannot be written into a tensor of %s", name, wk_dtype_name(value.tensor->dtype),
                       wk_dtype_name(dtype));
    if (!value.tensor && !wk_number_fits(dtype, value.number))
        return wk_fail(op, "%s: expected a number that %s has room for, got %g", name, wk_dtype_name(dtype),
                       value.number.value);
    return true;
}

/* x takes other values: dx = 0, dfrom = dy.  wk_accumulate sums and casts dy to from's. */
static void copy_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_zeros_like(dy));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, dy);
}

/* x's dtype and shape for a value, which is seen again and again */
static wk_tensor *seen_as(wk_tensor *value, wk_tensor *x)
{
    return WK_WITHOUT_GRAD(wk_detach(wk_expand_with(wk_to_dtype(value, x->dtype), (wk_shape){0}, x)));
}

/* what a view had before is its base's business (wk_write) */
static wk_tensor *own_history(wk_tensor *x) { return x->view ? NULL : x; }

wk_tensor *wk_copy_in_place_with(wk_copy_args args) { return (wk_copy_)(args.x, args.from); }

wk_tensor *(wk_copy_)(wk_tensor *x, wk_tensor *from)
{
    WK_REQUIRE("copy_", x);
    WK_REQUIRE("copy_", from);
    if (!wk_check_writable("copy_", x))
        return NULL;
    from = to_device(from, x->device, false);
    WK_REQUIRE("copy_", from);
    if (wk_would_record((wk_tensors){2, (wk_tensor *[]){x, from}}))
        return wk_write("copy_", x,
                        wk_record(seen_as(from, x), copy_backward, WK_INPUTS(own_history(x), from)));
    const bool overlaps = from->storage == x->storage && from != x;
    return copy_into("copy_", overlaps ? copy_into("copy_", from, from->dtype, NULL) : from, x->dtype, x);
}

wk_tensor *wk_fill_in_place_with(wk_tensor *x, wk_operand value)
{
    WK_REQUIRE("fill_", x);
    WK_REQUIRE_OPERAND("fill_", value);
    if (value.tensor && value.tensor->ndim > 0)
        return wk_fail("fill_", "value: expected a number or a 0-d tensor, got %s", wk_shape_string(value.tensor));
    if (value.tensor ? !wk_check_writable("fill_", x) : !wk_check_leaf("fill_", x))
        return NULL;
    if (!value.tensor && !wk_check_value("fill_", "value", value, x->dtype)) // a complex tensor is cut, as in copy_
        return NULL;
    if (wk_would_record((wk_tensors){2, (wk_tensor *[]){x, value.tensor}})) {
        wk_tensor *y = value.tensor ? seen_as(value.tensor, x)
                                    : wk_full_like_with((wk_factory_args){.like = x, .fill = value.number});
        return wk_write("fill_", x, wk_record(y, copy_backward, WK_INPUTS(own_history(x), value.tensor),
                                              .name = "fill_backward"));
    }
    return wk_pointwise(&(wk_pointwise_call){.op = "fill_", .row = WK_ROW_copy, .inputs = 1,
                                             .in = {value}, .compute = x->dtype, .result = x->dtype, .into = x});
}

wk_tensor *wk_zero_(wk_tensor *x)
{
    WK_NAMES_ERRORS("zero_");
    return wk_fill_in_place_with(x, WK_OPERAND(0));
}

static bool is_real(const char *op, const wk_tensor *x)
{
    if (!wk_dtype_is_complex(x->dtype))
        return true;
    return wk_fail(op, "x: expected real numbers, got %s\nhint: wk_to(x, wk_float64) has the real parts",
                   wk_dtype_name(x->dtype));
}

bool wk_tolist_with(wk_tensor *x, void *array, wk_dtype dtype, int64_t bytes)
{
    WK_REQUIRE("tolist", x);
    if (!array)
        return wk_null_input("tolist", "array");
    if (!is_real("tolist", x))
        return false;
    const int64_t size = (int64_t)wk_dtype_size(dtype);
    if (bytes >= 0 && bytes != x->numel * size)
        return wk_fail(
            "tolist",
            "array: expected %lld elements, as x of shape %s has, got %lld\nhint: &array[0] is the beginning "
            "of a longer array",
            (long long)x->numel, wk_shape_string(x), (long long)(bytes / size));
    if (x->numel == 0)
        return true;
    bool fine = false;
    wk_no_grad wk_scope
    {
        wk_tensor *dense = wk_dense(x->dtype == dtype ? x : copy_into("tolist", x, dtype, NULL));
        wk_tensor *here = dense ? wk_on_host("tolist", dense) : NULL;
        const void *values = here ? wk_host("tolist", here) : NULL;
        fine = values != NULL;
        if (fine)
            memcpy(array, values, (size_t)x->numel * wk_dtype_size(dtype));
    }
    return fine;
}

static bool one_element(wk_tensor *x)
{
    WK_REQUIRE("item", x);
    if (x->numel != 1)
        return wk_fail("item", "x: expected one element, got shape %s\nhint: reduce it first, or wk_tolist",
                       wk_shape_string(x));
    return is_real("item", x);
}

double wk_item(wk_tensor *x)
{
    double value = NAN;
    if (one_element(x) && !wk_tolist(x, &value))
        value = NAN;
    return value;
}

int64_t wk_item_int64(wk_tensor *x)
{
    WK_NAMES_ERRORS("item_int64");
    int64_t value = 0;
    if (one_element(x) && !wk_tolist(x, &value))
        value = 0;
    return value;
}
