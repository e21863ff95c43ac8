"""PyTorch's layer_norm and group_norm."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("layer_norm", seed=4)
f64 = torch.float64


def layer_norm(x, weight, bias, shape, **keywords):
    return F.layer_norm(x, shape, weight, bias, **keywords)


def group_norm(x, weight, bias, groups, **keywords):
    return F.group_norm(x, groups, weight, bias, **keywords)


for dtype in (torch.float32, f64):
    x = randn(2, 3, 4, dtype=dtype)
    for shape in ((4,), (3, 4), (2, 3, 4)):
        w, b = randn(shape, dtype=dtype), randn(shape, dtype=dtype)
        g.case("layer_norm", layer_norm, [x, w, b], shape=shape)
        g.case("layer_norm", layer_norm, [x, w, None], shape=shape)
        g.case("layer_norm", layer_norm, [x, None, b], shape=shape, eps=1e-3)
        g.case("layer_norm", layer_norm, [x, None, None], shape=shape)
for n in (1, 17, 96, 130):
    g.case("layer_norm", layer_norm, [randn(3, n) * 3 + 1, randn(n), randn(n)], shape=(n,), gradient=n > 1)
g.case("layer_norm", layer_norm, [randn(130, 8), randn(8), randn(8)], shape=(8,))
g.case("layer_norm", layer_norm, [randn(4, 7), randn(7), randn(7)], dtypes=FLOATS, shape=(7,))
g.case("layer_norm", layer_norm, [torch.full((2, 3), 7.0), randn(3), randn(3)], shape=(3,))
g.case("layer_norm", layer_norm, [torch.zeros(0, 3), randn(3), randn(3)], shape=(3,))
g.case("layer_norm", layer_norm, [randn(2, 3), randn(4), None], shape=(3,))
g.case("layer_norm", layer_norm, [randn(2, 3), None, None], shape=(4,))
g.case("layer_norm", layer_norm, [randn(3), None, None], shape=(2, 3))
g.case("layer_norm", layer_norm, [torch.arange(6).view(2, 3), None, None], shape=(3,))

for dtype in (torch.float32, f64):
    for shape in ((2, 4), (2, 4, 3), (2, 4, 2, 3)):
        x, w, b = randn(shape, dtype=dtype), randn(4, dtype=dtype), randn(4, dtype=dtype)
        for groups in (1, 2):
            g.case("group_norm", group_norm, [x, w, b], groups=groups)
            g.case("group_norm", group_norm, [x, None, None], groups=groups, eps=1e-3)
g.case("group_norm", group_norm, [randn(2, 4, 5), randn(4), randn(4)], dtypes=FLOATS, groups=2)
g.case("group_norm", group_norm, [randn(2, 4, 5), None, None], groups=3)
g.case("group_norm", group_norm, [torch.zeros(0, 4, 5), None, None], groups=2)

# halves: parameters of their own or of float32 (PyTorch rounds these gradients to halves on the way, wick does not:
# tests/test_rows.c), and what PyTorch refuses
HALVES = [torch.float16, torch.bfloat16]
g.case("layer_norm", layer_norm, [randn(3, 4) * 3, None, randn(4)], dtypes=HALVES, shape=(4,))
for op, function, more in (("layer_norm", layer_norm, {"shape": (6,)}), ("group_norm", group_norm, {"groups": 3})):
    for dtype in HALVES:
        x, w, b = randn(5, 6, dtype=dtype), randn(6), randn(6)
        g.case(op, function, [x, w, b], gradient=False, **more)
        g.case(op, function, [x, w, None], gradient=False, **more)
        g.case(op, function, [x, None, b], gradient=False, **more)
        g.case(op, function, [x, w, b.to(dtype)], **more)
        g.case(op, function, [x, w.double(), b.double()], **more)
        g.case(op, function, [x.float(), w.to(dtype), b.to(dtype)], **more)
    g.case(op, function, [randn(5, 6), w.double(), b.double()], **more)
    g.case(op, function, [randn(5, 6, dtype=f64), w, b], **more)

for shape in ((3, 4), (2, 4, 20), (1, 4, 3)): # channels of one number, and of more than a vector
    for dtype in (torch.float32, f64):
        g.case("group_norm", group_norm, [randn(shape, dtype=dtype), None, randn(4, dtype=dtype)], groups=2)
        g.case("group_norm", group_norm, [randn(shape, dtype=dtype), randn(4, dtype=dtype), None], groups=2)
for shape in ((0, 4, 3), (2, 4, 0), (2, 0, 3)):
    g.case("group_norm", group_norm, [torch.zeros(shape), randn(shape[1]), randn(shape[1])], groups=2)

g.write()
