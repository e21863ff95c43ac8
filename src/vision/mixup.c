/* MixUp and CutMix: torchvision.transforms.v2.  Of whole batches, with their classes. */
#include "transform.h"

#include <float.h>
#include <math.h>

#include <wick/cast.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/view.h>

#include "core/error_internal.h"
#include "core/random.h"

/* ---------------------------------------------------------------- a draw from Beta(alpha, alpha), as torch draws it */

static double uniform(void)
{
    double drawn;
    wk_random_uniform(wk_generator_or_default(NULL), wk_float64, &drawn, 1, 0, 1);
    return drawn;
}

static double normal(void)
{
    double drawn;
    wk_random_normal(wk_generator_or_default(NULL), wk_float64, &drawn, 1, 0, 1, true);
    return drawn;
}

/* Marsaglia and Tsang's way: https://doi.org/10.1145/358407.358414 */
static double gamma_of(double alpha)
{
    double scale = 1;
    if (alpha < 1) {
        scale = pow(1 - uniform(), 1 / alpha);
        alpha += 1;
    }
    const double d = alpha - (double)(1.0f / 3), c = 1 / sqrt(9 * d);
    for (;;) {
        double x, y;
        do {
            x = normal();
            y = 1 + c * x;
        } while (y <= 0);
        const double v = y * y * y, u = 1 - uniform(), xx = x * x;
        if (u < 1 - (double)0.0331f * xx * xx || log(u) < 0.5 * xx + d * (1 - v + log(v)))
            return scale * d * v;
    }
}

static double beta_of(double alpha)
{
    const double a = gamma_of((double)(float)alpha), b = gamma_of((double)(float)alpha), part = a / (a + b);
    return (double)(float)fmin(fmax(part, FLT_MIN), nexttoward(1.0, 0.0));
}

/* ---------------------------------------------------------------- batches */

static bool check(const char *op, const wk_vision_mixup_args *args)
{
    if (!args->batch)
        return wk_fail(op, "batch: expected a batch, got NULL");
    const wk_tensor *x = args->batch->x, *y = args->batch->y;
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, y);
    if (x->ndim != 4 || !wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "x: expected floating (B, C, H, W), got %s %s", wk_dtype_name(x->dtype), wk_shape_string(x));
    if (y->ndim < 1 || y->ndim > 2 || y->shape[0] != x->shape[0])
        return wk_fail(op, "y: expected classes (%lld,), or (%lld, classes), got %s", (long long)x->shape[0],
                       (long long)x->shape[0], wk_shape_string(y));
    if (y->ndim == 1 ? args->num_classes < 1 : args->num_classes != 0 && y->shape[1] != args->num_classes)
        return wk_fail(op, "num_classes: expected the number of classes, got %lld for y %s",
                       (long long)args->num_classes, wk_shape_string(y));
    if (!(args->alpha > 0 && isfinite(args->alpha)))
        return wk_fail(op, "alpha: expected more than 0, got %g", args->alpha);
    return true;
}

/* part of each, the rest of the one before it */
static wk_tensor *mixed(wk_tensor *x, double part)
{
    return wk_add_(wk_mul_(wk_roll(x, 1, 0), 1 - part), wk_mul(x, part));
}

static wk_tensor *mixed_classes(const wk_vision_mixup_args *args, double part)
{
    wk_tensor *y = args->batch->y;
    y = y->ndim == 1 ? wk_one_hot(y, args->num_classes) : y;
    return y ? mixed(wk_dtype_is_floating(y->dtype) ? y : wk_to(y, wk_float32), part) : NULL;
}

static bool put(wk_sample *batch, wk_tensor *x, wk_tensor *y)
{
    if (x && y) {
        batch->x = wk_keep(x);
        batch->y = wk_keep(y);
    }
    return x && y;
}

bool wk_vision_mixup_with(wk_vision_mixup_args args)
{
    bool good = false;
    WK_NAMES_ERRORS("mixup");
    if (check("mixup", &args))
        wk_scope
    {
        const double part = beta_of(args.alpha);
        good = put(args.batch, mixed(args.batch->x, part), mixed_classes(&args, part));
    }
    return good;
}

static int64_t within(int64_t x, int64_t most) { return x < 0 ? 0 : x > most ? most : x; }

bool wk_vision_cutmix_with(wk_vision_mixup_args args)
{
    bool good = false;
    WK_NAMES_ERRORS("cutmix");
    if (check("cutmix", &args))
        wk_scope
    {
        wk_tensor *x = args.batch->x;
        const int64_t height = x->shape[2], width = x->shape[3];
        const double half = 0.5 * sqrt(1 - beta_of(args.alpha));
        const int64_t column = wk_chance_integer(width), row = wk_chance_integer(height);
        const int64_t half_w = (int64_t)(half * (double)width), half_h = (int64_t)(half * (double)height);
        const int64_t left = within(column - half_w, width), right = within(column + half_w, width);
        const int64_t top = within(row - half_h, height), bottom = within(row + half_h, height);
        wk_tensor *y = wk_clone(x), *other = wk_roll(x, 1, 0);
        wk_tensor *from = wk_narrow(wk_narrow(other, 2, top, bottom - top), 3, left, right - left);
        wk_tensor *to = wk_narrow(wk_narrow(y, 2, top, bottom - top), 3, left, right - left);
        const double part = 1 - (double)((right - left) * (bottom - top)) / (double)(width * height);
        good = wk_copy_(to, from) && put(args.batch, y, mixed_classes(&args, part));
    }
    return good;
}
