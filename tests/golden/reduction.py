"""PyTorch's reductions: over each dim, pairs of dims, everything; kept and dropped; of nothing; with NaN and infinity."""

import torch
from golden import FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("reduction", seed=2)
inf, nan = float("inf"), float("nan")
f64 = torch.float64
special = torch.tensor([[1, 2, -inf], [-inf, -inf, -inf], [inf, 1, 2], [nan, 0, nan], [3, nan, 3], [0, 0, 0]])
EMPTY = (((0,), 0), ((3, 0), 1), ((0, 3), 1), ((2, 0, 3), -1))


def dims_of(function):
    """The same call with dims and keepdim, where they are given."""
    def call(x, dims=None, keepdim=None, **keywords):
        if dims is None:
            return function(x, **keywords)
        return function(x, dims, keepdim=bool(keepdim), **keywords)
    return call


for op, many in (("sum", True), ("mean", True), ("prod", False), ("amax", True), ("amin", True), ("all", True),
                 ("any", True), ("logsumexp", True)):
    f = dims_of(getattr(torch, op))
    everything = op != "logsumexp"
    for dim in (0, 1, 2, -1):
        g.case(op, f, [randn(3, 4, 5)], dims=dim, keepdim=False)
        g.case(op, f, [randn(2, 3, 2, dtype=f64)], dims=dim, keepdim=True)
    if many:
        for dims in ((0, 1), (0, 2), (2, 1), (0, 1, 2), (-1, 0)):
            g.case(op, f, [randn(3, 4, 5)], dims=dims, keepdim=dims[0] == 0)
            g.case(op, f, [randn(2, 3, 2, dtype=f64)], dims=dims, keepdim=False)
        g.case(op, f, [randn(2, 3)], dims=(0, 0), keepdim=False)
    if everything:
        g.case(op, f, [randn(3, 4, 5)])
        g.case(op, f, [randn(2, 3, dtype=f64)])
        g.case(op, f, [randn(())])
        g.case(op, f, [torch.zeros(0)])
        for dtype in [torch.bool] + INTEGERS:
            g.case(op, f, [numbers(3, 4, dtype=dtype)])
    g.case(op, f, [randn(4, 7) * 2], dtypes=FLOATS, dims=1, keepdim=False)
    for dtype in [torch.bool] + INTEGERS:
        g.case(op, f, [numbers(3, 4, dtype=dtype)], dims=0, keepdim=False)
    g.case(op, f, [randn(())], dims=0, keepdim=False)
    g.case(op, f, [special], dims=1, keepdim=False, gradient=op != "prod")
    g.case(op, f, [special], dims=0, keepdim=False, gradient=op != "prod")
    for shape, dim in EMPTY:
        g.case(op, f, [torch.zeros(shape)], dims=dim, keepdim=False)
    g.case(op, f, [torch.zeros(0, 3)], dims=0, keepdim=True)
    g.case(op, f, [randn(2, 3)], dims=2, keepdim=False)
    g.case(op, f, [randn(3, 100) * 10], dims=1, keepdim=False)

for op in ("sum", "mean", "prod"):
    f = dims_of(getattr(torch, op))
    g.case(op, f, [numbers(3, 4, dtype=torch.int32)], dims=1, keepdim=False, dtype=torch.float32)
    g.case(op, f, [randn(3, 4)], dims=1, keepdim=False, dtype=f64)
    g.case(op, f, [randn(3, 4)], dtype=f64)
zeros = torch.tensor([[1.0, 0, 2], [0, 0, 3], [2, 3, 4]], dtype=f64)
g.case("prod", dims_of(torch.prod), [zeros], smooth=False, dims=1, keepdim=False)
g.case("prod", dims_of(torch.prod), [zeros], smooth=False)

for op in ("var", "std"):
    f = dims_of(getattr(torch, op))
    for dim in (0, 1, -1):
        g.case(op, f, [randn(3, 4, 5)], dims=dim, keepdim=False)
        g.case(op, f, [randn(2, 3, 2, dtype=f64)], dims=dim, keepdim=True)
    g.case(op, f, [randn(3, 4, 5)])
    g.case(op, f, [randn(3, 4, 5, dtype=f64)], dims=(0, 2), keepdim=False, correction=0)
    g.case(op, f, [randn(3, 4) + 1000], dims=1, keepdim=False, correction=2)
    g.case(op, f, [randn(3, 1)], dims=1, keepdim=False)
    g.case(op, f, [randn(4, 7)], dtypes=FLOATS, dims=1, keepdim=False)
    g.case(op, f, [numbers(3, 4, dtype=torch.int64)], dims=1, keepdim=False)
    g.case(op, f, [torch.zeros(0, 3)], dims=0, keepdim=False)
    g.case(op, f, [special], dims=1, keepdim=False)
f = dims_of(torch.var_mean)
g.case("var_mean", f, [randn(3, 4, 5, dtype=f64)], dims=(0, 2), keepdim=True, correction=0)
g.case("var_mean", f, [randn(3, 4)], dims=1, keepdim=False)


def norm(x, p, dims=None, keepdim=None, **keywords):
    return torch.linalg.vector_norm(x, p, dims, bool(keepdim), **keywords)


for p in (2.0, 1.0, 3.0, 0.5, inf, -inf, 0.0):
    g.case("norm", norm, [randn(3, 4)], p=p)
    g.case("norm", norm, [randn(2, 3, 2, dtype=f64)], p=p, dims=1, keepdim=False)
    g.case("norm", norm, [randn(2, 3, 2, dtype=f64)], p=p, dims=(0, 2), keepdim=True)
    g.case("norm", norm, [torch.tensor([[0.0, 0, 0], [1, 0, -2], [3, 3, 3]])], smooth=False, p=p, dims=1, keepdim=False)
g.case("norm", norm, [randn(4, 7)], dtypes=FLOATS, p=2.0, dims=1, keepdim=False)
g.case("norm", norm, [randn(4, 7)], p=2.0, dims=1, keepdim=False, dtype=f64)
for p in (2.0, 1.0):
    g.case("linalg_vector_norm", lambda x, p: norm(x, p, (0, 2), True), [randn(2, 3, 2, dtype=f64)], p=p)
g.case("norm", norm, [torch.arange(6)], p=2.0)
g.case("norm", norm, [torch.zeros(0)], p=2.0)
g.case("norm", norm, [special], p=2.0, dims=1, keepdim=False)


def extremum(function):
    def call(x, dim=None, keepdim=None):
        return function(x) if dim is None else tuple(function(x, dim, keepdim=bool(keepdim)))
    return call


for op, function in (("max", torch.max), ("min", torch.min)):
    f = extremum(function)
    g.case(op, f, [randn(3, 4)])
    g.case(op, f, [randn(2, 3, dtype=f64)])
    g.case(op, f, [torch.tensor([1.0, 3, 3, -2, -2])])
    g.case(op, f, [special])
    g.case(op, f, [torch.zeros(0)])
    for dim in (0, 1, 2, -1):
        g.case(op, f, [randn(3, 4, 5)], dim=dim, keepdim=False)
        g.case(op, f, [randn(2, 3, 2, dtype=f64)], dim=dim, keepdim=True)
    g.case(op, f, [randn(3, 200)], dim=1, keepdim=False)
    g.case(op, f, [special], dim=1, keepdim=False)
    g.case(op, f, [special], dim=0, keepdim=False)
    g.case(op, f, [randn(())], dim=0, keepdim=False)
    g.case(op, f, [randn(4, 7)], dtypes=FLOATS, dim=1, keepdim=False)
    for dtype in INTEGERS:
        g.case(op, f, [torch.randperm(12).view(3, 4).to(dtype)], dim=0, keepdim=False)
    for shape, dim in EMPTY:
        g.case(op, f, [torch.zeros(shape)], dim=dim, keepdim=False)
    g.case(op, f, [randn(2, 3)], dim=2, keepdim=False)


for op, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
    g.case(op, function, [randn(3, 4)])
    g.case(op, function, [randn(3, 4)], dim=None, keepdim=True)
    for dim in (0, 1, 2, -1):
        g.case(op, function, [randn(3, 4, 5)], dim=dim)
        g.case(op, function, [randn(3, 4, 5)], dim=dim, keepdim=True)
    g.case(op, function, [special], dim=1)
    g.case(op, function, [special])
    g.case(op, function, [torch.tensor([[1, 3, 3], [2, 2, 1]])], dim=1)
    g.case(op, function, [randn(())])
    g.case(op, function, [randn(())], dim=0)
    g.case(op, function, [randn(4, 7)], dtypes=FLOATS, dim=1)
    g.case(op, function, [torch.zeros(0)])
    g.case(op, function, [torch.zeros(0, 3)], dim=0)
    g.case(op, function, [torch.zeros(0, 3)], dim=1)

for dim in (0, 1, 2, -1):
    g.case("cumsum", torch.cumsum, [randn(3, 4, 5)], dim=dim)
    g.case("cumsum", torch.cumsum, [randn(2, 3, 2, dtype=f64)], dim=dim)
g.case("cumsum", torch.cumsum, [randn(20, 3)], dim=1)
g.case("cumsum", torch.cumsum, [randn(4, 7)], dtypes=FLOATS, dim=1)
for dtype in [torch.bool] + INTEGERS:
    g.case("cumsum", torch.cumsum, [numbers(3, 4, dtype=dtype)], dim=1)
g.case("cumsum", torch.cumsum, [numbers(3, 4, dtype=torch.int32)], dim=0, dtype=torch.float32)
g.case("cumsum", torch.cumsum, [special], dim=1)
g.case("cumsum", torch.cumsum, [randn(())], dim=0)
g.case("cumsum", torch.cumsum, [torch.zeros(0, 3)], dim=0)
g.case("cumsum", torch.cumsum, [randn(2, 3)], dim=2)
g.case("sum_to_size", lambda x, size: x.sum_to_size(size), [randn(2, 3, 4)], size=(3, 1))
g.case("sum_to_size", lambda x, size: x.sum_to_size(size), [randn(2, 3, 4, dtype=f64)], size=(2, 1, 4))
g.case("sum_to_size", lambda x, size: x.sum_to_size(size), [randn(2, 3, 4)], size=(5, 1))

# ---- halves, along memory and across it, short and long: summed in float, rounded once
HALVES, COMPLEX = FLOATS[:2], (torch.complex64, torch.complex128)
for op in ("sum", "mean", "amax", "amin", "var", "std"):  # (PyTorch rounds a product at each step)
    f = dims_of(getattr(torch, op))
    for shape, dim in (((3, 40), 0), ((2, 30, 3), 1), ((2, 300), 1)):
        g.case(op, f, [randn(shape)], dtypes=HALVES, dims=dim, keepdim=False)
for op in ("sum", "mean", "prod"):
    f = dims_of(getattr(torch, op))
    plain = op != "prod"  # whose gradient PyTorch rounds at each step
    for dtype in (torch.float32, f64, torch.bfloat16):
        g.case(op, f, [randn(3, 5).half()], gradient=plain, dims=1, keepdim=False, dtype=dtype)
    g.case(op, f, [randn(3, 5)], gradient=plain, dims=1, keepdim=False, dtype=torch.float16)
g.case("norm", norm, [randn(2, 30, 3)], dtypes=HALVES, p=2.0, dims=1, keepdim=False)
g.case("norm", norm, [randn(2, 300)], dtypes=HALVES, p=2.0, dims=1, keepdim=False)
for p in (0.0, 1.0, 3.0, inf):
    g.case("norm", norm, [randn(3, 5)], dtypes=HALVES, p=p, dims=1, keepdim=False)
for op, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
    for dim in (0, 1):
        g.case(op, function, [torch.randperm(120).view(3, 40) / 8], dtypes=HALVES, dim=dim)
g.case("max", extremum(torch.max), [torch.randperm(120).view(3, 40) / 8], dtypes=HALVES, dim=0, keepdim=False)
g.case("amax", dims_of(torch.amax), [special], dtypes=HALVES, dims=1, keepdim=False)
g.case("argmin", torch.argmin, [special], dtypes=HALVES, dim=1)
for dim in (0, 1):
    g.case("cumsum", torch.cumsum, [randn(9, 3)], dtypes=HALVES, dim=dim)
    g.case("cumsum", torch.cumsum, [randn(2, 70)], dtypes=HALVES, dim=dim)

# ---- far from 0: variances of float32 are as good as PyTorch's, which accumulates in double (its gradients' mean is float)
for op in ("var", "std"):
    f = dims_of(getattr(torch, op))
    for far in (1e4, -3e6):
        g.case(op, f, [(randn(3, 50) + far).float()], gradient=False, dims=1, keepdim=False)
        g.case(op, f, [(randn(50, 3) + far).float()], gradient=False, dims=0, keepdim=False)
    g.case(op, f, [torch.tensor([[1e8, 1, 2, 3], [1, 1, 1, 1e8], [7, 7, 7, 7]])], dims=1, keepdim=False)
g.case("var", dims_of(torch.var), [torch.zeros(0, 3)], dims=0, keepdim=False, correction=-1)

# ---- zeros: the second derivative of a product
zero = torch.tensor([[2.0, 0, -3, 0.5, 1.5], [0, 0, 2, 1, 3], [1, 2, 3, 4, 0.5]], dtype=f64)
for dim in (0, 1):
    g.case("prod", dims_of(torch.prod), [zero], dims=dim, keepdim=False)
g.case("prod", dims_of(torch.prod), [zero[:1]])

# ---- complex
for dtype in COMPLEX:
    for op in ("sum", "mean", "prod"):
        f = dims_of(getattr(torch, op))
        for dim in (0, 1):
            g.case(op, f, [randn(2, 5, dtype=dtype)], gradient="complex", dims=dim, keepdim=False)
        g.case(op, f, [randn(2, 3, dtype=dtype)], gradient="complex")
        g.case(op, f, [torch.zeros(0, 3, dtype=dtype)], dims=0, keepdim=False)
    g.case("sum", dims_of(torch.sum), [randn(2, 40, dtype=dtype)], gradient="complex", dims=1, keepdim=False)
    g.case("prod", dims_of(torch.prod), [numbers(3, 4, dtype=dtype)], gradient="complex", dims=1, keepdim=False)
    g.case("sum", dims_of(torch.sum), [randn(2, 3)], dtype=dtype)
    for dim in (0, 1):
        g.case("cumsum", torch.cumsum, [randn(2, 5, dtype=dtype)], gradient="complex", dim=dim)

# ---- cumprod, with zeros first, last, one and several
for dim in (0, 1, 2, -1):
    g.case("cumprod", torch.cumprod, [randn(3, 4, 5)], dim=dim)
    g.case("cumprod", torch.cumprod, [randn(2, 3, 2, dtype=f64)], dim=dim)
g.case("cumprod", torch.cumprod, [randn(20, 3)], dim=1)
g.case("cumprod", torch.cumprod, [randn(4, 7)], dtypes=FLOATS, dim=1)
for zeros in ((), (0,), (2,), (6,), (0, 1), (1, 4), (2, 3, 6), range(7)):
    x = randn(2, 7, dtype=f64)
    x[0, list(zeros)] = 0
    g.case("cumprod", torch.cumprod, [x], dim=1)
    g.case("cumprod", torch.cumprod, [x.t().contiguous().float()], dim=0)
for dtype in [torch.bool] + INTEGERS:
    g.case("cumprod", torch.cumprod, [numbers(3, 4, dtype=dtype)], dim=1)
g.case("cumprod", torch.cumprod, [numbers(3, 4, dtype=torch.complex128)], dim=1, gradient="complex")
g.case("cumprod", torch.cumprod, [numbers(3, 4, dtype=torch.int32)], dim=0, dtype=torch.float32)
g.case("cumprod", torch.cumprod, [special], dim=1)
g.case("cumprod", torch.cumprod, [randn(())], dim=0)
g.case("cumprod", torch.cumprod, [randn(1, 3, dtype=f64)], dim=0)
g.case("cumprod", torch.cumprod, [torch.zeros(0, 3)], dim=0)
g.case("cumprod", torch.cumprod, [randn(2, 3)], dim=2)
for shape, size in (((), ()), ((), (1,)), ((3,), ()), ((1,), ()), ((2, 3), ()), ((1, 1), (1,)), ((2, 3), (1, 1)), ((0, 3), (1, 3)), ((0, 3), ())):
    g.case("sum_to_size", lambda x, size: x.sum_to_size(size), [randn(shape, dtype=f64)], size=size)
g.write()
