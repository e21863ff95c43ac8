"""PyTorch's answers for blocks that models write themselves, as nn_blocks.safetensors."""

import torch
import torch.nn.functional as F
from torch import nn

from blocks import timestep_embedding
from layers import answers, draw, layer, save


class Block(nn.Module):
    def __init__(self, forward, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.function = forward

    def forward(self, x):
        return self.function(self, x)


layer("mlp", lambda: Block(lambda s, x: s.fc2(F.gelu(s.fc1(x))), fc1=nn.Linear(4, 8), fc2=nn.Linear(8, 4)), draw(2, 3, 4))
layer("swiglu", lambda: Block(lambda s, x: s.w2(F.silu(s.w1(x)) * s.w3(x)), w1=nn.Linear(4, 8, bias=False),
                              w2=nn.Linear(8, 4, bias=False), w3=nn.Linear(4, 8, bias=False)), draw(2, 3, 4))


def geglu(self, x):
    a, b = self.proj(x).chunk(2, dim=-1)
    return a * F.gelu(b)


layer("geglu", lambda: Block(geglu, proj=nn.Linear(4, 10)), draw(2, 3, 4))
layer("layer_scale", lambda: Block(lambda s, x: x * s.gamma, gamma=nn.Parameter(1e-5 * torch.ones(4))), draw(2, 3, 4))
layer("patch_embed", lambda: Block(lambda s, x: s.proj(x).flatten(2).transpose(1, 2), proj=nn.Conv2d(3, 5, (2, 4), (2, 4))),
      draw(2, 3, 4, 8))
layer("timestep_embedder", lambda: Block(lambda s, t: s.mlp(timestep_embedding(t, 6)),
                                         mlp=nn.Sequential(nn.Linear(6, 4), nn.SiLU(), nn.Linear(4, 4))),
      torch.tensor([0, 7, 500]))
layer("drop_path", lambda: Block(lambda s, x: x * x.new_empty(6, 1, 1).bernoulli_(0.75) / 0.75), draw(6, 2, 3))

grid = torch.stack(torch.meshgrid(torch.arange(3.0), torch.arange(3.0), indexing="xy")).double().reshape(2, -1)
rates = 1.0 / 10000 ** (torch.arange(2, dtype=torch.float64) / 2)
angles = [axis[:, None] * rates for axis in grid]
answers["sincos"] = torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], dim=1).float()
save("nn_blocks")
