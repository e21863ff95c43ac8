"""PyTorch's sort, argsort and topk: each dim, both orders, NaN and infinity, ties (stable), empty."""

import torch
from golden import FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("sorting", seed=6)
inf, nan = float("inf"), float("nan")
f64 = torch.float64
special = torch.tensor([[1, 2, -inf, 0.5], [inf, 1, nan, 2], [nan, 0, -1, -inf]])


def sort(x, dim, descending=False):
    return tuple(torch.sort(x, dim=dim, descending=descending, stable=True))


def argsort(x, dim, descending=False):
    return torch.argsort(x, dim=dim, descending=descending, stable=True)


for op, f in (("sort", sort), ("argsort", argsort)):
    for descending in (False, True):
        for dim in (0, 1, 2, -1):
            g.case(op, f, [randn(3, 4, 5)], dim=dim, descending=descending)
        g.case(op, f, [randn(2, 3, 2, dtype=f64)], dim=1, descending=descending)
        g.case(op, f, [special], dim=1, descending=descending)
        g.case(op, f, [torch.tensor([3.0, 1, 3, 1, 2, 3, 1])], dim=0, descending=descending)
        g.case(op, f, [randn(2, 70)], dim=1, descending=descending)
        g.case(op, f, [randn(4, 7)], dtypes=FLOATS, dim=1, descending=descending)
        for dtype in [torch.bool] + INTEGERS:
            g.case(op, f, [numbers(3, 6, dtype=dtype)], dim=1, descending=descending)
    g.case(op, f, [randn(())], dim=0)
    g.case(op, f, [torch.zeros(0, 3)], dim=0)
    g.case(op, f, [torch.zeros(3, 0)], dim=1)
    g.case(op, f, [randn(2, 3)], dim=2)


def topk(x, k, dim, largest=True):
    return tuple(torch.topk(x, k, dim=dim, largest=largest))


for largest in (True, False):
    for dim in (0, 1, 2, -1):
        for k in (0, 1, 3):
            g.case("topk", topk, [randn(3, 4, 5)], k=k, dim=dim, largest=largest)
    g.case("topk", topk, [randn(2, 3, 2, dtype=f64)], k=2, dim=1, largest=largest)
    g.case("topk", topk, [special[:, :3]], k=2, dim=1, largest=largest)
    g.case("topk", topk, [randn(2, 100)], k=100, dim=1, largest=largest)
    g.case("topk", topk, [randn(2, 200)], k=10, dim=1, largest=largest)
    g.case("topk", topk, [torch.randperm(12).view(3, 4)], k=2, dim=1, largest=largest)
g.case("topk", topk, [torch.tensor([[3.0, 1, 2], [6, 5, 4]])], dtypes=FLOATS, k=2, dim=1)
g.case("topk", topk, [randn(())], k=1, dim=0)
g.case("topk", topk, [torch.zeros(0, 3)], k=2, dim=1)
g.case("topk", topk, [randn(2, 3)], k=4, dim=1)
g.case("topk", topk, [randn(2, 3)], k=-1, dim=1)
g.case("topk", topk, [randn(2, 3)], k=1, dim=2)

# halves: many, so that there are ties; NaN; topk by insertion and by sorting
for dim in (0, 1):
    x = (torch.randint(-40, 41, (2, 70)) / 8).T if dim == 0 else torch.randint(-40, 41, (2, 70)) / 8
    for descending in (False, True):
        g.case("sort", sort, [x], dtypes=FLOATS[:2], dim=dim, descending=descending)
g.case("sort", sort, [special], dtypes=FLOATS[:2], dim=1)
ordered = torch.randperm(160).view(2, 80) / 4
for k in (5, 70):
    for largest in (False, True):
        g.case("topk", topk, [ordered], dtypes=FLOATS[:2], k=k, dim=1, largest=largest)
g.write()
