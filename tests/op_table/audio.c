/* Resampling and spectrograms, as torchaudio has them.  A row of a module makes it for one call, of the input's dtype
   and on its device. */
#include <math.h>

#include "core/error_internal.h"
#include "op_table.h"

static wk_tensor *once(wk_module *module, wk_tensor *x)
{
    if (module && x)
        wk_module_to(module, wk_is_floating_point(x) ? x : wk_to(x, wk_float32));
    wk_tensor *y = wk_forward(module, x);
    wk_module_free(module);
    return y;
}

/* the same for a row; wk_forward, which refuses an input that is NULL, names itself */
static wk_tensor *row(golden_case *c, wk_module *module)
{
    wk_tensor *x = input(c, 0);
    WK_NAMES_ERRORS(x ? NULL : c->op);
    return once(module, x);
}

/* ---------------------------------------------------------------- resampling */

static wk_audio_resample_args resample_args(golden_case *c)
{
    const char *method = text(c, "resampling_method");
    return (wk_audio_resample_args){.orig_freq = integer(c, "orig_freq"),
                                    .new_freq = integer(c, "new_freq"),
                                    .lowpass_filter_width = integer_or(c, "lowpass_filter_width", 6),
                                    .rolloff = real_or(c, "rolloff", 0.99),
                                    .resampling_method = method ? method : "sinc_interp_hann",
                                    .beta = real_or(c, "beta", 14.769656459379492)};
}
static wk_tensor *run_functional_resample(golden_case *c)
{
    wk_audio_resample_args args = resample_args(c);
    args.x = input(c, 0);
    return wk_audio_functional_resample_with(args);
}
static wk_tensor *run_resample(golden_case *c) { return row(c, wk_audio_resample_with(resample_args(c))); }
/* in float32 torchaudio's sincs are float32, here they are float64, then rounded */
OP(audio_functional_resample, run_functional_resample, .any_strides = true, .rtol = 1e-9, .atol = 2e-6)
/* a kernel of float32, also for float64: its last bits are its libm's */
OP(audio_resample, run_resample, .any_strides = true, .rtol = 1e-9, .atol = 2e-6)
#define BAD_RESAMPLE(...) wk_audio_functional_resample(wk_zeros((2, 9)), __VA_ARGS__)
BAD(audio_functional_resample, wk_audio_functional_resample(wk_zeros((2, 0)), 44100, 16000),
    "x: expected 1 or more samples, got (2, 0)")
BAD(audio_functional_resample, BAD_RESAMPLE(0, 2), "orig_freq, new_freq: expected 1 to 2147483647, got 0 and 2")
BAD(audio_functional_resample, BAD_RESAMPLE(3, -2), "got 3 and -2")
BAD(audio_functional_resample, BAD_RESAMPLE(3, 2, 0), "lowpass_filter_width, rolloff: expected 1 to 1000000")
BAD(audio_functional_resample, BAD_RESAMPLE(3, 2, .rolloff = NAN), "more than 0, got 6 and nan")
BAD(audio_functional_resample, BAD_RESAMPLE(3, 2, .rolloff = 1e-12), "rolloff: 1e-12 makes a kernel of")
BAD(audio_functional_resample, BAD_RESAMPLE(3, 2, .resampling_method = "linear"),
    "resampling_method: expected \"sinc_interp_hann\" or \"sinc_interp_kaiser\", got \"linear\"")
BAD(audio_functional_resample, wk_audio_functional_resample(wk_zeros((9), .dtype = wk_int16), 3, 2),
    "x: expected a floating (..., T), got int16 (9,)")
BAD(audio_resample, once(wk_audio_resample(3, 0), wk_zeros((9))), "audio_resample: orig_freq, new_freq")
BAD(audio_resample, once(wk_audio_resample(3, 2), wk_zeros(())), "audio_resample: x: expected a floating (..., T), got")

/* ---------------------------------------------------------------- spectrograms */

static const char *pad_mode(golden_case *c) { return text(c, "pad_mode") ? text(c, "pad_mode") : "reflect"; }

static wk_tensor *run_spectrogram(golden_case *c)
{
    return row(c, wk_audio_spectrogram(integer_or(c, "n_fft", 400), integer_or(c, "win_length", 0),
                                       integer_or(c, "hop_length", 0), integer_or(c, "pad", 0),
                                       .power = real_or(c, "power", 2), .normalized = integer_or(c, "normalized", 0),
                                       .center = integer_or(c, "center", 1), .pad_mode = pad_mode(c),
                                       .onesided = integer_or(c, "onesided", 1)));
}
/* a float32 window, of which float64 sees the last bits */
OP(audio_spectrogram, run_spectrogram, .any_strides = true, .rtol = 1e-5, .atol = 1e-5)
#define SPECTROGRAM(...) once(wk_audio_spectrogram(__VA_ARGS__), wk_zeros((2, 20)))
BAD(audio_spectrogram, SPECTROGRAM(8, 9), "audio_spectrogram: n_fft, win_length, hop_length, pad: expected")
BAD(audio_spectrogram, SPECTROGRAM(0), "at least 0, got 0, 0, 0 and 0")
BAD(audio_spectrogram, SPECTROGRAM(8, .pad = -1), "got 8, 8, 4 and -1")
BAD(audio_spectrogram, SPECTROGRAM(8, .power = -1), "power: expected at least 0, got -1")
BAD(audio_spectrogram, SPECTROGRAM(8, .window = wk_ones((7))), "window: expected shape (8,), as win_length says")
BAD(audio_spectrogram, SPECTROGRAM(8, .pad_mode = "mirror"), "pad_mode: expected \"reflect\", ")
BAD(audio_spectrogram, SPECTROGRAM(64), "audio_spectrogram: x: expected more than n_fft / 2 = 32 samples to reflect")
BAD(audio_spectrogram, once(wk_audio_spectrogram(8), wk_zeros((9), .dtype = wk_int64)),
    "audio_spectrogram: x: expected a floating (..., T) of 1 to 7 dims, got int64 (9,)")

static wk_tensor *run_melscale_fbanks(golden_case *c)
{
    return wk_audio_functional_melscale_fbanks(integer(c, "n_freqs"), real(c, "f_min"), real(c, "f_max"),
                                               integer(c, "n_mels"), integer(c, "sample_rate"), .norm = text(c, "norm"),
                                               .mel_scale = text(c, "mel_scale"));
}
/* a triangle is a difference of frequencies over another: in float32 a bit of the largest is 1e-5 of a narrow one */
OP(audio_functional_melscale_fbanks, run_melscale_fbanks, .rtol = 1e-5, .atol = 1e-5)
#define FBANKS(...) wk_audio_functional_melscale_fbanks(__VA_ARGS__)
BAD(audio_functional_melscale_fbanks, FBANKS(9, 0, 4000, 4, 8000, .mel_scale = "bark"),
    "mel_scale: expected \"htk\" or \"slaney\", got \"bark\"")
BAD(audio_functional_melscale_fbanks, FBANKS(9, 0, 4000, 4, 8000, .norm = "htk"), "norm: expected NULL or \"slaney\"")
BAD(audio_functional_melscale_fbanks, FBANKS(9, 5000, 4000, 4, 8000), "got 9, 5000, 4000, 4 and 8000")

static wk_tensor *run_mel_scale(golden_case *c)
{
    return row(c, wk_audio_mel_scale(integer(c, "n_mels"), integer(c, "sample_rate"), real_or(c, "f_min", 0),
                                     real_or(c, "f_max", 0), integer(c, "n_stft"), text(c, "norm"),
                                     text(c, "mel_scale") ? text(c, "mel_scale") : "htk"));
}
OP(audio_mel_scale, run_mel_scale, .any_strides = true, .rtol = 1e-5, .atol = 1e-5) // as its triangles
BAD(audio_mel_scale, once(wk_audio_mel_scale(6, 8000, .n_stft = 17), wk_zeros((16, 3))),
    "audio_mel_scale: x: expected (..., 17, T), got (16, 3)")

static wk_tensor *run_mel_spectrogram(golden_case *c)
{
    return row(c, wk_audio_mel_spectrogram(
                      integer_or(c, "sample_rate", 16000), integer_or(c, "n_fft", 400), integer_or(c, "win_length", 0),
                      integer_or(c, "hop_length", 0), real_or(c, "f_min", 0), real_or(c, "f_max", 0),
                      integer_or(c, "pad", 0), integer(c, "n_mels"), .power = real_or(c, "power", 2),
                      .normalized = integer_or(c, "normalized", 0), .center = integer_or(c, "center", 1),
                      .pad_mode = pad_mode(c), .norm = text(c, "norm"),
                      .mel_scale = text(c, "mel_scale") ? text(c, "mel_scale") : "htk"));
}
OP(audio_mel_spectrogram, run_mel_spectrogram, .any_strides = true, .rtol = 1e-5, .atol = 1e-5) // as its triangles
BAD(audio_mel_spectrogram, once(wk_audio_mel_spectrogram(.n_fft = 0), wk_zeros((900))),
    "audio_mel_spectrogram: n_fft, win_length, hop_length, pad: expected")

static wk_tensor *run_amplitude_to_db(golden_case *c)
{
    return row(c, wk_audio_amplitude_to_db(text(c, "stype") ? text(c, "stype") : "power", real_or(c, "top_db", NAN)));
}
OP(audio_amplitude_to_db, run_amplitude_to_db)
BAD(audio_amplitude_to_db, once(wk_audio_amplitude_to_db("db"), wk_ones((2, 3))),
    "stype: expected \"power\" or \"magnitude\", got \"db\"")
BAD(audio_amplitude_to_db, once(wk_audio_amplitude_to_db(.top_db = -1), wk_ones((2, 3))),
    "top_db: expected at least 0, got -1")

static wk_tensor *run_mfcc(golden_case *c)
{
    const char *norm = text(c, "norm");
    return row(c, wk_audio_mfcc(integer(c, "sample_rate"), integer(c, "n_mfcc"), .norm = norm,
                                .log_mels = integer_or(c, "log_mels", 0), .mel.n_mels = integer(c, "n_mels"),
                                .mel.n_fft = integer(c, "n_fft")));
}
OP(audio_mfcc, run_mfcc, .any_strides = true, .rtol = 1e-5, .atol = 1e-4) // decibels of what its triangles give
BAD(audio_mfcc, once(wk_audio_mfcc(.n_mfcc = 9, .mel.n_mels = 8), wk_zeros((900))),
    "audio_mfcc: n_mfcc: expected 1 to mel.n_mels, which is 8, got 9")

/* ---------------------------------------------------------------- masks */

static wk_tensor *run_masking(golden_case *c)
{
    const bool time = has(c, "time_mask_param");
    const wk_audio_masking_args args = {.mask_param = integer(c, time ? "time_mask_param" : "freq_mask_param"),
                                        .iid_masks = integer_or(c, "iid_masks", 0),
                                        .p = real_or(c, "p", 1)};
    wk_module *module = time ? wk_audio_time_masking_with(args) : wk_audio_frequency_masking_with(args);
    wk_manual_seed((uint64_t)integer(c, "seed"));
    return row(c, module);
}
OP(audio_frequency_masking, run_masking, .any_strides = true)
OP(audio_time_masking, run_masking, .any_strides = true)
BAD(audio_frequency_masking, once(wk_audio_frequency_masking(-1), wk_ones((3, 4))),
    "audio_frequency_masking: freq_mask_param, p: expected at least 0, and 0 to 1, got -1 and 1")
BAD(audio_frequency_masking, once(wk_audio_frequency_masking(2), wk_ones((3))),
    "audio_frequency_masking: x: expected a floating (..., F, T), got float32 (3,)")
BAD(audio_time_masking, once(wk_audio_time_masking(3, .p = NAN), wk_ones((3, 4))), "time_mask_param, p: expected")
BAD(audio_time_masking, once(wk_audio_time_masking(3, true), wk_ones((3, 4))),
    "audio_time_masking: x: expected a floating (..., C, F, T), got float32 (3, 4)")

/* ---------------------------------------------------------------- loudness */

static wk_tensor *run_loudness(golden_case *c) { return row(c, wk_audio_loudness(integer(c, "sample_rate"))); }
/* torchaudio filters float32 in float32, whose error the filters sum up */
OP(audio_loudness, run_loudness, .gradient = NONE, .rtol = 1e-5)
BAD(audio_loudness, once(wk_audio_loudness(9), wk_ones((1, 400))), "sample_rate: expected 10 to 2147483647, got 9")
BAD(audio_loudness, once(wk_audio_loudness(500), wk_ones((6, 400))),
    "audio_loudness: x: expected a floating (..., C, T) of at most 5 channels, got float32 (6, 400)")
BAD(audio_loudness, once(wk_audio_loudness(500), wk_ones((1, 199))),
    "expected at least 0.4 seconds, 200 frames, got 199")

/* ---------------------------------------------------------------- as Kaldi has it */

static wk_tensor *run_kaldi_fbank(golden_case *c)
{
    wk_manual_seed((uint64_t)integer_or(c, "seed", 0));
    return wk_audio_kaldi_fbank(
        input(c, 0), .sample_frequency = has(c, "num_mel_bins") ? 16000 : 800,
        .num_mel_bins = integer_or(c, "num_mel_bins", 5), .channel = integer_or(c, "channel", -1),
        .snip_edges = integer_or(c, "snip_edges", 1), .frame_shift = real_or(c, "frame_shift", 10),
        .frame_length = real_or(c, "frame_length", 25), .use_energy = integer_or(c, "use_energy", 0),
        .htk_compat = integer_or(c, "htk_compat", 0), .raw_energy = integer_or(c, "raw_energy", 1),
        .energy_floor = real_or(c, "energy_floor", 1), .use_power = integer_or(c, "use_power", 1),
        .use_log_fbank = integer_or(c, "use_log_fbank", 1), .subtract_mean = integer_or(c, "subtract_mean", 0),
        .remove_dc_offset = integer_or(c, "remove_dc_offset", 1),
        .preemphasis_coefficient = real_or(c, "preemphasis_coefficient", 0.97),
        .round_to_power_of_two = integer_or(c, "round_to_power_of_two", 1), .low_freq = real_or(c, "low_freq", 20),
        .high_freq = real_or(c, "high_freq", 0), .min_duration = real_or(c, "min_duration", 0),
        .dither = real_or(c, "dither", 0), .window_type = text(c, "window_type") ? text(c, "window_type") : "povey");
}
OP(audio_kaldi_fbank, run_kaldi_fbank, .any_strides = true, .rtol = 1e-5, .atol = 1e-5) // triangles of float32
#define FBANK(...) wk_audio_kaldi_fbank(wk_ones((2, 500)), __VA_ARGS__)
BAD(audio_kaldi_fbank, wk_audio_kaldi_fbank(wk_ones((500))), "x, channel: expected a floating (C, T) with this channel")
BAD(audio_kaldi_fbank, FBANK(.channel = 2), "got float32 (2, 500) and 2")
BAD(audio_kaldi_fbank, FBANK(.frame_length = 40), "expected frames of 2 to 500 samples")
BAD(audio_kaldi_fbank, FBANK(.frame_shift = 0), "at least 1 apart, got 400 and 0")
BAD(audio_kaldi_fbank, FBANK(.frame_length = 25.07, .round_to_power_of_two = false),
    "expected an even number of samples")
BAD(audio_kaldi_fbank, FBANK(.high_freq = 9000),
    "expected 0 <= low_freq < high_freq <= 8000, and at least 4, got 20, 9000")
BAD(audio_kaldi_fbank, FBANK(.num_mel_bins = 3), "got 20, 8000 and 3")
BAD(audio_kaldi_fbank, FBANK(.preemphasis_coefficient = 2), "expected 0 to 1 and at least 0, got 2 and 1")
BAD(audio_kaldi_fbank, FBANK(.window_type = "sine"), "window_type: expected \"povey\", ")
