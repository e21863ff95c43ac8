/* New tensors of random numbers: rand, randn, normal, randint, randperm.  The CPU draws them in the calling thread, in
   PyTorch's order (kernels/cpu/random.c); a complex number is two real draws, real part first.

   A tensor made like another keeps the order of its strides, as PyTorch's empty_like does, and draws follow memory: the
   n-th draw is the n-th element of the storage, not of the shape. */
#include "random.h"

#include <math.h>

#include "core/random.h"
#include "core/run.h"
#include "ops.h"

static wk_device device_or_cpu(wk_device device) { return device.type == WK_DEVICE_DEFAULT ? wk_cpu : device; }
static wk_dtype dtype_or(wk_dtype dtype, wk_dtype otherwise) { return dtype == wk_dtype_default ? otherwise : dtype; }

static wk_tensor *finish(wk_tensor *x, bool requires_grad)
{
    return x && requires_grad ? wk_requires_grad_(x, true) : x;
}

static wk_tensor *new_of_size(const char *op, const wk_shape *size, wk_dtype dtype, wk_device device)
{
    return wk_tensor_new(op, size->ndim, size->sizes, dtype, device_or_cpu(device));
}

/* ---------------------------------------------------------------- rand, randn, normal */

static wk_tensor *draw_uniform(const char *op, wk_tensor *x, wk_generator *generator)
{
    if (!x)
        return NULL;
    if (!wk_dtype_is_complex(x->dtype) && !wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "dtype: expected a floating or complex dtype, got %s", wk_dtype_name(x->dtype));
    return wk_run(op, x, uniform, .generator = wk_generator_or_default(generator), .y = wk_data(x),
                  .dtype = wk_dtype_to_real(x->dtype), .count = wk_dtype_is_complex(x->dtype) ? 2 * x->numel : x->numel,
                  .from = 0, .to = 1)
               ? x
               : NULL;
}

wk_tensor *wk_normal_into(const char *op, wk_generator *generator, wk_tensor *x, double mean, double std, bool singly)
{
    const bool complex = x && wk_dtype_is_complex(x->dtype); // each part has the mean, as in PyTorch, half the variance
    if (!x || !wk_run(op, x, normal, .generator = wk_generator_or_default(generator), .y = wk_data(x),
                      .dtype = wk_dtype_to_real(x->dtype), .count = complex ? 2 * x->numel : x->numel,
                      .from = mean, .to = complex ? std / sqrt(2.0) : std, .singly = singly))
        return NULL;
    return x;
}

static wk_tensor *draw_normal(const char *op, wk_tensor *x, double mean, double std, wk_generator *generator)
{
    if (!x)
        return NULL;
    if (!wk_dtype_is_complex(x->dtype) && !wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "dtype: expected a floating or complex dtype, got %s", wk_dtype_name(x->dtype));
    return wk_normal_into(op, generator, x, mean, std, !wk_is_contiguous(x));
}

wk_tensor *wk_rand_with(wk_rand_args args)
{
    wk_read_shape(&args.size);
    const wk_dtype dtype = dtype_or(args.dtype, wk_get_default_dtype());
    wk_tensor *x = new_of_size("rand", &args.size, dtype, args.device);
    return finish(draw_uniform("rand", x, args.generator), args.requires_grad);
}

wk_tensor *wk_rand_like_with(wk_rand_like_args args)
{
    WK_REQUIRE("rand_like", args.x);
    wk_tensor *x = wk_tensor_new_like("rand_like", args.x, dtype_or(args.dtype, args.x->dtype), args.device);
    return finish(draw_uniform("rand_like", x, args.generator), args.requires_grad);
}

wk_tensor *wk_randn_with(wk_rand_args args)
{
    wk_read_shape(&args.size);
    const wk_dtype dtype = dtype_or(args.dtype, wk_get_default_dtype());
    wk_tensor *x = new_of_size("randn", &args.size, dtype, args.device);
    return finish(draw_normal("randn", x, 0, 1, args.generator), args.requires_grad);
}

wk_tensor *wk_randn_like_with(wk_rand_like_args args)
{
    WK_REQUIRE("randn_like", args.x);
    wk_tensor *x = wk_tensor_new_like("randn_like", args.x, dtype_or(args.dtype, args.x->dtype), args.device);
    return finish(draw_normal("randn_like", x, 0, 1, args.generator), args.requires_grad);
}

/* each element by its own mean and std: draws around 0, stretched and moved in PyTorch's order */
static wk_tensor *normal_of_tensors(const wk_normal_args *args)
{
    WK_NAMES_ERRORS("normal");
    wk_tensor *const mean = args->mean.tensor, *const std = args->std.tensor, *const like = mean ? mean : std, *x;
    if (args->size.ndim > 0)
        return wk_fail("normal", "size: is that of mean and std where they are tensors");
    wk_shape shape = wk_shape_of(like->ndim, like->shape);
    if (mean && std &&
        !wk_broadcast_shapes("normal", mean->ndim, mean->shape, std->ndim, std->shape, &shape.ndim, shape.sizes))
        return NULL;
    x = draw_normal("normal", new_of_size("normal", &shape, dtype_or(args->dtype, like->dtype), like->device), 0,
                    std ? 1 : args->std.number.value, args->generator);
    wk_no_grad
    {
        x = std ? wk_mul_(x, std) : x;
        x = wk_add_in_place_with((wk_add_args){.a = WK_OPERAND(x), .b = args->mean, .alpha = 1});
    }
    return finish(x, args->requires_grad);
}

wk_tensor *wk_normal_with(wk_normal_args args)
{
    WK_REQUIRE_OPERAND("normal", args.mean);
    WK_REQUIRE_OPERAND("normal", args.std);
    if (!args.std.tensor && !(args.std.number.value >= 0))
        return wk_fail("normal", "std: expected 0 or more, got %g", args.std.number.value);
    if (args.mean.tensor || args.std.tensor)
        return normal_of_tensors(&args);
    const wk_dtype dtype = dtype_or(args.dtype, wk_get_default_dtype());
    wk_tensor *x = new_of_size("normal", &args.size, dtype, args.device);
    return finish(draw_normal("normal", x, args.mean.number.value, args.std.number.value, args.generator),
                  args.requires_grad);
}

/* ---------------------------------------------------------------- randint, randperm */

/* the whole numbers that a dtype holds without a gap: least[dtype] .. greatest[dtype] */
static const int64_t least[WK_DTYPES] = {
    [wk_int8] = INT8_MIN,       [wk_int16] = INT16_MIN,     [wk_int32] = INT32_MIN,     [wk_int64] = INT64_MIN,
    [wk_float16] = -(1L << 11), [wk_bfloat16] = -(1L << 8), [wk_float32] = -(1L << 24), [wk_float64] = -(1L << 53),
};
static const int64_t greatest[WK_DTYPES] = {
    [wk_bool] = 1,           [wk_uint8] = UINT8_MAX,  [wk_int8] = INT8_MAX,    [wk_int16] = INT16_MAX,
    [wk_int32] = INT32_MAX,  [wk_int64] = INT64_MAX,  [wk_float16] = 1L << 11, [wk_bfloat16] = 1L << 8,
    [wk_float32] = 1L << 24, [wk_float64] = 1L << 53,
};

bool wk_check_random_limits(const char *op, wk_dtype dtype, int64_t low, int64_t high)
{
    if (greatest[dtype] == 0)
        return wk_fail(op, "dtype: expected integers or floats, got %s", wk_dtype_name(dtype));
    if (low >= high)
        return wk_fail(op, "low: expected less than high, got %lld and %lld", (long long)low, (long long)high);
    if (low < least[dtype] || high - 1 > greatest[dtype])
        return wk_fail(op, "low, high: %s holds the whole numbers %lld .. %lld, got %lld .. %lld", wk_dtype_name(dtype),
                       (long long)least[dtype], (long long)greatest[dtype], (long long)low, (long long)high - 1);
    return true;
}

static wk_tensor *draw_integers(wk_tensor *x, int64_t low, int64_t high, wk_generator *generator)
{
    return x && wk_run("randint", x, integers, .generator = wk_generator_or_default(generator), .y = wk_data(x),
                       .dtype = x->dtype, .count = x->numel, .low = low, .range = (uint64_t)high - (uint64_t)low)
               ? x
               : NULL;
}

wk_tensor *wk_randint_with(wk_randint_args args)
{
    const wk_dtype dtype = dtype_or(args.dtype, wk_int64);
    if (!wk_check_random_limits("randint", dtype, args.low, args.high))
        return NULL;
    wk_tensor *x = new_of_size("randint", &args.size, dtype, args.device);
    return finish(draw_integers(x, args.low, args.high, args.generator), args.requires_grad);
}

wk_tensor *wk_randint_like_with(wk_randint_like_args args)
{
    WK_REQUIRE("randint_like", args.x);
    if (args.high == WK_NO_DIM) {
        args.high = args.low;
        args.low = 0;
    }
    const wk_dtype dtype = dtype_or(args.dtype, args.x->dtype);
    if (!wk_check_random_limits("randint_like", dtype, args.low, args.high))
        return NULL;
    wk_tensor *x = wk_tensor_new_like("randint_like", args.x, dtype, args.device);
    return finish(draw_integers(x, args.low, args.high, args.generator), args.requires_grad);
}

wk_tensor *wk_randperm_with(wk_randperm_args args)
{
    const wk_dtype dtype = dtype_or(args.dtype, wk_int64);
    if (args.n < 0)
        return wk_fail("randperm", "n: expected 0 or more, got %lld", (long long)args.n);
    if (dtype == wk_bool || greatest[dtype] == 0)
        return wk_fail("randperm", "dtype: expected integers or floats, got %s", wk_dtype_name(dtype));
    if (args.n - 1 > greatest[dtype])
        return wk_fail("randperm", "n: %s holds the whole numbers up to %lld, got n %lld", wk_dtype_name(dtype),
                       (long long)greatest[dtype], (long long)args.n);
    wk_tensor *x = new_of_size("randperm", &(wk_shape){1, {args.n}}, dtype, args.device);
    const bool drawn = x && wk_run("randperm", x, permutation, .generator = wk_generator_or_default(args.generator),
                                   .y = wk_data(x), .dtype = dtype, .count = args.n);
    return drawn ? finish(x, args.requires_grad) : NULL;
}
