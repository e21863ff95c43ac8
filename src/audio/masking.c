/* SpecAugment: torchaudio.transforms' FrequencyMasking and TimeMasking.  A mask is drawn by two numbers, as torchaudio
   draws them: how wide, below the most that is allowed, and where it begins. */
#include <wick/audio.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/tensor.h"

/* (..., 1, 1) of the shape of `draws` */
static wk_tensor *beside(wk_tensor *draws, const wk_tensor *x)
{
    draws = wk_unsqueeze(wk_unsqueeze(draws, -1), -1);
    return wk_to(draws, x->device);
}

static wk_tensor *masking_forward(void *module, wk_tensor *x)
{
    const wk_audio_masking *self = module;
    const char *const op = self->dim == -1 ? "audio_time_masking" : "audio_frequency_masking";
    WK_NAMES_ERRORS(op);
    WK_REQUIRE(op, x);
    if (x->ndim < (self->iid_masks ? 3 : 2) || !wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "x: expected a floating (%s, F, T), got %s %s", self->iid_masks ? "..., C" : "...",
                       wk_dtype_name(x->dtype), wk_shape_string(x));
    const int64_t size = x->shape[x->ndim + self->dim], part = (int64_t)((double)size * self->p);
    const int64_t most = self->p == 1 || self->mask_param < part ? self->mask_param : part;
    if (most < 1)
        return x;
    /* one mask for all, or for each of the leading dims its own */
    const wk_rand_args draw = {.size = self->iid_masks ? wk_shape_of(x->ndim - 2, x->shape) : WK_SHAPE(1),
                               .dtype = self->iid_masks ? x->dtype : wk_float32,
                               .device = self->iid_masks ? x->device : wk_cpu,
                               .generator = self->generator};
    wk_tensor *width = wk_mul(wk_rand_with(draw), most);
    wk_tensor *start = wk_to(wk_mul(wk_rand_with(draw), wk_sub(size, width)), wk_int64);
    wk_tensor *end = wk_add(start, wk_to(width, wk_int64));
    wk_tensor *at = wk_arange((size), .device = x->device);
    if (self->dim == -2)
        at = wk_unsqueeze(at, -1);
    wk_tensor *inside = wk_logical_and(wk_ge(at, beside(start, x)), wk_lt(at, beside(end, x)));
    if (inside && !self->iid_masks)
        inside = wk_squeeze(inside, 0);
    return wk_masked_fill(x, inside, self->mask_value);
}

static wk_module *masking(const char *type, int dim, wk_audio_masking_args args)
{
    if (args.mask_param < 0 || !(args.p >= 0 && args.p <= 1))
        return wk_fail(type + 3, "%s_mask_param, p: expected at least 0, and 0 to 1, got %lld and %g",
                       dim == -1 ? "time" : "freq", (long long)args.mask_param, args.p);
    wk_audio_masking *self =
        wk_module_new_with((wk_module_args){.size = sizeof *self, .type = type, .forward = masking_forward});
    if (!self)
        return NULL;
    self->mask_param = args.mask_param;
    self->iid_masks = args.iid_masks;
    self->p = args.p;
    self->mask_value = args.mask_value;
    self->generator = args.generator;
    self->dim = dim;
    return (wk_module *)self;
}

wk_module *wk_audio_frequency_masking_with(wk_audio_masking_args args)
{
    return masking("wk_audio_frequency_masking", -2, args);
}
wk_module *wk_audio_time_masking_with(wk_audio_masking_args args) { return masking("wk_audio_time_masking", -1, args); }
