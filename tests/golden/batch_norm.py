"""PyTorch's batch_norm and instance_norm, with what becomes of the running statistics."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("batch_norm", seed=31)
f64 = torch.float64
HALVES = [torch.float16, torch.bfloat16]


def running(mean, var):
    return [None if t is None else t.detach().clone() for t in (mean, var)]


def batch_norm(x, mean, var, weight, bias, **keywords):
    mean, var = running(mean, var)
    y = F.batch_norm(x, mean, var, weight, bias, **keywords)
    return y if mean is None else (y, mean, var)


def instance_norm(x, mean, var, weight, bias, **keywords):
    mean, var = running(mean, var)
    y = F.instance_norm(x, mean, var, weight, bias, **keywords)
    return y if mean is None else (y, mean, var)


def statistics(c, dtype=torch.float32):
    return [randn(c, dtype=dtype), randn(c, dtype=dtype).abs() + 0.1]


for dtype in (torch.float32, f64):
    for shape in ((4, 3), (2, 3, 4), (2, 3, 2, 3), (2, 2, 1, 2, 3)):
        c = shape[1]
        x, w, b = randn(shape, dtype=dtype), randn(c, dtype=dtype), randn(c, dtype=dtype)
        for training in (True, False):
            known = {} if training else {"smooth": False}  # of the statistics there is a difference, but no gradient
            g.case("batch_norm", batch_norm, [x, *statistics(c, dtype), w, b], **known, training=training)
            g.case("batch_norm", batch_norm, [x, *statistics(c, dtype), None, b], **known, training=training, momentum=0.25,
                   eps=1e-3)
        g.case("batch_norm", batch_norm, [x, None, None, w, None], training=True)
        g.case("batch_norm", batch_norm, [x, None, None, None, None], training=True)
        g.case("batch_norm", batch_norm, [x, None, None, w, b])  # no statistics
        if len(shape) > 2:
            g.case("instance_norm", instance_norm, [x, None, None, w, b])
            g.case("instance_norm", instance_norm, [x, *statistics(c, dtype), w, b], momentum=0.25)
            g.case("instance_norm", instance_norm, [x, *statistics(c, dtype), w, b], smooth=False, use_input_stats=False)
            g.case("instance_norm", instance_norm, [x, None, None, None, None], eps=1e-3)
# many channels, many images, long channels
g.case("batch_norm", batch_norm, [randn(5, 70) * 3 + 1, *statistics(70), randn(70), randn(70)], training=True)
g.case("batch_norm", batch_norm, [randn(130, 2), *statistics(2), randn(2), randn(2)], training=True)
g.case("batch_norm", batch_norm, [randn(3, 2, 65), *statistics(2), randn(2), randn(2)], training=True)
g.case("batch_norm", batch_norm, [randn(1, 2, 9), *statistics(2), randn(2), randn(2)], training=True)
g.case("batch_norm", batch_norm, [randn(6, 3) + 10, *statistics(3), None, None], training=True, gradient=False)
# halves: PyTorch rounds the statistics to halves on the way, where parameters are halves; its answer in float32, rounded
def in_float32(function):
    def rounded(x, *others, **keywords):
        y = function(x.float(), *[t if t is None else t.float() for t in others], **keywords)
        return tuple(t.to(x.dtype) for t in y) if isinstance(y, tuple) else y.to(x.dtype)
    return rounded


for dtype in HALVES:
    x, w, b = randn(3, 4, 5, dtype=dtype), randn(4, dtype=dtype), randn(4, dtype=dtype)
    for training in (True, False):
        g.case("batch_norm", in_float32(batch_norm), [x, *statistics(4, dtype), w, b], training=training)
        g.case("batch_norm", batch_norm, [x, *statistics(4), w.float(), b.float()], training=training)
    g.case("batch_norm", in_float32(batch_norm), [x, None, None, w, None], training=True)
    g.case("instance_norm", in_float32(instance_norm), [x, None, None, None, None])
    g.case("instance_norm", in_float32(instance_norm), [x, *statistics(4, dtype), w, b])
inf = float("inf")
special = torch.tensor([[1.0, inf, 1.0, 3.0], [2.0, 0.0, float("nan"), 1.0], [4.0, 1.0, 2.0, 3.0], [0.0, 2.0, -inf, 3.0]])
g.case("batch_norm", batch_norm, [special, *statistics(4), randn(4), randn(4)], training=True)
g.case("batch_norm", batch_norm, [special, *statistics(4), randn(4), randn(4)], training=False)
g.case("instance_norm", instance_norm, [special.view(1, 4, 4), None, None, None, None])
# what PyTorch refuses
g.case("batch_norm", batch_norm, [randn(1, 3), *statistics(3), None, None], training=True)
g.case("batch_norm", batch_norm, [randn(1, 3), *statistics(3), None, None], training=False)
g.case("batch_norm", batch_norm, [randn(2, 3), *statistics(4), None, None], training=True)
g.case("batch_norm", batch_norm, [randn(2, 3), *statistics(3), randn(4), None], training=True)
g.case("batch_norm", batch_norm, [randn(3), *statistics(3), None, None], training=True)
g.case("batch_norm", batch_norm, [torch.ones(2, 3, dtype=torch.int64), None, None, None, None], training=True)
g.case("instance_norm", instance_norm, [randn(2, 3, 1), None, None, None, None])
g.case("instance_norm", instance_norm, [randn(2, 3, 4), None, None, None, None], use_input_stats=False)
g.case("batch_norm", batch_norm, [torch.zeros(0, 3), *statistics(3), randn(3), randn(3)], training=False)
g.case("batch_norm", batch_norm, [torch.zeros(0, 3, 2), *statistics(3), randn(3), randn(3)], training=False)
g.write()
