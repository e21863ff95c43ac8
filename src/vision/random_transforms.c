/* Transforms by chance.  What is drawn, and in which order, is torchvision.transforms.v2's. */
#include "transform.h"

#include <math.h>

#include <wick/cast.h>
#include <wick/join.h>
#include <wick/random.h>
#include <wick/rearrange.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/random.h"

/* ---------------------------------------------------------------- draws */

float wk_chance_uniform(double from, double to)
{
    float drawn;
    wk_random_uniform(wk_generator_or_default(NULL), wk_float32, &drawn, 1, from, to);
    return drawn;
}

bool wk_chance_below(double p) { return wk_chance_uniform(0, 1) < (float)p; }

int64_t wk_chance_integer(int64_t end)
{
    int64_t drawn;
    wk_random_integers(wk_generator_or_default(NULL), wk_int64, &drawn, 1, 0, (uint64_t)end);
    return drawn;
}

bool wk_check_probability(const char *op, double p)
{
    return (p >= 0 && p <= 1) || wk_fail(op, "p: expected 0 to 1, got %g", p);
}

bool wk_check_rectangle(const char *op, const double scale[2], const double ratio[2])
{
    if (!(scale[0] >= 0 && scale[0] <= scale[1] && scale[1] <= 1))
        return wk_fail(op, "scale: expected parts, 0 to 1, the least first, got %g, %g", scale[0], scale[1]);
    if (!(ratio[0] > 0 && ratio[0] <= ratio[1] && isfinite(ratio[1])))
        return wk_fail(op, "ratio: expected numbers above 0, the least first, got %g, %g", ratio[0], ratio[1]);
    return true;
}

void wk_chance_rectangle(double area, const double scale[2], const double ratio[2], int64_t *along, int64_t *across)
{
    const double part = area * (double)wk_chance_uniform(scale[0], scale[1]);
    const float low = logf((float)ratio[0]), high = logf((float)ratio[1]);
    const double aspect = (double)expf(wk_chance_uniform((double)low, (double)high));
    *along = (int64_t)rint(sqrt(part * aspect)); // half to even, as Python rounds
    *across = (int64_t)rint(sqrt(part / aspect));
}

/* ---------------------------------------------------------------- some, or the user's */

typedef struct random_apply {
    wk_module_base base;
    wk_module *transforms;
    double p;
} random_apply;

static wk_tensor *random_apply_forward(void *module, wk_tensor *x)
{
    const random_apply *self = module;
    return wk_chance_below(self->p) ? wk_forward(self->transforms, x) : x;
}

wk_module *wk_vision_random_apply_with(wk_vision_random_apply_args args)
{
    wk_module *transforms = wk_vision_compose_with(args.transforms);
    random_apply *self = transforms && wk_check_probability("random_apply", args.p)
                             ? wk_module_new(random_apply, random_apply_forward)
                             : NULL;
    if (!self) {
        wk_module_free(transforms);
        return NULL;
    }
    self->p = args.p;
    if (!wk_add_module(self, transforms, transforms)) {
        wk_module_free(self);
        return NULL;
    }
    return (wk_module *)self;
}

typedef struct lambda {
    wk_tensor *(*function)(void *context, wk_tensor *x);
    void *context;
} lambda;

static wk_tensor *lambda_forward(void *module, wk_tensor *x)
{
    const lambda *self = wk_transform_args(module);
    return self->function(self->context, x);
}

wk_module *wk_vision_lambda(wk_tensor *(*function)(void *context, wk_tensor *x), void *context)
{
    if (!function)
        return wk_fail("lambda", "function: expected a function, got NULL");
    return wk_transform_new("lambda", lambda_forward, &(lambda){function, context}, sizeof(lambda));
}

/* ---------------------------------------------------------------- each picture of a batch */

typedef struct each {
    wk_module_base base;
    wk_module *transform;
} each;

static wk_tensor *each_forward(void *module, wk_tensor *x)
{
    const each *self = module;
    if (!wk_check_picture("each", x))
        return NULL;
    if (x->ndim != 4)
        return wk_fail("each", "x: expected (B, C, H, W), got %s", wk_shape_string(x));
    const int64_t count = x->shape[0];
    wk_tensor **pictures = wk_alloc((size_t)(count + 1) * sizeof(wk_tensor *)), *y = NULL;
    if (!pictures)
        return wk_out_of_memory("each", (size_t)(count + 1) * sizeof(wk_tensor *));
    int64_t done = 0;
    while (done < count && (pictures[done] = wk_forward(self->transform, wk_select(x, 0, done))))
        done++;
    if (done == count)
        y = count > 0 ? wk_stack_with((wk_join_args){.tensors = {.count = count, .items = pictures}}) : x;
    wk_free(pictures);
    return y;
}

wk_module *wk_vision_each(void *transform)
{
    each *self = wk_module_check("each", transform) ? wk_module_new(each, each_forward) : NULL;
    if (!self || !wk_add_module(self, transform, transform)) {
        wk_module_free(self);
        return NULL;
    }
    return (wk_module *)self;
}

/* ---------------------------------------------------------------- flips */

wk_tensor *wk_vision_functional_hflip(wk_tensor *x)
{
    WK_NAMES_ERRORS("hflip");
    return wk_check_picture("hflip", x) ? wk_flip(x, (-1)) : NULL;
}

wk_tensor *wk_vision_functional_vflip(wk_tensor *x)
{
    WK_NAMES_ERRORS("vflip");
    return wk_check_picture("vflip", x) ? wk_flip(x, (-2)) : NULL;
}

static double p_of(const void *module) { return ((const wk_vision_random_flip_args *)wk_transform_args(module))->p; }

static wk_tensor *horizontal_forward(void *module, wk_tensor *x)
{
    return wk_chance_below(p_of(module)) ? wk_vision_functional_hflip(x) : x;
}

static wk_tensor *vertical_forward(void *module, wk_tensor *x)
{
    return wk_chance_below(p_of(module)) ? wk_vision_functional_vflip(x) : x;
}

wk_module *wk_vision_random_horizontal_flip_with(wk_vision_random_flip_args args)
{
    const char *const name = "random_horizontal_flip";
    return wk_check_probability(name, args.p) ? wk_transform_new(name, horizontal_forward, &args, sizeof args) : NULL;
}

wk_module *wk_vision_random_vertical_flip_with(wk_vision_random_flip_args args)
{
    const char *const name = "random_vertical_flip";
    return wk_check_probability(name, args.p) ? wk_transform_new(name, vertical_forward, &args, sizeof args) : NULL;
}

/* ---------------------------------------------------------------- random_erasing */

static wk_tensor *erase(wk_tensor *x, const wk_vision_random_erasing_args *args)
{
    const int64_t channels = x->shape[x->ndim - 3], height = x->shape[x->ndim - 2], width = x->shape[x->ndim - 1];
    int64_t h = 0, w = 0;
    for (int turn = 0; turn < 10; turn++) {
        wk_chance_rectangle((double)(height * width), args->scale, args->ratio, &h, &w);
        if (h >= height || w >= width)
            continue;
        wk_tensor *value =
            args->random ? wk_randn((channels, h, w)) : wk_per_channel("random_erasing", "value", x, &args->value);
        const int64_t top = wk_chance_integer(height - h + 1), left = wk_chance_integer(width - w + 1);
        wk_tensor *y = args->inplace ? x : wk_clone(x);
        wk_tensor *place = wk_narrow(wk_narrow(y, -2, top, h), -1, left, w);
        return wk_copy_(place, value) ? y : NULL;
    }
    return x;
}

static wk_tensor *random_erasing_forward(void *module, wk_tensor *x)
{
    const wk_vision_random_erasing_args *args = wk_transform_args(module);
    if (!wk_check_picture("random_erasing", x))
        return NULL;
    return wk_chance_below(args->p) ? erase(x, args) : x;
}

wk_module *wk_vision_random_erasing_with(wk_vision_random_erasing_args args)
{
    const char *const op = "random_erasing";
    if (!wk_check_probability(op, args.p) || !wk_check_rectangle(op, args.scale, args.ratio))
        return NULL;
    if (args.value.count < 1 || args.value.count > WK_VISION_CHANNELS)
        return wk_fail(op, "value: expected 1 to %d numbers, got %d", WK_VISION_CHANNELS, args.value.count);
    return wk_transform_new(op, random_erasing_forward, &args, sizeof args);
}
