"""PyTorch's activations with parameters, and log_softmax along each dim."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("activation", seed=3)
inf, nan = float("inf"), float("nan")
f64 = torch.float64
edges = torch.tensor([nan, -inf, 0.0, -0.0, 1.0, -1.0, 30.0, -30.0, 100.0, -100.0, 1e-30])

for dim in (0, 1, 2, -1, -3):
    g.case("log_softmax", torch.log_softmax, [randn(3, 4, 5)], dim=dim)
    g.case("log_softmax", torch.log_softmax, [randn(2, 3, 2, dtype=f64)], dim=dim)
g.case("log_softmax", torch.log_softmax, [randn(2, 17) * 4], dtypes=FLOATS, dim=-1)
g.case("log_softmax", torch.log_softmax, [randn(3, 100) * 40], dim=1)
g.case("log_softmax", torch.log_softmax, [randn(())], dim=0)
g.case("log_softmax", torch.log_softmax, [torch.zeros(2, 0, 3)], dim=1)
g.case("log_softmax", torch.log_softmax, [randn(2, 3)], dim=-1, dtype=f64)
g.case("log_softmax", torch.log_softmax, [randn(2, 3)], dim=2)
special = torch.tensor([[1, 2, -inf], [-inf, -inf, -inf], [inf, 1, 2], [nan, 0, 1], [1e30, -1e30, 0], [0, 0, 0]])
g.case("log_softmax", torch.log_softmax, [special], dim=1)

FUNCTIONS = [
    ("gelu", F.gelu, {}), ("gelu", F.gelu, {"approximate": "tanh"}), ("softplus", F.softplus, {}),
    ("softplus", F.softplus, {"beta": 2.0, "threshold": 1.0}), ("elu", F.elu, {}), ("elu", F.elu, {"alpha": 0.5}),
    ("leaky_relu", F.leaky_relu, {}), ("leaky_relu", F.leaky_relu, {"negative_slope": 0.2}),
]
for op, f, keywords in FUNCTIONS:
    g.case(op, f, [randn(3, 4) * 2], dtypes=FLOATS, **keywords)
    g.case(op, f, [randn(2, 3, 2, dtype=f64)], **keywords)
    g.case(op, f, [randn(())], **keywords)
    g.case(op, f, [torch.zeros(0, 3)], **keywords)
    g.case(op, f, [edges], **keywords)
g.case("gelu", F.gelu, [torch.arange(4)])
for dim in (0, 1, -1):
    g.case("glu", F.glu, [randn(4, 6)], dim=dim)
    g.case("glu", F.glu, [randn(2, 4, dtype=f64)], dim=dim)
g.case("glu", F.glu, [randn(3, 5)], dim=1)
g.case("glu", F.glu, [randn(3, 5)], dim=2)
for dim in (0, 1):
    g.case("log_softmax", torch.log_softmax, [randn(3, 4, 5) * 3], dtypes=[torch.float16, torch.bfloat16], dim=dim)
for shape, count in (((2, 3, 4), 3), ((2, 3, 4), 1), ((5,), 1), ((), 1), ((2, 3), 3), ((0, 3), 3)):
    g.case("prelu", F.prelu, [randn(shape), randn(count)])
    g.case("prelu", F.prelu, [randn(shape, dtype=torch.float64) * 2, randn(count, dtype=torch.float64)])
g.case("prelu", F.prelu, [randn(3, 4), randn(())])
g.case("prelu", F.prelu, [randn(2, 3, 2), randn(3)], dtypes=FLOATS)
g.case("prelu", F.prelu, [torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan")]), torch.tensor([0.25])])
g.case("prelu", F.prelu, [randn(2, 3), randn(2)])
g.case("prelu", F.prelu, [randn(3), randn(3)])
g.case("prelu", F.prelu, [randn(2, 3), randn(1, 3)])
g.case("prelu", F.prelu, [randn(2, 3), randn(3).double()])
g.write()
