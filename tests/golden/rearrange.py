"""PyTorch's repeat, flip, roll, pad, triangles and diagonals."""

import torch
from golden import DTYPES, Golden, numbers, randn
from torch.nn import functional as F

g = Golden("rearrange", seed=13)
f64 = torch.float64
x, small = randn(2, 3, 4), randn(2, 3, dtype=f64)
empty = randn(0, 3)


def listed(function):
    """f(x, list) with the list as a keyword"""
    return lambda x, *rest, sizes, **keywords: function(x, *rest, sizes, **keywords)


repeat, tile = listed(lambda x, sizes: x.repeat(*sizes)), listed(lambda x, sizes: x.tile(*sizes))
for sizes in ((1, 1, 1), (2, 1, 3), (1, 2, 1), (3, 2, 1, 2), (2, 2, 2, 2, 1), (0, 1, 1), (1, 0, 2), (2, 3), (1, -1, 1)):
    g.case("repeat", repeat, [x], sizes=sizes)
    g.case("tile", tile, [x], sizes=sizes)
g.case("tile", tile, [x], sizes=(3,))
for y in (small, randn(1, 3, dtype=f64), randn(3, 1, dtype=f64)):
    g.case("repeat", repeat, [y], sizes=(2, 3))
g.case("repeat", repeat, [randn(())], sizes=(3,))
g.case("repeat", repeat, [empty], sizes=(2, 2))
g.case("repeat", repeat, [randn(1, 2, 1, 2, 2, 2)], sizes=(2, 2, 1, 1, 2, 2))
g.case("repeat", repeat, [randn(2, 2, 2, 2, 2)], sizes=(2, 1, 2, 2, 2))


def interleave(x, repeats, dim=None):
    return torch.repeat_interleave(x, repeats, dim)


for dim in (0, 1, 2, -1, 3, None):
    g.case("repeat_interleave", interleave, [x, 3], dim=dim)
    g.case("repeat_interleave", interleave, [x, 0], dim=dim)
g.case("repeat_interleave", interleave, [small, 2], dim=1)
g.case("repeat_interleave", interleave, [small, torch.tensor([2, 0, 3])], dim=1)
g.case("repeat_interleave", interleave, [small, torch.tensor([1, 2])], dim=0)
g.case("repeat_interleave", interleave, [small, torch.tensor([2])], dim=0)
g.case("repeat_interleave", interleave, [small, torch.tensor([2, 1, 1])], dim=0)
g.case("repeat_interleave", interleave, [small, torch.tensor([2, -1])], dim=0)
g.case("repeat_interleave", interleave, [small, -1], dim=0)

flip = listed(torch.flip)
for sizes in ((0,), (1,), (2,), (-1, 0), (0, 1, 2), (3,), (0, 0), (0, -3)):
    g.case("flip", flip, [x], sizes=sizes)
g.case("flip", flip, [small], sizes=(1, 0))
g.case("flip", flip, [randn(3, 4).t()], sizes=(0,))
g.case("flip", flip, [empty], sizes=(0, 1))
g.case("flip", flip, [randn(())], sizes=(0,))


def roll(x, shifts, sizes=()):
    return torch.roll(x, shifts, sizes)


for shifts, sizes in (((1,), (0,)), ((-1,), (2,)), ((5, 2), (1, 2)), ((1, 1), (0, 0)), ((2,), ()), ((-3,), ()), ((1, 2), (0,)),
                      ((0,), (1,)), ((1,), (3,)), ((-7,), (-2,))):
    g.case("roll", roll, [x], shifts=shifts, sizes=sizes)
g.case("roll", roll, [small], shifts=(1, 2), sizes=(0, 1))
g.case("roll", roll, [small], shifts=(4,))
g.case("roll", roll, [empty], shifts=(1,), sizes=(0,))

for op, function in (("triu", torch.triu), ("tril", torch.tril), ("triu_", torch.Tensor.triu_), ("tril_", torch.Tensor.tril_)):
    for diagonal in (-5, -2, -1, 0, 1, 2, 5):
        g.case(op, function, [x], diagonal=diagonal)
    g.case(op, function, [small], diagonal=1)
    g.case(op, function, [torch.full((3, 3), float("nan"))], diagonal=0)
    g.case(op, function, [empty], diagonal=0)
    g.case(op, function, [randn(3)], diagonal=0)
for diagonal in (-5, -1, 0, 1, 4):
    g.case("diag", torch.diag, [randn(4)], diagonal=diagonal)
    g.case("diag", torch.diag, [randn(3, 4)], diagonal=diagonal)
    g.case("diagonal", torch.diagonal, [x], offset=diagonal, dim1=0, dim2=1)
    g.case("diagonal", torch.diagonal, [x], offset=diagonal, dim1=2, dim2=0)
    g.case("diagonal", torch.diagonal, [x], offset=diagonal, dim1=-2, dim2=-1)
g.case("diag", torch.diag, [randn(3, dtype=f64)], diagonal=1)
g.case("diag", torch.diag, [small], diagonal=0)
g.case("diag", torch.diag, [x], diagonal=0)
g.case("diag", torch.diag, [randn(())], diagonal=0)
g.case("diagonal", torch.diagonal, [small], offset=1, dim1=0, dim2=1)
g.case("diagonal", torch.diagonal, [small], offset=0, dim1=1, dim2=-1)
g.case("diagonal", torch.diagonal, [randn(2)], offset=0, dim1=0, dim2=1)
g.case("diagonal", torch.diagonal, [randn(2, 2)], offset=0, dim1=0, dim2=2)


def unfold(x, dim, size, step):
    return x.unfold(dim, size, step)


for dim, size, step in ((2, 2, 1), (2, 3, 2), (1, 2, 5), (0, 1, 1), (-1, 4, 1), (-2, 0, 1), (2, 5, 1), (1, 2, 0), (3, 1, 1)):
    g.case("unfold", unfold, [x], dim=dim, size=size, step=step)
g.case("unfold", unfold, [randn(5, 2, dtype=f64)], dim=0, size=3, step=1)
g.case("unfold", unfold, [randn(5, dtype=f64)], dim=0, size=2, step=2)
g.case("unfold", unfold, [randn((), dtype=f64)], dim=0, size=1, step=1)


def one_hot(x, num_classes=-1):
    return F.one_hot(x, num_classes)


index = torch.tensor([[0, 2], [1, 2]])
for classes in (-1, 3, 5, 2, 0, -2):
    g.case("one_hot", one_hot, [index], num_classes=classes)
g.case("one_hot", one_hot, [torch.tensor(3)])
g.case("one_hot", one_hot, [torch.tensor([-1, 2])])
g.case("one_hot", one_hot, [torch.zeros(0, dtype=torch.int64)])
g.case("one_hot", one_hot, [torch.zeros(0, dtype=torch.int64)], num_classes=3)
g.case("one_hot", one_hot, [randn(3)])


def pad(x, pads, mode="constant", value=None):
    return F.pad(x, pads, mode, value)


for pads in ((1, 2), (0, 0), (-1, 2), (1, 0, 2, 1), (1, 1, -1, 2, 0, 1), (-2, -2), (-3, 1), (-3, -2), (1, 1, 1, 1, 1, 1, 1, 1), (1,),
             (0, 0, -1, -1)):
    g.case("pad", pad, [x], pads=pads)
    g.case("pad", pad, [x], pads=pads, value=-1.5)
g.case("pad", pad, [small], pads=(1, 2, -1, 1))
g.case("pad", pad, [empty], pads=(1, 1, 2, 0), value=3.0)
for mode in ("reflect", "replicate", "circular"):
    for pads in ((1, 2), (2, 0), (3, 3), (4, 0), (5, 0), (1, 0, 2, 1), (1, 1, 0, 2), (-1, 2), (1, 1, 1, 1, 1, 1), (0, 0)):
        g.case("pad", pad, [x], pads=pads, mode=mode)
    g.case("pad", pad, [small], pads=(1, 2), mode=mode)
    g.case("pad", pad, [randn(1, 2, 2, dtype=f64)], pads=(1, 1, 1, 0), mode=mode)
    g.case("pad", pad, [randn(1, 2, 3, 2, 2)], pads=(1, 1, 1, 0, 1, 1), mode=mode)
    g.case("pad", pad, [randn(4)], pads=(1, 1), mode=mode)
for dtype in DTYPES:
    y = numbers(2, 3, dtype=dtype)
    g.case("repeat", repeat, [y], sizes=(2, 2))
    g.case("flip", flip, [y], sizes=(0, 1))
    g.case("roll", roll, [y], shifts=(1,), sizes=(1,))
    g.case("triu", torch.triu, [y], diagonal=0)
    g.case("tril", torch.tril, [y], diagonal=0)
    g.case("diag", torch.diag, [y], diagonal=1)
    g.case("diag", torch.diag, [y[0]], diagonal=-1)
    g.case("pad", pad, [y], pads=(1, 1))
    g.case("unfold", unfold, [y], dim=1, size=2, step=1)
g.case("roll", roll, [randn(())], shifts=(1,), sizes=(0,))
g.case("roll", roll, [randn(())], shifts=(1,))
g.case("one_hot", one_hot, [torch.tensor([-3, -1])])
for mode in ("reflect", "replicate"):
    for pads in ((-1, 2), (2, -1), (-5, 5), (3, -6), (-6, 3), (-3, 3), (-4, 2), (4, -5), (-2, -2), (-2, -3)):
        g.case("pad", pad, [randn(1, 2, 5)], pads=pads, mode=mode)
    g.case("pad", pad, [randn(1, 2, 5, 2, dtype=f64)], pads=(1, 0, -5, 4), mode=mode)
    g.case("pad", pad, [randn(1, 4, 3, 3)], pads=(2, -1, -1, 1, 1, -2), mode=mode)
for pads in ((-1, 2), (2, -1), (1, -1), (-1, -4), (-1, 4)):
    g.case("pad", pad, [randn(1, 2, 5)], pads=pads, mode="circular")
g.case("pad", pad, [randn(3)], pads=(2**62, 2**62))
g.case("repeat", repeat, [randn(4)], sizes=(2**62,))
g.case("diag", torch.diag, [randn(4)], diagonal=2**62)
g.write()
