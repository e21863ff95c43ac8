"""PyTorch's Fourier transforms."""

import torch

from golden import DTYPES, Golden, numbers, randn

g = Golden("fft", seed=63)
C, R = torch.complex128, torch.float64
ONE = {name: getattr(torch.fft, name) for name in ("fft", "ifft", "rfft", "irfft")}
TWO = {name: getattr(torch.fft, name) for name in ("fft2", "ifft2", "rfft2", "irfft2")}


def case(op, x, **keywords):
    g.case("fft_" + op, (ONE | TWO)[op], [x], gradient="complex", **keywords)


for n in list(range(1, 18)) + [20, 21, 24, 25, 30, 35, 49, 60, 64]:
    for op in ONE:
        x = randn(2, n // 2 + 1 if op == "irfft" else n, dtype=R if op == "rfft" else C)
        g.case("fft_" + op, ONE[op], [x], gradient="complex" if n < 9 else False, **({"n": n} if op == "irfft" else {}))
for n, real in ((128, torch.float32), (200, torch.float32), (343, R), (211, R), (1024, torch.float32)):
    for op in ONE:
        x = randn(1, n // 2 + 1 if op == "irfft" else n, dtype=real if op == "rfft" else real.to_complex())
        g.case("fft_" + op, ONE[op], [x], gradient=False, norm="ortho", **({"n": n} if op == "irfft" else {}))
for op in ONE:
    dtype = R if op == "rfft" else C
    for norm in ("backward", "ortho", "forward", "none"):
        case(op, randn(3, 4, dtype=dtype), norm=norm)
    for dim in (0, 1, 2, -1, -2, -3, 3):
        case(op, randn(2, 3, 4, dtype=dtype), dim=dim)
    for n in (1, 2, 3, 5, 8, 0, -1):
        case(op, randn(2, 4, dtype=dtype), n=n)
        case(op, randn(4, 2, dtype=dtype), n=n, dim=0, norm="ortho")
    for shape in ((5,), (0, 4), (2, 0), ()):
        case(op, randn(shape, dtype=dtype))
    g.case("fft_" + op, ONE[op], [randn(19, 6, dtype=dtype)], gradient=False)
    for each in DTYPES:
        g.case("fft_" + op, ONE[op], [numbers(2, 4, dtype=each)], gradient="complex")
    for value in (float("nan"), float("inf")) if op in ("fft", "ifft") else (float("nan"),):
        x = randn(3, 4, dtype=dtype)
        x[1, 2 if op in ("fft", "ifft") else slice(None)] = complex(value, value) if dtype == C and op == "irfft" else value
        g.case("fft_" + op, ONE[op], [x], gradient=False)
for op in TWO:
    dtype = R if op == "rfft2" else C
    for shape in ((3, 4), (2, 4, 3), (2, 2, 2, 2), (1, 1), (1, 2), (0, 2, 3), (5,), (2, 0)):
        case(op, randn(shape, dtype=dtype))
    for norm in ("backward", "ortho", "forward"):
        case(op, randn(3, 4, dtype=dtype), norm=norm)
    for dim in ((0, 1), (1, 0), (0, 2), (-1, -3), (0, 0)):
        case(op, randn(2, 3, 4, dtype=dtype), dim=dim)
    for s in ((2, 3), (5, 4), (-1, 3), (3, -1)):
        case(op, randn(3, 4, dtype=dtype), s=s)


def stft(x, window, **keywords):
    return torch.stft(x, window=window, **({"return_complex": True} | keywords))


def istft(x, window, **keywords):
    return torch.istft(x, window=window, **keywords)


hann = lambda n: torch.hann_window(n, dtype=R)
for shape, window, keywords in [
        ((20,), hann(8), dict(n_fft=8)), ((2, 20), hann(8), dict(n_fft=8, hop_length=2)), ((2, 20), None, dict(n_fft=8, hop_length=3)),
        ((20,), hann(4), dict(n_fft=8, win_length=4, hop_length=2)), ((20,), None, dict(n_fft=8, win_length=5, hop_length=2)),
        ((20,), hann(8), dict(n_fft=8, center=False)), ((20,), hann(8), dict(n_fft=8, pad_mode="constant")),
        ((20,), hann(8), dict(n_fft=8, pad_mode="replicate")), ((20,), hann(8), dict(n_fft=8, normalized=True)),
        ((20,), hann(8), dict(n_fft=8, onesided=False)), ((20,), hann(8), dict(n_fft=8, return_complex=False)),
        ((20,), hann(9), dict(n_fft=9, hop_length=4)), ((3,), hann(8), dict(n_fft=8)), ((3,), hann(8), dict(n_fft=8, center=False)),
        ((20,), hann(7), dict(n_fft=8)), ((20,), hann(8), dict(n_fft=0)), ((20,), hann(8), dict(n_fft=8, hop_length=-1)),
        ((2, 2, 20), hann(8), dict(n_fft=8)), ((8,), hann(8), dict(n_fft=8, center=False))]:
    g.case("stft", stft, [randn(shape, dtype=R), window], **keywords)
g.case("stft", stft, [randn(2, 16, dtype=C), hann(8)], gradient="complex", n_fft=8, hop_length=2)
g.case("stft", stft, [randn(2, 400), torch.hann_window(64)], n_fft=64, hop_length=16)
for shape, window, keywords in [
        ((5, 6), hann(8), dict(n_fft=8)), ((2, 5, 6), hann(8), dict(n_fft=8, hop_length=2)), ((5, 6), None, dict(n_fft=8, hop_length=3)),
        ((5, 6), hann(6), dict(n_fft=8, win_length=6, hop_length=2)), ((5, 6), hann(8) + 0.5, dict(n_fft=8, center=False)),
        ((5, 6), hann(8), dict(n_fft=8, center=False)), ((5, 6), hann(8), dict(n_fft=8, normalized=True)),
        ((8, 6), hann(8), dict(n_fft=8, onesided=False)), ((5, 6), hann(8), dict(n_fft=8, length=9)), ((5, 6), hann(8), dict(n_fft=8, length=20)),
        ((5, 6), hann(9) + 0.1, dict(n_fft=9, hop_length=4)), ((4, 6), hann(8), dict(n_fft=8)), ((8, 4), hann(8), dict(n_fft=8, return_complex=True)),
        ((5, 6), hann(8), dict(n_fft=8, hop_length=9)), ((5,), hann(8), dict(n_fft=8)), ((5, 1), hann(8) + 0.5, dict(n_fft=8, center=False))]:
    g.case("istft", istft, [randn(shape, dtype=C), window], gradient="complex", **keywords)
g.write()
