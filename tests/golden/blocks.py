"""What models write themselves, by PyTorch's ops: modulate, unpatchify, timestep_embedding; drop_path where nothing is drawn."""

import math

import torch
from golden import Golden, randn

g = Golden("blocks", seed=41)


def modulate(x, shift, scale):
    return x * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1)


def unpatchify(x, p, h, w):
    x = x.reshape(x.shape[0], h, w, p, p, -1)
    return torch.einsum("nhwpqc->nchpwq", x).reshape(x.shape[0], -1, h * p, w * p)


def timestep_embedding(t, dim, max_period=10000.0, flip=False):
    rates = torch.exp(-math.log(max_period) * torch.arange(dim // 2, dtype=torch.float32) / (dim // 2))
    angles = t[:, None].float() * rates
    parts = [angles.cos(), angles.sin()]
    y = torch.cat(parts[::-1] if flip else parts, dim=-1)
    return torch.cat([y, torch.zeros_like(y[:, :1])], dim=-1) if dim % 2 else y


for dtype in (torch.float32, torch.float64):
    g.case("modulate", modulate, [randn(2, 3, 4, dtype=dtype), randn(2, 4, dtype=dtype), randn(2, 4, dtype=dtype)])
    g.case("unpatchify", unpatchify, [randn(2, 6, 12, dtype=dtype)], p=2, h=2, w=3)
t = torch.tensor([0.0, 1.0, 20.5])
for dim in (2, 6, 7):
    g.case("timestep_embedding", timestep_embedding, [t], dim=dim, smooth=False)
    g.case("timestep_embedding", timestep_embedding, [t], dim=dim, max_period=100.0, flip=True, smooth=False)
g.case("timestep_embedding", timestep_embedding, [torch.tensor([0, 3, 999])], dim=8)
for p in (0.0, 1.0):
    g.case("drop_path", lambda x, p: x * (1.0 if p == 0 else 0.0), [randn(2, 3)], p=p)
for h, w in ((0, 3), (2, 0)):
    g.case("unpatchify", lambda x, p, h, w: torch.zeros(2, 3, h * p, w * p), [randn(2, 0, 12)], p=2, h=h, w=w)
g.write()
