"""PyTorch's interpolate."""

import math

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

g = Golden("interpolate", seed=33)
f64 = torch.float64


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False, tenths=None):
    """tenths: scale_factor of each dim, times ten"""
    factors = [t / 10 for t in tenths] if tenths else scale_factor
    return F.interpolate(x, size, factors, mode, align_corners, recompute_scale_factor, antialias)


def case(x, **keywords):
    g.case("interpolate", interpolate, [x], **keywords)


SIZES = {1: (7,), 2: (4, 5), 3: (4, 5, 4)}
TO = {1: [(14,), (3,), (7,), (1,), (10,)], 2: [(8, 10), (2, 7), (4, 9), (1, 1), (3, 3)], 3: [(6, 4, 8), (2, 3, 3), (3, 5, 4), (1, 1, 1)]}
MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,), "area": (1, 2, 3)}
for mode, where in MODES.items():
    smooth = mode not in ("nearest", "nearest-exact", "area")
    for dims in where:
        N = 2 if dims == 1 else 1
        for corners in ((None, True) if smooth else (None,)):
            for size in TO[dims]:
                case(randn(N, 2, *SIZES[dims], dtype=f64), size=size if dims > 1 else size[0], mode=mode, align_corners=corners)
            for factor in (2.0, 1.3, 0.6):
                case(randn(N, 2, *SIZES[dims]), scale_factor=factor, mode=mode, align_corners=corners)
                case(randn(N, 1, *SIZES[dims]), scale_factor=factor, mode=mode, align_corners=corners, recompute_scale_factor=True)
        case(randn(N, 2, *SIZES[dims]), tenths=[20, 7, 16][:dims], mode=mode)
        for dtype in FLOATS[:2]:  # PyTorch rounds weights to halves: those that are halves
            case(numbers(1, 2, *SIZES[dims], dtype=dtype), scale_factor=2.0, mode=mode)
        case(randn(0, 2, *SIZES[dims]), scale_factor=2.0, mode=mode)
        case(randn(2, 0, *SIZES[dims]), scale_factor=2.0, mode=mode)
        case(randn(1, 2, *SIZES[dims][1:], 0), scale_factor=2.0, mode=mode)
        if mode not in ("nearest", "bicubic"):  # where PyTorch's gradient goes by the sizes alone, its result not always
            case(randn(1, 2, *[2] * dims), scale_factor=1.3, mode=mode)  # as large as before
        case(randn(1, 1, *[1] * dims), scale_factor=3.0, mode=mode)
        x = randn(1, 1, *SIZES[dims])
        x.view(-1)[3] = math.nan
        x.view(-1)[5] = math.inf
        case(x, size=9, mode=mode)
for mode in ("bilinear", "bicubic"):
    for corners in (None, True):
        for size in ((2, 2), (9, 11), (3, 9), (4, 5), (1, 1)):
            case(randn(1, 2, 4, 5, dtype=f64), size=size, mode=mode, align_corners=corners, antialias=True)
            case(randn(1, 1, 13, 17), size=size, mode=mode, align_corners=corners, antialias=True)
        case(randn(1, 1, 12, 15), scale_factor=0.3, mode=mode, align_corners=corners, antialias=True)
    for antialias in (False, True):
        for corners in (None, True):
            for size in ((2, 2), (9, 11), (5, 17), (13, 7), (13, 17)):
                case(torch.randint(0, 256, (1, 3, 13, 17), dtype=torch.uint8), size=size, mode=mode, align_corners=corners, antialias=antialias)
            case(torch.randint(0, 256, (1, 3, 12, 15), dtype=torch.uint8), scale_factor=0.3, mode=mode, align_corners=corners, antialias=antialias)
        case(torch.randint(0, 2, (1, 5, 8, 9), dtype=torch.uint8) * 255, size=(19, 21), mode=mode, antialias=antialias)
for mode in ("nearest", "nearest-exact"):
    for dims in (1, 2, 3):
        case(torch.randint(0, 256, (1, 3, *SIZES[dims]), dtype=torch.uint8), scale_factor=1.7, mode=mode)
        case(torch.randint(0, 256, (1, 3, *SIZES[dims]), dtype=torch.uint8), size=3, mode=mode)
    for size in range(1, 40, 3):
        case(torch.arange(29.0).reshape(1, 1, 29), size=size, mode=mode)
        case(torch.arange(29.0).reshape(1, 1, 29), scale_factor=size / 29 + 0.01, mode=mode)

# wider than a band
g.case("interpolate", interpolate, [randn(1, 1, 3, 40)], size=(130, 70), mode="bilinear", gradient=False)
case(randn(1, 1, 130, 70), size=(4, 3), mode="bicubic", antialias=True)

x = randn(1, 2, 4, 5)
for wrong in (dict(), dict(size=3, scale_factor=2.0), dict(size=3, mode="linear"), dict(size=3, mode="cubic"), dict(size=(1, 2, 3)), dict(size=0), dict(scale_factor=0.1),
              dict(size=3, align_corners=True), dict(size=3, antialias=True), dict(size=3, recompute_scale_factor=True), dict(scale_factor=-1.0)):
    case(x, **wrong)
case(x[0, 0], size=3)
g.write()
