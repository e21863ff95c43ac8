"""PyTorch's softmax along a dim."""

import torch
from golden import FLOATS, Golden, randn

g = Golden("softmax", seed=1)
for op, function in (("softmax", torch.softmax),):
    for dim in (0, 1, 2, -1, -3):
        g.case(op, function, [randn(3, 4, 5)], dim=dim)
        g.case(op, function, [randn(2, 3, 4, dtype=torch.float64)], dim=dim)
    g.case(op, function, [randn(2, 17) * 4], dtypes=FLOATS, dim=-1)
    g.case(op, function, [randn(3, 100) * 40], dim=1)
    g.case(op, function, [randn(())], dim=0)
    g.case(op, function, [randn(())], dim=-1)
    g.case(op, function, [randn(1)], dim=0)
    g.case(op, function, [randn(7, 1)], dim=1)
    for shape, dim in (((0,), 0), ((3, 0), 1), ((0, 3), 1), ((2, 0, 3), -1)):
        g.case(op, function, [torch.zeros(shape)], dim=dim)
    inf, nan = float("inf"), float("nan")
    special = torch.tensor([[1, 2, -inf], [-inf, -inf, -inf], [inf, 1, 2], [nan, 0, 1], [1e30, -1e30, 0], [0, 0, 0]])
    g.case(op, function, [special], dim=1)
    g.case(op, function, [special], dim=0)
    g.case(op, function, [randn(4, 1).expand(4, 3)], dim=0)
    g.case(op, function, [randn(2, 3)], dim=-1, dtype=torch.float64)
    g.case(op, function, [torch.arange(6).view(2, 3)], dim=-1, dtype=torch.float32)
    g.case(op, function, [torch.arange(6).view(2, 3)], dim=-1)
    g.case(op, function, [randn(2, 3)], dim=2)
for dim in (0, 1):
    g.case("softmax", torch.softmax, [randn(3, 4, 5) * 3], dtypes=[torch.float16, torch.bfloat16], dim=dim)
g.write()
