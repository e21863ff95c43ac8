"""PyTorch's cat, stack, split and their like."""

import torch
from golden import DTYPES, Golden, numbers, randn

g = Golden("join", seed=11)
f64 = torch.float64


def tuple_of(function):
    return lambda *tensors, **keywords: function(tensors, **keywords)


cat, stack = tuple_of(torch.cat), tuple_of(torch.stack)
for dim in (0, 1, 2, -1, -3, 3):
    sizes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    if dim < 3:
        sizes[1][dim], sizes[2][dim] = 1, 5
    g.case("cat", cat, [randn(*s) for s in sizes], dim=dim)
for dim in (0, 1, 2, 3, -1, -4, 4):
    g.case("stack", stack, [randn(2, 3, 4) for _ in range(3)], dim=dim)
g.case("cat", cat, [randn(2, 2, dtype=f64), randn(1, 2, dtype=f64)], dim=0)
g.case("cat", cat, [randn(2, 2, dtype=f64), randn(2, 1, dtype=f64)], dim=-1)
g.case("stack", stack, [randn(2, 2, dtype=f64), randn(2, 2, dtype=f64)], dim=1)
for dtype in DTYPES:
    g.case("cat", cat, [numbers(2, 3, dtype=dtype), numbers(2, 3, dtype=torch.float32)], dim=1)
    g.case("stack", stack, [numbers(3, dtype=dtype), numbers(3, dtype=torch.int16)], dim=1)
    g.case("cat", cat, [numbers(3, dtype=dtype), numbers(4, dtype=dtype)], dim=0)
g.case("cat", cat, [torch.zeros(0), randn(2, 3), torch.zeros(0)], dim=1)
g.case("cat", cat, [torch.zeros(0, dtype=f64), randn(2, 3)], dim=0)
g.case("cat", cat, [torch.zeros(0), torch.zeros(0)], dim=0)
g.case("cat", cat, [torch.zeros(2, 0), randn(2, 3)], dim=1)
g.case("cat", cat, [torch.zeros(2, 0), randn(2, 3)], dim=0)
g.case("cat", cat, [randn(()), randn(())], dim=0)
g.case("cat", cat, [randn(2, 3), randn(3, 2)], dim=0)
g.case("cat", cat, [randn(2, 3), randn(3)], dim=0)
g.case("cat", cat, [randn(2, 3)], dim=2)
g.case("cat", cat, [randn(2, 3)], dim=1)
g.case("stack", stack, [randn(()), randn(())], dim=0)
g.case("stack", stack, [randn(()), randn(()).to(f64)], dim=0)
g.case("stack", stack, [randn(0, 3), randn(0, 3)], dim=1)
g.case("stack", stack, [randn(2), randn(3)], dim=0)
g.case("cat", cat, [randn(20, 30).t(), randn(30, 20)], dim=1)
for op, function in (("hstack", tuple_of(torch.hstack)), ("vstack", tuple_of(torch.vstack))):
    g.case(op, function, [randn(2, dtype=f64), randn(2, dtype=f64)])
    g.case(op, function, [randn(2, 3), randn(2, 3)])
    g.case(op, function, [randn(2, 3, 2), randn(2, 3, 2)])
    g.case(op, function, [randn(()), randn(())])
    g.case(op, function, [randn(3), randn(2, 3)])
    g.case(op, function, [randn(()), randn(2)])


def tensor_split(x, indices_or_sections, dim):
    return torch.tensor_split(x, indices_or_sections, dim)


x = randn(5, 6, 4)
for dim in (0, 1, 2, -1, 3):
    for size in (1, 2, 3, 10):
        g.case("split", torch.split, [x], split_size_or_sections=size, dim=dim)
        g.case("chunk", torch.chunk, [x], chunks=size, dim=dim) if size < 8 else None
        g.case("tensor_split", tensor_split, [x], indices_or_sections=size, dim=dim) if size < 8 else None
g.case("split", torch.split, [x], split_size_or_sections=[1, 0, 3], dim=2)
g.case("split", torch.split, [x], split_size_or_sections=[1, 1, 3], dim=2)
g.case("split", torch.split, [x], split_size_or_sections=[-1, 5], dim=2)
g.case("split", torch.split, [randn(3, 2, dtype=f64)], split_size_or_sections=[1, 2], dim=0)
g.case("split", torch.split, [randn(0, 3)], split_size_or_sections=0, dim=0)
g.case("split", torch.split, [randn(0, 3)], split_size_or_sections=2, dim=0)
g.case("split", torch.split, [randn(2, 3)], split_size_or_sections=0, dim=0)
g.case("split", torch.split, [randn(())], split_size_or_sections=1, dim=0)
g.case("chunk", torch.chunk, [randn(0, 3)], chunks=3, dim=0)
g.case("chunk", torch.chunk, [randn(5)], chunks=4, dim=0)
g.case("chunk", torch.chunk, [randn(5)], chunks=0, dim=0)
g.case("chunk", torch.chunk, [randn(4, 2, dtype=f64)], chunks=2, dim=0)
g.case("tensor_split", tensor_split, [randn(7)], indices_or_sections=[2, 5], dim=0)
g.case("tensor_split", tensor_split, [randn(7)], indices_or_sections=[2, 2, 100], dim=0)
g.case("tensor_split", tensor_split, [randn(7)], indices_or_sections=[5, 2, -1], dim=0)
g.case("tensor_split", tensor_split, [randn(2, 3)], indices_or_sections=5, dim=0)
for dim in (0, 1, 2, -1, -3, 3):
    g.case("unbind", torch.unbind, [randn(2, 3, 4)], dim=dim)
g.case("unbind", torch.unbind, [randn(2, 3, dtype=f64)], dim=1)
g.case("unbind", torch.unbind, [randn(())], dim=0)
g.case("unbind", torch.unbind, [randn(3, 0)], dim=0)
for dtype in DTYPES:
    g.case("unbind", torch.unbind, [numbers(2, 3, dtype=dtype)], dim=0)

meshgrid = tuple_of(torch.meshgrid)  # each result depends on one input alone: the gradients are expand's
for indexing in ("ij", "xy"):
    g.case("meshgrid", meshgrid, [randn(2), randn(3)], indexing=indexing, gradient=False)
    g.case("meshgrid", meshgrid, [randn(2, dtype=f64), randn(3, dtype=f64), randn(1, dtype=f64)], indexing=indexing, gradient=False)
    g.case("meshgrid", meshgrid, [randn(3)], indexing=indexing, gradient=False)
    g.case("meshgrid", meshgrid, [randn(()), randn(2)], indexing=indexing, gradient=False)
    g.case("meshgrid", meshgrid, [randn(2, 2), randn(2)], indexing=indexing, gradient=False)
g.write()
