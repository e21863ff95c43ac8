"""PyTorch's convolutions."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

g = Golden("convolution", seed=12)
f64 = torch.float64


def conv2d(x, weight, bias, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def conv1d(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return F.conv1d(x, weight, bias, stride, padding, dilation, groups)


for dtype in (torch.float32, f64):
    for keywords in ({}, dict(stride=(2, 1)), dict(padding=(1, 2)), dict(dilation=(2, 1), padding=(2, 0)),
                     dict(stride=(2, 3), padding=(1, 0)), dict(padding="same"), dict(padding="valid"),
                     dict(padding="same", dilation=(1, 2))):
        g.case("conv2d", conv2d, [randn(2, 3, 6, 5, dtype=dtype), randn(4, 3, 3, 2, dtype=dtype), randn(4, dtype=dtype)], **keywords)
    g.case("conv2d", conv2d, [randn(2, 4, 5, 5, dtype=dtype), randn(6, 2, 3, 3, dtype=dtype), randn(6, dtype=dtype)], groups=2, padding=(1, 1))
    g.case("conv2d", conv2d, [randn(1, 3, 4, 4, dtype=dtype), randn(3, 1, 3, 3, dtype=dtype), None], groups=3)
    g.case("conv2d", conv2d, [randn(2, 3, 4, 4, dtype=dtype), randn(5, 3, 1, 1, dtype=dtype), randn(5, dtype=dtype)])
    g.case("conv2d", conv2d, [randn(3, 5, 5, dtype=dtype), randn(2, 3, 2, 2, dtype=dtype), randn(2, dtype=dtype)])
g.case("conv2d", conv2d, [randn(5, 1, 8, 8), randn(6, 1, 4, 4), randn(6)], stride=(4, 4))
g.case("conv2d", conv2d, [numbers(2, 3, 5, 5), numbers(2, 3, 3, 3), numbers(2)], dtypes=FLOATS)
g.case("conv2d", conv2d, [randn(0, 3, 5, 5), randn(2, 3, 3, 3), randn(2)])
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(0, 3, 3, 3), None])
g.case("conv2d", conv2d, [randn(2, 3, 2, 5), randn(2, 3, 3, 3), None])
g.case("conv2d", conv2d, [randn(2, 4, 5, 5), randn(2, 3, 3, 3), None])
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3), randn(3)])
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3), None])
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3), None], stride=(2, 2), padding="same")
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3), None], stride=(0, 1))
g.case("conv2d", conv2d, [randn(2, 4, 5, 5), randn(3, 2, 3, 3), None], groups=2)
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3, dtype=f64), None])

for dtype in (torch.float32, f64):
    for keywords in ({}, dict(stride=2), dict(padding=1), dict(dilation=2), dict(padding="same")):
        g.case("conv1d", conv1d, [randn(2, 3, 7, dtype=dtype), randn(4, 3, 2, dtype=dtype), randn(4, dtype=dtype)], **keywords)
g.case("conv1d", conv1d, [randn(3, 7), randn(4, 3, 3), None])
g.case("conv1d", conv1d, [randn(2, 4, 7), randn(4, 2, 3), randn(4)], groups=2)
g.case("conv1d", conv1d, [randn(2, 3, 2), randn(4, 3, 3), None])


def conv3d(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return F.conv3d(x, weight, bias, stride, padding, dilation, groups)


def transposed(function):
    def call(x, weight, bias, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return function(x, weight, bias, stride, padding, output_padding, groups, dilation)
    return call


for dtype in (torch.float32, f64):
    for keywords in ({}, dict(stride=(2, 1, 2), padding=(0, 1, 1)), dict(dilation=(1, 2, 1), padding=1), dict(padding="same")):
        g.case("conv3d", conv3d, [randn(2, 2, 4, 5, 3, dtype=dtype), randn(3, 2, 2, 1, 3, dtype=dtype), randn(3, dtype=dtype)], **keywords)
    g.case("conv3d", conv3d, [randn(1, 4, 3, 3, 4, dtype=dtype), randn(2, 2, 2, 2, 2, dtype=dtype), None], groups=2)
g.case("conv3d", conv3d, [randn(3, 3, 4, 4), randn(2, 3, 1, 1, 1), randn(2)])
g.case("conv3d", conv3d, [numbers(1, 2, 3, 3, 3), numbers(2, 2, 2, 2, 2), numbers(2)], dtypes=FLOATS)
g.case("conv3d", conv3d, [randn(0, 2, 4, 4, 4), randn(3, 2, 2, 2, 2), randn(3)])
g.case("conv3d", conv3d, [randn(2, 2, 4, 4, 1), randn(3, 2, 2, 2, 2), None])
g.case("conv3d", conv3d, [randn(2, 2, 4, 4), randn(3, 2, 2, 2), None])

# nothing to sum, nothing to compute; halves; options by count
g.case("conv2d", conv2d, [randn(2, 0, 4, 4), randn(3, 0, 2, 2), randn(3)])
g.case("conv2d", conv2d, [randn(0, 3, 0, 5), randn(2, 3, 3, 3), randn(2)], padding=(2, 2))
g.case("conv2d", conv2d, [randn(2, 3, 0, 5), randn(2, 3, 3, 3), randn(2)], padding=(2, 2))
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3), None], padding=(-1, 1))
g.case("conv2d", conv2d, [randn(2, 3, 5, 5), randn(2, 3, 3, 3), None], stride=(1, 2, 1))
g.case("conv2d", conv2d, [randn(3, 4, 6, 5), randn(6, 2, 3, 2), randn(6)], dtypes=FLOATS[:2], groups=2, stride=(2, 1), padding=(1, 1))
g.case("conv2d", conv2d, [randn(2, 4, 5, 5), randn(8, 1, 3, 3), randn(8)], dtypes=FLOATS[:2], groups=4, dilation=(2, 1))
g.case("conv1d", conv1d, [randn(2, 3, 9), randn(4, 3, 4), randn(4)], dtypes=FLOATS[:2], stride=2, padding=1)

for dims, f in ((1, F.conv_transpose1d), (2, F.conv_transpose2d), (3, F.conv_transpose3d)):
    op, f, first = f"conv_transpose{dims}d", transposed(f), [4, 3, 2]
    size, kernel = first[:dims], [3, 2, 2][:dims]
    N = 2 if dims < 3 else 1
    for dtype in (torch.float32, f64):
        for keywords in ({}, dict(stride=2, padding=1), dict(stride=[3, 2, 1][:dims], output_padding=[2, 1, 0][:dims]),
                         dict(dilation=2, padding=1, output_padding=1)):
            g.case(op, f, [randn(N, 3, *size, dtype=dtype), randn(3, 2, *kernel, dtype=dtype), randn(2, dtype=dtype)], **keywords)
        g.case(op, f, [randn(1, 4, *size, dtype=dtype), randn(4, 3, *kernel, dtype=dtype), None], groups=2, stride=2)
    g.case(op, f, [randn(3, *size), randn(3, 2, *kernel), randn(2)], stride=2)
    g.case(op, f, [randn(N, 3, *size), randn(3, 2, *[1] * dims), randn(2)])
    g.case(op, f, [numbers(N, 3, *size), numbers(3, 2, *kernel), numbers(2)], dtypes=FLOATS[:2], stride=2, padding=1)
    g.case(op, f, [randn(0, 3, *size), randn(3, 2, *kernel), randn(2)])
    g.case(op, f, [randn(2, 3, *[2] * dims), randn(3, 2, *[1] * dims), randn(2)], padding=1)  # nothing is left
    g.case(op, f, [randn(2, 3, *[1] * dims), randn(3, 2, *[1] * dims), None], padding=1)
    g.case(op, f, [randn(N, 3, *size), randn(3, 2, *kernel), None], stride=2, output_padding=2)
    g.case(op, f, [randn(N, 3, *size), randn(3, 2, *kernel), randn(3)])
    g.case(op, f, [randn(2, 4, *size), randn(3, 2, *kernel), None])
    g.case(op, f, [randn(N, 3, *size), randn(3, 2, *kernel), None], groups=2)
    g.case(op, f, [randn(N, 3, *size), randn(3, 2, *kernel), None], padding=-1)
g.write()
