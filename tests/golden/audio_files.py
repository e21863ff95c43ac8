"""Sound files that others wrote, and their samples: libsndfile (by soundfile) and FFmpeg.
    python tests/golden/audio_files.py
Writes audio_*.{wav,flac,ogg,mp3,aiff} and audio_files.safetensors beside itself."""

import pathlib
import subprocess

import numpy
import soundfile
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
numpy.random.seed(92)
t = numpy.arange(301)
x = 0.5 * numpy.stack([numpy.sin(0.11 * t), numpy.cos(0.07 * t)], 1) + 0.3 * numpy.random.rand(301, 2)
x[:4] = [[1.0, -1.0], [0.25, 0.99999], [-0.5, 0.0], [2.0**-15, -(2.0**-24)]]
samples = {}


def write(name, subtype, rate=8000, data=x, **more):
    soundfile.write(here / name, data, rate, subtype=subtype, **more)


for name, subtype in dict(u8="PCM_U8", s16="PCM_16", s24="PCM_24", s32="PCM_32", f32="FLOAT", f64="DOUBLE", ulaw="ULAW",
                          alaw="ALAW").items():
    write(f"audio_{name}.wav", subtype)
write("audio_s16.flac", "PCM_16", 44100)
write("audio_s24.flac", "PCM_24", 44100)
write("audio_s16.aiff", "PCM_16", 22050)
write("audio_mono.ogg", "VORBIS", 16000, x[:, :1])
ffmpeg = ["ffmpeg", "-loglevel", "error", "-y", "-bitexact", "-i"]
for name, options in (("audio_ffmpeg.wav", ["-c:a", "pcm_s24le"]), ("audio_ffmpeg.flac", ["-c:a", "flac"]),
                      ("audio_ffmpeg.mp3", ["-c:a", "libmp3lame", "-b:a", "32k"])):
    subprocess.run(ffmpeg + [str(here / "audio_s16.wav")] + options + [str(here / name)], check=True)
for path in sorted(here.glob("audio_*.*")):
    if path.suffix in (".wav", ".flac", ".aiff", ".ogg", ".mp3"):
        data, rate = soundfile.read(path, dtype="float32", always_2d=True)
        samples[path.name] = torch.from_numpy(data.T.copy())
        samples[path.name + ".rate"] = torch.tensor(rate)
save_file(samples, here / "audio_files.safetensors")
