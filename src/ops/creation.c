/* New tensors: filled, from C arrays, ranges. */
#include <wick/creation.h>

#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/layout.h"
#include "core/run.h"
#include "kernels/fill.h"
#include "ops.h"

static wk_device device_or_cpu(wk_device device) { return device.type ? device : wk_cpu; }

static wk_tensor *finish(wk_tensor *x, bool requires_grad)
{
    return x && requires_grad ? wk_requires_grad_(x, true) : x;
}

static wk_tensor *new_of_size(const char *op, const wk_factory_args *args, wk_dtype dtype)
{
    const wk_shape *size = &args->size;
    if (args->pin_memory)
        return wk_fail(op, "pin_memory: needs CUDA, which is not here");
    if (args->memory_format != wk_preserve_format && !wk_check_format(op, size->ndim, size->sizes, args->memory_format))
        return NULL;
    return wk_tensor_new_format(op, size->ndim, size->sizes, args->memory_format, dtype, device_or_cpu(args->device));
}

wk_tensor *wk_empty_with(wk_factory_args args)
{
    wk_read_shape(&args.size);
    return finish(new_of_size("empty", &args, args.dtype ? args.dtype : wk_get_default_dtype()), args.requires_grad);
}

static wk_tensor *filled(wk_tensor *x, wk_number value, bool requires_grad)
{
    if (!x || !wk_check_value("full", "fill_value", (wk_operand){.number = value}, x->dtype))
        return NULL;
    wk_fill_work work = {.y = wk_data(x), .size = (int64_t)wk_dtype_size(x->dtype), .count = x->numel};
    wk_store_number(x->dtype, work.value, value);
    if (x->numel > 0 && !wk_run_work("full", x, fill, &work))
        return NULL;
    return finish(x, requires_grad);
}

wk_tensor *wk_full_with(wk_factory_args args)
{
    WK_NAMES_ERRORS(args.op ? args.op : "full");
    wk_read_shape(&args.size);
    const wk_dtype of_fill = args.fill.kind == WK_BOOL_NUMBER  ? wk_bool
                             : args.fill.kind == WK_INT_NUMBER ? wk_int64
                                                               : wk_get_default_dtype();
    return filled(new_of_size("full", &args, args.dtype ? args.dtype : of_fill), args.fill, args.requires_grad);
}

static wk_tensor *empty_like(const char *op, wk_factory_args args)
{
    WK_REQUIRE(op, args.like);
    const wk_tensor *like = args.like;
    const wk_dtype dtype = args.dtype ? args.dtype : like->dtype;
    if (args.memory_format == wk_preserve_format && !args.pin_memory)
        return wk_tensor_new_like(op, like, dtype, args.device);
    args.size = wk_shape_of(like->ndim, like->shape);
    args.device = args.device.type ? args.device : like->device;
    return new_of_size(op, &args, dtype);
}

wk_tensor *wk_empty_like_with(wk_factory_args args)
{
    return finish(empty_like("empty_like", args), args.requires_grad);
}
wk_tensor *wk_full_like_with(wk_factory_args args)
{
    WK_NAMES_ERRORS(args.op ? args.op : "full_like");
    return filled(empty_like("full_like", args), args.fill, args.requires_grad);
}

static wk_factory_args as_new(wk_tensor *x, wk_factory_args args)
{
    args.dtype = args.dtype ? args.dtype : x->dtype;
    args.device = args.device.type ? args.device : x->device;
    return args;
}

wk_tensor *wk_new_empty_with(wk_tensor *x, wk_factory_args args)
{
    WK_NAMES_ERRORS("new_empty");
    WK_REQUIRE("new_empty", x);
    return wk_empty_with(as_new(x, args));
}
wk_tensor *wk_new_full_with(wk_tensor *x, wk_factory_args args)
{
    WK_NAMES_ERRORS(args.op ? args.op : "new_full");
    WK_REQUIRE("new_full", x);
    return wk_full_with(as_new(x, args));
}

wk_tensor *wk_tensor_with(wk_tensor_args args)
{
    if (!args.data)
        return wk_null_input("tensor", "data");
    wk_tensor *x = wk_tensor_new("tensor", args.size.ndim, args.size.sizes, args.data_dtype, wk_cpu);
    if (!x)
        return NULL;
    const int64_t size = (int64_t)wk_dtype_size(x->dtype);
    if (args.bytes > 0 && args.bytes != x->numel * size)
        return wk_fail(
            "tensor",
            "data: expected an array of %lld elements for %s, got %lld\nhint: &array[0] hands over the first of "
            "a longer array",
            (long long)x->numel, wk_shape_string(x), (long long)(args.bytes / size));
    memcpy(wk_host("tensor", x), args.data, (size_t)x->numel * wk_dtype_size(x->dtype));
    if (args.dtype && args.dtype != x->dtype)
        x = wk_to(x, args.dtype);
    if (args.device.type)
        x = wk_to(x, args.device);
    return finish(x, args.requires_grad);
}

wk_tensor *wk_new_tensor_with(wk_tensor *x, wk_tensor_args args)
{
    WK_NAMES_ERRORS("new_tensor");
    WK_REQUIRE("new_tensor", x);
    args.dtype = args.dtype ? args.dtype : x->dtype;
    args.device = args.device.type ? args.device : x->device;
    return wk_tensor_with(args);
}

/* how many elements of memory a shape reaches over; INT64_MAX where that cannot be counted */
static int64_t reach(const wk_shape *size, const int64_t *strides)
{
    int64_t last = 0, step;
    for (int dim = 0; dim < size->ndim; dim++)
        if (size->sizes[dim] <= 0)
            return 0;
        else if (__builtin_mul_overflow(size->sizes[dim] - 1, strides[dim], &step) ||
                 __builtin_add_overflow(last, step, &last))
            return INT64_MAX;
    return last < INT64_MAX ? last + 1 : last;
}

static bool check_blob(const wk_from_blob_args *args, wk_dtype dtype)
{
    int64_t strides[WK_MAX_DIMS], numel;
    if (args->strides.ndim && args->strides.ndim != args->size.ndim)
        return wk_fail("from_blob", "strides: expected %d, one for each dim, got %d", args->size.ndim,
                       args->strides.ndim);
    if (args->bytes <= 0 || args->size.ndim > WK_MAX_DIMS)
        return true;
    if (!wk_check_numel("from_blob", args->size.ndim, args->size.sizes, &numel))
        return false;
    wk_contiguous_strides(args->size.ndim, args->size.sizes, strides);
    const int64_t needed = reach(&args->size, args->strides.ndim ? args->strides.sizes : strides),
                  given = args->bytes / (int64_t)wk_dtype_size(dtype);
    if (needed <= given)
        return true;
    return wk_fail("from_blob", "data: expected an array of %lld elements of %s or more, got %lld", (long long)needed,
                   wk_dtype_name(dtype), (long long)given);
}

wk_tensor *wk_from_blob_with(wk_from_blob_args args)
{
    const wk_dtype dtype = args.dtype ? args.dtype : wk_get_default_dtype();
    if (!check_blob(&args, dtype)) {
        if (args.release)
            args.release(args.context);
        return NULL;
    }
    return wk_tensor_from_memory("from_blob", args.data, args.size.ndim, args.size.sizes,
                                 args.strides.ndim ? args.strides.sizes : NULL, dtype, device_or_cpu(args.device),
                                 args.release, args.context);
}

wk_tensor *wk_arange_with(wk_number start, wk_number end, wk_number step, wk_range_args args)
{
    const bool integers = start.kind != WK_FLOAT_NUMBER && end.kind != WK_FLOAT_NUMBER && step.kind != WK_FLOAT_NUMBER;
    const double span = end.value - start.value;
    if (step.value == 0 || (span != 0 && (span > 0) != (step.value > 0)))
        return wk_fail("arange", "step: %g does not lead from %g to %g", step.value, start.value, end.value);
    if (args.dtype == wk_bool)
        return wk_fail("arange", "dtype: is not defined for bool");
    if (!isfinite(span / step.value) || span / step.value > 1e15)
        return wk_fail("arange", "expected finite bounds, got %g to %g", start.value, end.value);
    int64_t size = (int64_t)ceil(span / step.value);
    if (integers) { // beyond 2^53 too
        const __int128 distance = (__int128)end.integer - start.integer;
        size = (int64_t)((distance + step.integer - (step.integer > 0 ? 1 : -1)) / step.integer);
    }
    /* integers of fractional bounds: as many as there would be fractions, each bound cut; as in PyTorch */
    const bool whole = integers || wk_dtype_is_integral(args.dtype);
    const int64_t first = integers ? start.integer : whole ? (int64_t)start.value : 0,
                  stride = integers ? step.integer : whole ? (int64_t)step.value : 0;
    wk_tensor *x = wk_tensor_new("arange", 1, &size, whole ? wk_int64 : wk_float64, wk_cpu);
    if (!x)
        return NULL;
    void *y = wk_host("arange", x);
    for (int64_t i = 0; i < size; i++)
        if (whole)
            ((int64_t *)y)[i] = first + i * stride;
        else
            ((double *)y)[i] = start.value + (double)i * step.value;
    x = wk_to(x, args.dtype ? args.dtype : integers ? wk_int64 : wk_get_default_dtype());
    return finish(wk_to(x, device_or_cpu(args.device)), args.requires_grad);
}

/* from both ends to the middle, in the result's own type, as PyTorch: the ends come out exact */
wk_tensor *wk_linspace_with(double start, double end, int64_t steps, wk_range_args args)
{
    if (steps < 0)
        return wk_fail("linspace", "steps: must not be negative, got %lld", (long long)steps);
    const wk_dtype dtype = args.dtype ? args.dtype : wk_get_default_dtype();
    if (dtype == wk_bool)
        return wk_fail("linspace", "dtype: is not defined for bool");
    if (wk_dtype_is_integral(dtype)) { // PyTorch cuts the bounds first
        if (!wk_check_value("linspace", "start", WK_OPERAND(start), dtype) ||
            !wk_check_value("linspace", "end", WK_OPERAND(end), dtype))
            return NULL;
        if (dtype == wk_uint8 && (start < 0 || end < 0))
            return wk_fail("linspace", "%s: expected 0 or more for uint8, got %g", start < 0 ? "start" : "end",
                           start < 0 ? start : end);
        start = trunc(start);
        end = trunc(end);
    }
    const bool single = dtype == wk_float32;
    wk_tensor *x = wk_tensor_new("linspace", 1, &steps, single ? wk_float32 : wk_float64, wk_cpu);
    if (!x)
        return NULL;
    void *y = wk_host("linspace", x);
    const double step = steps > 1 ? (end - start) / (double)(steps - 1) : 0;
    const float step_single = steps > 1 ? ((float)end - (float)start) / (float)(steps - 1) : 0;
    for (int64_t i = 0; i < steps; i++) {
        const int64_t back = steps - 1 - i;
        if (single)
            ((float *)y)[i] = i < steps / 2 || steps == 1 ? (float)start + step_single * (float)i
                                                                   : (float)end - step_single * (float)back;
        else
            ((double *)y)[i] = i < steps / 2 || steps == 1 ? start + step * (double)i
                                                                    : end - step * (double)back;
    }
    return finish(wk_to(wk_to(x, dtype), device_or_cpu(args.device)), args.requires_grad);
}

/* made on the host, then sent */
wk_tensor *wk_eye_with(wk_eye_args args)
{
    WK_NAMES_ERRORS("eye");
    const int64_t m = args.m == WK_EYE_SQUARE ? args.n : args.m;
    if (args.n < 0 || m < 0)
        return wk_fail("eye", "%s: must not be negative, got %lld", args.n < 0 ? "n" : "m",
                       (long long)(args.n < 0 ? args.n : m));
    wk_tensor *x =
        wk_full_with((wk_factory_args){.size = {2, {args.n, m}}, .fill = WK_NUMBER(0.0), .dtype = args.dtype});
    if (!x)
        return NULL;
    const size_t size = wk_dtype_size(x->dtype);
    char one[16], *y = wk_host("eye", x);
    wk_store_number(x->dtype, one, WK_NUMBER(1));
    for (int64_t i = 0; i < args.n && i < m; i++)
        memcpy(y + (size_t)(i * (m + 1)) * size, one, size);
    return finish(wk_to(x, device_or_cpu(args.device)), args.requires_grad);
}

wk_tensor *wk_logspace_with(wk_logspace_args args)
{
    WK_NAMES_ERRORS("logspace");
    const wk_dtype dtype = args.dtype ? args.dtype : wk_get_default_dtype();
    if (dtype == wk_bool)
        return wk_fail("logspace", "dtype: is not defined for bool");
    const bool whole = wk_dtype_is_integral(dtype);
    wk_tensor *powers = wk_linspace_with(args.start, args.end, args.steps,
                                         (wk_range_args){.dtype = whole ? wk_float64 : dtype, .device = args.device});
    return finish(wk_to(wk_pow(args.base, powers), dtype), args.requires_grad);
}

wk_tensor *wk_hann_window_with(wk_window_args args)
{
    WK_NAMES_ERRORS("hann_window");
    const int64_t n = args.window_length;
    const wk_dtype dtype = args.dtype ? args.dtype : wk_get_default_dtype();
    if (n < 0)
        return wk_fail("hann_window", "window_length: must not be negative, got %lld", (long long)n);
    if (!wk_dtype_is_floating(dtype))
        return wk_fail("hann_window", "dtype: expected a floating dtype, got %s", wk_dtype_name(dtype));
    const wk_dtype compute = wk_real_dtype(dtype);
    if (n <= 1)
        return finish(wk_ones((n), .dtype = dtype, .device = args.device), args.requires_grad);
    wk_tensor *k = wk_arange_with(WK_NUMBER(0), WK_NUMBER(n), WK_NUMBER(1),
                                  (wk_range_args){.dtype = compute, .device = args.device});
    wk_tensor *turns = wk_cos(wk_mul(k, 2 * wk_pi / (double)(args.periodic ? n : n - 1)));
    return finish(wk_to(wk_sub(0.5, wk_mul(turns, 0.5)), dtype), args.requires_grad);
}
