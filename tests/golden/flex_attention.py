"""PyTorch's flex_attention; gradients are those of its definition, since its own are for GPUs alone."""

import math

import torch
from golden import FLOATS, Golden, randn
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

g = Golden("flex_attention", seed=29)
f64 = torch.float64

MASKS = {
    "causal": lambda b, h, q, kv: q >= kv,
    "sliding": lambda b, h, q, kv: (q >= kv) & (q - kv <= 3),
    "late": lambda b, h, q, kv: (q >= 3) & (kv >= 5),
    "heads": lambda b, h, q, kv: (q + h) % 3 >= (kv + b) % 2,
}


def scores_by(name, bias):
    return {
        None: None,
        "alibi": lambda s, b, h, q, kv: s - (h + 1) * 0.25 * (q - kv),
        "softcap": lambda s, b, h, q, kv: 2 * torch.tanh(s / 2),
        "bias": lambda s, b, h, q, kv: s + bias[h, q - kv + 8],
    }[name]


def attend(q, k, v, bias=None, mask=None, mod=None, block=128, scale=None, enable_gqa=False):
    B, H, L, S = q.shape[0], q.shape[1], q.shape[2], k.shape[2]
    if enable_gqa:
        k, v = (x.repeat_interleave(H // x.shape[1], 1) for x in (k, v))
    elif k.shape[1] != H:
        raise RuntimeError("heads differ")
    real = torch.promote_types(q.dtype, torch.float32)
    s = q.to(real) @ k.to(real).transpose(-2, -1) * (scale or 1 / math.sqrt(q.shape[3]))
    index = [torch.arange(n).reshape([-1 if i == dim else 1 for i in range(4)]) for dim, n in enumerate((B, H, L, S))]
    if mod:
        s = scores_by(mod, bias)(s, *index)
    if mask:
        s = s.masked_fill(~MASKS[mask](*index).expand(s.shape), -torch.inf)
    p = torch.where((s == -torch.inf).all(-1, keepdim=True), 0, torch.softmax(s, -1).nan_to_num())
    y = (p @ v.to(real)).to(q.dtype)
    with torch.no_grad():
        held = bias.detach() if bias is not None else None
        by = create_block_mask(MASKS[mask], B, H, L, S, device="cpu", BLOCK_SIZE=128) if mask else None
        theirs = flex_attention(q.detach(), k.detach(), v.detach(), score_mod=scores_by(mod, held), block_mask=by, scale=scale)
        assert torch.allclose(theirs, y, rtol=2e-2, atol=1e-2) if q.dtype.itemsize == 2 else torch.allclose(theirs, y, atol=1e-5)
    return y


def case(q, k, v, bias=None, dtype=f64, **keywords):
    inputs = [randn(*size, dtype=dtype) for size in (q, k, v)] + [randn(*bias, dtype=dtype) if bias else None]
    g.case("nn_attention_flex_attention", attend, inputs, **keywords)


size = (2, 2, 7, 2)
for dtype in FLOATS:
    case(size, size, size, dtype=dtype, mask="causal")
    case(size, size, size, dtype=dtype, mod="softcap")
for dtype in (torch.float32, f64):
    for mask in MASKS:
        case(size, size, size, dtype=dtype, mask=mask, block=4)
    for mod in ("alibi", "softcap"):
        case(size, size, size, dtype=dtype, mod=mod, mask="sliding", block=5)
    case(size, size, size, (2, 16), dtype=dtype, mod="bias", block=4)
    case(size, size, size, (2, 16), dtype=dtype, mod="bias", mask="late", block=4)
case((1, 4, 5, 2), (1, 2, 9, 2), (1, 2, 9, 3), mask="sliding", enable_gqa=True, block=4)
case((1, 4, 5, 2), (1, 2, 9, 2), (1, 2, 9, 3), mod="alibi", enable_gqa=True)
case((1, 2, 5, 3), (1, 2, 7, 3), (1, 2, 7, 3), scale=0.7)
case((1, 2, 5, 3), (1, 1, 7, 3), (1, 1, 7, 3))
g.write()
