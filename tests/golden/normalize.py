"""PyTorch's normalize, cosine_similarity and pairwise_distance."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("normalize", seed=1)
for shape, dims in (((3, 4, 5), (0, 1, 2, -1)), ((2, 3), (1, 0)), ((6,), (0, -1))):
    for dim in dims:
        for dtype in (torch.float32, torch.float64):
            g.case("normalize", F.normalize, [randn(shape, dtype=dtype)], dim=dim)
            g.case("cosine_similarity", F.cosine_similarity, [randn(shape, dtype=dtype), randn(shape, dtype=dtype)], dim=dim)
g.case("normalize", F.normalize, [randn(2, 3, dtype=torch.float64)])
for p in (1.0, 3.0, float("inf")):
    g.case("normalize", F.normalize, [randn(2, 3, dtype=torch.float64)], p=p)
g.case("normalize", F.normalize, [randn(2, 9)], dtypes=FLOATS)
g.case("normalize", F.normalize, [torch.tensor([[0.0, 0.0], [1e-20, 0.0], [3e-3, 4e-3]])], eps=1e-2)
inf, nan = float("inf"), float("nan")
special = torch.tensor([[1, 2, inf], [nan, 0, 1], [1e-30, -1e-30, 0], [0, 0, 0]])
g.case("normalize", F.normalize, [special])
g.case("normalize", F.normalize, [torch.zeros(0, 3)])
g.case("normalize", F.normalize, [torch.zeros(3, 0)])
g.case("normalize", F.normalize, [randn(3)])
g.case("normalize", F.normalize, [torch.arange(6).view(2, 3)])

c = "cosine_similarity"
g.case(c, F.cosine_similarity, [randn(2, 3, dtype=torch.float64), randn(2, 3, dtype=torch.float64)])
g.case(c, F.cosine_similarity, [randn(2, 1, 4, dtype=torch.float64), randn(3, 4, dtype=torch.float64)], dim=-1)
g.case(c, F.cosine_similarity, [randn(2, 9), randn(2, 9)], dtypes=FLOATS)
g.case(c, F.cosine_similarity, [torch.tensor([[0.0, 0.0], [1e-4, 0.0]]), randn(2, 2)], eps=1e-2)
g.case(c, F.cosine_similarity, [special, randn(4, 3)])
g.case(c, F.cosine_similarity, [torch.zeros(0, 3), torch.zeros(0, 3)])
g.case(c, F.cosine_similarity, [randn(2, 3), randn(2, 4)])
g.case(c, F.cosine_similarity, [randn(3), randn(3)])
g.case(c, F.cosine_similarity, [randn(2, 3), randn(2, 3, dtype=torch.float64)])

d, distance = "pairwise_distance", F.pairwise_distance
f64 = torch.float64
for shape in ((3, 4, 5), (2, 3), (6,)):
    for dtype in (torch.float32, f64):
        g.case(d, distance, [randn(shape, dtype=dtype), randn(shape, dtype=dtype)])
for p in (0.0, 1.0, 1.5, 3.0, inf, -inf):
    g.case(d, distance, [randn(2, 3), randn(2, 3)], p=p)
for p in (1.0, 1.5, 3.0, inf):
    g.case(d, distance, [randn(2, 3, dtype=f64), randn(2, 3, dtype=f64)], p=p)
g.case(d, distance, [randn(2, 3, dtype=f64), randn(2, 3, dtype=f64)], eps=0.25, keepdim=True)
g.case(d, distance, [randn(2, 1, 4, dtype=f64), randn(3, 4, dtype=f64)])
g.case(d, distance, [randn(2, 1), randn(4)], keepdim=True)
g.case(d, distance, [randn(2, 9), randn(2, 9)], dtypes=FLOATS)
same = randn(2, 3)
g.case(d, distance, [same, same.clone()])
g.case(d, distance, [same, same.clone()], eps=0.0)
g.case(d, distance, [special, randn(4, 3)])
g.case(d, distance, [torch.zeros(0, 3), torch.zeros(0, 3)])
g.case(d, distance, [torch.zeros(3, 0), torch.zeros(3, 0)])
g.case(d, distance, [torch.zeros(3, 0), torch.zeros(3, 0)], p=inf)
g.case(d, distance, [randn(()), randn(())])
g.case(d, distance, [randn(2, 3), randn(2, 4)])
g.case(d, distance, [randn(2, 3), randn(2, 3, dtype=f64)])
g.case(d, distance, [torch.arange(6).view(2, 3), randn(2, 3)])
g.case(d, distance, [torch.arange(6).view(2, 3), torch.arange(3)])
g.case(d, distance, [torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)])
g.write()
