"""PyTorch's rms_norm over the last dims."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("rms_norm", seed=1)


def rms_norm(x, weight, normalized_shape, eps=None):
    return F.rms_norm(x, normalized_shape, weight, eps)


for shape, tail in (((3, 4, 5), (5,)), ((3, 4, 5), (4, 5)), ((2, 3, 2), (2, 3, 2)), ((7,), (7,)), ((2, 1), (1,))):
    for dtype in (torch.float32, torch.float64):
        g.case("rms_norm", rms_norm, [randn(shape, dtype=dtype), randn(tail, dtype=dtype)], normalized_shape=tail)
        g.case("rms_norm", rms_norm, [randn(shape, dtype=dtype), None], normalized_shape=tail, eps=0.5)
g.case("rms_norm", rms_norm, [randn(2, 100), randn(100)], dtypes=FLOATS, normalized_shape=(100,), eps=1e-5)
g.case("rms_norm", rms_norm, [randn(2, 9), randn(9)], dtypes=FLOATS, normalized_shape=(9,))
g.case("rms_norm", rms_norm, [torch.zeros(2, 3), randn(3)], normalized_shape=(3,))
inf, nan = float("inf"), float("nan")
special = torch.tensor([[1, 2, inf], [nan, 0, 1], [1e-30, -1e-30, 0], [1e30, 1, 0]])
g.case("rms_norm", rms_norm, [special, None], normalized_shape=(3,))
for shape, tail in (((0, 3), (3,)), ((2, 0), (0,)), ((2, 0, 3), (3,))):
    g.case("rms_norm", rms_norm, [torch.zeros(shape), torch.ones(tail)], normalized_shape=tail)
g.case("rms_norm", rms_norm, [randn(4, 1).expand(4, 3), None], normalized_shape=(3,))
g.case("rms_norm", rms_norm, [randn(2, 3), None], normalized_shape=(2,))
g.case("rms_norm", rms_norm, [randn(2, 3), None], normalized_shape=(5, 2, 3))
g.case("rms_norm", rms_norm, [randn(2, 3), randn(2)], normalized_shape=(3,))
g.case("rms_norm", rms_norm, [torch.arange(6).view(2, 3), None], normalized_shape=(3,))
for dtype in FLOATS: # of x and of the weight, as they come
    for other in FLOATS:
        if dtype != other:
            g.case("rms_norm", rms_norm, [randn(3, 6, dtype=dtype), randn(6, dtype=other)], normalized_shape=(6,))
g.write()
