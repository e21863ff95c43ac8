"""Functions of each element, and the same in place."""

import math

import torch
import torch.nn.functional as F
from golden import FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("unary", seed=2)

# where finite differences may be asked: inside the domain, away from corners
DOMAINS = {"reciprocal": (0.5, 2), "sqrt": (0.3, 4), "rsqrt": (0.3, 4), "log": (0.3, 4), "log2": (0.3, 4), "log10": (0.3, 4),
           "log1p": (-0.6, 3), "asin": (-0.8, 0.8), "acos": (-0.8, 0.8), "acosh": (1.3, 4), "atanh": (-0.8, 0.8),
           "erfinv": (-0.8, 0.8), "tan": (-1.2, 1.2), "abs": (0.3, 2), "relu": (0.3, 2)}
STEPS = ("sign", "floor", "ceil", "round", "trunc")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.5, 3.5, math.inf, -math.inf, math.nan, 1e30, -1e30, 1e-30, -1e-30,
           1e-40, 88.0, 89.0, -88.0, -104.0, 10.0, -10.0, 20.0, -20.0, 0.999999, -0.999999, 3e-5, 1e4, -1e4, 8.5, 100.25]

FUNCTIONS = {name: getattr(torch, name) for name in
             ("neg abs sign square reciprocal sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh "
              "cosh tanh asinh acosh atanh erf erfc erfinv floor ceil round trunc sigmoid relu").split()}
FUNCTIONS |= {"logsigmoid": F.logsigmoid, "silu": F.silu, "mish": F.mish, "softsign": F.softsign}


def inside(name, *shape):
    low, high = DOMAINS.get(name, (-2, 2))
    x = torch.rand(shape, dtype=torch.float64) * (high - low) + low
    if name in ("abs", "relu"):
        x = x * torch.where(torch.rand(shape) < 0.5, -1.0, 1.0)
    return x if name not in STEPS else x + 0.1 * ((x - x.round()).abs() < 0.05)


for name, function in FUNCTIONS.items():
    g.case(name, function, [torch.tensor(SPECIAL)])
    g.case(name, function, [inside(name, 2, 3)])
    g.case(name, function, [inside(name, 5, 7).to(torch.float32)])
    g.case(name, function, [inside(name, 67).to(torch.float32)])
    # PyTorch rounds halves after each operation in its scalar code, once in its vector code: as many as fill vectors
    g.case(name, function, [inside(name, 4, 8)], dtypes=FLOATS[:2])
    g.case(name, function, [inside(name).to(torch.float32)])
    g.case(name, function, [torch.zeros(0, 3)])
    g.case(name, function, [inside(name, 3, 1).expand(3, 2).to(torch.float32)])
    for dtype in [torch.bool] + INTEGERS:
        g.case(name, function, [numbers(2, 4, dtype=dtype)])
    if name in ("neg", "square"):
        for dtype in (torch.complex64, torch.complex128):
            g.case(name, function, [numbers(2, 4, dtype=dtype)], gradient="complex")

    def write(x, function=function):
        y = function(x)
        if not torch.can_cast(y.dtype, x.dtype):  # as PyTorch's own functions in place
            raise RuntimeError("a floating result, written into integers")
        return x.copy_(y)

    write = getattr(torch.Tensor, name + "_", write)
    g.case(name + "_", write, [inside(name, 2, 3)])
    g.case(name + "_", write, [inside(name, 3, 4).to(torch.float32)])
    g.case(name + "_", write, [inside(name, 4, 8).to(torch.bfloat16)])
    g.case(name + "_", write, [numbers(2, 3, dtype=torch.int32)])

for name in ("logical_not", "isnan", "isinf", "isfinite", "bitwise_not"):
    function = getattr(torch, name)
    for dtype in FLOATS:
        g.case(name, function, [torch.tensor([0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan]).to(dtype)])
    for dtype in [torch.bool] + INTEGERS:
        g.case(name, function, [numbers(2, 4, dtype=dtype)])
    g.case(name, function, [torch.zeros(0)])
    g.case(name, function, [torch.tensor(True)])
for dtype in (torch.complex64, torch.complex128):
    g.case("conj", torch.conj_physical, [numbers(2, 4, dtype=dtype)], gradient="complex")
g.case("conj", torch.conj_physical, [numbers(2, 4)])
g.write()
