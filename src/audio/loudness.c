/* How loud a sound is for people: torchaudio.transforms.Loudness, ITU-R BS.1770.  Each channel goes through two filters
   (high frequencies up, the lowest away); the mean square of blocks of 0.4 seconds, summed over channels, is averaged
   over the blocks that are loud enough.  In float64 throughout; no gradient. */
#include <wick/audio.h>

#include <math.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/host.h"

typedef struct loudness {
    wk_module_base base;
    int64_t sample_rate;
} loudness;

/* y[t] = b0 x[t] + b1 x[t - 1] + b2 x[t - 2] - a1 y[t - 1] - a2 y[t - 2], of which torchaudio keeps -1 to 1 */
typedef struct biquad {
    double b0, b1, b2, a1, a2;
} biquad;

static void filter(const biquad *f, double *x, int64_t count)
{
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (int64_t t = 0; t < count; t++) {
        const double y = f->b0 * x[t] + f->b1 * x1 + f->b2 * x2 - f->a1 * y1 - f->a2 * y2;
        x2 = x1;
        x1 = x[t];
        y2 = y1;
        y1 = y;
        x[t] = y < -1 ? -1 : y > 1 ? 1 : y;
    }
}

static biquad over(double b0, double b1, double b2, double a0, double a1, double a2)
{
    return (biquad){b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
}

static biquad treble(double rate, double gain, double frequency, double q)
{
    const double w = 2 * M_PI * frequency / rate, a = exp(gain / 40 * log(10));
    const double root = 2 * sqrt(a) * (sin(w) / 2 / q), less = (a - 1) * cos(w), more = (a + 1) * cos(w);
    return over(a * (a + 1 + less + root), -2 * a * (a - 1 + more), a * (a + 1 + less - root), a + 1 - less + root,
                2 * (a - 1 - more), a + 1 - less - root);
}

static biquad highpass(double rate, double frequency, double q)
{
    const double w = 2 * M_PI * frequency / rate, alpha = sin(w) / 2 / q, c = cos(w);
    return over((1 + c) / 2, -1 - c, (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha);
}

#define MOST_CHANNELS 5
static const double weights[MOST_CHANNELS] = {1, 1, 1, 1.41, 1.41}; // the two behind count more
static double decibels(double energy) { return -0.691 + 10 * log10(energy); }

/* the energy, summed over channels, of the blocks that are louder than this; NaN where there are none */
static double gated(const double *energy, int64_t channels, int64_t blocks, double threshold)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t block = 0; block < blocks; block++) {
        double of_block = 0;
        for (int64_t channel = 0; channel < channels; channel++)
            of_block += weights[channel] * energy[channel * blocks + block];
        if (decibels(of_block) > threshold) {
            sum += of_block;
            count++;
        }
    }
    return sum / (double)count;
}

static wk_tensor *loudness_forward(void *module, wk_tensor *x)
{
    static const char OP[] = "audio_loudness";
    WK_NAMES_ERRORS(OP);
    const loudness *self = module;
    WK_REQUIRE(OP, x);
    const int64_t length = (int64_t)rint(0.4 * (double)self->sample_rate), step = (int64_t)rint((double)length * 0.25);
    if (x->ndim < 2 || !wk_dtype_is_floating(x->dtype) || x->shape[x->ndim - 2] > MOST_CHANNELS)
        return wk_fail(OP, "x: expected a floating (..., C, T) of at most %d channels, got %s %s", MOST_CHANNELS,
                       wk_dtype_name(x->dtype), wk_shape_string(x));
    const int64_t channels = x->shape[x->ndim - 2], frames = x->shape[x->ndim - 1];
    if (frames < length)
        return wk_fail(OP, "x: expected at least 0.4 seconds, %lld frames, got %lld", (long long)length,
                       (long long)frames);
    const int64_t blocks = (frames - length) / step + 1;
    const biquad first = treble((double)self->sample_rate, 4, 1500, 1 / sqrt(2)),
                 second = highpass((double)self->sample_rate, 38, 0.5);
    wk_tensor *y = NULL;
    wk_scope
    wk_no_grad
    {
        wk_tensor *wide = wk_to(wk_to(wk_detach(x), wk_cpu), wk_float64);
        wide = wide && (wide == x || wide->storage == x->storage) ? wk_clone(wide) : wide; // it is filtered in place
        wide = wk_contiguous(wide);
        wk_tensor *result = wide ? wk_tensor_new(OP, x->ndim - 2, x->shape, wk_float64, wk_cpu) : NULL;
        double *energy = result ? wk_alloc((size_t)(channels * blocks) * sizeof *energy) : NULL;
        if (result && !energy)
            result = wk_out_of_memory(OP, (size_t)(channels * blocks) * sizeof *energy);
        for (int64_t item = 0; result && item < result->numel; item++) {
            for (int64_t channel = 0; channel < channels; channel++) {
                double *samples = (double *)wk_host(OP, wide) + (item * channels + channel) * frames;
                filter(&first, samples, frames);
                filter(&second, samples, frames);
                for (int64_t block = 0; block < blocks; block++) {
                    double sum = 0;
                    for (int64_t t = 0; t < length; t++)
                        sum += samples[block * step + t] * samples[block * step + t];
                    energy[channel * blocks + block] = sum / (double)length;
                }
            }
            const double relative = decibels(gated(energy, channels, blocks, -70)) - 10;
            ((double *)wk_host(OP, result))[item] =
                decibels(gated(energy, channels, blocks, relative < -70 ? -70 : relative));
        }
        wk_free(energy);
        y = wk_keep(wk_to(wk_to(result, x->dtype), x->device));
    }
    return y;
}

wk_module *wk_audio_loudness(int64_t sample_rate)
{
    if (sample_rate < 10 || sample_rate > INT32_MAX)
        return wk_fail("audio_loudness", "sample_rate: expected 10 to %d, got %lld", INT32_MAX, (long long)sample_rate);
    loudness *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = "wk_audio_loudness", .forward = loudness_forward});
    if (self)
        self->sample_rate = sample_rate;
    return (wk_module *)self;
}
