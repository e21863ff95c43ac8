"""PyTorch's pixel_shuffle and pixel_unshuffle."""

import torch.nn.functional as F
import torch
from golden import DTYPES, Golden, numbers, randn

g = Golden("pixel_shuffle", seed=32)
for dtype in DTYPES:
    g.case("pixel_shuffle", F.pixel_shuffle, [numbers(2, 8, 2, 3, dtype=dtype)], upscale_factor=2)
    g.case("pixel_unshuffle", F.pixel_unshuffle, [numbers(2, 2, 4, 6, dtype=dtype)], downscale_factor=2)
for shape in ((9, 3, 2), (0, 9, 3, 2), (2, 0, 3, 2), (1, 9, 0, 2), (1, 2, 1, 2, 9, 3, 2), (9, 1, 1), (9, 3), (4, 3, 2)):
    g.case("pixel_shuffle", F.pixel_shuffle, [randn(*shape, dtype=torch.float64)], upscale_factor=3)
# not of nothing: PyTorch gives it back in its own shape
for shape in ((2, 3, 6), (1, 2, 1, 2, 2, 3, 6), (2, 3, 3), (9, 3), (2, 3, 4), (2, 4, 3)):
    g.case("pixel_unshuffle", F.pixel_unshuffle, [randn(*shape, dtype=torch.float64)], downscale_factor=3)
for factor in (1, 0, -1):
    g.case("pixel_shuffle", F.pixel_shuffle, [randn(2, 3, 2)], upscale_factor=factor)
    g.case("pixel_unshuffle", F.pixel_unshuffle, [randn(2, 3, 2)], downscale_factor=factor)
g.write()
