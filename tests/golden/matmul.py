"""PyTorch's matrix products: matmul and its kin, addmm, linear."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

g = Golden("matmul", seed=11)
f64 = torch.float64

PAIRS = [((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 5, 3), (3, 4)), ((5, 3), (2, 3, 4)),
         ((2, 5, 3), (2, 3, 4)), ((2, 1, 5, 3), (4, 3, 2)), ((3,), (2, 3, 4)), ((2, 5, 3), (3,)), ((1, 1), (1, 1)),
         ((17, 33), (33, 20)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4)), ((2, 0, 3), (2, 3, 4)),
         ((0,), (0,)), ((2, 0, 3), (3,))]
BAD = [((2, 3), (4, 5)), ((), (3,)), ((3,), ()), ((2, 3), (4,)), ((3, 2, 3), (2, 3, 4)), ((4,), (3, 4)), ((2, 5, 3), (4, 5))]
for a, b in PAIRS + BAD:
    g.case("matmul", torch.matmul, [randn(a), randn(b)])
for a, b in PAIRS[:9]:
    g.case("matmul", torch.matmul, [randn(a, dtype=f64), randn(b, dtype=f64)])
g.case("matmul", torch.matmul, [numbers(2, 3), numbers(3, 4)], dtypes=FLOATS)
for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
    g.case("matmul", torch.matmul, [numbers(2, 5, 3, dtype=dtype), numbers(3, 4, dtype=dtype)])
    g.case("matmul", torch.matmul, [numbers(3, dtype=dtype), numbers(3, dtype=dtype)])
g.case("matmul", torch.matmul, [numbers(2, 3), numbers(3, 4, dtype=torch.int64)])
g.case("matmul", torch.matmul, [torch.full((2, 3), 100, dtype=torch.int8), torch.full((3, 2), 100, dtype=torch.int8)])
inf, nan = float("inf"), float("nan")
g.case("matmul", torch.matmul, [torch.tensor([[1.0, 0, 0], [inf, 1, 0]]), torch.tensor([[1.0, 0], [nan, 1], [inf, 2]])])

for a, b in (((2, 3), (3, 4)), ((1, 7), (7, 1)), ((0, 3), (3, 2)), ((2, 3), (4, 2)), ((3,), (3, 2)), ((2, 2, 3), (3, 2))):
    g.case("mm", torch.mm, [randn(a), randn(b)])
g.case("mm", torch.mm, [randn(3, 4, dtype=f64), randn(4, 2, dtype=f64)])
for a, b in (((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (2, 3, 5)), ((3, 4), (4, 5))):
    g.case("bmm", torch.bmm, [randn(a), randn(b)])
g.case("bmm", torch.bmm, [randn(2, 3, 4, dtype=f64), randn(2, 4, 2, dtype=f64)])
for a, b in (((3, 4), (4,)), ((0, 4), (4,)), ((3, 0), (0,)), ((3, 4), (3,)), ((3, 4), (4, 1))):
    g.case("mv", torch.mv, [randn(a), randn(b)])
g.case("mv", torch.mv, [randn(3, 4, dtype=f64), randn(4, dtype=f64)])
for a, b in (((4,), (4,)), ((0,), (0,)), ((1000,), (1000,)), ((4,), (3,)), ((1, 4), (4,))):
    g.case("dot", torch.dot, [randn(a), randn(b)])
g.case("dot", torch.dot, [randn(5, dtype=f64), randn(5, dtype=f64)])
g.case("dot", torch.dot, [numbers(5, dtype=torch.int64), numbers(5, dtype=torch.int64)])
for a, b in (((3,), (4,)), ((0,), (4,)), ((3, 1), (4,))):
    g.case("outer", torch.outer, [randn(a), randn(b)])
g.case("outer", torch.outer, [randn(3, dtype=f64), randn(2, dtype=f64)])
g.case("outer", torch.outer, [randn(3, dtype=torch.complex64), randn(2, dtype=torch.complex64)], gradient="complex")
g.case("outer", torch.outer, [randn(3), randn(2, dtype=torch.complex64)], gradient="complex")

for shape in ((4,), (2, 4), (2, 1), (1, 4), (), (1,), (3,), (2, 2, 4)):
    g.case("addmm", torch.addmm, [randn(shape), randn(2, 3), randn(3, 4)])
g.case("addmm", torch.addmm, [randn(4, dtype=f64), randn(2, 3, dtype=f64), randn(3, 4, dtype=f64)], beta=0.5, alpha=-2.0)
g.case("addmm", torch.addmm, [torch.full((2, 4), nan), randn(2, 3), randn(3, 4)], beta=0.0, alpha=1.0)
g.case("addmm", torch.addmm, [numbers(2, 4, dtype=torch.int64), numbers(2, 3, dtype=torch.int64),
                              numbers(3, 4, dtype=torch.int64)], beta=2, alpha=3)

for shape in ((3,), (2, 3), (2, 5, 3), (2, 1, 2, 3), (0, 3), (2, 0, 3), (2, 4)):
    g.case("linear", F.linear, [randn(shape), randn(4, 3), randn(4)])
    g.case("linear", F.linear, [randn(shape), randn(4, 3), None])
for shape in ((3,), (2, 3), (2, 5, 3)):
    g.case("linear", F.linear, [randn(shape, dtype=f64), randn(4, 3, dtype=f64), randn(4, dtype=f64)])
g.case("linear", F.linear, [numbers(2, 3), numbers(4, 3), numbers(4)], dtypes=FLOATS)
g.case("linear", F.linear, [randn(20, 33), randn(50, 33), randn(50)])
g.case("linear", F.linear, [randn(2, 3), randn(4, 3), randn(1)])
g.case("linear", F.linear, [randn(2, 3), randn(4, 3), randn(2, 4)])
g.case("linear", F.linear, [randn(2, 3), randn(4, 3), randn(3)])
g.case("linear", F.linear, [randn(2, 3), randn(0, 3), randn(0)])
g.case("linear", F.linear, [randn(2, 0), randn(4, 0), randn(4)])
g.case("linear", F.linear, [numbers(2, 3, dtype=torch.int64), numbers(4, 3, dtype=torch.int64), None])
g.case("linear", F.linear, [randn(2, 3), randn(4, 3, dtype=f64), None])
for dtype in (torch.complex64, torch.complex128):
    g.case("matmul", torch.matmul, [randn(2, 5, 3, dtype=dtype), randn(3, 4, dtype=dtype)], gradient="complex")
    g.case("matmul", torch.matmul, [randn(2, 5, 3, dtype=dtype), randn(2, 3, 4, dtype=dtype)], gradient="complex")
    g.case("matmul", torch.matmul, [randn(3, dtype=dtype), randn(3, dtype=dtype)], gradient="complex")
    g.case("linear", F.linear, [randn(2, 3, dtype=dtype), randn(4, 3, dtype=dtype), None], gradient="complex")
    g.case("linear", F.linear, [randn(2, 2, 3, dtype=dtype), randn(4, 3, dtype=dtype), randn(4, dtype=dtype)], gradient="complex")
# no inputs: the bias, repeated
for shape in ((2, 5, 0), (0,), (2, 0)):
    g.case("linear", F.linear, [randn(shape), randn(4, 0), randn(4)])
    g.case("linear", F.linear, [randn(shape), randn(4, 0), None])
# halves, large enough for tiles, odd sizes and a row
for dtype in FLOATS[:2]:
    for a, b in (((2, 3), (3, 4)), ((17, 33), (33, 20)), ((2, 5, 3), (2, 3, 4)), ((3,), (3, 4)), ((5, 3), (3,)), ((2, 0), (0, 4))):
        g.case("matmul", torch.matmul, [randn(a, dtype=dtype), randn(b, dtype=dtype)])
    for shape in ((3,), (2, 3), (2, 5, 3)):
        g.case("linear", F.linear, [randn(shape, dtype=dtype), randn(4, 3, dtype=dtype), randn(4, dtype=dtype)])
for dtype in (torch.float32, f64):  # no features
    g.case("linear", F.linear, [randn(2, 0, dtype=dtype), randn(4, 0, dtype=dtype), randn(4, dtype=dtype)])
    g.case("linear", F.linear, [randn(2, 3, 0, dtype=dtype), randn(4, 0, dtype=dtype), None])
g.case("linear", F.linear, [randn(0), randn(4, 0), randn(4)])
g.write()
