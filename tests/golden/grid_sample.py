"""PyTorch's grid_sample."""

import math
import warnings

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

warnings.filterwarnings("ignore")
g = Golden("grid_sample", seed=35)
f64 = torch.float64


def grid_of(*shape, dtype=torch.float32, reach=1.7):
    """coordinates inside and outside, off the corners where finite differences do not hold"""
    return ((torch.rand(*shape, dtype=f64) * 2 - 1) * reach).to(dtype)


for padding in ("zeros", "border", "reflection"):
    for corners in (False, True):
        keywords = dict(padding_mode=padding, align_corners=corners)
        for mode in ("bilinear", "nearest", "bicubic"):
            for dtype in (torch.float32, f64):
                g.case("grid_sample", F.grid_sample, [randn(1, 2, 3, 4, dtype=dtype), grid_of(1, 2, 5, 2, dtype=dtype)], mode=mode, **keywords)
            g.case("grid_sample", F.grid_sample, [randn(2, 1, 4, 1), grid_of(2, 7, 5, 2, reach=4)], mode=mode, **keywords)
        for mode in ("bilinear", "nearest"):
            for dtype in (torch.float32, f64):
                g.case("grid_sample", F.grid_sample, [randn(1, 2, 3, 4, 2, dtype=dtype), grid_of(1, 2, 2, 3, 3, dtype=dtype)], mode=mode, **keywords)
        x = randn(1, 1, 3, 4)
        most = 30.3 if padding == "reflection" else 1e30  # there PyTorch's vectors lose count
        far = torch.tensor([math.nan, 0, math.inf, 0, -math.inf, 0.3, most, 0, 0, math.nan]).reshape(1, 1, 5, 2)
        for mode in ("bilinear", "nearest"):
            g.case("grid_sample", F.grid_sample, [x, far], gradient=False, mode=mode, **keywords)
        x = randn(1, 1, 3, 4)
        x.view(-1)[::5] = math.nan
        x.view(-1)[1::5] = math.inf
        g.case("grid_sample", F.grid_sample, [x, grid_of(1, 3, 5, 2)], gradient=False, mode="bilinear", **keywords)
        exact = torch.tensor([0.25, -0.5, 0.75, 1, -0.75, -0.25, 0, 0.5]).reshape(1, 2, 2, 2)
        for dtype in FLOATS[:2]:
            g.case("grid_sample", F.grid_sample, [numbers(1, 2, 4, 4, dtype=dtype), exact.to(dtype)], gradient=False, mode="bilinear", padding_mode=padding)
g.case("grid_sample", F.grid_sample, [randn(1, 70, 3, 4), grid_of(1, 9, 8, 2)])
for x, grid in (((0, 2, 3, 4), (0, 2, 2, 2)), ((1, 0, 3, 4), (1, 2, 2, 2)), ((1, 2, 0, 4), (1, 2, 2, 2)), ((1, 2, 3, 4), (1, 0, 2, 2)), ((2, 2, 3, 4), (1, 2, 2, 2)), ((2, 3, 4), (1, 2, 2, 2)),
                ((1, 2, 3, 4), (1, 2, 2, 3)), ((1, 2, 3, 4), (1, 2, 2, 2, 2))):
    g.case("grid_sample", F.grid_sample, [randn(*x), grid_of(*grid)])
g.case("grid_sample", F.grid_sample, [randn(1, 2, 3, 4), grid_of(1, 2, 2, 2, dtype=f64)])
g.case("grid_sample", F.grid_sample, [randn(1, 2, 3, 4), grid_of(1, 2, 2, 2)], mode="cubic")
g.case("grid_sample", F.grid_sample, [randn(1, 2, 3, 4), grid_of(1, 2, 2, 2)], padding_mode="wrap")
g.write()
