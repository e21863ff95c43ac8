"""The strides of element-wise results and copies, which follow their operands: permuted, sliced, broadcast, with numbers.

orderN is the order of input N's dims in memory (the op sees the dims in their own order again), stepN a dim of which
every second element is taken."""

import torch
import torch.nn.functional as F
from golden import Golden, numbers

g = Golden("layout", seed=31)


def seen(x, order=None, step=None):
    if order is not None:
        x = x.permute(order).contiguous().permute(torch.argsort(torch.tensor(order)).tolist())
    return x if step is None else x[(slice(None),) * step + (slice(None, None, 2),)]


def case(op, function, inputs, **keywords):
    """the inputs with dims and, among the keywords, how they lie"""
    lay = {k: v for k, v in keywords.items() if k[:-1] in ("order", "step")}

    def call(*given, **more):
        given = [seen(x, more.pop(f"order{i}", None), more.pop(f"step{i}", None)) if isinstance(x, torch.Tensor) else x
                 for i, x in enumerate(given)]
        return function(*given, **more)
    g.case(op, call, inputs, gradient=False, **keywords)


ORDERS = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
UNARY = (("exp", torch.exp), ("neg", torch.neg), ("clone", torch.clone), ("zeros_like", torch.zeros_like), ("isnan", torch.isnan))
for op, function in UNARY:
    for order in ORDERS:
        case(op, function, [numbers(2, 3, 4)], order0=order)
    for shape, order in (((2, 1, 3), (2, 1, 0)), ((1, 3, 2), (2, 0, 1)), ((2, 3), (1, 0)), ((2, 3, 4, 5), (0, 2, 3, 1)),
                         ((2, 2, 2, 2), (3, 0, 1, 2)), ((1, 1), (1, 0)), ((3, 1), (1, 0))):
        case(op, function, [numbers(*shape)], order0=order)
    for order, step in (((2, 1, 0), 0), ((2, 1, 0), 2), ((1, 2, 0), 1), ((0, 1, 2), 2)):
        case(op, function, [numbers(4, 4, 4)], order0=order, step0=step)
for dtype in (torch.int64, torch.float16):
    case("to", lambda x, dtype: x.to(dtype), [numbers(2, 3, 4)], order0=(2, 0, 1), dtype=dtype)
    case("to", lambda x, dtype: x.to(dtype), [numbers(4, 3, 4)], order0=(2, 0, 1), step0=0, dtype=dtype)
for op, function in (("add", torch.add), ("gt", torch.gt), ("pow", torch.pow)):
    for first in ORDERS:
        for second in ORDERS:
            case(op, function, [numbers(2, 3, 4).abs(), numbers(2, 3, 4).abs()], order0=first, order1=second)
        case(op, function, [numbers(2, 3, 4), 2], order0=first)
        case(op, function, [numbers(2, 3, 4), numbers()], order0=first)
        case(op, function, [numbers(4), numbers(2, 3, 4)], order1=first)
        case(op, function, [numbers(3, 1), numbers(2, 3, 4)], order1=first)
        case(op, function, [numbers(2, 3, 1), numbers(2, 1, 4)], order0=first, order1=(1, 2, 0))
        case(op, function, [numbers(2, 1, 4), numbers(1, 3, 4)], order0=first, order1=first)
        case(op, function, [numbers(4, 4, 4), numbers(4, 4, 2)], order0=first, order1=first, step0=2)
        case(op, function, [numbers(2, 3, 4), numbers(2, 3, 4).double()], order0=first, order1=first)
for first in ORDERS:
    case("where", torch.where, [numbers(2, 3, 4, dtype=torch.bool), numbers(2, 3, 4), numbers(2, 3, 4)],
         order0=first, order1=first, order2=first)
    case("where", torch.where, [numbers(3, 1, dtype=torch.bool), numbers(2, 3, 4), numbers(2, 3, 4)], order1=first, order2=(2, 1, 0))
    case("where", torch.where, [numbers(2, 3, 4, dtype=torch.bool), numbers(2, 3, 4), 1], order0=(1, 2, 0), order1=first)
    case("masked_fill", torch.masked_fill, [numbers(2, 3, 4), numbers(2, 3, 4, dtype=torch.bool), 1], order0=first, order1=(1, 0, 2))
    case("clamp", torch.clamp, [numbers(2, 3, 4), -1, 1], order0=first)
    case("lerp", torch.lerp, [numbers(2, 3, 4), numbers(2, 3, 4), numbers(2, 3, 4)], order0=first, order1=first, order2=first)
for order in ((0, 1, 2, 3), (0, 2, 1, 3), (2, 0, 1, 3)):
    case("scaled_dot_product_attention", F.scaled_dot_product_attention, [numbers(2, 3, 4, 5), numbers(2, 3, 6, 5), numbers(2, 3, 6, 5)],
         order0=order, order1=(0, 2, 1, 3), order2=(0, 2, 1, 3))
g.write()
