"""Two small films, made by the program ffmpeg, and what PyAV and torchvision find in them; for tests/test_video.c.

    python video.py

video_turned.mp4    H.264 with B frames and a key frame every six, colours of BT.709, to be turned by a quarter
video_packed.avi    MPEG-4, whose packets say only when they are decoded
video_uneven.mkv    VP9, frames shown for different times

NAME/frames         uint8 (T, H, W, 3), NAME/times float64 (T,), NAME/fps
NAME/BEGIN-END      which frames torchvision.io.read_video gives with pts_unit="sec", as indices of all (int64)
clip/...            clips of the first: torchvision's resize, center_crop and normalize of the frames chosen
"""

import math
import pathlib
import subprocess

import av
import numpy as np
import torch
from torchvision.transforms.v2 import functional as F

from safetensors_file import save_file

HERE = pathlib.Path(__file__).parent
answers = {}


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", "-fflags", "+bitexact", *words], cwd=HERE, check=True)


def make():
    source = ["-f", "lavfi", "-i", "testsrc2=size=28x16:rate=10:duration=1.4"]
    exact = ["-flags", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1"]
    turned = HERE / "turned.mp4"
    ffmpeg(*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "6", "-crf", "30", "-colorspace", "bt709",
           "-color_primaries", "bt709", "-color_trc", "bt709", *exact, turned.name)
    ffmpeg("-i", turned.name, "-c", "copy", "-metadata:s:v", "rotate=270", *exact, "video_turned.mp4")
    turned.unlink()
    ffmpeg(*source, "-c:v", "mpeg4", "-bf", "2", "-g", "5", "-q:v", "12", *exact, "video_packed.avi")
    ffmpeg(*source, "-vf", "select='lt(n,3)+not(mod(n,4))'", "-vsync", "vfr", "-c:v", "libvpx-vp9", "-crf", "50",
           "-b:v", "0", *exact, "video_uneven.mkv")


def read_video(path, start, end):
    """torchvision.io.read_video(path, start, end, pts_unit="sec") as PyAV's backend does it; newer versions lack it"""
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        first = int(math.floor(start * (1 / stream.time_base)))
        last = int(math.ceil(end * (1 / stream.time_base))) if end != float("inf") else end
        container.seek(max(first - 1 - 5, 0), any_frame=False, backward=True, stream=stream)
        frames, after = {}, 0
        for frame in container.decode(video=0):
            frames[frame.pts] = frame
            if frame.pts >= last:
                if after == 5:
                    break
                after += 1
        result = [frames[i] for i in sorted(frames) if first <= i <= last]
        if frames and first > 0 and first not in frames:
            before = [i for i in frames if i < first]
            if before:
                result.insert(0, frames[max(before)])
        times = [float(frame.pts * stream.time_base) for frame in result]
        return [frame.to_rgb().to_ndarray() for frame in result], times, float(stream.average_rate)


def ask(name):
    path = next(HERE.glob(f"video_{name}.*"))
    frames, times, fps = read_video(path, 0, float("inf"))
    answers[f"{name}/frames"] = torch.from_numpy(np.stack(frames))
    answers[f"{name}/times"] = torch.tensor(times, dtype=torch.float64)
    answers[f"{name}/fps"] = torch.tensor(fps, dtype=torch.float64)
    for begin, end in ((0.3, 0.7), (0.35, 0.75), (0.61, 0.62), (0.9, 9), (0, 0), (5, 6)):
        part, part_times, _ = read_video(path, begin, end)
        indices = [times.index(time) for time in part_times]
        assert all((frames[i] == frame).all() for i, frame in zip(indices, part))
        answers[f"{name}/{begin:g}-{end:g}"] = torch.tensor(indices, dtype=torch.int64)
    print(name, answers[f"{name}/frames"].shape, times, fps)


def turn(frames):
    """upright, as the program ffmpeg shows them"""
    x = frames.permute(0, 3, 1, 2).rot90(-1, (2, 3))
    raw = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", "video_turned.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24",
                          "-"], cwd=HERE, check=True, capture_output=True).stdout
    shown = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(len(x), 28, 16, 3)
    assert (shown.permute(0, 3, 1, 2).float() - x[: len(shown)].float()).abs().mean() < 5
    return x


def clip(name, indices, size, crop):
    x = upright[indices]
    x = F.center_crop(F.resize(x, size, antialias=True), crop)
    x = F.normalize(x.float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    answers[f"clip/{name}"] = x.permute(1, 0, 2, 3)


make()
for name in ("turned", "packed", "uneven"):
    ask(name)
upright = turn(answers["turned/frames"])
count = len(upright)
clip("even", torch.linspace(0, count - 1, 5).long(), [10], [10, 10])
clip("larger", torch.tensor([5, 7, 9, 11, 13, 13]), [20], [20, 20])
answers["subsample"] = torch.stack([torch.linspace(0, 6, n).long()[-3:] for n in (3, 4, 5, 7, 11)])
save_file(answers, HERE / "video.safetensors")
