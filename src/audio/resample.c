/* Resampling by a windowed sinc: torchaudio.functional.resample, transforms.Resample.

   y(j / new) = sum over i of x(i / old) sinc(old (i / old - j / new)), cut off where the sinc has gone through zero
   lowpass_filter_width times.  The weights come again after `new` outputs and `old` inputs (both without their common
   divisor), so all of it is one convolution with `new` kernels, and a stride of `old`. */
#include <wick/audio.h>

#include <math.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/convolution.h>
#include <wick/rearrange.h>
#include <wick/view.h>

#include "core/host.h"

typedef struct ratio {
    int64_t old, new; // without their common divisor
    int64_t width;    // samples to either side
} ratio;

/* false after an error */
static bool check(const char *op, const wk_audio_resample_args *args, ratio *r)
{
    if (args->orig_freq < 1 || args->new_freq < 1 || args->orig_freq > INT32_MAX || args->new_freq > INT32_MAX)
        return wk_fail(op, "orig_freq, new_freq: expected 1 to %d, got %lld and %lld", INT32_MAX,
                       (long long)args->orig_freq, (long long)args->new_freq);
    if (args->lowpass_filter_width < 1 || args->lowpass_filter_width > 1000000 || !(args->rolloff > 0))
        return wk_fail(op, "lowpass_filter_width, rolloff: expected 1 to 1000000 and more than 0, got %lld and %g",
                       (long long)args->lowpass_filter_width, args->rolloff);
    const char *method = args->resampling_method;
    if (!method || (strcmp(method, "sinc_interp_hann") != 0 && strcmp(method, "sinc_interp_kaiser") != 0))
        return wk_fail(op, "resampling_method: expected \"sinc_interp_hann\" or \"sinc_interp_kaiser\", got \"%s\"",
                       method ? method : "(null)");
    int64_t a = args->orig_freq, b = args->new_freq;
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    r->old = args->orig_freq / a;
    r->new = args->new_freq / a;
    const double base = (double)(r->old < r->new ? r->old : r->new) * args->rolloff;
    const double width = ceil((double)(args->lowpass_filter_width * r->old) / base);
    if (!(width < 1e9))
        return wk_fail(op, "rolloff: %g makes a kernel of %g samples", args->rolloff, width);
    r->width = (int64_t)width;
    return true;
}

/* the modified Bessel function of order 0: its series, whose terms are all positive */
static double bessel_i0(double x)
{
    double term = 1, sum = 1;
    for (int k = 1; k < 2000 && term > sum * 1e-17; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/* how torchaudio has the times at which sincs are taken */
enum times { WIDE, WIDE_FROM_SINGLE /* transforms.Resample: j / new are float32 */, SINGLE /* of a float32 x */ };

/* (new, 1, 2 width + old) */
static wk_tensor *make_kernel(const char *op, const wk_audio_resample_args *args, const ratio *r, enum times times)
{
    const int64_t taps = 2 * r->width + r->old;
    wk_tensor *kernel = wk_tensor_new(op, 3, (int64_t[]){r->new, 1, taps}, wk_float64, wk_cpu);
    if (!kernel)
        return NULL;
    const double base = (double)(r->old < r->new ? r->old : r->new) * args->rolloff,
                 cut = (double)args->lowpass_filter_width;
    const bool hann = strcmp(args->resampling_method, "sinc_interp_hann") == 0;
    const double scale = base / (double)r->old, top = bessel_i0(args->beta);
    double *k = wk_host(op, kernel);
    for (int64_t j = 0; j < r->new; j++) {
        const double exact = -(double)j / (double)r->new, at = times == WIDE ? exact : (double)(float)exact;
        for (int64_t i = 0; i < taps; i++) {
            const double from = (double)(i - r->width) / (double)r->old;
            double t = times == SINGLE ? (double)(((float)at + (float)from) * (float)base) : (at + from) * base;
            t = t < -cut ? -cut : t > cut ? cut : t;
            const double c = cos(t * M_PI / cut / 2), rest = 1 - t / cut * (t / cut);
            const double window = hann ? c * c : bessel_i0(args->beta * sqrt(rest)) / top;
            const double angle = t * M_PI;
            k[j * taps + i] = (angle == 0 ? 1 : sin(angle) / angle) * window * scale;
        }
    }
    return kernel;
}

/* (..., T) -> (..., ceil(new T / old)) */
static wk_tensor *apply(const char *op, wk_tensor *x, const ratio *r, wk_tensor *kernel)
{
    if (x->ndim < 1 || !wk_dtype_is_floating(x->dtype))
        return wk_fail(op, "x: expected a floating (..., T), got %s %s", wk_dtype_name(x->dtype), wk_shape_string(x));
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    const int64_t length = x->shape[x->ndim - 1];
    int64_t target;
    if (length < 1)
        return wk_fail(op, "x: expected 1 or more samples, got %s", wk_shape_string(x));
    if (__builtin_mul_overflow(r->new, length, &target) || target > INT64_MAX - r->old)
        return wk_fail(op, "x: %lld samples become too many", (long long)length);
    target = (target + r->old - 1) / r->old;
    wk_tensor *y = wk_reshape(x, (x->numel / length, 1, length));
    y = wk_pad(y, (r->width, r->width + r->old));
    y = wk_conv1d(y, kernel, .stride = r->old); // (N, new, steps)
    y = wk_reshape(wk_transpose(y, 1, 2), (y ? y->shape[0] : 1, -1));
    shape.sizes[shape.ndim - 1] = target;
    return wk_reshape_with(wk_narrow(y, 1, 0, target), shape);
}

wk_tensor *wk_audio_functional_resample_with(wk_audio_resample_args args)
{
    static const char OP[] = "audio_functional_resample";
    WK_NAMES_ERRORS(OP);
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    ratio r;
    if (!check(OP, &args, &r))
        return NULL;
    if (r.old == r.new)
        return x;
    wk_tensor *kernel = wk_to(make_kernel(OP, &args, &r, x->dtype == wk_float64 ? WIDE : SINGLE), x->dtype);
    return kernel ? apply(OP, x, &r, wk_to(kernel, x->device)) : NULL;
}

static wk_tensor *resample_forward(void *module, wk_tensor *x)
{
    static const char OP[] = "audio_resample";
    WK_NAMES_ERRORS(OP);
    const wk_audio_resample *self = module;
    WK_REQUIRE(OP, x);
    const ratio r = {self->orig_freq, self->new_freq, self->width};
    return self->kernel ? apply(OP, x, &r, self->kernel) : x;
}

wk_module *wk_audio_resample_with(wk_audio_resample_args args)
{
    static const char OP[] = "audio_resample";
    ratio r;
    wk_audio_resample *self = check(OP, &args, &r) ? wk_module_new(wk_audio_resample, resample_forward) : NULL;
    if (!self)
        return NULL;
    self->orig_freq = r.old;
    self->new_freq = r.new;
    self->width = r.width;
    bool fine = true;
    wk_scope
    if (r.old != r.new)
        fine = wk_add_buffer(self, kernel, wk_to(make_kernel(OP, &args, &r, WIDE_FROM_SINGLE), wk_float32)) != NULL;
    if (!fine) {
        wk_module_free(self);
        return NULL;
    }
    return (wk_module *)self;
}
