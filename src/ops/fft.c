/* fft, its inverse, and both for reals: one kernel over rows.  Each is linear, and its gradient another of them. */
#include <wick/fft.h>

#include <math.h>
#include <string.h>

#include <wick/complex.h>
#include <wick/join.h>
#include <wick/rearrange.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/fft.h"
#include "ops.h"

typedef enum fft_kind { TO_COMPLEX, FROM_REAL, TO_REAL } fft_kind;

typedef struct fft_kept {
    fft_kind kind;
    int dim;
    int64_t n;
    bool inverse;
    double scale;
} fft_kept;

static wk_tensor *transform(const char *op, wk_tensor *x, const fft_kept *kept);

/* Half of a transform stands for all of it: but for the first and, of even n, the last number, each for two.  This is x
   (.., n / 2 + 1, ..) with those times `factor`. */
static wk_tensor *weigh_doubles(wk_tensor *x, const fft_kept *kept, double factor)
{
    const int64_t doubles = (kept->n - 1) / 2;
    if (!x || doubles == 0)
        return x;
    wk_tensor *first = wk_narrow(x, kept->dim, 0, 1), *middle = wk_mul(wk_narrow(x, kept->dim, 1, doubles), factor);
    if (kept->n % 2 != 0)
        return wk_cat((first, middle), kept->dim);
    return wk_cat((first, middle, wk_narrow(x, kept->dim, doubles + 1, 1)), kept->dim);
}

/* the conjugate transpose: the same sum with the other sign */
static void fft_backward(wk_node *node, wk_tensor *dy)
{
    fft_kept back = *(const fft_kept *)node->kept;
    back.inverse = !back.inverse;
    if (back.kind == TO_COMPLEX)
        wk_accumulate(node, 0, transform(node->name, dy, &back));
    else if (back.kind == FROM_REAL) {
        back.kind = TO_REAL;
        wk_accumulate(node, 0, transform(node->name, weigh_doubles(dy, &back, 0.5), &back));
    } else {
        back.kind = FROM_REAL;
        wk_accumulate(node, 0, weigh_doubles(transform(node->name, dy, &back), &back, 2));
    }
}

/* x along kept->dim, whose size is n or, of half a transform, n / 2 + 1 */
static wk_tensor *transform(const char *op, wk_tensor *x, const fft_kept *kept)
{
    if (!x)
        return NULL;
    wk_dense_rows rows = wk_rows_last(op, x, kept->dim);
    if (!rows.x)
        return NULL;
    const wk_dtype real = wk_dtype_is_complex(x->dtype) ? wk_dtype_to_real(x->dtype) : x->dtype;
    const wk_dtype dtype = kept->kind == TO_REAL ? real : real == wk_float64 ? wk_complex128 : wk_complex64;
    wk_shape shape = wk_shape_of(rows.x->ndim, rows.x->shape);
    shape.sizes[shape.ndim - 1] = kept->kind == FROM_REAL ? kept->n / 2 + 1 : kept->n;
    wk_tensor *y = wk_tensor_new(op, shape.ndim, shape.sizes, dtype, x->device);
    const wk_fft_work work = {.x = wk_data(rows.x),
                              .y = wk_data(y),
                              .rows = rows.rows,
                              .n = kept->n,
                              .inverse = kept->inverse,
                              .real_x = kept->kind == FROM_REAL,
                              .real_y = kept->kind == TO_REAL,
                              .scale = kept->scale};
    if (!y || !wk_run_on(op, x->device, real, fft, &work))
        return NULL;
    return wk_record(wk_rows_back(y, kept->dim), fft_backward, WK_INPUTS(x), .kept = kept, .kept_bytes = sizeof *kept);
}

/* ---------------------------------------------------------------- arguments */

/* x in a dtype that has a transform; NULL after an error */
static wk_tensor *inexact(const char *op, wk_tensor *x, fft_kind kind)
{
    WK_REQUIRE(op, x);
    if (kind == FROM_REAL && wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "x: expected a real tensor, got %s\nhint: wk_fft_fft", wk_dtype_name(x->dtype));
    if (wk_is_half(x->dtype))
        return wk_fail(op, "x: expected float32 or float64, got %s\nhint: wk_to(x, wk_float32)",
                       wk_dtype_name(x->dtype));
    const wk_dtype real = wk_dtype_is_integral(x->dtype) ? wk_get_default_dtype() : x->dtype;
    if (kind == FROM_REAL || wk_dtype_is_complex(real))
        return wk_to(x, real);
    return wk_to(x, real == wk_float64 ? wk_complex128 : wk_complex64);
}

/* what multiplies a sum of n; false after an error */
static bool find_scale(const char *op, const char *norm, bool inverse, int64_t n, double *scale)
{
    if (norm && strcmp(norm, "ortho") == 0)
        *scale = 1 / sqrt((double)n);
    else if (norm && strcmp(norm, "forward") == 0)
        *scale = inverse ? 1 : 1 / (double)n;
    else if (!norm || strcmp(norm, "backward") == 0)
        *scale = inverse ? 1 / (double)n : 1;
    else
        return wk_fail(op, "norm: expected \"backward\", \"ortho\" or \"forward\", got \"%s\"", norm);
    return true;
}

/* x cut, or filled with zeros, to size along dim */
static wk_tensor *resized(wk_tensor *x, int dim, int64_t size)
{
    if (x->shape[dim] == size)
        return x;
    if (x->shape[dim] > size)
        return wk_narrow(x, dim, 0, size);
    int64_t pad[2 * WK_MAX_DIMS] = {0};
    const int behind = x->ndim - 1 - dim;
    pad[2 * behind + 1] = size - x->shape[dim];
    return wk_pad_with((wk_pad_args){.x = x, .pad = {2 * (behind + 1), pad}});
}

/* along one dim; n: WK_NO_DIM for x's size */
static wk_tensor *along(const char *op, fft_kind kind, bool inverse, wk_tensor *x, int64_t n, int64_t dim_,
                        const char *norm)
{
    WK_AUTOCAST(FLOAT32, &x);
    x = inexact(op, x, kind);
    if (!x)
        return NULL;
    if (x->ndim == 0)
        return wk_fail(op, "x: expected at least 1 dim, got ()");
    const int dim = wk_check_dim(op, x->ndim, dim_);
    if (dim < 0)
        return NULL;
    fft_kept kept = {.kind = kind, .dim = dim, .inverse = inverse};
    kept.n = n != WK_NO_DIM ? n : kind == TO_REAL ? 2 * (x->shape[dim] - 1) : x->shape[dim];
    if (kept.n < 1)
        return wk_fail(op, "n: expected at least 1, got %lld", (long long)kept.n);
    if (!find_scale(op, norm, inverse, kept.n, &kept.scale))
        return NULL;
    return transform(op, resized(x, dim, kind == TO_REAL ? kept.n / 2 + 1 : kept.n), &kept);
}

/* along two dims: of reals the last one first, to reals the last one last */
static wk_tensor *along_two(const char *op, fft_kind kind, bool inverse, const wk_fft2_args *args)
{
    wk_tensor *x = args->x;
    WK_REQUIRE(op, x);
    const wk_shape dims = args->dim.ndim ? args->dim : (wk_shape){2, {-2, -1}};
    if (dims.ndim != 2 || (args->s.ndim != 0 && args->s.ndim != 2))
        return wk_fail(op, "%s: expected two, got %d", dims.ndim != 2 ? "dim" : "s",
                       dims.ndim != 2 ? dims.ndim : args->s.ndim);
    if (x->ndim < 2)
        return wk_fail(op, "x: expected at least 2 dims, got %s", wk_shape_string(x));
    int dim[2];
    int64_t n[2] = {WK_NO_DIM, WK_NO_DIM};
    for (int i = 0; i < 2; i++) {
        if ((dim[i] = wk_check_dim(op, x->ndim, dims.sizes[i])) < 0)
            return NULL;
        if (args->s.ndim && args->s.sizes[i] != -1)
            n[i] = args->s.sizes[i];
        else if (args->s.ndim && !(kind == TO_REAL && i == 1))
            n[i] = x->shape[dim[i]];
    }
    if (dim[0] == dim[1])
        return wk_fail(op, "dim: %d comes twice", dim[0]);
    if (kind == FROM_REAL)
        return along(op, TO_COMPLEX, inverse, along(op, FROM_REAL, inverse, x, n[1], dim[1], args->norm), n[0], dim[0],
                     args->norm);
    return along(op, kind, inverse, along(op, TO_COMPLEX, inverse, x, n[0], dim[0], args->norm), n[1], dim[1],
                 args->norm);
}

/* ---------------------------------------------------------------- ops */

#define FUNCTIONS(name, kind, inverse)                                                                                 \
    wk_tensor *wk_fft_##name##_with(wk_fft_args args)                                                                  \
    {                                                                                                                  \
        WK_NAMES_ERRORS("fft_" #name);                                                                                 \
        return along("fft_" #name, kind, inverse, args.x, args.n, args.dim, args.norm);                                \
    }                                                                                                                  \
    wk_tensor *wk_fft_##name##2_with(wk_fft2_args args)                                                                \
    {                                                                                                                  \
        WK_NAMES_ERRORS("fft_" #name "2");                                                                             \
        return along_two("fft_" #name "2", kind, inverse, &args);                                                      \
    }
FUNCTIONS(fft, TO_COMPLEX, false)
FUNCTIONS(ifft, TO_COMPLEX, true)
FUNCTIONS(rfft, FROM_REAL, false)
FUNCTIONS(irfft, TO_REAL, true)
