/* Kaldi's filter bank features: torchaudio.compliance.kaldi.fbank.  A composition: frames, each without its mean, with
   high frequencies raised, in a window; their power spectrum; triangles in mel; logarithms. */
#include <wick/audio.h>

#include <math.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/fft.h>
#include <wick/join.h>
#include <wick/matmul.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "core/tensor.h"

#define LEAST 1.1920928955078125e-07 // float32's epsilon, below which no logarithm is taken

typedef struct frame_sizes {
    int64_t size, shift, padded;
} frame_sizes;

/* false after an error */
static bool check(const char *op, const wk_audio_kaldi_fbank_args *a, frame_sizes *f)
{
    const wk_tensor *x = a->x;
    if (x->ndim != 2 || !wk_dtype_is_floating(x->dtype) || a->channel >= x->shape[0] || x->shape[0] < 1)
        return wk_fail(op, "x, channel: expected a floating (C, T) with this channel, got %s %s and %lld",
                       wk_dtype_name(x->dtype), wk_shape_string(x), (long long)a->channel);
    const double size = trunc(a->sample_frequency * a->frame_length * 0.001),
                 shift = trunc(a->sample_frequency * a->frame_shift * 0.001);
    if (!(size >= 2 && size <= (double)x->shape[1] && shift >= 1 && shift < 1e15))
        return wk_fail(op,
                       "sample_frequency, frame_length, frame_shift: expected frames of 2 to %lld samples (all that "
                       "there are), at least 1 apart, got %g and %g",
                       (long long)x->shape[1], size, shift);
    *f = (frame_sizes){.size = (int64_t)size, .shift = (int64_t)shift, .padded = (int64_t)size};
    if (a->round_to_power_of_two)
        for (f->padded = 1; f->padded < f->size;)
            f->padded *= 2;
    if (f->padded % 2 != 0)
        return wk_fail(op, "frame_length: expected an even number of samples, got %lld\nhint: .round_to_power_of_two",
                       (long long)f->padded);
    const double nyquist = a->sample_frequency / 2, high = a->high_freq <= 0 ? a->high_freq + nyquist : a->high_freq;
    if (!(a->low_freq >= 0 && a->low_freq < high && high <= nyquist) || a->num_mel_bins < 4)
        return wk_fail(op,
                       "low_freq, high_freq, num_mel_bins: expected 0 <= low_freq < high_freq <= %g, and at least 4, "
                       "got %g, %g and %lld",
                       nyquist, a->low_freq, high, (long long)a->num_mel_bins);
    if (!(a->preemphasis_coefficient >= 0 && a->preemphasis_coefficient <= 1) || !(a->energy_floor >= 0))
        return wk_fail(op, "preemphasis_coefficient, energy_floor: expected 0 to 1 and at least 0, got %g and %g",
                       a->preemphasis_coefficient, a->energy_floor);
    return true;
}

/* (T) -> (m, size).  Not snipped: as many as there are shifts, over samples mirrored at both ends. */
static wk_tensor *frames_of(wk_tensor *x, const frame_sizes *f, bool snip_edges)
{
    if (snip_edges || !x)
        return wk_unfold(x, 0, f->size, f->shift);
    const int64_t count = x->shape[0], pad = f->size / 2 - f->shift / 2;
    wk_tensor *mirrored = wk_flip(x, 0);
    x = pad > 0 ? wk_cat((wk_narrow(mirrored, 0, count - pad, pad), x, mirrored))
                : wk_cat((wk_narrow(x, 0, -pad, count + pad), mirrored));
    return wk_narrow(wk_unfold(x, 0, f->size, f->shift), 0, 0, (count + f->shift / 2) / f->shift);
}

/* NULL after an error */
static wk_tensor *window_of(const char *op, const wk_audio_kaldi_fbank_args *a, int64_t size)
{
    const char *type = a->window_type ? a->window_type : "(null)";
    wk_tensor *hann = wk_hann_window(size, .periodic = false, .dtype = a->x->dtype, .device = a->x->device);
    if (strcmp(type, "hanning") == 0)
        return hann;
    if (strcmp(type, "hamming") == 0)
        return wk_add(wk_mul(hann, 0.92), 0.08);
    if (strcmp(type, "povey") == 0)
        return wk_pow(hann, 0.85);
    if (strcmp(type, "rectangular") == 0)
        return wk_ones_like(hann);
    if (strcmp(type, "blackman") == 0) {
        wk_tensor *angle =
            wk_mul(wk_arange((size), .dtype = a->x->dtype, .device = a->x->device), 2 * wk_pi / (double)(size - 1));
        wk_tensor *twice = wk_mul(wk_cos(wk_mul(angle, 2)), 0.5 - a->blackman_coeff);
        return wk_add(wk_sub(a->blackman_coeff, wk_mul(wk_cos(angle), 0.5)), twice);
    }
    return wk_fail(op,
                   "window_type: expected \"povey\", \"hanning\", \"hamming\", \"rectangular\" or \"blackman\", got "
                   "\"%s\"",
                   type);
}

static wk_tensor *log_energy(wk_tensor *frames, double floor)
{
    wk_tensor *energy = wk_log(wk_clamp(wk_sum(wk_square(frames), 1), LEAST, wk_none));
    return floor == 0 ? energy : wk_clamp(energy, log(floor), wk_none);
}

/* triangles, (padded / 2 + 1, bins), of which the last row is 0; in float32, step by step, as torchaudio does it */
static wk_tensor *triangles(const wk_audio_kaldi_fbank_args *a, int64_t padded)
{
    const double high = a->high_freq <= 0 ? a->high_freq + a->sample_frequency / 2 : a->high_freq;
    const double from = 1127 * log(1 + a->low_freq / 700), to = 1127 * log(1 + high / 700);
    const double step = (to - from) / (double)(a->num_mel_bins + 1);
    wk_tensor *bin = wk_arange((a->num_mel_bins), .dtype = wk_float32); // (bins)
    wk_tensor *left = wk_add(wk_mul(bin, step), from), *centre = wk_add(wk_mul(wk_add(bin, 1), step), from);
    wk_tensor *right = wk_add(wk_mul(wk_add(bin, 2), step), from);
    wk_tensor *hertz = wk_mul(wk_arange((padded / 2), .dtype = wk_float32), a->sample_frequency / (double)padded);
    wk_tensor *mel = wk_mul(wk_log(wk_add(wk_div(wk_unsqueeze(hertz, 1), 700), 1)), 1127); // (padded / 2, 1)
    wk_tensor *up = wk_div(wk_sub(mel, left), wk_sub(centre, left));
    wk_tensor *down = wk_div(wk_sub(right, mel), wk_sub(right, centre));
    wk_tensor *bank = wk_pad(wk_clamp(wk_minimum(up, down), 0, wk_none), (0, 0, 0, 1));
    return wk_to(wk_to(bank, a->x->dtype), a->x->device);
}

wk_tensor *wk_audio_kaldi_fbank_with(wk_audio_kaldi_fbank_args a)
{
    static const char OP[] = "audio_kaldi_fbank";
    WK_NAMES_ERRORS(OP);
    WK_REQUIRE(OP, a.x);
    frame_sizes f = {0};
    if (!check(OP, &a, &f))
        return NULL;
    wk_tensor *window = window_of(OP, &a, f.size);
    wk_tensor *x = window ? wk_select(a.x, 0, a.channel > 0 ? a.channel : 0) : NULL;
    if (!x)
        return NULL;
    if ((double)x->shape[0] < a.min_duration * a.sample_frequency)
        return wk_empty((0), .dtype = x->dtype, .device = x->device);
    x = frames_of(x, &f, a.snip_edges); // (m, size)
    if (x && a.dither != 0)
        x = wk_add(x, wk_mul(wk_randn((x->shape[0], x->shape[1]), .dtype = x->dtype, .device = x->device,
                                      .generator = a.generator),
                             a.dither));
    if (a.remove_dc_offset)
        x = wk_sub(x, wk_mean(x, 1, .keepdim = true));
    wk_tensor *energy = a.use_energy && a.raw_energy ? log_energy(x, a.energy_floor) : NULL;
    if (a.preemphasis_coefficient != 0) { // of the first sample, by itself
        wk_tensor *before = wk_cat((wk_narrow(x, 1, 0, 1), wk_narrow(x, 1, 0, f.size - 1)), 1);
        x = wk_sub(x, wk_mul(before, a.preemphasis_coefficient));
    }
    x = wk_pad(wk_mul(x, window), (0, f.padded - f.size));
    if (a.use_energy && !a.raw_energy)
        energy = log_energy(x, a.energy_floor);
    wk_tensor *spectrum = wk_abs(wk_fft_rfft(x)); // (m, padded / 2 + 1)
    if (a.use_power)
        spectrum = wk_square(spectrum);
    wk_tensor *y = wk_matmul(spectrum, triangles(&a, f.padded)); // (m, bins)
    if (a.use_log_fbank)
        y = wk_log(wk_clamp(y, LEAST, wk_none));
    if (a.use_energy) {
        energy = wk_unsqueeze(energy, 1);
        y = a.htk_compat ? wk_cat((y, energy), 1) : wk_cat((energy, y), 1);
    }
    return a.subtract_mean ? wk_sub(y, wk_mean(y, 0, .keepdim = true)) : y;
}
