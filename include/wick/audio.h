/* Sound: files, resampling, spectrograms, masks.  PyTorch: torchaudio, https://docs.pytorch.org/audio/stable/

   A waveform is float32 (C, T): channels, frames; a batch of them (B, C, T).  A spectrogram is (..., F, T):
   frequencies, frames.  Leading dims are free.  docs/audio.md goes from a file to tokens. */
#ifndef WICK_AUDIO_H
#define WICK_AUDIO_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>
#include <wick/random.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- files, by libsndfile: wav, flac, ogg, mp3, aiff */

/* load(path, &sample_rate = NULL, frame_offset = 0, num_frames = -1): float32 (C, T), -1 to 1 (a file of floats may
   hold more); num_frames frames from frame_offset on, -1 or more than there are: to the end.  NULL after an error. */
typedef struct wk_audio_load_args {
    const char *path;
    int64_t *sample_rate; // may be NULL
    int64_t frame_offset, num_frames;
} wk_audio_load_args;
#define wk_audio_load(...) wk_audio_load_with((wk_audio_load_args){.num_frames = -1, .path = __VA_ARGS__})
wk_tensor *wk_audio_load_with(wk_audio_load_args args);

/* save(path, x, sample_rate, .encoding = "PCM_S", .bits_per_sample = 16): floating (C, T) or (T).  Whole numbers are
   rounded to the nearest, and what is beyond -1 and 1 becomes that (NaN becomes 0).  The format is the path's ending:
   wav: PCM_S of 16, 24, 32 bits, PCM_U of 8, PCM_F of 32 and 64, ULAW and ALAW of 8; flac: PCM_S of 16 and 24; ogg and
   mp3: as much as they keep.  Whole or not at all: a failure leaves what was there.  False after an error. */
typedef struct wk_audio_save_args {
    const char *path;
    wk_tensor *x;
    int64_t sample_rate;
    const char *encoding;    // NULL: the format's first
    int64_t bits_per_sample; // 0: the encoding's first
} wk_audio_save_args;
#define wk_audio_save(path_, x_, ...)                                                                                  \
    wk_audio_save_with((wk_audio_save_args){.path = path_, .x = x_, .sample_rate = __VA_ARGS__})
bool wk_audio_save_with(wk_audio_save_args args);

/* info(path): what load would give, by the file's header alone */
typedef struct wk_audio_metadata {
    int64_t sample_rate; // 0 after an error
    int64_t num_frames;  // as the header says; 0 where it does not
    int64_t num_channels;
    int64_t bits_per_sample; // 0 where samples have no fixed size (ogg, mp3)
    const char *encoding;    // "PCM_S", "PCM_U", "PCM_F", "ULAW", "ALAW", "FLAC", "VORBIS", "OPUS", "MP3", or "UNKNOWN"
} wk_audio_metadata;
wk_audio_metadata wk_audio_info(const char *path);

/* ---------------------------------------------------------------- resampling */

/* functional.resample(x, orig_freq, new_freq, lowpass_filter_width = 6, rolloff = 0.99): (..., T) -> (...,
   ceil(new_freq T / orig_freq)), each sample a windowed sinc over x: a convolution, so differentiable.  Only the ratio
   matters.  .resampling_method "sinc_interp_hann" or "sinc_interp_kaiser", with .beta.  A larger lowpass_filter_width
   cuts sharper, a smaller rolloff cuts earlier. */
typedef struct wk_audio_resample_args {
    wk_tensor *x; // not of the module
    int64_t orig_freq, new_freq;
    int64_t lowpass_filter_width;
    double rolloff;
    const char *resampling_method;
    double beta; // 14.769656459379492
} wk_audio_resample_args;
#define WK_AUDIO_RESAMPLE                                                                                              \
    .lowpass_filter_width = 6, .rolloff = 0.99, .resampling_method = "sinc_interp_hann", .beta = 14.769656459379492
#define wk_audio_functional_resample(...)                                                                              \
    wk_audio_functional_resample_with((wk_audio_resample_args){WK_AUDIO_RESAMPLE, .x = __VA_ARGS__})
wk_tensor *wk_audio_functional_resample_with(wk_audio_resample_args args);

/* Resample(orig_freq = 16000, new_freq = 16000, ...): the same as a module, whose kernel is made once: a buffer. */
#define wk_audio_resample(...)                                                                                         \
    wk_audio_resample_with((wk_audio_resample_args){                                                                   \
        WK_AUDIO_RESAMPLE, .orig_freq = 16000, .new_freq = 16000, .x = NULL, __VA_ARGS__})
typedef struct wk_audio_resample {
    wk_module_base base;
    int64_t orig_freq, new_freq, width;
    wk_tensor *kernel; // (new, 1, taps); NULL where the frequencies are the same
} wk_audio_resample;
wk_module *wk_audio_resample_with(wk_audio_resample_args args);

/* ---------------------------------------------------------------- spectrograms: modules, as in torchaudio.transforms

       wk_module *mel = wk_audio_mel_spectrogram(16000, .n_fft = 400, .hop_length = 160, .n_mels = 80);
       wk_tensor *spectrogram = wk_forward(mel, waveform);                                  // (C, T) -> (C, 80, frames)

   They are float32, and differentiable; wk_module_to moves and converts them. */

/* Spectrogram(n_fft = 400, win_length = n_fft, hop_length = win_length / 2, .pad = 0, .window = hann, .power = 2,
   .normalized = false, .center = true, .pad_mode = "reflect", .onesided = true): |stft| to the power; (..., T) ->
   (..., n_fft / 2 + 1, frames).  power 0: complex, as PyTorch's None.  normalized: divided by the window's norm. */
typedef struct wk_audio_spectrogram_args {
    int first; // so that all arguments may be left out: defaults, .first = 0, and then what was given
    int64_t n_fft, win_length, hop_length; // 0: the default
    int64_t pad;                           // zeros on both sides, before all else
    wk_tensor *window;                     // (win_length); NULL: a Hann window
    double power;
    bool normalized, center;
    const char *pad_mode;
    bool onesided;
} wk_audio_spectrogram_args;
#define WK_AUDIO_SPECTROGRAM .n_fft = 400, .power = 2, .center = true, .pad_mode = "reflect", .onesided = true
#define wk_audio_spectrogram(...)                                                                                      \
    wk_audio_spectrogram_with((wk_audio_spectrogram_args){WK_AUDIO_SPECTROGRAM, .first = 0, __VA_ARGS__})
typedef struct wk_audio_spectrogram {
    wk_module_base base;
    wk_audio_spectrogram_args options; // with the lengths that were meant; .window is not used
    wk_tensor *window;
} wk_audio_spectrogram;
wk_module *wk_audio_spectrogram_with(wk_audio_spectrogram_args args);

/* functional.melscale_fbanks(n_freqs, f_min, f_max, n_mels, sample_rate, .norm = NULL, .mel_scale = "htk"): triangles
   evenly spaced in mel, (n_freqs, n_mels) float32.  mel_scale "htk" or "slaney"; norm "slaney" gives each an area of 2
   in Hz.  librosa.filters.mel is its transpose with both "slaney". */
typedef struct wk_audio_fbanks_args {
    int64_t n_freqs;
    double f_min, f_max;
    int64_t n_mels, sample_rate;
    const char *norm, *mel_scale;
} wk_audio_fbanks_args;
#define wk_audio_functional_melscale_fbanks(...)                                                                       \
    wk_audio_functional_melscale_fbanks_with((wk_audio_fbanks_args){.mel_scale = "htk", .n_freqs = __VA_ARGS__})
wk_tensor *wk_audio_functional_melscale_fbanks_with(wk_audio_fbanks_args args);

/* MelScale(n_mels = 128, sample_rate = 16000, f_min = 0, f_max = sample_rate / 2, n_stft = 201, norm, mel_scale):
   (..., n_stft, T) -> (..., n_mels, T) */
typedef struct wk_audio_mel_scale_args {
    int first;
    int64_t n_mels, sample_rate;
    double f_min, f_max; // f_max 0: sample_rate / 2
    int64_t n_stft;
    const char *norm, *mel_scale;
} wk_audio_mel_scale_args;
#define wk_audio_mel_scale(...)                                                                                        \
    wk_audio_mel_scale_with((wk_audio_mel_scale_args){                                                                 \
        .n_mels = 128, .sample_rate = 16000, .n_stft = 201, .mel_scale = "htk", .first = 0, __VA_ARGS__})
typedef struct wk_audio_mel_scale {
    wk_module_base base;
    int64_t n_mels, n_stft;
    wk_tensor *fb; // (n_stft, n_mels)
} wk_audio_mel_scale;
wk_module *wk_audio_mel_scale_with(wk_audio_mel_scale_args args);

/* MelSpectrogram(sample_rate = 16000, n_fft = 400, win_length, hop_length, f_min = 0, f_max, pad, n_mels = 128,
   .window, .power = 2, .normalized, .center, .pad_mode, .norm, .mel_scale = "htk"): a spectrogram, then a mel_scale */
typedef struct wk_audio_mel_spectrogram_args {
    int first;
    int64_t sample_rate, n_fft, win_length, hop_length;
    double f_min, f_max;
    int64_t pad, n_mels;
    wk_tensor *window;
    double power;
    bool normalized, center;
    const char *pad_mode, *norm, *mel_scale;
} wk_audio_mel_spectrogram_args;
#define WK_AUDIO_MEL_SPECTROGRAM                                                                                       \
    .n_fft = 400, .n_mels = 128, .power = 2, .center = true, .pad_mode = "reflect", .mel_scale = "htk"
#define wk_audio_mel_spectrogram(...)                                                                                  \
    wk_audio_mel_spectrogram_with(                                                                                     \
        (wk_audio_mel_spectrogram_args){WK_AUDIO_MEL_SPECTROGRAM, .sample_rate = 16000, .first = 0, __VA_ARGS__})
typedef struct wk_audio_mel_spectrogram {
    wk_module_base base;
    wk_module *spectrogram, *mel_scale;
} wk_audio_mel_spectrogram;
wk_module *wk_audio_mel_spectrogram_with(wk_audio_mel_spectrogram_args args);

/* AmplitudeToDB(stype = "power", top_db = none): 10 log10(max(x, 1e-10)), of "magnitude" 20 log10.  top_db: no less
   than that much below the greatest, of each item of a batch (..., C, F, T) by itself. */
typedef struct wk_audio_amplitude_to_db_args {
    int first;
    const char *stype;
    double top_db; // NaN: not given
} wk_audio_amplitude_to_db_args;
#define wk_audio_amplitude_to_db(...)                                                                                  \
    wk_audio_amplitude_to_db_with(                                                                                     \
        (wk_audio_amplitude_to_db_args){.stype = "power", .top_db = __builtin_nan(""), .first = 0, __VA_ARGS__})
typedef struct wk_audio_amplitude_to_db {
    wk_module_base base;
    double multiplier, top_db;
} wk_audio_amplitude_to_db;
wk_module *wk_audio_amplitude_to_db_with(wk_audio_amplitude_to_db_args args);

/* MFCC(sample_rate = 16000, n_mfcc = 40, .norm = "ortho", .log_mels = false, .mel = options of the mel spectrogram):
   its decibels (or logarithms), then a cosine transform along frequency: (..., T) -> (..., n_mfcc, frames) */
typedef struct wk_audio_mfcc_args {
    int first;
    int64_t sample_rate, n_mfcc;
    const char *norm; // "ortho" or NULL
    bool log_mels;
    wk_audio_mel_spectrogram_args mel; // .mel.n_mels = 64; sample_rate is the one above
} wk_audio_mfcc_args;
#define wk_audio_mfcc(...)                                                                                             \
    wk_audio_mfcc_with((wk_audio_mfcc_args){.sample_rate = 16000,                                                      \
                                            .n_mfcc = 40,                                                              \
                                            .norm = "ortho",                                                           \
                                            .mel = {WK_AUDIO_MEL_SPECTROGRAM},                                         \
                                            .first = 0,                                                                \
                                            __VA_ARGS__})
typedef struct wk_audio_mfcc {
    wk_module_base base;
    wk_module *mel_spectrogram, *amplitude_to_db; // "MelSpectrogram", "amplitude_to_DB" in state dicts
    wk_tensor *dct_mat;                           // (n_mels, n_mfcc)
    bool log_mels;
} wk_audio_mfcc;
wk_module *wk_audio_mfcc_with(wk_audio_mfcc_args args);

/* ---------------------------------------------------------------- masks: SpecAugment

   FrequencyMasking(freq_mask_param, iid_masks = false, .mask_value = 0): so many rows of (..., F, T), from 0 to less
   than freq_mask_param, become mask_value; the same ones throughout, or with iid_masks others for each of the leading
   dims.
   TimeMasking(time_mask_param, iid_masks = false, p = 1): the same of columns, of at most the part p of them.
   In eval, too, as in torchaudio: leave them out there.  The draws are PyTorch's. */
typedef struct wk_audio_masking_args {
    int64_t mask_param;
    bool iid_masks;
    double p; // 1
    double mask_value;
    wk_generator *generator; // outlives the module
} wk_audio_masking_args;
#define wk_audio_frequency_masking(...)                                                                                \
    wk_audio_frequency_masking_with((wk_audio_masking_args){.p = 1, .mask_param = __VA_ARGS__})
#define wk_audio_time_masking(...)                                                                                     \
    wk_audio_time_masking_with((wk_audio_masking_args){.p = 1, .mask_param = __VA_ARGS__})
typedef struct wk_audio_masking {
    wk_module_base base;
    int64_t mask_param;
    bool iid_masks;
    double p, mask_value;
    wk_generator *generator;
    int dim; // -1: time, -2: frequency
} wk_audio_masking;
wk_module *wk_audio_frequency_masking_with(wk_audio_masking_args args);
wk_module *wk_audio_time_masking_with(wk_audio_masking_args args);

/* ---------------------------------------------------------------- loudness

   Loudness(sample_rate): (..., C, T) of at most 5 channels and at least 0.4 seconds -> (...) LKFS, ITU-R BS.1770; NaN
   of silence.  No gradient. */
wk_module *wk_audio_loudness(int64_t sample_rate);

/* ---------------------------------------------------------------- as Kaldi has it

   compliance.kaldi.fbank(x, .num_mel_bins = 23, .frame_length = 25, .frame_shift = 10, .sample_frequency = 16000):
   (C, T) -> (frames, num_mel_bins) of logarithms, of one channel; frame_length and frame_shift in milliseconds.  Waves
   of -1 to 1 are often multiplied by 32768 first, as Kaldi has them.  use_energy puts a column in front, with
   htk_compat behind.  Models of speech commonly ask for .window_type = "hanning", .use_energy = false, .dither = 0. */
typedef struct wk_audio_kaldi_fbank_args {
    wk_tensor *x;
    double blackman_coeff; // 0.42
    int64_t channel;       // -1: the first
    double dither;         // of normal noise that is added
    double energy_floor;   // 1
    double frame_length, frame_shift; // 25, 10
    double high_freq;                 // 0 or less: so much below half of sample_frequency
    bool htk_compat;
    double low_freq;                                          // 20
    double min_duration;                                      // seconds, below which the result is empty
    int64_t num_mel_bins;                                     // 23
    double preemphasis_coefficient;                           // 0.97
    bool raw_energy, remove_dc_offset, round_to_power_of_two; // true
    double sample_frequency;                                  // 16000
    bool snip_edges; // true: frames lie within x; false: a frame for each shift
    bool subtract_mean, use_energy;
    bool use_log_fbank, use_power; // true
    const char *window_type;       // "povey", "hanning", "hamming", "rectangular", "blackman"
    wk_generator *generator;
} wk_audio_kaldi_fbank_args;
#define wk_audio_kaldi_fbank(...)                                                                                      \
    wk_audio_kaldi_fbank_with((wk_audio_kaldi_fbank_args){.blackman_coeff = 0.42,                                      \
                                                          .channel = -1,                                               \
                                                          .energy_floor = 1,                                           \
                                                          .frame_length = 25,                                          \
                                                          .frame_shift = 10,                                           \
                                                          .low_freq = 20,                                              \
                                                          .num_mel_bins = 23,                                          \
                                                          .preemphasis_coefficient = 0.97,                             \
                                                          .raw_energy = true,                                          \
                                                          .remove_dc_offset = true,                                    \
                                                          .round_to_power_of_two = true,                               \
                                                          .sample_frequency = 16000,                                   \
                                                          .snip_edges = true,                                          \
                                                          .use_log_fbank = true,                                       \
                                                          .use_power = true,                                           \
                                                          .window_type = "povey",                                      \
                                                          .x = __VA_ARGS__})
wk_tensor *wk_audio_kaldi_fbank_with(wk_audio_kaldi_fbank_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
