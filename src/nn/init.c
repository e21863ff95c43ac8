/* nn.init: bounds and deviations from a weight's fans, then PyTorch's draws in PyTorch's order.

   trunc_normal_ draws the whole tensor, then again, whole, as often as some element still lies outside; from far
   outside [a, b] (less than 0.3 of the mass within) it draws uniforms and accepts each with the density's share of its
   peak. orthogonal_ is a QR decomposition with a positive diagonal of R, hence unique: Gram-Schmidt, done twice in
   float64, gives it (LAPACK's Householder reflections would agree up to rounding). */
#include <wick/init.h>

#include <math.h>
#include <string.h>

#include "core/element.h"
#include "core/random.h"
#include "core/host.h"
#include "ops/ops.h"
#include "ops/random.h"

bool wk_nn_init_calculate_fan_in_and_fan_out(const wk_tensor *x, int64_t *fan_in, int64_t *fan_out)
{
    WK_REQUIRE("calculate_fan_in_and_fan_out", x);
    if (x->ndim < 2)
        return wk_fail("calculate_fan_in_and_fan_out", "x: expected 2 dims or more, got %s", wk_shape_string(x));
    int64_t receptive_field = 1;
    for (int dim = 2; dim < x->ndim; dim++)
        receptive_field *= x->shape[dim];
    *fan_in = x->shape[1] * receptive_field;
    *fan_out = x->shape[0] * receptive_field;
    return true;
}

double wk_nn_init_calculate_gain(const char *nonlinearity, double slope)
{
    static const char *const LINEAR[] = {"linear",           "conv1d",           "conv2d",           "conv3d",
                                         "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"};
    const char *name = nonlinearity ? nonlinearity : "";
    for (size_t i = 0; i < sizeof LINEAR / sizeof *LINEAR; i++)
        if (strcmp(name, LINEAR[i]) == 0)
            return 1;
    if (strcmp(name, "tanh") == 0)
        return 5.0 / 3;
    if (strcmp(name, "relu") == 0)
        return sqrt(2.0);
    if (strcmp(name, "leaky_relu") == 0)
        return sqrt(2.0 / (1 + slope * slope));
    if (strcmp(name, "selu") == 0)
        return 3.0 / 4;
    wk_fail("calculate_gain",
            "nonlinearity: expected linear, conv2d, sigmoid, tanh, relu, leaky_relu or selu, got \"%s\"", name);
    return NAN;
}

/* ---------------------------------------------------------------- one draw an element */

wk_tensor *wk_nn_init_uniform_with(wk_nn_init_uniform_args args)
{
    wk_no_grad { return wk_uniform_(args.x, args.a, args.b, args.generator); }
    return NULL;
}

wk_tensor *wk_nn_init_normal_with(wk_nn_init_normal_args args)
{
    wk_no_grad { return wk_normal_(args.x, args.mean, args.std, args.generator); }
    return NULL;
}

/* gain * sqrt(2 / (fan_in + fan_out)); negative after an error */
static double xavier_std(const wk_nn_init_xavier_args *args)
{
    int64_t fan_in, fan_out;
    if (!wk_nn_init_calculate_fan_in_and_fan_out(args->x, &fan_in, &fan_out))
        return -1;
    return args->gain * sqrt(2.0 / (double)(fan_in + fan_out));
}

wk_tensor *wk_nn_init_xavier_uniform_with(wk_nn_init_xavier_args args)
{
    const double std = xavier_std(&args), bound = sqrt(3.0) * std;
    return std < 0 ? NULL : wk_nn_init_uniform_(args.x, -bound, bound, args.generator);
}

wk_tensor *wk_nn_init_xavier_normal_with(wk_nn_init_xavier_args args)
{
    const double std = xavier_std(&args);
    return std < 0 ? NULL : wk_nn_init_normal_(args.x, 0, std, args.generator);
}

/* gain / sqrt(fan); negative after an error */
static double kaiming_std(const char *op, const wk_nn_init_kaiming_args *args)
{
    int64_t fan_in, fan_out;
    if (!wk_nn_init_calculate_fan_in_and_fan_out(args->x, &fan_in, &fan_out))
        return -1;
    const bool in = args->mode && strcmp(args->mode, "fan_in") == 0;
    if (!in && !(args->mode && strcmp(args->mode, "fan_out") == 0)) {
        wk_fail(op, "mode: expected \"fan_in\" or \"fan_out\", got \"%s\"", args->mode ? args->mode : "(null)");
        return -1;
    }
    const double gain = wk_nn_init_calculate_gain(args->nonlinearity, args->a);
    return isnan(gain) ? -1 : gain / sqrt((double)(in ? fan_in : fan_out));
}

wk_tensor *wk_nn_init_kaiming_uniform_with(wk_nn_init_kaiming_args args)
{
    WK_REQUIRE("kaiming_uniform_", args.x);
    if (args.x->numel == 0)
        return args.x;
    const double std = kaiming_std("kaiming_uniform_", &args), bound = sqrt(3.0) * std;
    return std < 0 ? NULL : wk_nn_init_uniform_(args.x, -bound, bound, args.generator);
}

wk_tensor *wk_nn_init_kaiming_normal_with(wk_nn_init_kaiming_args args)
{
    WK_REQUIRE("kaiming_normal_", args.x);
    if (args.x->numel == 0)
        return args.x;
    const double std = kaiming_std("kaiming_normal_", &args);
    return std < 0 ? NULL : wk_nn_init_normal_(args.x, 0, std, args.generator);
}

/* ---------------------------------------------------------------- constants */

wk_tensor *wk_nn_init_constant_(wk_tensor *x, double value)
{
    wk_no_grad { return wk_fill_(x, value); }
    return NULL;
}

wk_tensor *wk_nn_init_ones_(wk_tensor *x) { return wk_nn_init_constant_(x, 1); }
wk_tensor *wk_nn_init_zeros_(wk_tensor *x) { return wk_nn_init_constant_(x, 0); }

wk_tensor *wk_nn_init_eye_(wk_tensor *x)
{
    WK_REQUIRE("eye_", x);
    if (x->ndim != 2)
        return wk_fail("eye_", "x: expected 2 dims, got %s", wk_shape_string(x));
    const int64_t diagonal = x->shape[0] < x->shape[1] ? x->shape[0] : x->shape[1];
    wk_no_grad
    {
        if (!wk_fill_(x, 0))
            return NULL;
        wk_tensor *ones = wk_tensor_alias("eye_", x, 1, &diagonal, (int64_t[]){x->strides[0] + x->strides[1]}, 0);
        return ones && wk_fill_(ones, 1) ? x : NULL;
    }
    return NULL;
}

/* ---------------------------------------------------------------- trunc_normal_ */

static double normal_share_below(double x) { return (1 + erf(x / sqrt(2.0))) / 2; }

static bool any_pending(const bool *pending, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (pending[i])
            return true;
    return false;
}

/* Draws all, keeps what lies within, draws all again for what does not. */
static void redraw_outside(wk_generator *generator, wk_tensor *drawn, wk_tensor *fresh, bool *pending, bool singly,
                           const wk_nn_init_trunc_normal_args *args)
{
    const wk_dtype dtype = drawn->dtype;
    const double low = wk_round_floating(dtype, args->a), high = wk_round_floating(dtype, args->b);
    do {
        wk_random_normal(generator, dtype, wk_host("init", fresh), fresh->numel, args->mean, args->std, singly);
        for (int64_t i = 0; i < drawn->numel; i++) {
            if (!pending[i])
                continue;
            const double value = wk_load_floating(dtype, wk_host("init", fresh), i);
            wk_store_floating(dtype, wk_host("init", drawn), i, value);
            pending[i] = value < low || value > high;
        }
    } while (any_pending(pending, drawn->numel));
}

/* Draws uniforms in [a, b), each accepted where the log of another uniform is at most that of its density over the
   peak's; the steps are rounded as PyTorch's tensors are. */
static void accept_by_density(wk_generator *generator, wk_tensor *drawn, wk_tensor *fresh, wk_tensor *odds,
                              bool *pending, const wk_nn_init_trunc_normal_args *args)
{
    const wk_dtype dtype = drawn->dtype, wide = dtype == wk_float64 ? wk_float64 : wk_float32;
    const double nearest = fmax(args->a, fmin(args->mean, args->b)), distance = (nearest - args->mean) / args->std;
    const double peak = wk_round_floating(wide, -0.5 * distance * distance);
    const double mean = wk_round_floating(wide, args->mean), std = wk_round_floating(wide, args->std);
    do {
        wk_random_uniform(generator, dtype, wk_host("init", fresh), fresh->numel, args->a, args->b);
        wk_random_uniform(generator, dtype, wk_host("init", odds), odds->numel, 0, 1);
        for (int64_t i = 0; i < drawn->numel; i++) {
            if (!pending[i])
                continue;
            const double value = wk_load_floating(dtype, wk_host("init", fresh), i);
            wk_store_floating(dtype, wk_host("init", drawn), i, value);
            double density = wk_round_floating(dtype, wk_round_floating(dtype, value - mean) / std);
            density = wk_round_floating(dtype, density * density);
            density = wk_round_floating(dtype, wk_round_floating(dtype, density * -0.5) - peak);
            pending[i] = wk_round_floating(dtype, log(wk_load_floating(dtype, wk_host("init", odds), i))) > density;
        }
    } while (any_pending(pending, drawn->numel));
}

wk_tensor *wk_nn_init_trunc_normal_with(wk_nn_init_trunc_normal_args args)
{
    const char *const op = "trunc_normal_";
    WK_REQUIRE(op, args.x);
    const wk_dtype dtype = args.x->dtype;
    if (!wk_dtype_is_floating(dtype))
        return wk_fail(op, "x: expected a floating dtype, got %s", wk_dtype_name(dtype));
    if (!(args.std > 0 && args.a < args.b))
        return wk_fail(op, "expected std > 0 and a < b, got std %g, a %g, b %g", args.std, args.a, args.b);
    const double within =
        normal_share_below((args.b - args.mean) / args.std) - normal_share_below((args.a - args.mean) / args.std);
    wk_generator *generator = wk_generator_or_default(args.generator);
    wk_grad_guard no_grad __attribute__((cleanup(wk_grad_mode_close))) = wk_grad_mode_open(false);
    (void)no_grad;
    if (!wk_check_writable(op, args.x))
        return NULL;
    wk_tensor *drawn = wk_tensor_new_like(op, args.x, dtype, wk_cpu);
    wk_tensor *fresh = drawn ? wk_tensor_new_like(op, args.x, dtype, wk_cpu) : NULL;
    wk_tensor *odds = fresh ? wk_tensor_new_like(op, args.x, dtype, wk_cpu) : NULL;
    bool *pending = odds ? wk_alloc((size_t)args.x->numel) : NULL;
    if (!pending)
        return odds ? wk_out_of_memory(op, (size_t)args.x->numel) : NULL;
    memset(pending, true, (size_t)args.x->numel);
    if (within > 0.3)
        redraw_outside(generator, drawn, fresh, pending, !wk_is_contiguous(args.x), &args);
    else
        accept_by_density(generator, drawn, fresh, odds, pending, &args);
    wk_free(pending);
    return wk_write(op, args.x, wk_to(drawn, args.x->device));
}

/* ---------------------------------------------------------------- orthogonal_ */

/* Rows of n made orthonormal, each against those before it. */
static void orthonormalize(double *vectors, int64_t count, int64_t n)
{
    for (int64_t k = 0; k < count; k++) {
        double *vector = vectors + k * n;
        for (int pass = 0; pass < 2; pass++) // the second takes what rounding left of the first
            for (int64_t j = 0; j < k; j++) {
                const double *before = vectors + j * n;
                double along = 0;
                for (int64_t i = 0; i < n; i++)
                    along += before[i] * vector[i];
                for (int64_t i = 0; i < n; i++)
                    vector[i] -= along * before[i];
            }
        double square = 0;
        for (int64_t i = 0; i < n; i++)
            square += vector[i] * vector[i];
        const double length = sqrt(square);
        for (int64_t i = 0; i < n; i++)
            vector[i] = length > 0 ? vector[i] / length : 0;
    }
}

wk_tensor *wk_nn_init_orthogonal_with(wk_nn_init_orthogonal_args args)
{
    const char *const op = "orthogonal_";
    WK_REQUIRE(op, args.x);
    wk_tensor *x = args.x;
    if (x->ndim < 2)
        return wk_fail(op, "x: expected 2 dims or more, got %s", wk_shape_string(x));
    if (!wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "x: expected a floating dtype, got %s", wk_dtype_name(x->dtype));
    if (x->numel == 0)
        return x;
    wk_grad_guard no_grad __attribute__((cleanup(wk_grad_mode_close))) = wk_grad_mode_open(false);
    (void)no_grad;
    if (!wk_check_writable(op, x))
        return NULL;
    const int64_t rows = x->shape[0], columns = x->numel / rows;
    const bool wide = rows < columns; // then the rows are made orthonormal, else the columns
    const int64_t count = wide ? rows : columns, n = wide ? columns : rows;
    const int64_t row_step = wide ? columns : 1, column_step = wide ? 1 : rows; // in vectors
    wk_tensor *drawn = wk_tensor_new(op, x->ndim, x->shape, x->dtype, wk_cpu);
    double *vectors = drawn ? wk_alloc((size_t)x->numel * sizeof *vectors) : NULL;
    if (!vectors)
        return drawn ? wk_out_of_memory(op, (size_t)x->numel * sizeof *vectors) : NULL;
    wk_random_normal(wk_generator_or_default(args.generator), x->dtype, wk_host(op, drawn), x->numel, 0, 1, false);
    for (int64_t i = 0; i < x->numel; i++)
        vectors[i / columns * row_step + i % columns * column_step] =
            wk_load_floating(x->dtype, wk_host("init", drawn), i);
    orthonormalize(vectors, count, n);
    for (int64_t i = 0; i < x->numel; i++)
        wk_store_floating(x->dtype, wk_host("init", drawn), i,
                          args.gain * vectors[i / columns * row_step + i % columns * column_step]);
    wk_free(vectors);
    return wk_write(op, x, wk_to(drawn, x->device));
}
