"""Twins of the models of sound, as tests/test_twin_audio.c has them in wick, line for line: a codec of waveforms
(katas/codec.h) and a transformer of spectrograms (katas/vit.h over torchaudio's).

    NAME/state/KEY      of the initial weights: the sum of each tensor and of its squares, in float64
    NAME/losses         the first 20 losses
    codec/ears/0/KEY    the tables of the mel spectrograms in its loss: their last bits would make other codes
    codec/codes         what the trained codec makes of its data
"""

import pathlib

import torch

torch.version.cuda = None  # torchaudio refuses a PyTorch built for another CUDA; on the CPU it does not matter

import torch.nn.functional as F
import torchaudio.transforms as T
from torch import nn

from safetensors_file import save_file
from transformer import Block

torch.set_num_threads(1)
answers = {}


def begin(name, model):
    for key, value in model.state_dict().items():
        value = value.double()
        answers[f"{name}/state/{key}"] = torch.stack((value.sum(), (value * value).sum()))


def end(name, losses):
    answers[f"{name}/losses"] = torch.tensor(losses, dtype=torch.float64)
    print(name, [round(loss, 4) for loss in losses])


# ---------------------------------------------------------------- a codec of waveforms


class Unit(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, channels, 3, padding=3, dilation=3)
        self.conv2 = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        return x + self.conv2(F.elu(self.conv1(F.elu(x))))


class Codec(nn.Module):
    def __init__(self, width, dim, books, codes, strides):
        super().__init__()
        layers, channels = [nn.Conv1d(1, width, 7, padding=3)], width
        for s in strides:
            layers += [Unit(channels), nn.Conv1d(channels, 2 * channels, 2 * s, stride=s, padding=s // 2)]
            channels *= 2
        self.encoder = nn.Sequential(*layers, nn.Conv1d(channels, dim, 3, padding=1))
        self.codebooks = nn.Parameter(torch.randn(books, codes, dim) * 0.1)
        layers = [nn.Conv1d(dim, channels, 7, padding=3)]
        for s in reversed(strides):
            layers += [nn.ConvTranspose1d(channels, channels // 2, 2 * s, stride=s, padding=s // 2), Unit(channels // 2)]
            channels //= 2
        self.decoder = nn.Sequential(*layers, nn.Conv1d(channels, 1, 7, padding=3))

    def quantize(self, frames):
        left, sum, codes, lost = frames, 0, [], 0
        for book in self.codebooks:
            with torch.no_grad():
                code = ((book**2).sum(1) - 2 * left @ book.T).argmin(1)
            entry = F.embedding(code, book)
            lost = lost + F.mse_loss(entry, left.detach()) + 0.25 * F.mse_loss(left, entry.detach())
            left = left - entry.detach()
            sum = sum + entry
            codes.append(code)
        return frames + (sum - frames).detach(), torch.stack(codes, 1), lost

    def forward(self, x):
        frames = self.encoder(x).transpose(1, 2).flatten(0, 1)
        frames, codes, lost = self.quantize(frames)
        return self.decoder(frames.view(len(x), -1, frames.shape[1]).transpose(1, 2)), codes, lost

    def refresh(self, x, all):
        with torch.no_grad():
            left = self.encoder(x).transpose(1, 2).flatten(0, 1)
            for book in self.codebooks:
                code = ((book**2).sum(1) - 2 * left @ book.T).argmin(1)
                uses = F.one_hot(code, len(book)).sum(0)
                drawn = left[torch.randint(0, len(left), (len(book),))]
                book.copy_(torch.where((torch.ones_like(uses, dtype=torch.bool) if all else uses == 0)[:, None], drawn, book))
                left = left - book[((book**2).sum(1) - 2 * left @ book.T).argmin(1)]


def codec():
    torch.manual_seed(60)
    model = Codec(4, 8, 2, 16, (2, 4, 4))
    begin("codec", model)
    x = torch.randn(2, 1, 512).cumsum(2) * 0.05
    model.double()  # so that no frame lies between two entries for one and not for the other
    x = x.double()
    ears = [T.MelSpectrogram(8000, 128, hop_length=32, n_mels=10, power=1.0),
            T.MelSpectrogram(8000, 256, hop_length=64, n_mels=20, power=1.0)]
    for i, ear in enumerate(ears):
        answers.update({f"codec/ears/{i}/{key}": value.clone() for key, value in ear.state_dict().items()})
        ear.double()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    model.refresh(x, True)
    losses = []
    for step in range(20):
        if step == 10:
            model.refresh(x, False)
        y, codes, lost = model(x)
        loss = F.l1_loss(y, x) * 20
        for ear in ears:
            loss = loss + F.l1_loss(torch.log10(ear(y) + 1e-4), torch.log10(ear(x) + 1e-4))
        opt.zero_grad()
        (loss + lost).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        answers["codec/codes"] = model(x)[1]
    end("codec", losses)


# ---------------------------------------------------------------- a transformer of spectrograms


class AST(nn.Module):
    def __init__(self, frequencies, frames, patch, dim, depth, heads, classes):
        super().__init__()
        self.patch_embed = nn.Conv2d(1, dim, patch, stride=patch)
        self.pos_embed = nn.Parameter(torch.randn(1, frequencies // patch * (frames // patch), dim) * 0.02)
        self.blocks = nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2) + self.pos_embed
        return self.head(self.norm(self.blocks(x)).mean(1))


def ast():
    torch.manual_seed(61)
    model = AST(16, 24, 8, 16, 2, 2, 10)
    begin("ast", model)
    waves, y = torch.randn(6, 1, 1600), torch.randint(0, 10, (6,))
    mel, decibels = T.MelSpectrogram(8000, 256, hop_length=64, n_mels=16, f_min=50.0), T.AmplitudeToDB(top_db=60.0)
    hide = [T.FrequencyMasking(4, iid_masks=True), T.TimeMasking(6, iid_masks=True)]
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    losses = []
    for step in range(20):
        x = decibels(mel(waves))[..., :24]
        x = (x - x.mean((2, 3), keepdim=True)) / 15
        x = hide[1](hide[0](x))
        loss = F.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    end("ast", losses)


codec()
ast()
save_file(answers, pathlib.Path(__file__).parent / "twins_audio.safetensors")
