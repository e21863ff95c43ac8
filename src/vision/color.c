/* Transforms of colours: torchvision.transforms.v2.functional's adjust_*, ColorJitter, Grayscale. */
#include "transform.h"

#include <math.h>

#include <wick/activation.h>
#include <wick/cast.h>
#include <wick/convolution.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "core/error_internal.h"
#include "core/host.h"
#include "core/random.h"

static double bound_of(const wk_tensor *x) { return x->dtype == wk_uint8 ? 255 : 1; }

/* false after an error: x is no picture of 1 or 3 channels, or factor is outside */
static bool check(const char *op, const wk_tensor *x, double factor, double least, double most)
{
    if (!wk_check_picture(op, x))
        return false;
    const int64_t channels = x->shape[x->ndim - 3];
    if (channels != 1 && channels != 3)
        return wk_fail(op, "x: expected 1 or 3 channels, got %s", wk_shape_string(x));
    if (!(factor >= least && factor <= most))
        return wk_fail(op, "factor: expected %g to %g, got %g", least, most, factor);
    return true;
}

/* ---------------------------------------------------------------- grey */

/* (..., 1, H, W); of bytes in float32, not rounded */
static wk_tensor *grey_of(wk_tensor *x)
{
    wk_tensor *red = wk_narrow(x, -3, 0, 1), *green = wk_narrow(x, -3, 1, 1), *blue = wk_narrow(x, -3, 2, 1);
    return wk_add(wk_add(wk_mul(red, 0.2989), green, .alpha = 0.587), blue, .alpha = 0.114);
}

wk_tensor *wk_vision_functional_rgb_to_grayscale(wk_tensor *x, int64_t num_output_channels)
{
    const char *const op = "rgb_to_grayscale";
    WK_NAMES_ERRORS("rgb_to_grayscale");
    if (!check(op, x, 1, 0, 1))
        return NULL;
    if (num_output_channels != 1 && num_output_channels != 3)
        return wk_fail(op, "num_output_channels: expected 1 or 3, got %lld", (long long)num_output_channels);
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_shape shape = wk_shape_of(x->ndim, x->shape);
        shape.sizes[x->ndim - 3] = num_output_channels;
        wk_tensor *grey = x->shape[x->ndim - 3] == 1 ? x : wk_to(grey_of(x), x->dtype);
        y = wk_keep(grey == x || num_output_channels == 3 ? wk_clone(wk_expand_with(grey, shape, NULL)) : grey);
    }
    return y;
}

static wk_tensor *grayscale_forward(void *module, wk_tensor *x)
{
    const wk_vision_grayscale_args *args = wk_transform_args(module);
    return wk_vision_functional_rgb_to_grayscale(x, args->num_output_channels);
}

wk_module *wk_vision_grayscale_with(wk_vision_grayscale_args args)
{
    if (args.num_output_channels != 1 && args.num_output_channels != 3)
        return wk_fail("grayscale", "num_output_channels: expected 1 or 3, got %lld",
                       (long long)args.num_output_channels);
    return wk_transform_new("grayscale", grayscale_forward, &args, sizeof args);
}

static wk_tensor *random_grayscale_forward(void *module, wk_tensor *x)
{
    const wk_vision_random_flip_args *args = wk_transform_args(module);
    if (!wk_check_picture("random_grayscale", x))
        return NULL;
    return wk_chance_below(args->p) ? wk_vision_functional_rgb_to_grayscale(x, x->shape[x->ndim - 3]) : x;
}

wk_module *wk_vision_random_grayscale_with(wk_vision_random_flip_args args)
{
    const char *const name = "random_grayscale";
    return wk_check_probability(name, args.p) ? wk_transform_new(name, random_grayscale_forward, &args, sizeof args)
                                              : NULL;
}

/* ---------------------------------------------------------------- brightness, contrast, saturation */

static wk_tensor *limited(wk_tensor *y, const wk_tensor *x) { return wk_to(wk_clamp(y, 0, bound_of(x)), x->dtype); }

/* factor x + (1 - factor) other */
static wk_tensor *blend(wk_tensor *x, wk_tensor *other, double factor)
{
    return limited(wk_add(wk_mul(x, factor), other, .alpha = 1 - factor), x);
}

/* grey, of bytes a whole number */
static wk_tensor *whole_grey_of(wk_tensor *x) { return x->dtype == wk_uint8 ? wk_floor(grey_of(x)) : grey_of(x); }

wk_tensor *wk_vision_functional_adjust_brightness(wk_tensor *x, double factor)
{
    WK_NAMES_ERRORS("adjust_brightness");
    if (!check("adjust_brightness", x, factor, 0, INFINITY))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(limited(wk_mul(x, factor), x));
    }
    return y;
}

wk_tensor *wk_vision_functional_adjust_contrast(wk_tensor *x, double factor)
{
    WK_NAMES_ERRORS("adjust_contrast");
    if (!check("adjust_contrast", x, factor, 0, INFINITY))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *grey = x->shape[x->ndim - 3] == 3 ? whole_grey_of(x)
                          : x->dtype == wk_uint8     ? wk_to(x, wk_float32)
                                                     : x;
        y = wk_keep(blend(x, wk_mean(grey, (-3, -2, -1), .keepdim = true), factor));
    }
    return y;
}

wk_tensor *wk_vision_functional_adjust_saturation(wk_tensor *x, double factor)
{
    WK_NAMES_ERRORS("adjust_saturation");
    if (!check("adjust_saturation", x, factor, 0, INFINITY))
        return NULL;
    if (x->shape[x->ndim - 3] == 1)
        return x;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(blend(x, whole_grey_of(x), factor));
    }
    return y;
}

/* ---------------------------------------------------------------- hue */

static float unit(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

/* of one pixel: to hue, saturation, value, and back; each step rounded as torchvision's tensors are */
static void turn_hue(float *red, float *green, float *blue, float turn)
{
    const float r = *red, g = *green, b = *blue;
    const float most = fmaxf(fmaxf(r, g), b), least = fminf(fminf(r, g), b), range = most - least;
    const bool colourless = most == least;
    const float s = range / (colourless ? 1 : most), divisor = colourless ? 1 : range;
    const float rc = (most - r) / divisor, gc = (most - g) / divisor, bc = (most - b) / divisor;
    const float sixths = most == r ? bc - gc : most == g ? rc + 2 - bc : gc + 4 - rc;
    float h = fmodf(sixths * (float)(1.0 / 6) + 1, 1) + turn;
    h = fmodf(h, 1);
    h = h < 0 ? h + 1 : h;
    const float h6 = h * 6, whole = floorf(h6), sf = s * (h6 - whole), v = most;
    const float p = unit((1 - s) * v), q = unit((1 - sf) * v), t = unit((sf + (1 - s)) * v);
    const float corners[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
    const float *corner = corners[((int)whole % 6 + 6) % 6];
    *red = corner[0], *green = corner[1], *blue = corner[2];
}

static wk_tensor *adjust_hue(wk_tensor *x, double factor)
{
    const char *const op = "adjust_hue";
    const bool bytes = x->dtype == wk_uint8;
    wk_tensor *host = wk_to(wk_to(x, wk_cpu), wk_float32);
    wk_tensor *y = wk_contiguous(bytes ? wk_mul(host, 1.0 / 255) : wk_clone(host));
    if (!y)
        return NULL;
    const int64_t plane = y->shape[y->ndim - 2] * y->shape[y->ndim - 1], pictures = plane ? y->numel / plane / 3 : 0;
    float *values = wk_host(op, y);
    for (int64_t picture = 0; picture < pictures; picture++, values += 3 * plane)
        for (int64_t i = 0; i < plane; i++)
            turn_hue(values + i, values + plane + i, values + 2 * plane + i, (float)factor);
    return wk_to(wk_to(bytes ? wk_mul(y, 255 + 1.0 - 1e-3) : y, x->dtype), x->device);
}

wk_tensor *wk_vision_functional_adjust_hue(wk_tensor *x, double factor)
{
    WK_NAMES_ERRORS("adjust_hue");
    if (!check("adjust_hue", x, factor, -0.5, 0.5))
        return NULL;
    if (x->shape[x->ndim - 3] == 1)
        return x;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(adjust_hue(x, factor));
    }
    return y;
}

/* ---------------------------------------------------------------- color_jitter */

enum { ADJUSTMENTS = 4 };

typedef struct jitter {
    double range[ADJUSTMENTS][2];
    bool on[ADJUSTMENTS];
} jitter;

static const struct {
    const char *name;
    wk_tensor *(*adjust)(wk_tensor *x, double factor);
    double center, least, most;
} adjustments[ADJUSTMENTS] = {{"brightness", wk_vision_functional_adjust_brightness, 1, 0, INFINITY},
                              {"contrast", wk_vision_functional_adjust_contrast, 1, 0, INFINITY},
                              {"saturation", wk_vision_functional_adjust_saturation, 1, 0, INFINITY},
                              {"hue", wk_vision_functional_adjust_hue, 0, -0.5, 0.5}};

static wk_tensor *color_jitter_forward(void *module, wk_tensor *x)
{
    const jitter *self = wk_transform_args(module);
    int64_t order[ADJUSTMENTS];
    double factor[ADJUSTMENTS];
    wk_random_permutation(wk_generator_or_default(NULL), wk_int64, order, ADJUSTMENTS);
    for (int i = 0; i < ADJUSTMENTS; i++)
        factor[i] = self->on[i] ? (double)wk_chance_uniform(self->range[i][0], self->range[i][1]) : 0;
    for (int i = 0; x && i < ADJUSTMENTS; i++)
        if (self->on[order[i]])
            x = adjustments[order[i]].adjust(x, factor[order[i]]);
    return x;
}

wk_module *wk_vision_color_jitter_with(wk_vision_color_jitter_args args)
{
    jitter self = {0};
    const double amounts[ADJUSTMENTS] = {args.brightness, args.contrast, args.saturation, args.hue};
    const double *const ranges[ADJUSTMENTS] = {args.brightness_range, args.contrast_range, args.saturation_range,
                                               args.hue_range};
    for (int i = 0; i < ADJUSTMENTS; i++) {
        const double center = adjustments[i].center;
        double *range = self.range[i];
        const bool given = ranges[i][0] != 0 || ranges[i][1] != 0;
        range[0] = given ? ranges[i][0] : center - amounts[i];
        range[1] = given ? ranges[i][1] : center + amounts[i];
        if (!given && center == 1)
            range[0] = fmax(range[0], 0);
        if (amounts[i] < 0 ||
            !(adjustments[i].least <= range[0] && range[0] <= range[1] && range[1] <= adjustments[i].most))
            return wk_fail("color_jitter", "%s: expected a range within %g to %g, got %g to %g", adjustments[i].name,
                           adjustments[i].least, adjustments[i].most, range[0], range[1]);
        self.on[i] = !(range[0] == center && range[1] == center);
    }
    return wk_transform_new("color_jitter", color_jitter_forward, &self, sizeof self);
}

/* ---------------------------------------------------------------- of RandAugment alone */

wk_tensor *wk_adjust_sharpness(wk_tensor *x, double factor)
{
    if (!check("adjust_sharpness", x, factor, 0, INFINITY))
        return NULL;
    const int64_t channels = x->shape[x->ndim - 3], height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    if (x->numel == 0 || height <= 2 || width <= 2)
        return x;
    const bool bytes = x->dtype == wk_uint8;
    const float a = (float)(1.0 / 13), b = (float)(5.0 / 13);
    wk_tensor *kernel = wk_tensor((1, 1, 3, 3), ((float[]){a, a, a, a, b, a, a, a, a}));
    wk_tensor *y = bytes ? wk_to(x, wk_float32) : wk_clone(x);
    y = wk_reshape(wk_contiguous(y), (-1, channels, height, width));
    kernel = y ? wk_expand(wk_to(wk_to(kernel, y->dtype), y->device), (channels, 1, 3, 3)) : NULL;
    wk_tensor *blurred = wk_conv2d(y, kernel, NULL, .groups = channels);
    blurred = bytes ? wk_round(blurred) : blurred;
    wk_tensor *inner = wk_narrow(wk_narrow(y, -2, 1, height - 2), -1, 1, width - 2);
    if (!wk_add_(inner, wk_sub(blurred, inner), .alpha = 1 - factor))
        return NULL;
    return wk_reshape_with(limited(y, x), wk_shape_of(x->ndim, x->shape));
}

wk_tensor *wk_posterize(wk_tensor *x, int bits)
{
    if (x->dtype == wk_uint8)
        return bits >= 8 ? x : wk_bitwise_and(x, ((1 << bits) - 1) << (8 - bits));
    const double levels = 1 << bits;
    return wk_mul(wk_clamp(wk_floor(wk_mul(x, levels)), 0, levels - 1), 1 / levels);
}

wk_tensor *wk_solarize(wk_tensor *x, double threshold)
{
    return wk_where(wk_ge(x, threshold), x->dtype == wk_uint8 ? wk_bitwise_not(x) : wk_sub(1.0, x), x);
}

wk_tensor *wk_autocontrast(wk_tensor *x)
{
    const double bound = bound_of(x);
    wk_tensor *floats = x->dtype == wk_uint8 ? wk_to(x, wk_float32) : x;
    wk_tensor *least = wk_amin(floats, (-2, -1), .keepdim = true), *most = wk_amax(floats, (-2, -1), .keepdim = true);
    wk_tensor *flat = wk_eq(most, least), *scale = wk_mul(wk_sub(most, least), 1 / bound);
    wk_tensor *y = wk_div(wk_sub(floats, wk_where(flat, 0.0, least)), wk_where(flat, 1.0, scale));
    return limited(y, x);
}

/* so that each stretch of bytes is as frequent as another, by Pillow's table */
static void equalize_plane(uint8_t *bytes, int64_t count)
{
    int64_t histogram[256] = {0}, before = 0;
    int last = 0;
    uint8_t table[256];
    for (int64_t i = 0; i < count; i++)
        histogram[bytes[i]]++;
    for (int value = 0; value < 256; value++)
        last = histogram[value] > 0 ? value : last;
    const int64_t step = (count - histogram[last]) / 255;
    if (step == 0)
        return;
    for (int value = 0; value < 256; before += histogram[value++]) {
        const int64_t to = (before + step / 2) / step;
        table[value] = (uint8_t)(value == 0 ? 0 : to > 255 ? 255 : to);
    }
    for (int64_t i = 0; i < count; i++)
        bytes[i] = table[bytes[i]];
}

wk_tensor *wk_equalize(wk_tensor *x)
{
    const bool floats = x->dtype != wk_uint8;
    wk_tensor *host = wk_to(x, wk_cpu);
    wk_tensor *y = wk_contiguous(floats ? wk_to(wk_mul(host, 255 + 1.0 - 1e-3), wk_uint8) : wk_clone(host));
    if (!y)
        return NULL;
    const int64_t plane = y->shape[y->ndim - 2] * y->shape[y->ndim - 1];
    for (int64_t i = 0; plane > 0 && i < y->numel; i += plane)
        equalize_plane((uint8_t *)wk_host("equalize", y) + i, plane);
    return wk_to(floats ? wk_mul(wk_to(y, x->dtype), 1.0 / 255) : y, x->device);
}
