"""Rotary embeddings, as Llama's own code (complex products) and as Hugging Face (rotate_half) compute them."""

import torch
from golden import FLOATS, Golden, randn

g = Golden("rotary", seed=23)
f64 = torch.float64


def precompute(dim, end, theta=10000.0, dtype=torch.float32):
    freqs = 1.0 / (theta ** (torch.arange(0, dim, 2, dtype=dtype)[: dim // 2] / dim))
    freqs = torch.outer(torch.arange(end, dtype=dtype), freqs)
    return torch.polar(torch.ones_like(freqs), freqs)


def of_axes(dims, ends, theta=10000.0):
    """rows in the order of a grid, the last axis fastest"""
    places = torch.cartesian_prod(*[torch.arange(n) for n in ends])
    return torch.cat([precompute(dim, end, theta)[places[:, i]] for i, (dim, end) in enumerate(zip(dims, ends))], dim=-1)


def interleaved(x, freqs, seq_dim):
    real = torch.float64 if x.dtype == f64 else torch.float32
    rotary = 2 * freqs.shape[-1]
    pairs = torch.view_as_complex(x[..., :rotary].to(real).contiguous().unflatten(-1, (-1, 2)))
    turned = torch.view_as_real(pairs * aligned(freqs, x, seq_dim)).flatten(-2)
    return torch.cat([turned.to(x.dtype), x[..., rotary:]], dim=-1)


def halves(x, freqs, seq_dim):
    real = torch.float64 if x.dtype == f64 else torch.float32
    rotary = 2 * freqs.shape[-1]
    own, rest = x[..., :rotary].to(real), x[..., rotary:]
    freqs = aligned(freqs, x, seq_dim)
    cos, sin = torch.cat([freqs.real] * 2, -1), torch.cat([freqs.imag] * 2, -1)
    a, b = own.chunk(2, -1)
    return torch.cat([(own * cos + torch.cat([-b, a], -1) * sin).to(x.dtype), rest], dim=-1)


def aligned(freqs, x, seq_dim):
    shape = [1] * x.dim()
    shape[seq_dim], shape[-1] = x.shape[seq_dim], freqs.shape[-1]
    if freqs.dim() == 3:
        shape[0] = x.shape[0]
    return freqs.reshape(shape)


def apply(x, freqs, interleaved=True, offset=0, seq_dim=1):
    if freqs.dim() < 2 or x.dim() < 2:
        raise RuntimeError("too few dims")
    length = x.shape[seq_dim]
    if offset + length > freqs.shape[-2]:
        raise RuntimeError("no such position")
    freqs = freqs[..., offset : offset + length, :].to(torch.complex128 if x.dtype == f64 else torch.complex64)
    return (globals()["interleaved"] if interleaved else halves)(x, freqs, seq_dim)


g.case("precompute_freqs_cis", precompute, [], dim=8, end=5)
g.case("precompute_freqs_cis", precompute, [], dim=2, end=1)
g.case("precompute_freqs_cis", precompute, [], dim=4, end=0)
g.case("precompute_freqs_cis", precompute, [], dim=6, end=300, theta=500000.0)
g.case("precompute_freqs_cis", precompute, [], dim=6, end=9, dtype=f64)
g.case("precompute_freqs_cis", of_axes, [], dims=(4, 6), ends=(2, 3))
g.case("precompute_freqs_cis", of_axes, [], dims=(2, 4, 4), ends=(2, 3, 2), theta=100.0)
for kind in (True, False):
    for dtype in FLOATS:
        g.case("apply_rotary_emb", apply, [randn(2, 3, 2, 8, dtype=dtype), precompute(8, 3)], interleaved=kind)
    for dtype in (torch.float32, f64):
        g.case("apply_rotary_emb", apply, [randn(2, 3, 2, 8, dtype=dtype), precompute(6, 9, dtype=dtype)], interleaved=kind, offset=4)
        g.case("apply_rotary_emb", apply, [randn(2, 2, 3, 6, dtype=dtype), precompute(6, 3)], interleaved=kind, seq_dim=2)
    g.case("apply_rotary_emb", apply, [randn(2, 3, 5, dtype=f64), precompute(4, 3)], interleaved=kind)
    g.case("apply_rotary_emb", apply, [randn(3, 4, dtype=f64), precompute(4, 3)], interleaved=kind, seq_dim=0)
    g.case("apply_rotary_emb", apply, [randn(2, 3, 2, 4, dtype=f64), torch.stack([precompute(4, 9)[1:4], precompute(4, 9)[5:8]])], interleaved=kind)
    g.case("apply_rotary_emb", apply, [randn(2, 0, 2, 4), precompute(4, 3)], interleaved=kind)
    g.case("apply_rotary_emb", apply, [randn(1, 1, 1, 70), precompute(68, 3)], interleaved=kind, offset=2)
    g.case("apply_rotary_emb", apply, [randn(1, 6, 2, 10), of_axes((4, 6), (2, 3))], interleaved=kind)
for kind in (True, False):  # angles that learn
    for dtype, complex_dtype in ((torch.float32, torch.complex64), (f64, torch.complex128)):
        for size, freqs, seq_dim in (((2, 3, 2, 6), (3, 2), 1), ((2, 2, 3, 4), (2, 3, 2), 2)):
            g.case("apply_rotary_emb", apply, [randn(size, dtype=dtype), randn(freqs, dtype=complex_dtype)], interleaved=kind, seq_dim=seq_dim, gradient="complex")
g.case("apply_rotary_emb", apply, [torch.tensor([[float("inf"), 1.0, float("nan"), 2.0]]), precompute(4, 1)], seq_dim=0)
g.case("apply_rotary_emb", apply, [randn(2, 5, 1, 4), precompute(4, 4)])
g.case("apply_rotary_emb", apply, [randn(4), precompute(4, 4)])
g.write()
