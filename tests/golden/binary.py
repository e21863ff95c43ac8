"""Arithmetic of two operands, tensors or numbers: promotion of every pair of dtypes, broadcasting, gradients."""

import math

import torch
from golden import DTYPES, FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("binary", seed=3)

ARITHMETIC = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
              "floor_divide": torch.floor_divide, "remainder": torch.remainder, "fmod": torch.fmod,
              "maximum": torch.maximum, "minimum": torch.minimum, "atan2": torch.atan2}
TENSORS_ONLY = ("maximum", "minimum", "atan2")
SHAPES = [((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), ()), ((), (2, 3)), ((), ()),
          ((0, 3), (3,)), ((1,), (0,)), ((4, 1, 3), (2, 1)), ((1, 1, 1), (2,))]
inf, nan = math.inf, math.nan
EDGES = torch.tensor([0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, inf, -inf, nan, 1e30, -1e-30, 7.5])


def positive(*shape):
    return torch.rand(shape, dtype=torch.float64) * 2 + 0.4


def no_zeros(x):
    return torch.where(x == 0, torch.ones_like(x), x) if not x.is_complex() else x + (x == 0)


def steps_away(a, b):
    """a / b is no whole number, nor near one: floor_divide's jumps"""
    return a + 0.2 * b * (((a / b) - (a / b).round()).abs() < 0.1)


for name, function in ARITHMETIC.items():
    divides = name in ("floor_divide", "remainder", "fmod")
    for sa, sb in SHAPES:
        g.case(name, function, [randn(sa), randn(sb)])
        a, b = positive(*sa), positive(*sb)
        if divides and sa == sb:
            a = steps_away(a, b)
        g.case(name, function, [a, b], smooth=None if not divides or sa == sb else False)
    # PyTorch's vector code gives NaN for the remainder of 1e30 and 1e-30, its scalar code the number
    edges = EDGES[EDGES.abs() != 1e30] if divides else EDGES
    g.case(name, function, [edges.view(-1, 1), edges])
    g.case(name, function, [randn(7, 13), randn(7, 13)])
    g.case(name, function, [positive(3, 5), positive(3, 5)], dtypes=FLOATS[:2])
    g.case(name, function, [torch.tensor([[1.0], [2.0]]).expand(2, 3), torch.tensor([1.0, 2, 3]).expand(2, 3)])
    g.case(name, function, [randn(2, 3), randn(2, 4)])
    if name in TENSORS_ONLY:
        continue
    for number in (2, -1.5, 0.5, 3.0, True, 0, 1):
        if not (divides and number == 0):
            g.case(name, function, [positive(2, 3).float(), number])
            g.case(name, function, [steps_away(positive(2, 2), torch.tensor(float(number) or 1.0))
                                    if divides else positive(2, 2), number])
        if name != "pow" or number >= 0:
            reflected = (lambda a, b: torch.rsub(b, a)) if name == "sub" else function
            a = number if name in ("add", "sub", "mul", "div", "pow", "remainder") else torch.tensor(number)
            if name in ("add", "mul"):
                reflected = lambda a, b, function=function: function(b, a)
            if name == "div":
                reflected = lambda a, b: a / b
            if isinstance(a, torch.Tensor):
                continue
            g.case(name, reflected, [a, positive(2, 3).float()])
            g.case(name, reflected, [a, positive(2, 2)], smooth=None if not divides else False)

# exponents and bases where formulas have corners
for exponent in (2, 3, 0, 1, -1, -2, 0.5, -0.5, 2.5, 1.0, 2.0):
    g.case("pow", torch.pow, [EDGES.clone(), exponent])
for dtype in INTEGERS:
    g.case("pow", torch.pow, [numbers(2, 4, dtype=dtype), 2])
    g.case("pow", torch.pow, [numbers(2, 4, dtype=dtype), -1])
    g.case("pow", torch.pow, [numbers(2, 4, dtype=dtype), numbers(2, 4, dtype=dtype).abs() % 4])
    g.case("pow", torch.pow, [numbers(2, 4, dtype=dtype), numbers(2, 4, dtype=dtype)])
    for name in ("floor_divide", "remainder", "fmod"):
        g.case(name, ARITHMETIC[name], [numbers(4, 4, dtype=dtype), no_zeros(numbers(4, 4, dtype=dtype))])
        g.case(name, ARITHMETIC[name], [numbers(4, dtype=dtype), 3])
        g.case(name, ARITHMETIC[name], [numbers(4, dtype=dtype), 2.5])
        g.case(name, ARITHMETIC[name], [numbers(4, dtype=dtype), torch.zeros(4, dtype=dtype)])

# keywords
for name in ("add", "sub"):
    for alpha in (2, -1, 0.5, 0):
        g.case(name, ARITHMETIC[name], [randn(2, 3), randn(3)], alpha=alpha)
        g.case(name, ARITHMETIC[name], [randn(2, 3, dtype=torch.float64), randn(3, dtype=torch.float64)], alpha=alpha)
    g.case(name, ARITHMETIC[name], [numbers(2, 3, dtype=torch.int32), numbers(3, dtype=torch.int32)], alpha=3)
    g.case(name, ARITHMETIC[name], [numbers(2, 3, dtype=torch.int32), numbers(3, dtype=torch.int32)], alpha=0.5)
    g.case(name, ARITHMETIC[name], [numbers(2, 3, dtype=torch.uint8), numbers(3, dtype=torch.uint8)], alpha=2)
    g.case(name, ARITHMETIC[name], [randn(3), 2.5], alpha=2)
    g.case(name, ARITHMETIC[name], [numbers(3, dtype=torch.int64), randn(3)], alpha=0.5)
for mode in ("trunc", "floor"):
    a, b = positive(3, 4) - 1.3, positive(3, 4)
    g.case("div", torch.div, [steps_away(a, b), b], rounding_mode=mode)
    g.case("div", torch.div, [steps_away(a, b), -b], rounding_mode=mode)
    g.case("div", torch.div, [EDGES.view(16, 1), EDGES], rounding_mode=mode)
    g.case("div", torch.div, [randn(3, 4) * 9, randn(3, 4)], dtypes=FLOATS[2:], rounding_mode=mode)
    # PyTorch rounds the quotient of halves before it rounds to a whole number
    g.case("div", torch.div, [numbers(3, 4), torch.full((3, 4), 0.5)], dtypes=FLOATS[:2], rounding_mode=mode)
    for dtype in INTEGERS:
        g.case("div", torch.div, [numbers(4, 4, dtype=dtype), no_zeros(numbers(4, 4, dtype=dtype))], rounding_mode=mode)
        g.case("div", torch.div, [numbers(4, dtype=dtype), torch.zeros(4, dtype=dtype)], rounding_mode=mode)
        g.case("div", torch.div, [numbers(4, dtype=dtype), 2.5], rounding_mode=mode)
g.case("div", torch.div, [randn(3), randn(3)], rounding_mode="up")

# promotion: every pair of dtypes, with dims, without, and numbers
for da in DTYPES:
    for db in DTYPES:
        b = no_zeros(numbers(3, dtype=db))
        for name in ("add", "div"):
            g.case(name, ARITHMETIC[name], [numbers(3, dtype=da), b], gradient=False)
        for name in ("sub", "mul", "pow", "remainder", "maximum", "floor_divide"):
            if not (da.is_complex or db.is_complex) or name in ("sub", "mul"):
                b = b.abs() if name == "pow" and not db.is_complex and db != torch.bool else b
                g.case(name, ARITHMETIC[name], [numbers(3, dtype=da), b], gradient=False)
        g.case("add", torch.add, [numbers(3, dtype=da), numbers(1, dtype=db)[0]],
               gradient=False)
        g.case("mul", torch.mul, [numbers(1, dtype=da)[0], numbers(2, dtype=db)], gradient=False)
        g.case("mul", torch.mul, [numbers(1, dtype=da)[0], numbers(1, dtype=db)[0]], gradient=False)
        for name in ("add_", "mul_", "div_", "pow_"):
            if name == "pow_" and (da.is_complex or db.is_complex):
                continue
            method = getattr(torch.Tensor, name)
            g.case(name, method, [numbers(2, dtype=da).abs() if name == "pow_" and da != torch.bool else numbers(2, dtype=da),
                                  no_zeros(numbers(2, dtype=db)).abs() if db != torch.bool and not db.is_complex
                                  else no_zeros(numbers(2, dtype=db))], gradient=False)
    for number in (True, 3, 2.0):
        for name in ("add", "mul", "div"):
            g.case(name, ARITHMETIC[name], [numbers(2, dtype=da), number], gradient=False)
        if da != torch.bool and not da.is_complex:
            g.case("pow", torch.pow, [numbers(2, dtype=da), number], gradient=False)
            g.case("add_", torch.Tensor.add_, [numbers(2, dtype=da), number], gradient=False)

# complex: the gradient multiplies by the conjugate
for dtype in (torch.complex64, torch.complex128):
    for name in ("add", "sub", "mul", "div"):
        for db in (dtype, torch.complex64, torch.float32, torch.float64):
            g.case(name, ARITHMETIC[name], [randn(2, 3, dtype=dtype), randn(3, dtype=db)], gradient="complex")
            g.case(name, ARITHMETIC[name], [randn(2, 3, dtype=db), randn(2, 1, dtype=dtype)], gradient="complex")
        g.case(name, ARITHMETIC[name], [randn(2, 3, dtype=dtype), 1.5], gradient="complex")
        g.case(name + "_", getattr(torch.Tensor, name + "_"), [randn(2, 3, dtype=dtype), randn(3, dtype=dtype)],
               gradient="complex")
    for name in ("add", "sub"):
        g.case(name, ARITHMETIC[name], [randn(2, 3, dtype=dtype), randn(3, dtype=dtype)], gradient="complex", alpha=-1.5)

# alpha: multiplied in the result's type, not in b's
for name in ("add", "sub"):
    for da, db in ((torch.int32, torch.uint8), (torch.float64, torch.float32), (torch.float64, torch.int64),
                   (torch.uint8, torch.int8), (torch.int8, torch.float16), (torch.float16, torch.float16),
                   (torch.bfloat16, torch.float32), (torch.bool, torch.bool), (torch.bool, torch.uint8)):
        # PyTorch's scalar code rounds alpha to halves, its vector code does not
        halves = torch.float16 in (da, db) or torch.bfloat16 in (da, db)
        for alpha in (2, -1, 0.25 if halves else 0.3):
            x, y = numbers(2, 3, dtype=da), numbers(3, dtype=db)
            y = y * 17 if db != torch.bool else y
            g.case(name, ARITHMETIC[name], [x, y], alpha=alpha)
            g.case(name + "_", getattr(torch.Tensor, name + "_"), [x, y], alpha=alpha)
    g.case(name, ARITHMETIC[name], [torch.tensor([True, True, False]), torch.tensor([True, False, True])], alpha=-1)
    g.case(name, ARITHMETIC[name], [numbers(3, dtype=torch.bool), 1], alpha=2)
    g.case(name + "_", getattr(torch.Tensor, name + "_"), [numbers(3, dtype=torch.bool), 1], alpha=2)
    g.case(name + "_", getattr(torch.Tensor, name + "_"), [numbers(3, dtype=torch.bool), True], alpha=2)

# in place
for name in ("add_", "sub_", "mul_", "div_", "pow_"):
    method = getattr(torch.Tensor, name)
    for sa, sb in SHAPES:
        g.case(name, method, [positive(*sa).float(), positive(*sb).float()])
        g.case(name, method, [positive(*sa), positive(*sb)])
    g.case(name, method, [positive(2, 3), 2])
    g.case(name, method, [positive(2, 3).float(), 0.5])
    # PyTorch's pow_ takes the exponent's gradient from the result rounded to bfloat16
    g.case(name, method, [positive(2, 3).bfloat16(), positive(2, 3)], gradient=name != "pow_")
    g.case(name, method, [numbers(2, 3, dtype=torch.int32), 2])
    g.case(name, method, [numbers(2, 3, dtype=torch.int32), 2.5])
for name in ("add_", "sub_"):
    g.case(name, getattr(torch.Tensor, name), [randn(2, 3, dtype=torch.float64), randn(3, dtype=torch.float64)], alpha=-2)
    g.case(name, getattr(torch.Tensor, name), [numbers(2, 3, dtype=torch.int64), numbers(3, dtype=torch.int64)], alpha=3)
for name in ("add", "sub", "add_", "sub_"):
    function = getattr(torch.Tensor if name[-1] == "_" else torch, name)
    g.case(name, function, [randn(2, 3), numbers(3, dtype=torch.uint8)], alpha=-2)
    g.case(name, function, [numbers(2, 3, dtype=torch.int32), numbers(3, dtype=torch.int8)], alpha=100)
for name, function in (("mul", torch.mul), ("div", torch.div), ("mul_", torch.Tensor.mul_), ("div_", torch.Tensor.div_)):
    for b in (torch.complex64, torch.float32):
        g.case(name, function, [randn(2, 3, dtype=torch.complex64), randn(3, dtype=b)], gradient="complex")
    g.case(name, function, [randn(2, 3, dtype=torch.complex128), 2.5], gradient="complex")
for function in (torch.mul, torch.div):
    g.case(function.__name__, function, [randn(2, 3), randn(2, 3, dtype=torch.complex64)], gradient="complex")
g.write()
