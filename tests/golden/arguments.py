"""Arguments that few give: a vector for a matrix, no batch, sizes that are known, places for columns."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("arguments", seed=34)
f64 = torch.float64

for dtype in FLOATS + [torch.complex64]:
    g.case("linear_vector", F.linear, [randn(2, 3, 4, dtype=dtype), randn(4, dtype=dtype)])
g.case("linear_vector", F.linear, [randn(4, dtype=f64), randn(4, dtype=f64), randn((), dtype=f64)])
g.case("linear_vector", F.linear, [randn(4), randn(4), randn(())])
g.case("linear_vector", F.linear, [randn(4), randn(3)])


def repeat_interleave(x, repeats, dim, output_size):
    return torch.repeat_interleave(x, repeats, dim, output_size=output_size)


counts = torch.tensor([2, 0, 3])
g.case("repeat_interleave_sized", repeat_interleave, [randn(3, 2, dtype=f64), counts], dim=0, output_size=5)
g.case("repeat_interleave_sized", repeat_interleave, [randn(2, 3), counts], dim=-1, output_size=5)
g.case("repeat_interleave_sized", repeat_interleave, [randn(2, 3), 2], dim=-1, output_size=6)


def columns(x):
    return torch.nonzero(x, as_tuple=True)


for x in (torch.tensor([[0.0, 1, 2], [3, 0, 0]]), torch.zeros(2, 3), torch.zeros(0, 3)):
    g.case("nonzero_columns", columns, [x], gradient=False)
    g.case("nonzero_columns", lambda cond: torch.where(cond), [x > 1])

for op, f, shape in (("dropout1d", F.dropout1d, (3, 4)), ("dropout2d", F.dropout2d, (3, 2, 2)), ("dropout3d", F.dropout3d, (3, 2, 2, 2))):
    for p, training in ((0.0, True), (1.0, True), (0.5, False)):
        g.case(op, lambda x, p, training: f(x, p, training), [randn(shape, dtype=f64)], p=p, training=training)
g.write()
