"""PyTorch's embedding: repeated indices, padding, any shape of indices, indices out of range."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("embedding", seed=7)


def embedding(indices, weight, padding_idx=None):
    return F.embedding(indices, weight, padding_idx=padding_idx)


repeated = torch.tensor([[1, 4, 1], [0, 4, 4]])
for weight in (randn(5, 3), randn(5, 3, dtype=torch.float64)):
    g.case("embedding", embedding, [repeated, weight])
    for padding in (4, -1, 0, -5):
        g.case("embedding", embedding, [repeated, weight], smooth=False, padding_idx=padding)
g.case("embedding", embedding, [repeated, randn(5, 3)], dtypes=FLOATS)
g.case("embedding", embedding, [repeated.to(torch.int32), randn(5, 3)])
g.case("embedding", embedding, [torch.tensor(2), randn(5, 3)])
g.case("embedding", embedding, [torch.randint(0, 6, (2, 3, 2)), randn(6, 130)])
g.case("embedding", embedding, [torch.zeros(0, 2, dtype=torch.int64), randn(5, 3)])
g.case("embedding", embedding, [torch.tensor([1, 5]), randn(5, 3)])
g.case("embedding", embedding, [torch.tensor([1, -1]), randn(5, 3)])
g.case("embedding", embedding, [torch.tensor([1.0, 2.0]), randn(5, 3)])
g.write()
