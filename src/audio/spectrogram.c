/* Spectrograms: torchaudio.transforms' Spectrogram, MelScale, MelSpectrogram, AmplitudeToDB, MFCC.  Compositions of
   ops, whose tables (windows, triangles, cosines) are buffers. */
#include <wick/audio.h>

#include <math.h>
#include <string.h>

#include <wick/creation.h>
#include <wick/fft.h>
#include <wick/matmul.h>
#include <wick/pointwise.h>
#include <wick/rearrange.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "core/tensor.h"

static wk_module *ready(void *self, bool fine)
{
    if (!fine) {
        wk_module_free(self);
        return NULL;
    }
    return self;
}

/* ---------------------------------------------------------------- spectrogram */

static wk_tensor *spectrogram_forward(void *module, wk_tensor *x)
{
    static const char OP[] = "audio_spectrogram";
    WK_NAMES_ERRORS(OP);
    const wk_audio_spectrogram *self = module;
    const wk_audio_spectrogram_args *o = &self->options;
    WK_REQUIRE(OP, x);
    if (x->ndim < 1 || x->ndim >= WK_MAX_DIMS || !wk_dtype_is_floating(x->dtype))
        return wk_fail(OP, "x: expected a floating (..., T) of 1 to %d dims, got %s %s", WK_MAX_DIMS - 1,
                       wk_dtype_name(x->dtype), wk_shape_string(x));
    if (o->pad > 0)
        x = wk_pad(x, (o->pad, o->pad));
    if (!x)
        return NULL;
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    const int64_t length = x->shape[x->ndim - 1];
    wk_tensor *y = wk_reshape(x, (x->numel / (length > 0 ? length : 1), length));
    y = wk_stft(y, o->n_fft, o->hop_length, o->win_length, self->window, o->center, .pad_mode = o->pad_mode,
                .onesided = o->onesided); // (N, F, frames)
    if (!y)
        return NULL;
    shape.sizes[shape.ndim - 1] = y->shape[1];
    shape.sizes[shape.ndim++] = y->shape[2];
    y = wk_reshape_with(y, shape);
    if (o->normalized)
        y = wk_div(y, wk_sqrt(wk_sum(wk_square(self->window))));
    return o->power == 0 ? y : o->power == 1 ? wk_abs(y) : wk_pow(wk_abs(y), o->power);
}

wk_module *wk_audio_spectrogram_with(wk_audio_spectrogram_args args)
{
    static const char OP[] = "audio_spectrogram";
    if (args.win_length == 0)
        args.win_length = args.n_fft;
    if (args.hop_length == 0)
        args.hop_length = args.win_length / 2;
    wk_tensor *window = args.window;
    WK_OPTIONAL(OP, window);
    if (args.n_fft < 1 || args.win_length < 1 || args.win_length > args.n_fft || args.hop_length < 1 || args.pad < 0)
        return wk_fail(OP,
                       "n_fft, win_length, hop_length, pad: expected at least 1, 1 to n_fft, at least 1 and at least "
                       "0, got %lld, %lld, %lld and %lld",
                       (long long)args.n_fft, (long long)args.win_length, (long long)args.hop_length,
                       (long long)args.pad);
    if (!(args.power >= 0))
        return wk_fail(OP, "power: expected at least 0, got %g", args.power);
    if (window && (window->ndim != 1 || window->shape[0] != args.win_length))
        return wk_fail(OP, "window: expected shape (%lld,), as win_length says, got %s", (long long)args.win_length,
                       wk_shape_string(window));
    static const char *const modes[] = {"reflect", "constant", "replicate", "circular"};
    int mode = 0;
    while (mode < 4 && (!args.pad_mode || strcmp(args.pad_mode, modes[mode]) != 0))
        mode++;
    if (mode == 4)
        return wk_fail(OP, "pad_mode: expected \"reflect\", \"constant\", \"replicate\" or \"circular\", got \"%s\"",
                       args.pad_mode ? args.pad_mode : "(null)");
    wk_audio_spectrogram *self = wk_module_new(wk_audio_spectrogram, spectrogram_forward);
    if (!self)
        return NULL;
    self->options = args;
    self->options.pad_mode = modes[mode];
    self->options.window = NULL;
    bool fine = false;
    wk_scope
    fine = wk_add_buffer(self, window, window ? window : wk_hann_window(args.win_length)) != NULL;
    return ready(self, fine);
}

/* ---------------------------------------------------------------- mel */

/* 0: htk, 1: slaney; -1 after an error */
static int scale_of(const char *op, const char *mel_scale)
{
    const int scale = mel_scale && strcmp(mel_scale, "htk") == 0      ? 0
                      : mel_scale && strcmp(mel_scale, "slaney") == 0 ? 1
                                                                      : -1;
    if (scale < 0)
        wk_fail(op, "mel_scale: expected \"htk\" or \"slaney\", got \"%s\"", mel_scale ? mel_scale : "(null)");
    return scale;
}

/* Slaney's scale is linear up to 1000 Hz, which is 15 mel, and logarithmic above */
#define SLANEY_STEP (200.0 / 3)
#define SLANEY_LOG_STEP (log(6.4) / 27)

static double mel_of(double hertz, int scale)
{
    if (scale == 0)
        return 2595 * log10(1 + hertz / 700);
    return hertz >= 1000 ? 1000 / SLANEY_STEP + log(hertz / 1000) / SLANEY_LOG_STEP : hertz / SLANEY_STEP;
}

static wk_tensor *hertz_of(wk_tensor *mels, int scale)
{
    if (scale == 0)
        return wk_mul(wk_sub(wk_pow(10.0, wk_div(mels, 2595)), 1), 700);
    const double corner = 1000 / SLANEY_STEP;
    wk_tensor *above = wk_mul(wk_exp(wk_mul(wk_sub(mels, corner), SLANEY_LOG_STEP)), 1000);
    return wk_where(wk_ge(mels, corner), above, wk_mul(mels, SLANEY_STEP));
}

/* Step by step in float32, as torchaudio does it: in float64 the triangles would differ by its rounding, which is some
   1e-5 of their height where they are narrow. */
wk_tensor *wk_audio_functional_melscale_fbanks_with(wk_audio_fbanks_args args)
{
    static const char OP[] = "audio_functional_melscale_fbanks";
    WK_NAMES_ERRORS(OP);
    const int scale = scale_of(OP, args.mel_scale);
    if (scale < 0)
        return NULL;
    if (args.n_freqs < 1 || args.n_mels < 1 || args.sample_rate < 1 || !(args.f_min >= 0) ||
        !(args.f_max >= args.f_min))
        return wk_fail(
            OP,
            "n_freqs, f_min, f_max, n_mels, sample_rate: expected at least 1, 0 <= f_min <= f_max, at least 1 "
            "and 1, got %lld, %g, %g, %lld and %lld",
            (long long)args.n_freqs, args.f_min, args.f_max, (long long)args.n_mels, (long long)args.sample_rate);
    if (args.norm && strcmp(args.norm, "slaney") != 0)
        return wk_fail(OP, "norm: expected NULL or \"slaney\", got \"%s\"", args.norm);
    const int64_t n = args.n_mels;
    wk_tensor *fb = NULL;
    wk_scope
    {
        wk_tensor *bins = wk_linspace(0, (double)(args.sample_rate / 2), args.n_freqs, .dtype = wk_float32);
        wk_tensor *mels = wk_linspace(mel_of(args.f_min, scale), mel_of(args.f_max, scale), n + 2, .dtype = wk_float32);
        wk_tensor *points = hertz_of(mels, scale); // where triangles begin, peak and end
        wk_tensor *gaps = wk_sub(wk_narrow(points, 0, 1, n + 1), wk_narrow(points, 0, 0, n + 1));
        wk_tensor *slopes = wk_sub(wk_unsqueeze(points, 0), wk_unsqueeze(bins, 1)); // (n_freqs, n_mels + 2)
        wk_tensor *down = wk_div(wk_neg(wk_narrow(slopes, 1, 0, n)), wk_narrow(gaps, 0, 0, n));
        wk_tensor *up = wk_div(wk_narrow(slopes, 1, 2, n), wk_narrow(gaps, 0, 1, n));
        fb = wk_maximum(wk_zeros((1), .dtype = wk_float32), wk_minimum(down, up));
        if (args.norm)
            fb = wk_mul(fb, wk_div(2.0, wk_sub(wk_narrow(points, 0, 2, n), wk_narrow(points, 0, 0, n))));
        wk_keep(fb);
    }
    return fb;
}

static wk_tensor *mel_scale_forward(void *module, wk_tensor *x)
{
    static const char OP[] = "audio_mel_scale";
    WK_NAMES_ERRORS(OP);
    const wk_audio_mel_scale *self = module;
    WK_REQUIRE(OP, x);
    if (x->ndim < 2 || x->shape[x->ndim - 2] != self->n_stft)
        return wk_fail(OP, "x: expected (..., %lld, T), got %s", (long long)self->n_stft, wk_shape_string(x));
    return wk_transpose(wk_matmul(wk_transpose(x, -1, -2), self->fb), -1, -2);
}

wk_module *wk_audio_mel_scale_with(wk_audio_mel_scale_args args)
{
    static const char OP[] = "audio_mel_scale";
    WK_NAMES_ERRORS(OP);
    wk_audio_mel_scale *self = wk_module_new(wk_audio_mel_scale, mel_scale_forward);
    if (!self)
        return NULL;
    self->n_mels = args.n_mels;
    self->n_stft = args.n_stft;
    const double f_max = args.f_max != 0 ? args.f_max : (double)(args.sample_rate / 2);
    bool fine = false;
    wk_scope
    fine =
        wk_add_buffer(self, fb,
                      wk_audio_functional_melscale_fbanks(args.n_stft, args.f_min, f_max, args.n_mels, args.sample_rate,
                                                          .norm = args.norm, .mel_scale = args.mel_scale)) != NULL;
    return ready(self, fine);
}

static wk_tensor *mel_spectrogram_forward(void *module, wk_tensor *x)
{
    WK_NAMES_ERRORS("audio_mel_spectrogram");
    const wk_audio_mel_spectrogram *self = module;
    return wk_forward(self->mel_scale, wk_forward(self->spectrogram, x));
}

wk_module *wk_audio_mel_spectrogram_with(wk_audio_mel_spectrogram_args args)
{
    WK_NAMES_ERRORS("audio_mel_spectrogram");
    wk_audio_mel_spectrogram *self = wk_module_new(wk_audio_mel_spectrogram, mel_spectrogram_forward);
    if (!self)
        return NULL;
    wk_add_module(self, spectrogram,
                  wk_audio_spectrogram(args.n_fft, args.win_length, args.hop_length, args.pad, args.window,
                                       .power = args.power, .normalized = args.normalized, .center = args.center,
                                       .pad_mode = args.pad_mode));
    if (self->spectrogram)
        wk_add_module(self, mel_scale,
                      wk_audio_mel_scale(args.n_mels, args.sample_rate, args.f_min, args.f_max, args.n_fft / 2 + 1,
                                         .norm = args.norm, .mel_scale = args.mel_scale));
    return ready(self, self->mel_scale != NULL);
}

/* ---------------------------------------------------------------- decibels */

static wk_tensor *amplitude_to_db_forward(void *module, wk_tensor *x)
{
    static const char OP[] = "audio_amplitude_to_db";
    WK_NAMES_ERRORS(OP);
    const wk_audio_amplitude_to_db *self = module;
    WK_REQUIRE(OP, x);
    wk_tensor *y = wk_mul(wk_log10(wk_clamp(x, 1e-10, wk_none)), self->multiplier);
    if (!y || isnan(self->top_db))
        return y;
    if (y->ndim < 2)
        return wk_fail(OP, "x: expected (..., F, T) for top_db, got %s", wk_shape_string(y));
    const int64_t channels = y->ndim > 2 ? y->shape[y->ndim - 3] : 1;
    const wk_shape shape = wk_shape_of(y->ndim, y->shape);
    y = wk_reshape(y, (-1, channels, y->shape[y->ndim - 2], y->shape[y->ndim - 1]));
    y = wk_maximum(y, wk_sub(wk_amax(y, (-3, -2, -1), .keepdim = true), self->top_db));
    return wk_reshape_with(y, shape);
}

wk_module *wk_audio_amplitude_to_db_with(wk_audio_amplitude_to_db_args args)
{
    static const char OP[] = "audio_amplitude_to_db";
    const bool power = args.stype && strcmp(args.stype, "power") == 0;
    if (!power && (!args.stype || strcmp(args.stype, "magnitude") != 0))
        return wk_fail(OP, "stype: expected \"power\" or \"magnitude\", got \"%s\"",
                       args.stype ? args.stype : "(null)");
    if (args.top_db < 0)
        return wk_fail(OP, "top_db: expected at least 0, got %g", args.top_db);
    wk_audio_amplitude_to_db *self = wk_module_new(wk_audio_amplitude_to_db, amplitude_to_db_forward);
    if (!self)
        return NULL;
    self->multiplier = power ? 10 : 20;
    self->top_db = args.top_db;
    return (wk_module *)self;
}

/* ---------------------------------------------------------------- MFCC */

static wk_tensor *mfcc_forward(void *module, wk_tensor *x)
{
    WK_NAMES_ERRORS("audio_mfcc");
    const wk_audio_mfcc *self = module;
    x = wk_forward(self->mel_spectrogram, x);
    x = self->log_mels ? wk_log(wk_add(x, 1e-6)) : wk_forward(self->amplitude_to_db, x);
    return wk_transpose(wk_matmul(wk_transpose(x, -1, -2), self->dct_mat), -1, -2);
}

/* the cosines of DCT-II, (n_mels, n_mfcc): cos(pi / n_mels (n + 1/2) k), scaled to be orthonormal or by 2 */
static wk_tensor *cosines(int64_t n_mels, int64_t n_mfcc, bool ortho)
{
    wk_tensor *n = wk_add(wk_arange((n_mels), .dtype = wk_float32), 0.5);
    wk_tensor *k = wk_unsqueeze(wk_arange((n_mfcc), .dtype = wk_float32), 1);
    wk_tensor *dct = wk_cos(wk_mul(wk_mul(n, wk_pi / (double)n_mels), k));
    if (ortho && wk_mul_(wk_select(dct, 0, 0), sqrt(0.5)))
        dct = wk_mul(dct, sqrt(2 / (double)n_mels));
    else if (!ortho)
        dct = wk_mul(dct, 2);
    return wk_t(dct);
}

wk_module *wk_audio_mfcc_with(wk_audio_mfcc_args args)
{
    static const char OP[] = "audio_mfcc";
    WK_NAMES_ERRORS(OP);
    if (args.n_mfcc < 1 || args.n_mfcc > args.mel.n_mels)
        return wk_fail(OP, "n_mfcc: expected 1 to mel.n_mels, which is %lld, got %lld", (long long)args.mel.n_mels,
                       (long long)args.n_mfcc);
    if (args.norm && strcmp(args.norm, "ortho") != 0)
        return wk_fail(OP, "norm: expected NULL or \"ortho\", got \"%s\"", args.norm);
    wk_audio_mfcc *self = wk_module_new(wk_audio_mfcc, mfcc_forward);
    if (!self)
        return NULL;
    args.mel.sample_rate = args.sample_rate;
    self->log_mels = args.log_mels;
    self->amplitude_to_db = wk_audio_amplitude_to_db(.top_db = 80);
    bool fine = self->amplitude_to_db && wk_module_add_module(self, "amplitude_to_DB", self->amplitude_to_db);
    if (fine)
        self->mel_spectrogram = wk_audio_mel_spectrogram_with(args.mel);
    fine = self->mel_spectrogram && wk_module_add_module(self, "MelSpectrogram", self->mel_spectrogram);
    if (fine)
        wk_scope
    fine = wk_add_buffer(self, dct_mat, cosines(args.mel.n_mels, args.n_mfcc, args.norm != NULL)) != NULL;
    return ready(self, fine);
}
