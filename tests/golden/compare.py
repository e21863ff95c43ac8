"""Comparison, logic and bits: no gradients."""

import math

import torch
from golden import DTYPES, INTEGERS, Golden, numbers, randn

g = Golden("compare", seed=4)
inf, nan = math.inf, math.nan
EDGES = torch.tensor([0.0, -0.0, 1, -1, 2.5, inf, -inf, nan])
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("logical_and", "logical_or", "logical_xor")
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
for name in COMPARISONS + LOGIC + BITS:
    function = getattr(torch, name)
    for sa, sb in (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((), (3,)), ((0, 3), (3,)), ((), ())):
        dtype = torch.int64 if name in BITS else torch.float32
        g.case(name, function, [numbers(*sa, dtype=dtype), numbers(*sb, dtype=dtype)], gradient=False)
    if name not in BITS:
        g.case(name, function, [EDGES.view(8, 1), EDGES], gradient=False)
        g.case(name, function, [randn(5, 41), randn(5, 41)], gradient=False)
    g.case(name, function, [numbers(2, 3), numbers(2, 4)], gradient=False)
    for da in DTYPES:
        for db in DTYPES:
            if name in ("eq", "lt", "logical_and", "bitwise_and") or da == db:
                g.case(name, function, [numbers(3, dtype=da), numbers(3, dtype=db)], gradient=False)
        if name not in LOGIC:
            for number in (True, 2, -1, 0.5):
                g.case(name, function, [numbers(3, dtype=da), number], gradient=False)
g.case("eq", torch.eq, [torch.tensor([2**53, 2**53 + 1, -2**63]), torch.tensor([2**53 + 1, 2**53 + 1, -2**63])])
g.case("lt", torch.lt, [torch.tensor([2**53, 2**53 + 1]), 2**53 + 1])

for a, b in ((randn(2, 3), None), (randn(2, 3), randn(2, 3)), (randn(2, 3), randn(3, 2)), (torch.zeros(0, 3), torch.zeros(0, 3)),
             (torch.tensor([nan]), torch.tensor([nan])), (torch.tensor([0.0]), torch.tensor([-0.0]))):
    b = a.clone() if b is None else b
    g.case("equal", torch.equal, [a, b], gradient=False)
A = randn(2, 3)
for b, keywords in ((A, {}), (A + 1e-6, {}), (A + 1e-3, {}), (A + 1e-3, {"atol": 1e-2}), (A * 1.05, {"rtol": 0.1}),
                    (A * 1.05, {"rtol": 0.01})):
    g.case("allclose", torch.allclose, [A, b], gradient=False, **keywords)
for a, b in (([nan, 1.0], [nan, 1.0]), ([inf, 1.0], [inf, 1.0]), ([inf], [-inf]), ([inf], [1.0]), ([1.0], [inf]), ([nan], [1.0])):
    for equal_nan in (False, True):
        g.case("allclose", torch.allclose, [torch.tensor(a), torch.tensor(b)], gradient=False, equal_nan=equal_nan)
for b, atol in ((3 - 4j, 0), (3 - 4.001j, 1e-2), (3 - 4.1j, 1e-2), (3 + 4j, 7.9), (complex(inf, 0), 0), (complex(nan, 0), 0)):
    for dtype in (torch.complex64, torch.complex128):
        g.case("allclose", torch.allclose, [torch.tensor([3 - 4j], dtype=dtype), torch.tensor([b], dtype=dtype)], gradient=False,
               atol=atol)
infinite = torch.tensor([complex(inf, 1)])
g.case("allclose", torch.allclose, [infinite, infinite], gradient=False)
g.write()
