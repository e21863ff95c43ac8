"""torchaudio 2.11's resampling and spectrograms.  Its modules' tables are float32, here as there."""

import torch

torch.version.cuda = None  # torchaudio refuses a PyTorch built for another CUDA; on the CPU it does not matter

import torchaudio.compliance.kaldi as kaldi
import torchaudio.functional as F
import torchaudio.transforms as T

from golden import Golden, randn

g = Golden("audio", seed=91)
R = torch.float64


def module(make, x, **keywords):
    return make(**keywords).to(x.dtype)(x)


def case(op, make, x, **keywords):
    """gradients in float64 alone: in float32 terms of some hundreds cancel"""
    g.case(op, lambda x, **k: module(make, x, **k), [x], gradient=x.dtype == R, **keywords)


# ---- resampling
for shape in ((40,), (2, 37), (2, 1, 20), (1, 0)):
    for orig, new in ((3, 2), (2, 3), (16000, 8000), (8000, 8000), (44100, 16000)):
        x = randn(shape, dtype=R)
        if (orig, new) != (44100, 16000) or shape == (40,):
            g.case("audio_functional_resample", F.resample, [x], orig_freq=orig, new_freq=new)
            case("audio_resample", T.Resample, x, orig_freq=orig, new_freq=new)
for keywords in (dict(lowpass_filter_width=3), dict(rolloff=0.8), dict(resampling_method="sinc_interp_kaiser"),
                 dict(resampling_method="sinc_interp_kaiser", beta=6.0, lowpass_filter_width=16)):
    g.case("audio_functional_resample", F.resample, [randn(2, 30, dtype=R)], orig_freq=4, new_freq=3, **keywords)
    case("audio_resample", T.Resample, randn(2, 30, dtype=R), orig_freq=4, new_freq=3, **keywords)
g.case("audio_functional_resample", F.resample, [randn(2, 200)], orig_freq=441, new_freq=160)
case("audio_resample", T.Resample, randn(2, 200), orig_freq=441, new_freq=160)
for keywords in (dict(orig_freq=0, new_freq=1), dict(orig_freq=3, new_freq=2, lowpass_filter_width=0),
                 dict(orig_freq=3, new_freq=2, resampling_method="cubic")):
    g.case("audio_functional_resample", F.resample, [randn(9, dtype=R)], **keywords)
g.case("audio_functional_resample", F.resample, [torch.ones(9, dtype=torch.int64)], orig_freq=3, new_freq=2)


# ---- spectrograms
def spectrogram(power=2.0, window=None, **keywords):
    if window is not None:
        keywords["window_fn"] = lambda n: window
    return T.Spectrogram(power=power or None, **keywords)


for shape, keywords in [
        ((40,), dict(n_fft=8)), ((2, 40), dict(n_fft=8)), ((2, 1, 40), dict(n_fft=8, hop_length=3)),
        ((40,), dict(n_fft=9)), ((40,), dict(n_fft=8, win_length=5)), ((40,), dict(n_fft=8, win_length=6, hop_length=2)),
        ((40,), dict(n_fft=8, power=1.0)), ((40,), dict(n_fft=8, power=0.0)), ((2, 20), dict(n_fft=8, power=1.5)),
        ((40,), dict(n_fft=8, normalized=True)), ((40,), dict(n_fft=8, center=False)), ((20,), dict(n_fft=8, pad=3)),
        ((40,), dict(n_fft=8, pad_mode="constant")), ((40,), dict(n_fft=8, onesided=False)), ((3,), dict(n_fft=8)),
        ((3,), dict(n_fft=8, pad_mode="constant"))]:
    case("audio_spectrogram", spectrogram, randn(shape, dtype=R), **keywords)
case("audio_spectrogram", spectrogram, randn(2, 900))
case("audio_spectrogram", spectrogram, randn(300), n_fft=64, win_length=48, hop_length=16)

for n_freqs, f_min, f_max, n_mels, rate in ((9, 0.0, 8000.0, 4, 16000), (33, 20.0, 4000.0, 8, 8000), (33, 0.0, 4000.0, 12, 22050),
                                            (201, 0.0, 8000.0, 20, 16000), (17, 300.0, 900.0, 3, 2001)):
    for norm in (None, "slaney"):
        for scale in ("htk", "slaney"):
            g.case("audio_functional_melscale_fbanks", F.melscale_fbanks, [], n_freqs=n_freqs, f_min=f_min, f_max=f_max,
                   n_mels=n_mels, sample_rate=rate, norm=norm, mel_scale=scale)

for keywords in (dict(), dict(n_mels=5), dict(n_mels=5, f_min=100.0, f_max=3000.0), dict(n_mels=4, norm="slaney", mel_scale="slaney")):
    case("audio_mel_scale", T.MelScale, randn(2, 17, 3, dtype=R), sample_rate=8000, n_stft=17, **({"n_mels": 6} | keywords))
case("audio_mel_scale", T.MelScale, randn(16, 3, dtype=R), sample_rate=8000, n_stft=17, n_mels=6)

for shape, keywords in [
        ((2, 60), dict()), ((60,), dict(win_length=10, hop_length=5)), ((60,), dict(f_min=50.0, f_max=3500.0)),
        ((60,), dict(power=1.0)), ((60,), dict(normalized=True)), ((60,), dict(center=False)),
        ((60,), dict(pad_mode="constant")), ((60,), dict(norm="slaney", mel_scale="slaney"))]:
    case("audio_mel_spectrogram", T.MelSpectrogram, randn(shape, dtype=R), sample_rate=8000, n_fft=16, n_mels=5, **keywords)
case("audio_mel_spectrogram", T.MelSpectrogram, randn(1, 700), n_mels=20)

# decibels below the greatest: of each item of a batch, of all of what has no batch
for shape in ((3, 4), (2, 3, 4), (2, 2, 3, 4), (2, 1, 3, 4)):
    x = randn(shape, dtype=R).abs() + 0.01
    x = x * torch.linspace(1, 100, x.shape[0], dtype=R).reshape(-1, *[1] * (x.dim() - 1))
    for keywords in (dict(), dict(stype="magnitude"), dict(top_db=10.0), dict(top_db=0.0), dict(stype="magnitude", top_db=12.5)):
        case("audio_amplitude_to_db", T.AmplitudeToDB, x, **keywords)
case("audio_amplitude_to_db", T.AmplitudeToDB, torch.tensor([0.0, 1e-12, 1e-10, 1.0, 100.0]))
case("audio_amplitude_to_db", T.AmplitudeToDB, randn(3, dtype=R).abs(), top_db=10.0)
case("audio_amplitude_to_db", T.AmplitudeToDB, randn(3, 4, dtype=R).abs(), top_db=-1.0)


def mfcc(n_mels, n_fft, norm="none", **keywords):
    return T.MFCC(melkwargs=dict(n_mels=n_mels, n_fft=n_fft), norm=None if norm == "none" else norm, **keywords)


for shape, keywords in [((2, 60), dict(n_mfcc=4)), ((60,), dict(n_mfcc=6, norm="ortho")), ((60,), dict(n_mfcc=4, log_mels=True, norm="ortho")),
                        ((2, 2, 60), dict(n_mfcc=3, norm="ortho")), ((60,), dict(n_mfcc=7))]:
    case("audio_mfcc", mfcc, randn(shape, dtype=R), sample_rate=8000, n_mels=6, n_fft=32, **keywords)


# ---- masks: each call draws anew from one seed
def seeded(make):
    def call(**keywords):
        torch.manual_seed(keywords.pop("seed"))
        return make(**keywords)
    return call


for seed, (op, make, shape, keywords) in enumerate([
        ("frequency", T.FrequencyMasking, (2, 9, 5), dict(freq_mask_param=6)), ("frequency", T.FrequencyMasking, (9, 5), dict(freq_mask_param=8)),
        ("frequency", T.FrequencyMasking, (2, 3, 9, 5), dict(freq_mask_param=6, iid_masks=True)),
        ("frequency", T.FrequencyMasking, (2, 9, 5), dict(freq_mask_param=0)),
        ("time", T.TimeMasking, (2, 4, 12), dict(time_mask_param=8)), ("time", T.TimeMasking, (4, 12), dict(time_mask_param=8)),
        ("time", T.TimeMasking, (2, 3, 4, 12), dict(time_mask_param=9, iid_masks=True)),
        ("time", T.TimeMasking, (3, 4, 12), dict(time_mask_param=9, iid_masks=True, p=0.5)),
        ("time", T.TimeMasking, (3, 4, 12), dict(time_mask_param=9, p=0.25)), ("time", T.TimeMasking, (3, 4, 12), dict(time_mask_param=9, p=0.05)),
        ("time", T.TimeMasking, (3, 4, 12), dict(time_mask_param=9, p=1.5)), ("time", T.TimeMasking, (4, 12), dict(time_mask_param=9, iid_masks=True)),
        ("frequency", T.FrequencyMasking, (9,), dict(freq_mask_param=6))]):
    case(f"audio_{op}_masking", seeded(make), randn(shape, dtype=R), seed=40 + seed, **keywords)

# ---- loudness, at a rate that keeps the blocks short (96 samples), and the filters stable
t = torch.arange(250, dtype=R)
for x in (0.3 * torch.sin(0.7 * t).reshape(1, -1), 0.2 * randn(2, 250, dtype=R), 0.1 * randn(2, 5, 130, dtype=R), 3.0 * randn(1, 200, dtype=R),
          torch.zeros(1, 100, dtype=R), 1e-5 * randn(1, 100, dtype=R), 0.2 * randn(2, 250), randn(6, 100, dtype=R), randn(1, 90, dtype=R),
          torch.cat([0.5 * torch.sin(0.7 * t), 0.001 * torch.sin(0.9 * t)]).reshape(1, -1)):
    g.case("audio_loudness", lambda x, sample_rate: T.Loudness(sample_rate)(x), [x], gradient=False, sample_rate=240)


# ---- Kaldi's; frames of 20 samples
def fbank(x, seed=0, **keywords):
    torch.manual_seed(seed)
    try:
        return kaldi.fbank(x, sample_frequency=800.0, num_mel_bins=5, **keywords)
    except Exception as error:  # asserts, and one that is no more than an Exception
        raise ValueError(error)


wave = 100 * randn(2, 60, dtype=R)
for keywords in (dict(), dict(channel=1), dict(snip_edges=False), dict(snip_edges=False, frame_shift=40.0), dict(use_energy=True),
                 dict(use_energy=True, htk_compat=True), dict(use_energy=True, raw_energy=False, energy_floor=0.0),
                 dict(use_energy=True, energy_floor=1e6), dict(use_power=False), dict(use_log_fbank=False), dict(subtract_mean=True),
                 dict(remove_dc_offset=False), dict(preemphasis_coefficient=0.0), dict(round_to_power_of_two=False),
                 dict(low_freq=50.0, high_freq=-20.0), dict(high_freq=300.0), dict(min_duration=0.1), dict(dither=1.0, seed=5),
                 dict(channel=2), dict(preemphasis_coefficient=1.5), dict(frame_length=80.0), dict(low_freq=500.0),
                 *({"window_type": name} for name in ("hanning", "hamming", "rectangular", "blackman", "sine"))):
    # without the logarithm slopes are 1e4, and their differences as large as what is held against them
    g.case("audio_kaldi_fbank", fbank, [wave], gradient="use_log_fbank" not in keywords, **keywords)
g.case("audio_kaldi_fbank", kaldi.fbank, [100 * randn(1, 600)], gradient=False, num_mel_bins=20)
g.write()
