"""einops 0.8's answers, over PyTorch.  A pattern holds its sizes, as wick's does: "b (h d) -> b h d, h=2"."""

import sys

sys.path.append(sys.path.pop(0))  # this file's own folder last: einops is the library

import einops
import torch

from golden import DTYPES, Golden, numbers, randn

g = Golden("einops", seed=61)


def split(pattern):
    first, *sizes = pattern.split(", ")
    return first, {name: int(size) for name, size in (each.split("=") for each in sizes)}


def rearrange(x, pattern):
    first, sizes = split(pattern)
    return einops.rearrange(x, first, **sizes)


def repeat(x, pattern):
    first, sizes = split(pattern)
    return einops.repeat(x, first, **sizes)


def reduce(x, pattern, reduction):
    first, sizes = split(pattern)
    return einops.reduce(x, first, reduction, **sizes)


def pack(*tensors, pattern):
    packed, shapes = einops.pack(tensors, pattern)
    return packed, torch.tensor([[len(shape), *shape] + [0] * (8 - len(shape)) for shape in shapes])


def unpack(x, pattern, **shapes):
    return einops.unpack(x, [list(shapes[f"shape{i}"]) for i in range(len(shapes))], pattern)


ellipses = ["... c -> c ...", "a ... -> ... a", "... (c k) -> k ... c, k=2", "a ... b -> a (...) b", "... -> (...)"]
for pattern, shape in [
        ("b c h w -> b (h w) c", (2, 3, 2, 2)), ("b (h w) c -> b c h w, h=2", (2, 6, 3)),
        ("b n (h d) -> b h n d, h=2", (2, 3, 6)), ("b h n d -> b n (h d)", (2, 2, 3, 3)),
        ("b c (h p1) (w p2) -> b (h w) (p1 p2 c), p1=2, p2=2", (2, 1, 4, 4)),
        ("b (h w) (p1 p2 c) -> b c (h p1) (w p2), p1=2, p2=2, h=2", (1, 4, 8)),
        ("b n (qkv h d) -> qkv b h n d, qkv=3, h=2", (2, 2, 12)), ("a b -> b a", (2, 3)), ("a b -> a b", (2, 3)),
        ("a -> a 1", (3,)), ("a 1 b -> b () a", (2, 1, 3)), ("a b -> (b a)", (2, 3)), ("(a 1 b) -> 1 a (b), a=2", (6,)),
        ("->", ()), ("-> 1 ()", ()), ("1 1 ->", (1, 1)), ("a b c d e f g h -> h (g f e) d c b a", (1, 2, 1, 2, 3, 1, 2, 1)),
        ("b (d d1) (h h1) (w w1) c -> (b d h w) d1 h1 w1 c, d1=1, h1=2, w1=2", (1, 2, 4, 4, 3)),
        ("b t c (h p) (w q) (u v) -> b t (h w) (u v) (p q) c, p=2, q=2, v=2", (2, 1, 2, 2, 4, 2)),
        ("batch head_1 x2 -> x2 (batch head_1)", (2, 2, 3)), ("a b -> b a", (0, 3)), ("(a b) -> b a, a=2", (0,)),
        ("a (b c) -> (a b) c, b=0, c=3", (2, 0)),
] + [(pattern, shape) for pattern in ellipses for shape in ((2, 4), (2, 1, 3, 2))]:
    g.case("einops_rearrange", rearrange, [randn(shape, dtype=torch.float64)], pattern=pattern)
for dtype in DTYPES:
    g.case("einops_rearrange", rearrange, [numbers(2, 4, 3, dtype=dtype)], pattern="a (b c) d -> c (d a) b, c=2")
for pattern, shape in [("a b -> a", (2, 3)), ("a -> a b", (2,)), ("a b c -> c b a", (2, 3)), ("(a b) -> a b, a=4", (6,)),
                       ("(a b) -> a b", (6,)), ("a a -> a", (2, 2)), ("a (b -> a b", (2, 2)), ("a 2 -> a 2", (2, 2)),
                       ("a ... -> a", (2, 2)), ("a -> a ...", (2,)), ("1 a -> a", (2, 2)), ("a b -> b a, c=2", (2, 2))]:
    g.case("einops_rearrange", rearrange, [randn(shape)], pattern=pattern)

for pattern, shape in [
        ("h w -> h w c, c=3", (2, 3)), ("h w -> c h w, c=2", (2, 3)), ("h w -> (h 2) w", (2, 3)),
        ("h w -> h (w r), r=2", (2, 3)), ("h w -> (r h) w, r=2", (2, 3)), ("d -> b 1 d, b=2", (3,)),
        ("... -> r ..., r=2", (2, 3)), ("b n d -> (b r) n d, r=2", (2, 2, 3)), ("-> a b, a=2, b=3", ()),
        ("1 n d -> b n d, b=2", (1, 2, 3)), ("h w -> (h a) (w b), a=2, b=2", (2, 2)), ("a -> a b, b=0", (2,)),
        ("a b c d e -> a b c (d u) (e v), u=2, v=2", (1, 2, 1, 2, 2)), ("(a b) -> b r a, a=2, r=2", (6,)),
        ("a b c d e f -> a (b 2) (c 2) (d 2) e f", (2, 1, 2, 1, 2, 1)), ("a -> a 3 2", (2,))]:
    g.case("einops_repeat", repeat, [randn(shape, dtype=torch.float64)], pattern=pattern)
for dtype in DTYPES:
    g.case("einops_repeat", repeat, [numbers(2, 3, dtype=dtype)], pattern="a b -> b (a r), r=2")
for pattern, shape in [("a -> a b", (2,)), ("a b -> a", (2, 2)), ("a 2 -> a", (2, 2)), ("a -> b a, b=2, c=2", (2,))]:
    g.case("einops_repeat", repeat, [randn(shape)], pattern=pattern)

reductions = ["mean", "sum", "max", "min", "prod", "any", "all"]
for pattern, shape in [("b c (h 2) (w 2) -> b c h w", (2, 1, 4, 4)), ("b c h w -> b c", (2, 3, 2, 2)),
                       ("b c h w -> w b", (2, 3, 2, 2)), ("a b ->", (2, 3)), ("a b -> 1 b 1", (2, 3)),
                       ("... c -> c", (2, 2, 3)), ("b (n r) d -> d b n, r=3", (2, 6, 2)), ("a b -> a b", (2, 3)),
                       ("a ... -> ...", (2, 3, 2)), ("a -> a", (3,)), ("->", ())]:
    for reduction in reductions:
        x = randn(shape, dtype=torch.float64)
        g.case("einops_reduce", reduce, [x > 0 if reduction in ("any", "all") else x], pattern=pattern, reduction=reduction)
for dtype in DTYPES:
    for reduction in reductions:
        g.case("einops_reduce", reduce, [numbers(2, 4, dtype=dtype)], pattern="a (b c) -> b a, c=2", reduction=reduction)
for pattern, shape, reduction in [("a b -> a c", (2, 3), "sum"), ("a b -> a", (2, 3), "median"), ("a b -> a", (2, 3, 1), "sum"),
                                  ("a 2 -> a", (2, 3), "sum")]:
    g.case("einops_reduce", reduce, [randn(shape)], pattern=pattern, reduction=reduction)
for values in ([float("nan"), 1.0, -2.0, 3.0], [float("inf"), 1.0, float("-inf"), 2.0]):
    for reduction in reductions[:5]:
        g.case("einops_reduce", reduce, [torch.tensor([values, values[::-1]])], pattern="a (b c) -> b a, c=2", reduction=reduction)

for shapes, pattern in [([(2, 3)], "* d"), ([(2, 3, 5), (2, 5), (2, 2, 2, 5)], "b * c"), ([(2,), (2, 3)], "a *"),
                        ([(), (3,), (1, 2)], "*"), ([(2, 3), (1, 3)], "* d"), ([(2, 0), (2, 1)], "a *"),
                        ([(2, 3), (3, 3)], "a *"), ([(2,), (2, 2)], "a * b"), ([(2, 2)], "a b"), ([(2, 2)], "a a *")]:
    g.case("einops_pack", pack, [randn(shape, dtype=torch.float64) for shape in shapes], pattern=pattern)
for dtype in (torch.int64, torch.bool, torch.float16, torch.complex64):
    g.case("einops_pack", pack, [numbers(2, 3, dtype=dtype), numbers(2, dtype=dtype)], pattern="a *")
for shape, pattern, shapes in [((2, 6, 2), "a * b", [(2,), (), (3, 1)]), ((6, 2), "* d", [(2, 3)]), ((6,), "*", [(2,), (-1, 2)]),
                               ((2, 6), "a *", [(-1,), (4,)]), ((2, 6), "a *", [(2,), (3,), (1, 1)]), ((2, 0), "a *", [(0,), (2, 0)]),
                               ((2, 6), "a *", [(-1,), (-1,)]), ((2, 6), "a *", [(4,), (4,)]), ((2, 6), "*", [(6,)])]:
    g.case("einops_unpack", unpack, [randn(shape, dtype=torch.float64)], pattern=pattern,
           **{f"shape{i}": each for i, each in enumerate(shapes)})


def einsum(*tensors, pattern):
    return einops.einsum(*tensors, pattern)


for pattern, shapes in [("batch i d, batch j d -> batch i j", [(2, 3, 4), (2, 2, 4)]), ("i i ->", [(3, 3)]),
                        ("out_dim in_dim, ... in_dim -> ... out_dim", [(3, 4), (2, 1, 4)]),
                        ("a b c, c b d, a g k -> a b k", [(2, 3, 2), (2, 3, 4), (2, 2, 3)]), ("a, b -> b a", [(2,), (3,)]),
                        ("a b -> b c", [(2, 3)]), ("a b", [(2, 3)]), ("aa bb, bb c -> aa c", [(2, 3), (4, 2)])]:
    g.case("einops_einsum", einsum, [randn(shape, dtype=torch.float64) for shape in shapes], pattern=pattern)

g.write()
