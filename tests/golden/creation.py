"""New tensors: filled, like others, ranges."""

import torch
from golden import DTYPES, FLOATS, Golden, numbers

g = Golden("creation", seed=7)
for op, function in (("zeros", torch.zeros), ("ones", torch.ones)):
    for size in ((2, 3), (), (0, 2), (5,), (1, 2, 3, 4)):
        g.case(op, function, [], size=size)
    for dtype in DTYPES:
        g.case(op, function, [], size=(2, 2), dtype=dtype)
    g.case(op, function, [], size=(2, -1))
for dtype in DTYPES:
    for op, function in (("zeros_like", torch.zeros_like), ("ones_like", torch.ones_like)):
        g.case(op, function, [numbers(2, 3, dtype=dtype)], gradient=False)
        g.case(op, function, [numbers(2, 3)], gradient=False, dtype=dtype)
    for op in ("new_zeros", "new_ones"):
        g.case(op, getattr(torch.Tensor, op), [numbers(2, 3, dtype=dtype)], gradient=False, size=(2, 2))
        g.case(op, getattr(torch.Tensor, op), [numbers(2, 3)], gradient=False, size=(3,), dtype=dtype)
    for fill in (True, 3, 2.5, -1, 0):
        if dtype == torch.uint8 and fill == -1:
            continue
        g.case("full", torch.full, [], size=(2,), fill_value=fill, dtype=dtype)
        g.case("full_like", torch.full_like, [numbers(3, dtype=dtype)], gradient=False, fill_value=fill)
        g.case("new_full", torch.Tensor.new_full, [numbers(3, dtype=dtype)], gradient=False, size=(2, 1), fill_value=fill)
for fill in (3, 2.5, float("inf"), float("nan"), 2**53 + 1):
    g.case("full", torch.full, [], size=(2, 2), fill_value=fill)
g.case("full_bool", torch.full, [], size=(), fill_value=True)

for arguments in ((5,), (0,), (2, 7), (7, 2), (2, 7, 2), (7, 2, -2), (0, 1, 0.1), (1, 2.5), (5.5,), (0, 5, 0), (-1, 1, 0.25), (1, 0, -0.3),
                  (3, 3), (0.0, 1.0, 0.3), (2**53, 2**53 + 3), (10, 0, -3)):
    start, end, step = {1: lambda e: (0, e, 1), 2: lambda s, e: (s, e, 1), 3: lambda *all: all}[len(arguments)](*arguments)
    g.case("arange", torch.arange, [], start=start, end=end, step=step)
for dtype in DTYPES[1:-2]:
    g.case("arange", torch.arange, [], start=0, end=9, step=2, dtype=dtype)
for start, end, steps in ((0.0, 1.0, 5), (-10.0, 10.0, 7), (3.0, 3.0, 3), (1.0, 0.0, 4), (0.0, 1.0, 1), (0.0, 1.0, 0), (0.0, 1.0, 2),
                          (0.1, 0.7, 33), (1.0, 2.0, -1), (-1.0, 1.0, 100)):
    g.case("linspace", torch.linspace, [], start=start, end=end, steps=steps)
    for dtype in (torch.float64, torch.bfloat16):
        g.case("linspace", torch.linspace, [], start=start, end=end, steps=steps, dtype=dtype)
for n, m in ((3, None), (2, 4), (4, 2), (0, None), (1, None), (2, 0)):
    g.case("eye", lambda n, m=None, dtype=None: torch.eye(n, n if m is None else m, dtype=dtype), [], n=n, m=m)
for dtype in DTYPES:
    g.case("eye", torch.eye, [], n=2, dtype=dtype)
for dtype in DTYPES[1:6]:
    for start, end, step in ((0.5, 3.5, 1), (0, 3.9, 1), (0.9, 5.1, 1.5), (0, 3, 0.5), (5.5, -1.5, -1.5), (-1.5, 1.5, 1), (0.5, 0.9, 1),
                             (-0.5, 0.5, 1), (3, 0.5, -0.9), (2.5, 1, 1), (0, 2.5, 2), (120.5, 127.2, 2)):
        g.case("arange", torch.arange, [], start=start, end=end, step=step, dtype=dtype)
    for start, end, steps in ((0.5, 3.5, 4), (0.0, 3.9, 4), (0.9, 5.1, 3), (-1.5, 1.5, 5), (2.7, 2.9, 1), (5.9, 0.1, 6), (0.0, 10.0, 4),
                              (0.0, 300.0, 3), (0.1, 0.9, 9), (127.0, 0.0, 3)):
        g.case("linspace", torch.linspace, [], start=start, end=end, steps=steps, dtype=dtype)
for n, m in ((-1, None), (2, -1)):
    g.case("eye", lambda n, m=None: torch.eye(n, n if m is None else m), [], n=n, m=m)
g.write()
