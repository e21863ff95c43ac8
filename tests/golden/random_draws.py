"""Asks PyTorch for random numbers; prints tests/golden/random_draws.inc, the rows that tests/test_random.c repeats.

    python tests/golden/random_draws.py > tests/golden/random_draws.inc

A row is one draw: what, dtype, how many, two parameters, and the hash (FNV-1a, 64 bits) of the bytes that came.  Rows
follow one another without a new seed in between, so that they also test how many words of the generator each spends, and
the halves of normal pairs that wait for the next draw.  The hash of a row "state" is that of torch.get_rng_state().

The answers hold for PyTorch 2.15 on a processor with AVX2 and, for bernoulli_ with a number and exponential_, where MKL's
generator is not used (others than Intel, or Intel unrecognised); float64 normals depend on the C library.
"""
import warnings

import torch

FLOATS = ["float16", "bfloat16", "float32", "float64"]
NUMBERS = ["uint8", "int8", "int16", "int32", "int64"] + FLOATS


def fnv(tensor):
    if tensor.dtype == torch.uint8:
        data = bytes(tensor.flatten().tolist())
    else:
        data = bytes(torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor).flatten().view(torch.uint8).tolist())
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def draw(what, dtype, n, a, b):
    t = getattr(torch, dtype)
    if what == "rand":
        return torch.rand(n, dtype=t)
    if what == "randn":
        return torch.randn(n, dtype=t)
    if what == "randn_like":  # strided: (n, 3) seen as (3, n)
        return torch.randn_like(torch.empty(n, 3, dtype=t).t())
    if what == "randint":
        return torch.randint(int(a), int(b), (n,), dtype=t)
    if what == "randperm":
        return torch.randperm(n, dtype=t)
    if what == "normal":
        return torch.normal(a, b, (n,), dtype=t)
    if what == "uniform_":
        return torch.empty(n, dtype=t).uniform_(a, b)
    if what == "normal_":
        return torch.empty(n, dtype=t).normal_(a, b)
    if what == "normal_ strided":  # every other column of (n, 4)
        return torch.empty(n, 4, dtype=t)[:, ::2].normal_(a, b)
    if what == "uniform_ permuted":  # (2, n, 3) seen as (3, 2, n)
        return torch.empty(2, n, 3, dtype=t).permute(2, 0, 1).uniform_(a, b)
    if what == "random_":
        return torch.empty(n, dtype=t).random_()
    if what == "bernoulli":  # p: 0, 1/n, 2/n, ...
        return torch.bernoulli((torch.arange(n, dtype=torch.float64) / n).to(t))
    if what == "bernoulli_":
        return torch.empty(n, dtype=t).bernoulli_(a)
    if what == "bernoulli_ tensor":  # (n, 3), p of (3)
        return torch.empty(n, 3, dtype=t).bernoulli_(torch.tensor([0.25, 0.5, 0.75]))
    if what == "exponential_":
        return torch.empty(n, dtype=t).exponential_(a)
    if what == "multinomial":  # weights 0, 1, ..., 9 in 3 rows; b: with replacement
        return torch.multinomial(torch.arange(10.0).to(t).expand(3, 10), n, bool(b))
    if what.startswith("init."):
        x = torch.empty(n, 7, 3, dtype=t)
        if what == "init.xavier_uniform_":
            return torch.nn.init.xavier_uniform_(x, gain=a)
        if what == "init.xavier_normal_":
            return torch.nn.init.xavier_normal_(x, gain=a)
        if what == "init.kaiming_uniform_":
            return torch.nn.init.kaiming_uniform_(x, a=a)
        if what == "init.kaiming_normal_":
            return torch.nn.init.kaiming_normal_(x, mode="fan_out", nonlinearity="relu")
        if what == "init.trunc_normal_":  # within: at once; beyond: a is more than one deviation from the mean
            return torch.nn.init.trunc_normal_(x, mean=0.5, std=a, a=b, b=3)
    if what == "state":
        return torch.get_rng_state()
    raise ValueError(what)


def rows(n):
    for dtype in FLOATS:
        yield "rand", dtype, n, 0, 0
        yield "randn", dtype, n, 0, 0
        yield "uniform_", dtype, n, -0.3, 1 / 3
        yield "normal_", dtype, n, 0.3, 2.7
    yield "randn", "complex64", n, 0, 0
    yield "rand", "complex64", n, 0, 0
    yield "normal", "float32", n, -1.5, 0.02
    yield "normal_ strided", "float32", n, 0.5, 2
    yield "uniform_ permuted", "float32", n, -2, 5
    yield "randn_like", "float32", n, 0, 0
    for dtype in NUMBERS + ["bool"]:
        yield "random_", dtype, n, 0, 0
        yield "randint", dtype, n, 0, 2 if dtype == "bool" else 100
    for low, high in ((-5, 2**28 - 6), (0, 2**28), (-(2**40), 2**33), (-(2**63), 2**62)):
        yield "randint", "int64", n, low, high
    for dtype in ("int64", "int32", "float32"):
        yield "randperm", dtype, n, 0, 0
    for dtype in ("float32", "float64"):
        yield "bernoulli", dtype, n, 0, 0
        yield "bernoulli_", dtype, n, 0.3, 0
        yield "exponential_", dtype, n, 1.7, 0
    yield "bernoulli_", "bool", n, 0.9, 0
    yield "bernoulli_ tensor", "float32", n, 0, 0
    yield "init.xavier_uniform_", "float32", n, 1.5, 0
    yield "init.xavier_normal_", "float32", n, 1, 0
    yield "init.kaiming_uniform_", "float32", n, 5**0.5, 0
    yield "init.kaiming_normal_", "float32", n, 0, 0
    for dtype in ("float32", "bfloat16"):
        yield "init.trunc_normal_", dtype, n, 1, 0
        yield "init.trunc_normal_", dtype, n, 0.5, 1.5
    for samples, replacement in ((1, 0), (4, 0), (4, 1)):
        yield "multinomial", "float32", samples, 0, replacement


def show(what, dtype, n, a, b, number, line=[]):
    """A row, two on a line where they fit; what is None at the end."""
    a, b = (("%g" if float("%g" % x) == x else "%r") % x for x in (a, b))
    row = what and 'DRAW("%s", %s, %d, %s, %s, %s)' % (what, dtype, n, a, b, number)
    if line and (not row or len(line[0]) + 1 + len(row) > 120):
        print(line.pop())
    if row:
        line[:] = [" ".join(line + [row])]


def main():
    warnings.simplefilter("ignore")
    print("/* Made by tests/golden/random_draws.py with PyTorch %s. */" % torch.__version__.split("+")[0])
    for seed, sizes in ((0, (0, 1, 5, 15, 16, 17)), (2**33 + 5, (40, 1000)), (2**64 - 1, (10007,))):
        torch.manual_seed(seed)
        show("seed", "int64", 0, 0, 0, "%d" % seed)
        for n in sizes:
            for what, dtype, count, a, b in rows(n):
                y = draw(what, dtype, count, a, b)
                show(what, dtype, count, float(a), float(b), "0x%016x" % fnv(y))
            show("state", "uint8", n, 0, 0, "0x%016x" % fnv(draw("state", "uint8", n, 0, 0)))
    torch.manual_seed(1)
    show("seed", "int64", 0, 0, 0, "1")
    for n in (1, 16, 17, 40):
        for what in ("randn", "rand"):
            y = draw(what, "complex128", n, 0, 0)
            show(what, "complex128", n, 0, 0, "0x%016x" % fnv(y))
    show(None, None, 0, 0, 0, None)


main()
