"""PyTorch's torch.nn.functional.unfold, here im2col, and fold."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

g = Golden("im2col", seed=34)
f64 = torch.float64
x = (2, 2, 4, 5)
VARIANTS = (dict(kernel_size=2), dict(kernel_size=(3, 2), padding=1), dict(kernel_size=2, dilation=2, stride=(1, 2)), dict(kernel_size=3, padding=(2, 1), dilation=(1, 2), stride=(3, 2)),
            dict(kernel_size=1), dict(kernel_size=(4, 5)))


def fold(x, kernel_size, dilation=1, padding=0, stride=1, output_size=(4, 5)):
    return F.fold(x, output_size, kernel_size, dilation, padding, stride)


for keywords in VARIANTS:
    columns = F.unfold(torch.ones(x), **keywords).shape
    for dtype in (torch.float32, f64):
        g.case("im2col", F.unfold, [randn(*x, dtype=dtype)], **keywords)
        g.case("fold", fold, [randn(*columns, dtype=dtype)], **keywords)
    for dtype in FLOATS[:2]:
        g.case("im2col", F.unfold, [numbers(*x[1:], dtype=dtype)], **keywords)
        g.case("fold", fold, [numbers(*columns[1:], dtype=dtype)], **keywords)
for shape in ((0, 2, 4, 5), (2, 0, 4, 5), (2, 2, 0, 5), (4, 5), (2, 2, 1, 5), (0, 4, 5)):
    g.case("im2col", F.unfold, [randn(*shape)], kernel_size=2)
for shape in ((0, 8, 12), (2, 0, 12), (2, 8, 0), (8,), (2, 7, 12), (2, 8, 11), (0, 12)):
    g.case("fold", fold, [randn(*shape)], kernel_size=2)
for wrong in (dict(kernel_size=0), dict(kernel_size=2, dilation=0), dict(kernel_size=2, stride=0), dict(kernel_size=2, padding=-1), dict(kernel_size=(2, 2, 2)), dict(kernel_size=6)):
    g.case("im2col", F.unfold, [randn(*x)], **wrong)
    g.case("fold", fold, [randn(2, 8, 12)], **wrong)
g.case("fold", fold, [randn(2, 8, 12)], kernel_size=2, output_size=(5, 4, 1))
g.write()
