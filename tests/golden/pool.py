"""PyTorch's pooling."""

import math

import torch
import torch.nn.functional as F
from golden import FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("pool", seed=31)
f64 = torch.float64
FIRST = [5, 4, 3]


def distinct(*shape, dtype=f64):
    """all values apart, so that finite differences meet no tie"""
    return (torch.randperm(math.prod(shape)).reshape(shape) / 7.0 - 3).to(dtype)


def max_pool(f, indices):
    def call(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        return f(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices=indices)
    return call


def avg_pool(f):
    def call(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        more = () if f is F.avg_pool1d else (divisor_override,)
        return f(x, kernel_size, stride, padding, ceil_mode, count_include_pad, *more)
    return call


for dims, f in ((1, F.max_pool1d), (2, F.max_pool2d), (3, F.max_pool3d)):
    op, size, each = f"max_pool{dims}d", FIRST[:dims], lambda numbers: numbers[0] if dims == 1 else numbers[:dims]
    both, values = max_pool(f, True), max_pool(f, False)
    for keywords in (dict(kernel_size=2), dict(kernel_size=3, stride=1, padding=1), dict(kernel_size=each([3, 2, 2]), stride=each([2, 1, 1])),
                     dict(kernel_size=2, stride=2, padding=1, ceil_mode=True), dict(kernel_size=2, stride=1, dilation=2)):
        g.case(op, both, [distinct(2 if dims < 3 else 1, 2, *size)], **keywords)
        g.case(op, values, [distinct(1, 2, *size, dtype=torch.float32)], **keywords)
    g.case(op, both, [numbers(2, *size)], dtypes=FLOATS[:3], kernel_size=2, stride=1)  # ties, without N
    for dtype in INTEGERS:
        g.case(op, both, [numbers(1, 2, *size, dtype=dtype)], kernel_size=2, stride=1, padding=1)
    x = randn(1, 2, *size)
    x.view(-1)[::5] = math.nan
    x.view(-1)[1::7] = -math.inf
    x.view(-1)[2::7] = math.inf
    g.case(op, both, [x], kernel_size=2, stride=1)
    g.case(op, both, [torch.full((1, 1, *size), -math.inf)], kernel_size=2, stride=1, padding=1)
    g.case(op, both, [randn(1, 1, *[1] * (dims - 1), 70)], kernel_size=each([1, 1, 1][:dims - 1] + [4]), stride=3)
    if dims < 3:
        g.case(op, both, [randn(1, 1, *[2] * (dims - 1), 600)], kernel_size=2, stride=1)
    g.case(op, both, [randn(0, 2, *size)], kernel_size=2)
    g.case(op, both, [randn(2, 0, *size)], kernel_size=2)
    g.case(op, both, [randn(2, 2, *size[:-1], 0)], kernel_size=2)
    g.case(op, both, [randn(*size)[0]], kernel_size=2)
    for wrong in (dict(kernel_size=7), dict(kernel_size=0), dict(kernel_size=2, stride=0), dict(kernel_size=3, padding=2),
                  dict(kernel_size=2, dilation=0), dict(kernel_size=2, padding=-1), dict(kernel_size=[2] * (dims + 1))):
        g.case(op, both, [randn(1, 2, *size)], **wrong)

for dims, f in ((1, F.avg_pool1d), (2, F.avg_pool2d), (3, F.avg_pool3d)):
    op, size, each = f"avg_pool{dims}d", FIRST[:dims], lambda numbers: numbers[0] if dims == 1 else numbers[:dims]
    f = avg_pool(f)
    variants = [dict(kernel_size=2), dict(kernel_size=3, stride=1, padding=1), dict(kernel_size=3, stride=1, padding=1, count_include_pad=False),
                dict(kernel_size=2, stride=2, padding=1, ceil_mode=True), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
                dict(kernel_size=each([3, 2, 1]), stride=each([1, 2, 1]))]
    if dims > 1:
        variants += [dict(kernel_size=2, stride=1, padding=1, divisor_override=3), dict(kernel_size=2, divisor_override=-2)]
    for keywords in variants:
        g.case(op, f, [randn(2 if dims < 3 else 1, 2, *size, dtype=f64)], **keywords)
        g.case(op, f, [randn(1, 2, *size)], **keywords)
    g.case(op, f, [randn(2, *size)], dtypes=FLOATS[:3], kernel_size=2, stride=1, padding=1)
    x = randn(1, 2, *size)
    x.view(-1)[::5] = math.nan
    x.view(-1)[2::7] = math.inf
    g.case(op, f, [x], kernel_size=2, stride=1)
    g.case(op, f, [randn(1, 1, *[1] * (dims - 1), 70)], kernel_size=each([1, 1, 1][:dims - 1] + [4]), stride=3)
    if dims < 3:
        g.case(op, f, [randn(1, 1, *[2] * (dims - 1), 600)], kernel_size=2, stride=1)
    g.case(op, f, [randn(0, 2, *size)], kernel_size=2)
    g.case(op, f, [randn(2, 0, *size)], kernel_size=2)
    for wrong in (dict(kernel_size=7), dict(kernel_size=0), dict(kernel_size=2, stride=0), dict(kernel_size=3, padding=2),
                  dict(kernel_size=[2] * (dims + 1))):
        g.case(op, f, [randn(1, 2, *size)], **wrong)

KEEP = -1
for dims, f in ((1, F.adaptive_avg_pool1d), (2, F.adaptive_avg_pool2d), (3, F.adaptive_avg_pool3d)):
    op, size = f"adaptive_avg_pool{dims}d", [6, 5, 4][:dims]

    def call(x, output_size, f=f):
        kept = [None if n == KEEP else n for n in output_size] if isinstance(output_size, list) else output_size
        return f(x, kept)
    for output_size in (3, 4, 1, 9, 0):
        g.case(op, call, [randn(2 if dims < 3 else 1, 2, *size, dtype=f64)], output_size=output_size)
        g.case(op, call, [randn(1, 2, *size)], output_size=output_size)
    if dims > 1:
        g.case(op, call, [randn(1, 2, *size, dtype=f64)], output_size=[2, KEEP, 3][:dims])
        g.case(op, call, [randn(1, 2, *size)], output_size=[1] * (dims + 1))
    # in 3d PyTorch sums halves as halves: what is exact in them
    g.case(op, call, [randn(2, *size) if dims < 3 else numbers(2, *size)], dtypes=FLOATS[:3], output_size=4)
    g.case(op, call, [randn(2, *size)], dtypes=FLOATS[:3], output_size=1)
    g.case(op, call, [randn(0, 2, *size)], output_size=4)
    g.case(op, call, [randn(2, 0, *size)], output_size=4)
    g.case(op, call, [randn(2, 2, *size[:-1], 0)], output_size=4)
    g.case(op, call, [randn(2, 2, *size[:-1], 0)], output_size=1)
    x = randn(1, 2, *size)
    x.view(-1)[::5] = math.nan
    x.view(-1)[2::7] = math.inf
    g.case(op, call, [x], output_size=4)

for dims, f in ((1, F.adaptive_max_pool1d), (2, F.adaptive_max_pool2d)):
    op, size = f"adaptive_max_pool{dims}d", [6, 5][:dims]

    def call(x, output_size, f=f):
        kept = [None if n == KEEP else n for n in output_size] if isinstance(output_size, list) else output_size
        return f(x, kept, return_indices=True)
    for output_size in (3, 4, 1, 9, 0):
        g.case(op, call, [distinct(2 if dims < 3 else 1, 2, *size)], output_size=output_size)
        g.case(op, call, [distinct(1, 2, *size, dtype=torch.float32)], output_size=output_size)
    if dims > 1:
        g.case(op, call, [distinct(1, 2, *size)], output_size=[2, KEEP])
    g.case(op, call, [numbers(2, *size)], dtypes=FLOATS[:3], output_size=4)
    g.case(op, call, [randn(0, 2, *size)], output_size=4)
    g.case(op, call, [randn(2, 0, *size)], output_size=4)
    g.case(op, call, [randn(2, 2, *size[:-1], 0)], output_size=4)
    x = randn(1, 2, *size)
    x.view(-1)[::5] = math.nan
    x.view(-1)[1::7] = -math.inf
    g.case(op, call, [x], output_size=4)

# ---- averages of int64
for dims, f in ((1, F.avg_pool1d), (2, F.avg_pool2d), (3, F.avg_pool3d)):
    op, size, each = f"avg_pool{dims}d", FIRST[:dims], lambda numbers: numbers[0] if dims == 1 else numbers[:dims]
    f = avg_pool(f)
    variants = [dict(kernel_size=2), dict(kernel_size=3, stride=1, padding=1), dict(kernel_size=3, stride=1, padding=1, count_include_pad=False),
                dict(kernel_size=2, stride=2, padding=1, ceil_mode=True), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
                dict(kernel_size=each([3, 2, 1]), stride=each([1, 2, 1]))]
    if dims > 1:
        variants += [dict(kernel_size=2, stride=1, padding=1, divisor_override=3), dict(kernel_size=2, divisor_override=-2)]
    for keywords in variants:
        g.case(op, f, [torch.randint(-9, 9, (1, 2, *size))], gradient=False, **keywords)
    g.case(op, f, [torch.randint(-9, 9, (2, *size))], gradient=False, kernel_size=2)
    g.case(op, f, [torch.randint(-9, 9, (0, 2, *size))], gradient=False, kernel_size=2)
    g.case(op, f, [torch.randint(-9, 9, (1, 2, *size), dtype=torch.int32)], gradient=False, kernel_size=2)
g.write()
