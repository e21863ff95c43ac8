"""Choosing and mixing: where, masked_fill, clamp, lerp, addcmul, addcdiv."""

import math

import torch
from golden import DTYPES, FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("where", seed=5)
inf, nan = math.inf, math.nan
f64 = torch.float64
SHAPES = [((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), (2, 1)), ((3,), (2, 3), ()), ((), (2, 3), (3,)), ((2, 1), (1, 3), (1,)),
          ((), (), ()), ((0, 3), (3,), (1, 3))]
for sc, sa, sb in SHAPES:
    for dtype in (torch.float32, f64):
        g.case("where", torch.where, [randn(sc) > 0, randn(sa, dtype=dtype), randn(sb, dtype=dtype)])
for number in (True, 2, 0.5):
    for dtype in (torch.bool, torch.int32, torch.float32, f64):
        g.case("where", torch.where, [randn(2, 3) > 0, numbers(2, 3, dtype=dtype), number])
        g.case("where", torch.where, [randn(2, 3) > 0, number, numbers(3, dtype=dtype)])
for da in DTYPES:
    for db in DTYPES:
        g.case("where", torch.where, [randn(3) > 0, numbers(3, dtype=da), numbers(3, dtype=db)], gradient=False)
g.case("where", torch.where, [randn(3, 1) > 0, torch.tensor([nan, inf, -inf]), torch.zeros(3)])
g.case("where", torch.where, [randn(3), randn(3), randn(3)])
g.case("where", torch.where, [randn(2) > 0, randn(3), randn(3)])

for name, method in (("masked_fill", torch.Tensor.masked_fill), ("masked_fill_", torch.Tensor.masked_fill_)):
    for sx, sm in (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), ()), ((), ()), ((0,), (0,)), ((3,), (2, 3))):
        for dtype in (torch.float32, f64):
            g.case(name, method, [randn(sx, dtype=dtype), randn(sm) > 0, -inf if dtype == torch.float32 else 2.5])
            g.case(name, method, [randn(sx, dtype=dtype), randn(sm) > 0, randn((), dtype=dtype)])
    for dtype in DTYPES:
        for number in (True, 3, 1.0):
            g.case(name, method, [numbers(4, dtype=dtype), torch.tensor([True, False, True, False]), number], gradient=False)
    g.case(name, method, [numbers(4, dtype=torch.int32), torch.tensor([True, False, True, False]), 2.5])
    g.case(name, method, [randn(4), torch.tensor([1, 0, 1, 0]), 2.5])
    g.case(name, method, [randn(4), torch.tensor([True, False, True, False]), randn(2)])

EDGES = torch.tensor([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, inf, -inf, nan])
for name, function in (("clamp", torch.clamp), ("clamp_", torch.Tensor.clamp_)):
    for low, high in ((-0.5, 1), (-1, None), (None, 0.5), (1, -1), (0, inf), (-inf, inf), (nan, 1.0), (-1.0, nan)):
        g.case(name, function, [EDGES, low, high])
        if nan not in (low, high):
            g.case(name, function, [randn(3, 4), low, high], dtypes=FLOATS)
            if low != 1:
                x = randn(3, 4, dtype=f64)
                for bound in (low, high):
                    if bound is not None and math.isfinite(bound):
                        x = x + 0.1 * ((x - bound).abs() < 0.05)
                g.case(name, function, [x, low, high])
    for dtype in INTEGERS:
        g.case(name, function, [numbers(6, dtype=dtype), 1, 3])
        g.case(name, function, [numbers(6, dtype=dtype), None, 3])
        g.case(name, function, [numbers(6, dtype=dtype), 0.5, 2.5])
    g.case(name, function, [torch.tensor([2**53 + 1, 2**62 + 1]), 0, 2**62])
    g.case(name, function, [randn(3), None, None])
    g.case(name, function, [torch.zeros(0, 2), 0, 1])
    for shapes in (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((2, 3), (2, 1), (1, 3)), ((), (), ())):
        for dtype in (torch.float32, f64):
            x, low, high = [randn(s, dtype=dtype) for s in shapes]
            g.case(name, function, [x, low - 0.6, high + 0.6])
            g.case(name, function, [x, low, None])
            g.case(name, function, [x, None, high])
    g.case(name, function, [EDGES.view(11, 1), torch.tensor([0.0, nan, 1]), torch.tensor([1.0, 1, nan])])
    g.case(name, function, [EDGES, torch.zeros(11), torch.zeros(11)])
    g.case(name, function, [randn(5), torch.ones(5), -torch.ones(5)])
    g.case(name, function, [numbers(5, dtype=torch.int32), torch.zeros(5), torch.ones(5)], gradient=False)
    g.case(name, function, [numbers(5, dtype=torch.int64), torch.zeros(5, dtype=torch.int64), torch.full((5,), 2)])

for name, function in (("lerp", torch.lerp), ("lerp_", torch.Tensor.lerp_)):
    for sa, sb, sw in (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((2, 3), (2, 1), (1, 3)), ((), (), ()), ((0,), (1,), ())):
        for dtype in (torch.float32, f64):
            g.case(name, function, [randn(sa, dtype=dtype), randn(sb, dtype=dtype), torch.rand(sw, dtype=dtype)])
    for weight in (0.25, 0.5, 0.75, 1, 0, -1.0, 3.0):
        g.case(name, function, [randn(2, 3), randn(2, 3), weight])
        g.case(name, function, [randn(2, 3, dtype=f64), randn(3, dtype=f64), weight])
    g.case(name, function, [randn(3, 4), randn(3, 4), 0.3], dtypes=FLOATS[:2])
    g.case(name, function, [randn(2), randn(2, dtype=f64), 0.3])
    g.case(name, function, [torch.tensor([1e30, inf, 1.0]), torch.tensor([-1e30, 1, inf]), 0.7])

for name, function in (("addcmul", torch.addcmul), ("addcdiv", torch.addcdiv), ("addcmul_", torch.Tensor.addcmul_),
                       ("addcdiv_", torch.Tensor.addcdiv_)):
    for sx, sa, sb in (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((2, 3), (2, 1), (1, 3)), ((), (), ()), ((0,), (1,), ()),
                       ((3,), (2, 3), (3,))):
        for dtype in (torch.float32, f64):
            x, a, b = randn(sx, dtype=dtype), randn(sa, dtype=dtype), randn(sb, dtype=dtype)
            b = b + b.sign() * 0.5
            g.case(name, function, [x, a, b])
            g.case(name, function, [x, a, b], value=-0.5)
    g.case(name, function, [randn(3, 4), randn(3, 4), randn(3, 4) + 3], dtypes=FLOATS[:2], value=0.3)
    g.case(name, function, [numbers(3, dtype=torch.int32), numbers(3, dtype=torch.int32), torch.ones(3, dtype=torch.int32)])
    g.case(name, function, [numbers(3, dtype=torch.int32), numbers(3, dtype=torch.int32), torch.ones(3, dtype=torch.int32)],
           value=2)
    g.case(name, function, [torch.ones(3), torch.tensor([1.0, 0, -1]), torch.zeros(3)])
complex_ = [randn(3, dtype=torch.complex64) for _ in range(3)]
g.case("addcmul", torch.addcmul, complex_, gradient="complex")
g.case("addcmul", torch.addcmul, [randn(3), complex_[1], randn(3)], value=-0.5, gradient="complex")
for name, function in (("clamp", torch.clamp), ("clamp_", torch.Tensor.clamp_)):  # bounds that no integer reaches
    for dtype, bounds in ((torch.uint8, (-1, 3)), (torch.uint8, (2, 300)), (torch.uint8, (300, None)), (torch.int8, (-1000, 1000)),
                          (torch.int8, (None, -1000)), (torch.int64, (0, 2**63 - 1)), (torch.int64, (-2**63, 2))):
        g.case(name, function, [numbers(2, 4, dtype=dtype), *bounds])
    big = torch.tensor([2**53 + 3, -2**62 - 3, 2**63 - 1, -2**63, 5])
    for bounds in ((None, 2**53 + 1), (-2**62 - 1, None), (2**53 + 1, 2**63 - 3)):  # beyond doubles
        g.case(name, function, [big, *bounds])
g.write()
