"""Complex numbers: views, parts, polar form, gradients by PyTorch's convention."""

import math

import torch
from golden import FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("complex", seed=31)
COMPLEX = (torch.complex64, torch.complex128)
inf, nan = math.inf, math.nan
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, inf, -inf, nan, 1e30, -1e30, 1e-30, 3e-42]
edges = torch.tensor([[a, b] for a in EDGES for b in EDGES])

for dtype in COMPLEX:
    real = dtype.to_real()
    for shape in ((2, 3), (), (0, 2), (5,), (2, 1, 3)):
        g.case("view_as_real", torch.view_as_real, [randn(*shape, dtype=dtype) if shape else randn((), dtype=dtype)], gradient="complex")
        g.case("view_as_complex", torch.view_as_complex, [randn(*shape, 2, dtype=real)])
        for name in ("real", "imag"):
            g.case(name, getattr(torch, name), [randn(shape, dtype=dtype)], gradient="complex")
        g.case("complex_abs", torch.abs, [randn(shape, dtype=dtype)], gradient="complex")
        g.case("angle", torch.angle, [randn(shape, dtype=dtype)], gradient="complex")
    g.case("complex_abs", torch.abs, [torch.view_as_complex(edges.to(real))], gradient=False)
    g.case("angle", torch.angle, [torch.view_as_complex(edges.to(real))], gradient=False)
    zeros = torch.tensor([0, 1 + 1j, -2, 2j], dtype=dtype)
    g.case("complex_abs", torch.abs, [zeros], gradient="complex")
    g.case("angle", torch.angle, [zeros], gradient="complex")
    for a, b in (((2, 3), (2, 3)), ((3, 1), (2,)), ((), (2, 2)), ((0, 2), (2,)), ((), ())):
        g.case("polar", torch.polar, [randn(a, dtype=real).abs(), randn(b, dtype=real)])
    g.case("rotated_pairs", lambda x, f: torch.view_as_real(torch.view_as_complex(x.reshape(*x.shape[:2], -1, 2)) * f).flatten(2),
           [randn(2, 3, 8, dtype=real), torch.polar(torch.ones(3, 4, dtype=real), randn(3, 4, dtype=real))], gradient="complex")

    def write_parts(x, y):
        x.real.mul_(y)
        torch.view_as_real(x)[0].mul_(3)
        return x

    def write_pairs(x, y):
        torch.view_as_complex(x).mul_(y)
        return x

    g.case("parts_mul_", write_parts, [randn(3, 2, dtype=dtype), randn(2, dtype=real)], gradient="complex")
    g.case("pairs_mul_", write_pairs, [randn(3, 2, dtype=real), randn(3, dtype=dtype)], gradient="complex")
for name in ("real", "imag", "view_as_real"):
    g.case(name, getattr(torch, name), [randn(2, 3)])
g.case("view_as_complex", torch.view_as_complex, [randn(2, 3)])
g.case("view_as_complex", torch.view_as_complex, [randn(())])
for dtype in INTEGERS + [torch.bool]:
    g.case("angle", torch.angle, [numbers(5, dtype=dtype)])
for dtype in FLOATS:
    g.case("angle", torch.angle, [torch.tensor([0.0, -0.0, 1, -1, inf, -inf, nan]).to(dtype)])
g.case("real", torch.real, [randn(2, 3, dtype=torch.float64)])

# ---- gradients, and theirs, through pairs of reals
def pairs(x, w, which):
    x, w = torch.view_as_complex(x), torch.view_as_complex(w)
    real = {"abs": lambda: x.abs() + w.T.abs(), "angle": lambda: x.angle() * w.T.angle(),
            "norm": lambda: x.norm(2, 1) * w.T.norm(3, 1)}
    if which in real:
        return real[which]()
    return torch.view_as_real({
        "matmul": lambda: x @ w, "div": lambda: x.conj() / w.T, "prod": lambda: x.prod(1) * w.prod(0),
        "mean": lambda: x.mean(0) * w.sum(1).cumsum(0), "polar": lambda: torch.polar(x.real.square(), x.imag) * w.T,
        "parts": lambda: torch.where(x.real > 0, x * x.imag, torch.cat((x, w.T))[1:3])}[which]().resolve_conj())

for dtype in (torch.float32, torch.float64):
    for which in ("abs", "angle", "norm", "matmul", "div", "prod", "mean", "polar", "parts"):
        g.case("of_pairs", pairs, [randn(2, 3, 2, dtype=dtype), randn(3, 2, 2, dtype=dtype)], which=which)
g.write()
