"""PyTorch's linear algebra: solve, inv, eigh, qr, pinv."""

import torch

from golden import DTYPES, Golden, numbers, randn

g = Golden("linalg", seed=64)
R = torch.float64


def eigh(x):
    """Of a symmetric matrix, eigenvectors with a positive first number: their sign is open."""
    values, vectors = torch.linalg.eigh(x + x.mT)
    return values, vectors * vectors[..., :1, :].sign()


def pinv(x, rtol=None):
    return torch.linalg.pinv(x, rtol=rtol)


for a, b in [((3, 3), (3, 2)), ((3, 3), (3,)), ((1, 1), (1, 1)), ((2, 3, 3), (2, 3, 2)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (3, 2)),
             ((3, 3), (2, 3, 2)), ((2, 1, 2, 2), (3, 2, 1)), ((0, 3, 3), (0, 3, 2)), ((0, 0), (0, 2)), ((2, 2), (2, 0)), ((5, 5), (5, 5)),
             ((2, 3), (2, 2)), ((3, 3), (2, 2)), ((3,), (3,)), ((2, 3, 3), (3, 3, 2)), ((3, 3), ())]:
    g.case("linalg_solve", torch.linalg.solve, [randn(a, dtype=R), randn(b, dtype=R)])
g.case("linalg_solve", torch.linalg.solve, [torch.zeros(2, 2, dtype=R), randn(2, 1, dtype=R)])
g.case("linalg_solve", torch.linalg.solve, [torch.ones(2, 2, 2, dtype=R), randn(2, 2, 1, dtype=R)])
g.case("linalg_solve", torch.linalg.solve, [randn(2, 2, dtype=R), randn(2, 1)])
for dtype in DTYPES:
    if not dtype.is_complex:  # PyTorch has them, wick has not
        g.case("linalg_solve", torch.linalg.solve, [numbers(2, 2, dtype=dtype) + torch.eye(2).mul(9).to(dtype), numbers(2, 1, dtype=dtype)])
for name in ("linalg_inv", "inverse"):
    f = torch.linalg.inv if name == "linalg_inv" else torch.inverse
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 0), (0, 2, 2), (2, 3), (3,)):
        g.case(name, f, [randn(shape, dtype=R)])
    g.case(name, f, [torch.eye(3) * 2 + 0.1])
    g.case(name, f, [torch.ones(2, 2, dtype=R)])
for shape in ((3, 3), (2, 3, 3), (1, 1), (5, 5), (0, 0), (0, 2, 2)):
    g.case("linalg_eigh", eigh, [randn(shape, dtype=R)])
g.case("linalg_eigh", eigh, [torch.diag(torch.tensor([1.0, 3.0, 2.0])) + 0.25])
for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 2), (2, 0), (0, 3, 2), (3,)):
    g.case("linalg_qr", torch.linalg.qr, [randn(shape, dtype=R)])
g.case("linalg_qr", torch.linalg.qr, [torch.tensor([[4.0, 1.0], [2.0, 3.0], [1.0, 5.0]])])
for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 2), (2, 0), (0, 3, 2), (3,)):
    g.case("linalg_pinv", pinv, [randn(shape, dtype=R)])
g.case("linalg_pinv", pinv, [torch.tensor([[4.0, 1.0], [2.0, 3.0], [1.0, 5.0]])])
low = randn(4, 2, dtype=R) @ randn(2, 3, dtype=R)
g.case("linalg_pinv", pinv, [low], smooth=False)
g.case("linalg_pinv", pinv, [torch.diag(torch.tensor([3.0, 1.0, 0.5], dtype=R))], smooth=False, rtol=0.25)
g.write()
