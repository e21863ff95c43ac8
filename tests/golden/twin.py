"""The twin: a small vision transformer and an MLP, seeded and trained, as tests/test_twin.c does it in wick, line for line.

    vit/state/KEY, mlp/state/KEY      the initial weights
    vit/images, vit/labels ...        the data, drawn after the model
    vit/losses, mlp/losses            the first 20 losses under AdamW
"""

import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_file

torch.set_num_threads(1)
answers = {}


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.heads = heads

    def forward(self, x):
        B, L, D = x.shape
        H = self.heads
        q, k, v = self.qkv(x).reshape(B, L, 3, H, D // H).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, size=8, patch=4, channels=1, dim=16, depth=2, heads=2, classes=10):
        super().__init__()
        self.patch_embed = nn.Conv2d(channels, dim, patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, dim) * 0.02)
        self.blocks = nn.ModuleList([Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), dim=1) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def train(name, model, x, y, lr):
    for key, value in model.state_dict().items():
        answers[f"{name}/state/{key}"] = value.clone()
    answers[f"{name}/images"], answers[f"{name}/labels"] = x, y
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    losses = []
    for step in range(20):
        loss = F.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.detach())
    answers[f"{name}/losses"] = torch.stack(losses)
    print(name, [round(float(loss), 4) for loss in losses])


torch.manual_seed(42)
vit = ViT()
train("vit", vit, torch.randn(32, 1, 8, 8), torch.randint(0, 10, (32,)), lr=3e-3)

torch.manual_seed(43)
mlp = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
train("mlp", mlp, torch.rand(32, 1, 8, 8), torch.randint(0, 10, (32,)), lr=1e-2)

save_file(answers, pathlib.Path(__file__).with_name("twin.safetensors"))
