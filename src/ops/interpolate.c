/* interpolate: linear in x, so its gradient is the same op transposed, and that op's gradient the first again. */
#include <wick/resize.h>

#include <math.h>
#include <string.h>

#include <wick/pooling.h>

#include "core/layout.h"
#include "core/run.h"
#include "kernels/interpolate.h"
#include "ops.h"
#include "spatial.h"

static const char OP[] = "interpolate";

typedef struct interpolate_kept {
    const char *backward;
    int dims;
    int64_t in[3], out[3];
    double scale[3];
    wk_interpolation mode;
    bool align_corners, antialias, bytes, transposed;
} interpolate_kept;

static wk_tensor *interpolate(wk_tensor *x, const interpolate_kept *kept);

static void interpolate_backward(wk_node *node, wk_tensor *dy)
{
    interpolate_kept back = *(const interpolate_kept *)node->kept;
    back.transposed = !back.transposed;
    wk_accumulate(node, 0, interpolate(dy, &back));
}

static wk_tensor *interpolate(wk_tensor *x, const interpolate_kept *kept)
{
    WK_REQUIRE(OP, x);
    const int64_t *size = kept->transposed ? kept->in : kept->out;
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    memcpy(&shape.sizes[2], &size[3 - kept->dims], (size_t)kept->dims * sizeof *size);
    wk_tensor *dense = wk_dense(x), *y = wk_tensor_new(OP, shape.ndim, shape.sizes, x->dtype, x->device);
    wk_interpolate_work work = {.planes = x->shape[0] * x->shape[1],
                                .mode = kept->mode,
                                .align_corners = kept->align_corners,
                                .antialias = kept->antialias,
                                .bytes = kept->bytes,
                                .transposed = kept->transposed,
                                .x = wk_data(dense),
                                .y = wk_data(y)};
    memcpy(work.in, kept->in, sizeof work.in);
    memcpy(work.out, kept->out, sizeof work.out);
    memcpy(work.scale, kept->scale, sizeof work.scale);
    /* a float holds every byte, and the sums of bytes by weights of 16 bits */
    if (!dense || !y || !wk_run_on(OP, x->device, kept->bytes ? wk_float32 : x->dtype, interpolate, &work))
        return NULL;
    y = wk_kept_format(y, wk_format_of(x));
    return wk_record(y, interpolate_backward, .name = kept->backward, WK_INPUTS(x), .kept = kept,
                     .kept_bytes = sizeof *kept);
}

/* ---------------------------------------------------------------- modes */

typedef struct mode_row {
    const char *name;
    wk_interpolation mode;
    int least, most; // dims
    bool antialias, bytes;
    const char *backward[4]; // by dims, then with antialias
} mode_row;

static const mode_row MODES[] = {
    {"nearest", WK_INTERPOLATE_NEAREST, 1, 3, false, true,
     {"upsample_nearest1D_backward", "upsample_nearest2D_backward", "upsample_nearest3D_backward"}},
    {"nearest-exact", WK_INTERPOLATE_NEAREST_EXACT, 1, 3, false, true,
     {"upsample_nearest_exact1D_backward", "upsample_nearest_exact2D_backward", "upsample_nearest_exact3D_backward"}},
    {"linear", WK_INTERPOLATE_LINEAR, 1, 1, false, false, {"upsample_linear1D_backward"}},
    {"bilinear", WK_INTERPOLATE_LINEAR, 2, 2, true, true,
     {NULL, "upsample_bilinear2D_backward", NULL, "upsample_bilinear2D_aa_backward"}},
    {"bicubic", WK_INTERPOLATE_CUBIC, 2, 2, true, true,
     {NULL, "upsample_bicubic2D_backward", NULL, "upsample_bicubic2D_aa_backward"}},
    {"trilinear", WK_INTERPOLATE_LINEAR, 3, 3, false, false, {NULL, NULL, "upsample_trilinear3D_backward"}},
    {"area", WK_INTERPOLATE_NEAREST, 1, 3, false, false, {NULL}},
};

static const mode_row *find_mode(const char *op, const char *name)
{
    for (size_t i = 0; name && i < sizeof MODES / sizeof *MODES; i++)
        if (strcmp(name, MODES[i].name) == 0)
            return &MODES[i];
    return wk_fail(op,
                   "mode: expected \"nearest\", \"nearest-exact\", \"linear\", \"bilinear\", \"bicubic\", "
                   "\"trilinear\" or \"area\", got \"%s\"",
                   name ? name : "NULL");
}

const char *wk_interpolate_mode(const char *op, const char *name)
{
    const mode_row *mode = find_mode(op, name);
    return mode ? mode->name : NULL;
}

/* done by adaptive_avg_pool, which has its own checks */
static bool is_area(const mode_row *mode) { return strcmp(mode->name, "area") == 0; }

/* ---------------------------------------------------------------- sizes */

/* out and scale, from size, scale_factor or scale_factors; false after an error */
static bool find_sizes(const wk_interpolate_args *args, interpolate_kept *k)
{
    const int first = 3 - k->dims;
    const bool each = args->scale_factors[0] != 0;
    if ((args->size != 0) + (args->scale_factor != 0) + each != 1)
        return wk_fail(OP, "size, scale_factor and scale_factors: expected one of them");
    if (args->size != 0) {
        if (args->recompute_scale_factor)
            return wk_fail(OP, "recompute_scale_factor: means nothing where size is given");
        return wk_per_dim_read(OP, "size", args->size, k->dims, 1, k->out);
    }
    for (int dim = first; dim < 3; dim++) {
        const double scale = each ? args->scale_factors[dim - first] : args->scale_factor;
        const double size = floor((double)k->in[dim] * scale);
        if (!(scale > 0 && size >= 1 && size <= INT32_MAX))
            return wk_fail(OP, "scale_factor: expected one that makes 1 to %d of %lld, got %g along dim %d of x",
                           INT32_MAX, (long long)k->in[dim], scale, dim - 3);
        k->out[dim] = (int64_t)size;
        k->scale[dim] = args->recompute_scale_factor ? 0 : scale;
    }
    for (int i = k->dims; each && i < 3; i++)
        if (args->scale_factors[i] != 0)
            return wk_fail(OP, "scale_factors: expected %d numbers, one for each dim behind C, got more", k->dims);
    return true;
}

static bool check(const wk_interpolate_args *args, const mode_row *mode, int dims)
{
    const wk_tensor *x = args->x;
    if (x->ndim < 3 || x->ndim > 5)
        return wk_fail(OP, "x: expected shape (N, C, L), (N, C, H, W) or (N, C, D, H, W), got %s", wk_shape_string(x));
    if (dims < mode->least || dims > mode->most)
        return wk_fail(OP, "mode: \"%s\" is for shape %s, got %s", mode->name, wk_spatial_layout(mode->least),
                       wk_shape_string(x));
    for (int dim = 1; dim < x->ndim && !is_area(mode); dim++)
        if (x->shape[dim] < 1 || x->shape[dim] > INT32_MAX)
            return wk_fail(OP, "x: expected sizes of 1 to %d behind N, got %s", INT32_MAX, wk_shape_string(x));
    if (args->align_corners && (mode->least != mode->most))
        return wk_fail(OP, "align_corners: means nothing to mode \"%s\"", mode->name);
    if (args->antialias && !mode->antialias)
        return wk_fail(OP, "antialias: expected mode \"bilinear\" or \"bicubic\", got \"%s\"", mode->name);
    return (x->dtype == wk_uint8 && mode->bytes) || wk_check_floating(OP, x);
}

wk_tensor *wk_interpolate_with(wk_interpolate_args args)
{
    WK_NAMES_ERRORS("interpolate");
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    const mode_row *mode = find_mode(OP, args.mode);
    const int dims = x->ndim - 2;
    if (!mode || !check(&args, mode, dims))
        return NULL;
    interpolate_kept kept = {.backward = mode->backward[args.antialias ? 3 : dims - 1],
                             .dims = dims,
                             .in = {1, 1, 1},
                             .out = {1, 1, 1},
                             .mode = mode->mode,
                             .align_corners = args.align_corners,
                             .antialias = args.antialias,
                             .bytes = x->dtype == wk_uint8};
    memcpy(&kept.in[3 - dims], &x->shape[2], (size_t)dims * sizeof *kept.in);
    if (!find_sizes(&args, &kept))
        return NULL;
    if (is_area(mode)) {
        static wk_tensor *(*const FUNCTIONS[])(wk_adaptive_pool_args) = {
            wk_adaptive_avg_pool1d_with, wk_adaptive_avg_pool2d_with, wk_adaptive_avg_pool3d_with};
        return FUNCTIONS[dims - 1](
            (wk_adaptive_pool_args){.x = x, .output_size = wk_per_dim_of(dims, &kept.out[3 - dims])});
    }
    return interpolate(x, &kept);
}
