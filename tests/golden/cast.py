"""dtypes, copies, writes of whole tensors, values read out."""

import math

import torch
from golden import DTYPES, FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("cast", seed=8)
inf, nan = math.inf, math.nan
f64 = torch.float64


def to(x, dtype):
    return x.to(dtype)


for da in DTYPES:
    for db in DTYPES:
        g.case("to", to, [numbers(2, 3, dtype=da)], gradient=not (da.is_complex or db.is_complex), dtype=db)
        g.case("to", to, [numbers(dtype=da)], gradient=False, dtype=db)
# rounding to halves: ties, overflow, denormals, NaN
EDGES = [1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-9, 65504.0, 65519.0, 65520.0, 1e5, -1e5, 3.4e38, 6e-8, 3e-8,
         2.9802322387695312e-08, 2.98023224e-08 * 1.5, 5.9604645e-8 * 2.5, 6.1e-5, 1e-40, 0.0, -0.0, inf, -inf, nan, 1 / 3]
for da in FLOATS:
    for db in FLOATS + [torch.bool, torch.complex64, torch.complex128]:
        g.case("to", to, [torch.tensor(EDGES, dtype=f64).to(da)], gradient=False, dtype=db)
    for db in INTEGERS:
        g.case("to", to, [torch.tensor([0.9, -0.9, 1.5, -1.5, 100.7, -100.7], dtype=f64).to(da)], gradient=False, dtype=db)
    g.case("to", to, [torch.tensor([-1.0, 255.5, 256, 300, -300, 1000], dtype=f64).to(da)], gradient=False, dtype=torch.uint8)
    g.case("to", to, [torch.tensor([127.0, 128, -128, -129, 300], dtype=f64).to(da)], gradient=False, dtype=torch.int8)
big = torch.tensor([2**31, -2**31 - 1, 2**40 + 7, 65535, 65536, 255, 256, -1, -129, 2**53 + 1, -2**63, 2**63 - 1])
for db in DTYPES:
    g.case("to", to, [big], dtype=db)
g.case("to", to, [randn(67)], dtype=torch.bfloat16)
g.case("to", to, [randn(67)], dtype=torch.float16)
g.case("to", to, [torch.zeros(0, 3)], dtype=torch.int32)

for dtype in DTYPES:
    g.case("clone", torch.clone, [numbers(2, 3, dtype=dtype)], gradient=not dtype.is_complex)
    g.case("contiguous", torch.Tensor.contiguous, [numbers(2, 3, dtype=dtype)], gradient=not dtype.is_complex)
    g.case("type_as", torch.Tensor.type_as, [numbers(2, 3), numbers(1, dtype=dtype)], gradient=not dtype.is_complex)
g.case("clone", torch.clone, [randn(2, 3, dtype=f64)])
g.case("contiguous", torch.Tensor.contiguous, [randn(2, 3, dtype=f64)])
g.case("clone", torch.clone, [torch.zeros(0, 2)])

for sx, sy in (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), ()), ((), ()), ((0, 2), (2,)), ((3,), (2, 3)), ((2, 3), (2,))):
    for dtype in (torch.float32, f64):
        g.case("copy_", torch.Tensor.copy_, [randn(sx, dtype=dtype), randn(sy, dtype=dtype)])
for da in DTYPES:
    for db in DTYPES:
        g.case("copy_", torch.Tensor.copy_, [numbers(3, dtype=da), numbers(3, dtype=db)], gradient=not (da.is_complex or db.is_complex))
    for value in (True, 3, 2.5, -1.0):
        if da != torch.uint8 or value != -1:
            g.case("fill_", torch.Tensor.fill_, [numbers(3, dtype=da), value], gradient=not da.is_complex)
    g.case("zero_", torch.Tensor.zero_, [numbers(2, 3, dtype=da)], gradient=not da.is_complex)
g.case("fill_", torch.Tensor.fill_, [randn(2, 3, dtype=f64), randn((), dtype=f64)])
g.case("fill_", torch.Tensor.fill_, [randn(2, 3), randn(2)])
g.case("fill_", torch.Tensor.fill_, [torch.zeros(0), 2.0])
g.case("zero_", torch.Tensor.zero_, [randn(2, 3, dtype=f64)])

for dtype in DTYPES[:-2]:
    g.case("item", lambda x: torch.tensor(float(x.item()), dtype=f64), [numbers(1, 1, dtype=dtype)], gradient=False)
    g.case("tolist", lambda x: torch.tensor(x.tolist(), dtype=f64), [numbers(2, 3, dtype=dtype)], gradient=False)
g.case("item_int64", lambda x: torch.tensor(x.item()), [torch.tensor([2**53 + 1])])
g.case("item", lambda x: torch.tensor(float(x.item()), dtype=f64), [randn(2)], gradient=False)
g.write()
