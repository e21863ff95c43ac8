"""The twin of katas/vivit.h, seeded and trained here as tests/test_twin_video.c does it in wick, line for line: a video
transformer with tubelet embedding, on dummy films.

    python twin_video.py

    vivit/state/KEY     of the initial weights: the sum of each tensor and of its squares, in float64
    vivit/losses        the first 20 losses
    vivit/what, where   both answers to the first films, before the training
"""

import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_file
from transformer import Block

torch.set_num_threads(1)
answers = {}


class ViViT(nn.Module):
    def __init__(self, frames, image, channels, tube, patch, dim, depth, heads, classes, directions):
        super().__init__()
        tubelet = (tube, patch, patch)
        self.tubelet_embed = nn.Conv3d(channels, dim, tubelet, stride=tubelet)
        self.pos_embed = nn.Parameter(torch.randn(1, frames // tube * (image // patch) ** 2, dim) * 0.02)
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.class_head = nn.Linear(dim, classes)
        self.direction_head = nn.Linear(dim, directions)

    def forward(self, x):  # (B, C, T, H, W)
        x = self.tubelet_embed(x).flatten(2).transpose(1, 2)  # (B, N, D)
        x = self.blocks(x + self.pos_embed)  # (B, N, D)
        x = self.norm(x).mean(1)  # (B, D)
        return self.class_head(x), self.direction_head(x)


torch.manual_seed(60)
model = ViViT(frames=4, image=16, channels=3, tube=2, patch=8, dim=32, depth=2, heads=2, classes=10, directions=8)
for key, value in model.state_dict().items():
    value = value.double()
    answers[f"vivit/state/{key}"] = torch.stack((value.sum(), (value * value).sum()))
x = torch.rand(6, 3, 4, 16, 16)
what_is, where_is = torch.randint(0, 10, (6,)), torch.randint(0, 8, (6,))
with torch.no_grad():
    answers["vivit/what"], answers["vivit/where"] = model(x)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
losses = []
for step in range(20):
    what, where = model(x)
    loss = F.cross_entropy(what, what_is) + F.cross_entropy(where, where_is)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
answers["vivit/losses"] = torch.tensor(losses, dtype=torch.float64)
print([round(loss, 4) for loss in losses])
save_file(answers, pathlib.Path(__file__).with_name("twin_video.safetensors"))
