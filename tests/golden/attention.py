"""PyTorch's scaled_dot_product_attention."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, numbers, randn

g = Golden("attention", seed=13)
f64 = torch.float64
attention = F.scaled_dot_product_attention


def case(q, k, v, mask=None, dtype=torch.float32, **keywords):
    g.case("scaled_dot_product_attention", attention, [randn(q, dtype=dtype), randn(k, dtype=dtype), randn(v, dtype=dtype), mask], **keywords)


hidden = torch.rand(3, 6) > 0.4
hidden[1] = False
for dtype in (torch.float32, f64):
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 5), dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 5), dtype=dtype, is_causal=True)
    case((2, 2, 6, 4), (2, 2, 3, 4), (2, 2, 3, 4), dtype=dtype, is_causal=True)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), hidden, dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), torch.rand(2, 1, 1, 6) > 0.3, dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), randn(2, 2, 3, 6, dtype=dtype), dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), randn(6, dtype=dtype), dtype=dtype)
    case((2, 4, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), dtype=dtype, enable_gqa=True)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), dtype=dtype, scale=0.7)
    case((3, 4), (6, 4), (6, 5), dtype=dtype)
    case((2, 3, 4), (2, 6, 4), (2, 6, 4), dtype=dtype)
    case((2, 1, 3, 4), (1, 2, 6, 4), (1, 2, 6, 4), dtype=dtype)
case((1, 2, 2, 3, 4), (1, 2, 2, 6, 4), (1, 2, 2, 6, 4))
case((1, 2, 17, 24), (1, 2, 17, 24), (1, 2, 17, 24))
case((1, 1, 3, 4), (1, 1, 6, 4), (1, 1, 6, 4), torch.zeros(3, 6).masked_fill(~hidden, float("-inf")))
case((2, 2, 0, 4), (2, 2, 6, 4), (2, 2, 6, 4))
case((2, 2, 3, 4), (2, 2, 0, 4), (2, 2, 0, 4))
g.case("scaled_dot_product_attention", attention, [numbers(1, 2, 3, 4), numbers(1, 2, 3, 4), numbers(1, 2, 3, 4)], dtypes=FLOATS)
case((2, 2, 3, 4), (2, 2, 6, 3), (2, 2, 6, 4))
case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), hidden, is_causal=True)
case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), torch.zeros(4, 6))
case((4,), (6, 4), (6, 4))
# halves: blocks and their edges, masks of either dtype, heads that are shared.  PyTorch rounds probabilities too: values
# that do not cancel; gradients are held against the definition (test_attention.c)
def case(q, k, v, mask=None, dtype=torch.float32, **keywords):
    inputs = [randn(q, dtype=dtype), randn(k, dtype=dtype), (randn(v).abs() + 0.2).to(dtype), mask]
    g.case("scaled_dot_product_attention", attention, inputs, gradient=False, **keywords)


for dtype in FLOATS[:2]:
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), dtype=dtype)
    case((1, 1, 130, 8), (1, 1, 260, 8), (1, 1, 260, 8), dtype=dtype, is_causal=True)
    case((2, 4, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), dtype=dtype, enable_gqa=True)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), hidden, dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), randn(3, 6, dtype=dtype), dtype=dtype)
    case((2, 2, 3, 4), (2, 2, 6, 4), (2, 2, 6, 4), randn(3, 6), dtype=dtype)
    case((2, 2, 0, 4), (2, 2, 6, 4), (2, 2, 6, 4), dtype=dtype)
# float masks that repeat along each dim, and learn
for mask in ((2, 1, 1, 6), (1, 4, 3, 1), (3, 1), (1,), (2, 4, 1, 6), (1, 1, 3, 6), ()):
    g.case("scaled_dot_product_attention", attention, [randn(2, 4, 3, 4, dtype=f64), randn(2, 4, 6, 4, dtype=f64), randn(2, 4, 6, 5, dtype=f64), randn(*mask, dtype=f64) if mask else randn((), dtype=f64)])
g.case("scaled_dot_product_attention", attention, [randn(2, 4, 3, 4, dtype=f64), randn(2, 2, 6, 4, dtype=f64), randn(2, 2, 6, 4, dtype=f64), randn(4, 3, 6, dtype=f64)], enable_gqa=True)
for mask in ((2, 3, 1, 3, 4), (3, 1, 3, 4), (3, 2, 1, 4)):
    g.case("scaled_dot_product_attention", attention, [randn(2, 3, 2, 3, 2), randn(2, 3, 2, 4, 2), randn(2, 3, 2, 4, 2), randn(*mask)])
g.case("scaled_dot_product_attention", attention, [randn(2, 1, 3, 4, dtype=f64), randn(1, 2, 6, 4, dtype=f64), randn(2, 2, 6, 4, dtype=f64), randn(2, 1, 1, 6, dtype=f64)])
g.case("scaled_dot_product_attention", attention, [randn(2, 2, 1, 4), randn(2, 2, 6, 4), randn(2, 2, 6, 4), torch.rand(2, 1, 1, 6) > 0.5])
g.case("scaled_dot_product_attention", attention, [randn(2, 6, 1, 4), randn(2, 2, 6, 4), randn(2, 2, 6, 4), torch.rand(2, 6, 1, 6) > 0.5], enable_gqa=True)
g.case("scaled_dot_product_attention", attention, [randn(2, 2, 1, 4), randn(2, 2, 6, 4), randn(2, 2, 6, 4)], is_causal=True)
g.case("scaled_dot_product_attention", attention, [randn(2, 2, 3, 4), randn(2, 2, 6, 4), randn(2, 2, 6, 4), randn(3, 3, 6)])
g.write()
