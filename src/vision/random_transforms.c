/* Transforms by chance.  What is drawn, and in which order, is torchvision.transforms.v2's. */
#include "transform.h"

#include <math.h>

#include <wick/cast.h>
#include <wick/join.h>
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

static bool check_probability(const char *op, double p)
{
    return (p >= 0 && p <= 1) || wk_fail(op, "p: expected 0 to 1, got %g", p);
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
    return check_probability(name, args.p) ? wk_transform_new(name, horizontal_forward, &args, sizeof args) : NULL;
}

wk_module *wk_vision_random_vertical_flip_with(wk_vision_random_flip_args args)
{
    const char *const name = "random_vertical_flip";
    return check_probability(name, args.p) ? wk_transform_new(name, vertical_forward, &args, sizeof args) : NULL;
}
