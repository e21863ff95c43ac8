/* Transforms of places: padding, rotation and what is affine; crops by chance.  torchvision.transforms.v2. */
#include "transform.h"

#include <math.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/join.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/resize.h>
#include <wick/view.h>

#include "core/error_internal.h"

/* ---------------------------------------------------------------- pad */

typedef enum padding { CONSTANT, EDGE, REFLECT, SYMMETRIC } padding;

static int find_mode(const char *op, const char *name)
{
    static const char *const modes[] = {"constant", "edge", "reflect", "symmetric"};
    for (int i = 0; name && i < 4; i++)
        if (strcmp(name, modes[i]) == 0)
            return i;
    wk_fail(op, "padding_mode: expected \"constant\", \"edge\", \"reflect\" or \"symmetric\", got \"%s\"",
            name ? name : "NULL");
    return -1;
}

/* (left, top, right, bottom), from 1, 2 or 4 numbers; false after an error */
static bool read_sides(const char *op, wk_shape size, int64_t sides[4])
{
    wk_read_shape(&size);
    if (size.ndim != 1 && size.ndim != 2 && size.ndim != 4)
        return wk_fail(op, "padding: expected 1, 2 or 4 numbers, got %d", size.ndim);
    for (int i = 0; i < 4; i++) {
        sides[i] = size.sizes[i % size.ndim];
        if (sides[i] < 0 || sides[i] > INT32_MAX)
            return wk_fail(op, "padding: expected numbers of 0 or more, got %lld", (long long)sides[i]);
    }
    return true;
}

static bool check_pad(const char *op, wk_vision_pad_args *args, int64_t sides[4])
{
    if (!read_sides(op, args->size, sides) || find_mode(op, args->padding_mode) < 0)
        return false;
    if (args->fills.count < 0 || args->fills.count > WK_VISION_CHANNELS)
        return wk_fail(op, "fills: expected at most %d numbers, got %d", WK_VISION_CHANNELS, args->fills.count);
    if (args->fills.count > 1 && find_mode(op, args->padding_mode) != CONSTANT)
        return wk_fail(op, "fills: mean something to \"constant\" only, got \"%s\"", args->padding_mode);
    return true;
}

/* before and behind along dim, mirrored in the outer edge */
static wk_tensor *mirrored(wk_tensor *x, int dim, int64_t before, int64_t behind)
{
    const int64_t n = x ? x->shape[dim] : 0;
    if (x && (before > n || behind > n))
        return wk_fail("pad", "padding: expected at most %lld, the picture's, got %lld and %lld", (long long)n,
                       (long long)before, (long long)behind);
    wk_tensor *first = wk_flip(wk_narrow(x, dim, 0, before), (dim));
    wk_tensor *last = wk_flip(wk_narrow(x, dim, n - behind, behind), (dim));
    return wk_cat((first, x, last), .dim = dim);
}

/* a picture of the fills with x in it */
static wk_tensor *on_colour(wk_tensor *x, const wk_vision_channels *fills, const int64_t sides[4])
{
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    const int h = x->ndim - 2, w = x->ndim - 1;
    shape.sizes[h] += sides[1] + sides[3];
    shape.sizes[w] += sides[0] + sides[2];
    wk_tensor *colour = wk_per_channel("pad", "fills", x, fills);
    wk_tensor *y = wk_contiguous(wk_clone(wk_expand_with(colour, shape, NULL)));
    wk_tensor *place = wk_narrow(wk_narrow(y, h, sides[1], x->shape[h]), w, sides[0], x->shape[w]);
    return wk_copy_(place, x) ? y : NULL;
}

static wk_tensor *pad(wk_tensor *x, const wk_vision_pad_args *args, const int64_t sides[4])
{
    const int mode = find_mode("pad", args->padding_mode);
    if (mode == CONSTANT && args->fills.count > 1)
        return on_colour(x, &args->fills, sides);
    if (mode == SYMMETRIC)
        return mirrored(mirrored(x, x->ndim - 1, sides[0], sides[2]), x->ndim - 2, sides[1], sides[3]);
    if (mode == CONSTANT)
        return wk_pad(x, (sides[0], sides[2], sides[1], sides[3]),
                      .value = args->fills.count == 1 ? args->fills.values[0] : args->fill);
    const bool bytes = x->dtype == wk_uint8;
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    wk_tensor *batch = wk_reshape(bytes ? wk_to(x, wk_float32) : x,
                                  (-1, shape.sizes[x->ndim - 3], shape.sizes[x->ndim - 2], shape.sizes[x->ndim - 1]));
    wk_tensor *y =
        wk_pad(batch, (sides[0], sides[2], sides[1], sides[3]), .mode = mode == EDGE ? "replicate" : "reflect");
    shape.sizes[x->ndim - 2] += sides[1] + sides[3];
    shape.sizes[x->ndim - 1] += sides[0] + sides[2];
    return wk_to(wk_reshape_with(y, shape), x->dtype);
}

wk_tensor *wk_vision_functional_pad_with(wk_tensor *x, wk_vision_pad_args args)
{
    int64_t sides[4];
    WK_NAMES_ERRORS("pad");
    if (!check_pad("pad", &args, sides) || !wk_check_picture("pad", x))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(pad(x, &args, sides));
    }
    return y;
}

static wk_tensor *pad_forward(void *module, wk_tensor *x)
{
    return wk_vision_functional_pad_with(x, *(const wk_vision_pad_args *)wk_transform_args(module));
}

wk_module *wk_vision_pad_with(wk_vision_pad_args args)
{
    int64_t sides[4];
    return check_pad("pad", &args, sides) ? wk_transform_new("pad", pad_forward, &args, sizeof args) : NULL;
}

/* ---------------------------------------------------------------- random_crop */

/* what of along and across is missing at both sides, and a place by chance in what is too much */
static int64_t random_place(int64_t have, int64_t want) { return have > want ? wk_chance_integer(have - want + 1) : 0; }

static wk_tensor *random_crop_forward(void *module, wk_tensor *x)
{
    const char *const op = "random_crop";
    const wk_vision_random_crop_args *args = wk_transform_args(module);
    int64_t want[2], sides[4] = {0};
    if (!wk_check_picture(op, x) || !wk_read_size(op, args->size, want) ||
        (args->paddings.ndim != 0 && !read_sides(op, args->paddings, sides)))
        return NULL;
    int64_t have[2];
    for (int dim = 0; dim < 2; dim++) { // height, width
        const int before = 1 - dim, behind = 3 - dim;
        have[dim] = x->shape[x->ndim - 2 + dim] + sides[before] + sides[behind];
        const int64_t missing = args->pad_if_needed && have[dim] < want[dim] ? want[dim] - have[dim] : 0;
        sides[before] += missing;
        sides[behind] += missing;
        have[dim] += 2 * missing;
    }
    if (have[0] < want[0] || have[1] < want[1])
        return wk_fail(op, "size: expected at most the picture's %lld x %lld, got %lld x %lld\nhint: .pad_if_needed",
                       (long long)have[0], (long long)have[1], (long long)want[0], (long long)want[1]);
    if (sides[0] + sides[1] + sides[2] + sides[3] > 0)
        x = wk_vision_functional_pad_with(x, (wk_vision_pad_args){.size = {4, {sides[0], sides[1], sides[2], sides[3]}},
                                                                  .fill = args->fill,
                                                                  .padding_mode = args->padding_mode,
                                                                  .fills = args->fills});
    const int64_t top = random_place(have[0], want[0]), left = random_place(have[1], want[1]);
    return wk_vision_functional_crop(x, top, left, want[0], want[1]);
}

wk_module *wk_vision_random_crop_with(wk_vision_random_crop_args args)
{
    const char *const op = "random_crop";
    int64_t pair[2], sides[4];
    if (args.paddings.ndim == 0 && args.padding != 0)
        args.paddings = (wk_shape){1, {args.padding}};
    wk_vision_pad_args padding = {
        .size = args.paddings, .padding_mode = args.padding_mode, .fill = args.fill, .fills = args.fills};
    if (padding.size.ndim == 0)
        padding.size = (wk_shape){1, {0}};
    if (!wk_read_size(op, args.size, pair) || !check_pad(op, &padding, sides))
        return NULL;
    static const char *const modes[] = {"constant", "edge", "reflect", "symmetric"};
    args.padding_mode = modes[find_mode(op, args.padding_mode)];
    return wk_transform_new(op, random_crop_forward, &args, sizeof args);
}

/* ---------------------------------------------------------------- random_resized_crop */

static wk_tensor *random_resized_crop_forward(void *module, wk_tensor *x)
{
    const wk_vision_random_resized_crop_args *args = wk_transform_args(module);
    if (!wk_check_picture("random_resized_crop", x))
        return NULL;
    const int64_t height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    int64_t top = 0, left = 0, h = 0, w = 0;
    for (int turn = 0; turn < 10 && h == 0; turn++) {
        wk_chance_rectangle((double)(height * width), args->scale, args->ratio, &w, &h);
        if (w > 0 && w <= width && h > 0 && h <= height) {
            top = wk_chance_integer(height - h + 1);
            left = wk_chance_integer(width - w + 1);
        } else
            h = 0;
    }
    if (h == 0) { // none fitted: as much as the ratio allows, from the middle
        const double ratio = (double)width / (double)height, least = fmin(args->ratio[0], args->ratio[1]),
                     most = fmax(args->ratio[0], args->ratio[1]);
        w = ratio > most ? (int64_t)rint((double)height * most) : width;
        h = ratio < least ? (int64_t)rint((double)width / least) : height;
        top = (height - h) / 2;
        left = (width - w) / 2;
    }
    return wk_vision_functional_resize_with(wk_vision_functional_crop(x, top, left, h, w),
                                            (wk_vision_resize_args){.size = args->size,
                                                                    .interpolation = args->interpolation,
                                                                    .antialias = args->antialias});
}

wk_module *wk_vision_random_resized_crop_with(wk_vision_random_resized_crop_args args)
{
    const char *const op = "random_resized_crop";
    int64_t pair[2];
    if (!wk_read_size(op, args.size, pair))
        return NULL;
    args.size = (wk_shape){2, {pair[0], pair[1]}};
    wk_vision_resize_args resize = {.size = args.size, .interpolation = args.interpolation};
    if (!wk_check_resize(op, &resize) || !wk_check_rectangle(op, args.scale, args.ratio))
        return NULL;
    args.interpolation = resize.interpolation;
    return wk_transform_new(op, random_resized_crop_forward, &args, sizeof args);
}

/* ---------------------------------------------------------------- affine */

static double radians(double degrees) { return degrees * (M_PI / 180); }

wk_affine wk_affine_of(const double center[2], double angle, const double translate[2], const double shear[2])
{
    const double turn = radians(angle), sx = radians(shear[0]), sy = radians(shear[1]);
    const double a = cos(turn - sy) / cos(sy), b = -(a * tan(sx) + sin(turn));
    const double c = sin(turn - sy) / cos(sy), d = cos(turn) - c * tan(sx);
    const double x = center[0] + translate[0], y = center[1] + translate[1];
    return (wk_affine){d, -b, center[0] - d * x - -b * y, -c, a, center[1] - -c * x - a * y};
}

bool wk_check_affine(const char *op, const char **interpolation, const wk_vision_channels *fill)
{
    static const char *const modes[] = {"nearest", "bilinear"};
    const char *found = NULL;
    for (int i = 0; i < 2 && !found; i++)
        if (*interpolation && strcmp(*interpolation, modes[i]) == 0)
            found = modes[i];
    if (!found)
        return wk_fail(op, "interpolation: expected \"nearest\" or \"bilinear\", got \"%s\"",
                       *interpolation ? *interpolation : "NULL");
    *interpolation = found;
    if (fill->count < 0 || fill->count > WK_VISION_CHANNELS)
        return wk_fail(op, "fill: expected at most %d numbers, got %d", WK_VISION_CHANNELS, fill->count);
    return true;
}

/* (1, height, width, 2): where in x, -1 to 1, each place of the result looks; rounded as torchvision rounds, since the
   nearest pixel may hang on it */
static wk_tensor *grid_of(const wk_tensor *x, const wk_affine *m, int64_t height, int64_t width)
{
    const wk_dtype dtype = x->dtype == wk_uint8 ? wk_float32 : x->dtype;
    const double half_w = 0.5 * (double)x->shape[x->ndim - 1], half_h = 0.5 * (double)x->shape[x->ndim - 2];
    wk_tensor *across = wk_to(wk_linspace((1.0 - (double)width) * 0.5, ((double)width - 1) * 0.5, width), dtype);
    wk_tensor *down = wk_to(wk_linspace((1.0 - (double)height) * 0.5, ((double)height - 1) * 0.5, height), dtype);
    const double numbers[] = {m->a, m->c, m->b, m->d, m->tx, m->ty}, halves[] = {half_w, half_h};
    wk_tensor *theta = wk_div(wk_to(wk_tensor((3, 2), numbers), dtype), wk_to(wk_tensor((2), halves), dtype));
    wk_tensor *by_column = wk_mul(wk_unsqueeze(across, 1), wk_select(theta, 0, 0));       // (width, 2)
    wk_tensor *by_row = wk_mul(wk_reshape(down, (height, 1, 1)), wk_select(theta, 0, 1)); // (height, 1, 2)
    return wk_unsqueeze(wk_add(wk_add(by_column, by_row), wk_select(theta, 0, 2)), 0);
}

static wk_tensor *on_fill(wk_tensor *y, wk_tensor *seen, wk_tensor *colour, bool nearest)
{
    return nearest ? wk_where(wk_lt(seen, 0.5), colour, y) : wk_add(wk_mul(wk_sub(y, colour), seen), colour);
}

wk_tensor *wk_apply_affine(const char *op, wk_tensor *x, const wk_affine *matrix, int64_t height, int64_t width,
                           const char *interpolation, const wk_vision_channels *fill)
{
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    const int64_t channels = shape.sizes[x->ndim - 3], old_h = shape.sizes[x->ndim - 2],
                  old_w = shape.sizes[x->ndim - 1];
    const bool bytes = x->dtype == wk_uint8;
    shape.sizes[x->ndim - 2] = height;
    shape.sizes[x->ndim - 1] = width;
    if (x->numel == 0)
        return wk_fail(op, "x: expected a picture of some size, got %s", wk_shape_string(x));
    wk_tensor *batch = wk_reshape(bytes ? wk_to(x, wk_float32) : x, (-1, channels, old_h, old_w));
    if (!batch)
        return NULL;
    wk_tensor *colour = fill->count > 0 ? wk_per_channel(op, "fill", batch, fill) : NULL;
    if (fill->count > 0 && !colour)
        return NULL;
    const int64_t count = batch->shape[0];
    if (colour) // a channel more says how much of the picture is seen
        batch =
            wk_cat((batch, wk_ones((count, 1, old_h, old_w), .dtype = batch->dtype, .device = x->device)), .dim = 1);
    wk_tensor *grid = wk_expand(wk_to(grid_of(x, matrix, height, width), x->device), (count, -1, -1, -1));
    wk_tensor *y = wk_grid_sample(batch, grid, .mode = interpolation);
    if (colour)
        y = on_fill(wk_narrow(y, 1, 0, channels), wk_narrow(y, 1, channels, 1), colour, interpolation[0] == 'n');
    return wk_reshape_with(bytes ? wk_to(wk_round(y), wk_uint8) : y, shape);
}

/* ---------------------------------------------------------------- rotate */

/* where the turned corners come to lie, in the precision of torchvision */
static void expanded(const wk_affine *m, int64_t height, int64_t width, int64_t size[2])
{
    const float half_w = 0.5f * (float)width, half_h = 0.5f * (float)height;
    float least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
    for (int corner = 0; corner < 4; corner++) {
        const float x = corner < 2 ? -half_w : half_w, y = corner % 2 ? half_h : -half_h;
        const float turned[2] = {x * (float)m->a + y * (float)m->b + (float)m->tx,
                                 x * (float)m->c + y * (float)m->d + (float)m->ty};
        for (int i = 0; i < 2; i++) {
            least[i] = fminf(least[i], turned[i]);
            most[i] = fmaxf(most[i], turned[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        const float half = i == 0 ? half_w : half_h;
        size[1 - i] = (int64_t)(ceilf(truncf((most[i] + half) * 1e4f) * 1e-4f) -
                                floorf(truncf((least[i] + half) * 1e4f) * 1e-4f));
    }
}

static wk_tensor *rotate(wk_tensor *x, const wk_vision_rotate_args *args)
{
    const int64_t height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    double angle = fmod(args->angle, 360);
    angle += angle < 0 ? 360 : 0;
    const int quarters = (int)(angle / 90);
    if (!args->center && quarters * 90 == angle && (quarters % 2 == 0 || args->expand || height == width))
        return quarters == 0 ? wk_clone(x) : wk_rot90(x, quarters, (x->ndim - 2, x->ndim - 1));
    const double none[2] = {0, 0};
    const double center[2] = {args->center ? args->center[0] - 0.5 * (double)width : 0,
                              args->center ? args->center[1] - 0.5 * (double)height : 0};
    const wk_affine matrix = wk_affine_of(center, -angle, none, none);
    int64_t size[2] = {height, width};
    if (args->expand)
        expanded(&matrix, height, width, size);
    return wk_apply_affine("rotate", x, &matrix, size[0], size[1], args->interpolation, &args->fill);
}

wk_tensor *wk_vision_functional_rotate_with(wk_tensor *x, wk_vision_rotate_args args)
{
    const char *const op = "rotate";
    WK_NAMES_ERRORS("rotate");
    if (!wk_check_picture(op, x) || !wk_check_affine(op, &args.interpolation, &args.fill))
        return NULL;
    if (!isfinite(args.angle))
        return wk_fail(op, "angle: expected degrees, got %g", args.angle);
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(rotate(x, &args));
    }
    return y;
}

static wk_tensor *random_rotation_forward(void *module, wk_tensor *x)
{
    const wk_vision_random_rotation_args *args = wk_transform_args(module);
    return wk_vision_functional_rotate_with(
        x, (wk_vision_rotate_args){.angle = (double)wk_chance_uniform(args->range[0], args->range[1]),
                                   .interpolation = args->interpolation,
                                   .expand = args->expand,
                                   .fill = args->fill});
}

wk_module *wk_vision_random_rotation_with(wk_vision_random_rotation_args args)
{
    const char *const op = "random_rotation";
    if (args.range[0] == 0 && args.range[1] == 0) {
        args.range[0] = -args.degrees;
        args.range[1] = args.degrees;
    }
    if (!(args.range[0] <= args.range[1]) || !isfinite(args.range[1] - args.range[0]))
        return wk_fail(op, "degrees: expected 0 or more, or a range, got %g to %g", args.range[0], args.range[1]);
    return wk_check_affine(op, &args.interpolation, &args.fill)
               ? wk_transform_new(op, random_rotation_forward, &args, sizeof args)
               : NULL;
}
