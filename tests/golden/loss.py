"""PyTorch's losses: each reduction; classes ignored, weighted, smoothed; probabilities; broadcast and empty inputs."""

import torch
import torch.nn.functional as F
from golden import FLOATS, Golden, randn

g = Golden("loss", seed=5)
f64 = torch.float64


def classes(function):
    def call(x, target, weight, **keywords):
        return function(x, target, weight=weight, **keywords)
    return call


for op, function in (("cross_entropy", F.cross_entropy), ("nll_loss", F.nll_loss)):
    f = classes(function)
    for dtype in (torch.float32, f64):
        for reduction in ("mean", "sum", "none"):
            x, t = randn(4, 3, dtype=dtype), torch.tensor([0, 2, 1, 2])
            g.case(op, f, [x, t, None], reduction=reduction)
        x = randn(2, 3, 2, 2, dtype=dtype)
        g.case(op, f, [x, torch.randint(0, 3, (2, 2, 2)), None])
        g.case(op, f, [x, torch.randint(0, 3, (2, 2, 2)), None], reduction="none")
    g.case(op, f, [randn(3), torch.tensor(1), None])
    g.case(op, f, [randn(3, dtype=f64), torch.tensor(1), None], reduction="none")
    g.case(op, f, [randn(4, 3), torch.tensor([-100, -100, -100, -100]), None])
    g.case(op, f, [randn(4, 3), torch.tensor([0, 1, 2, 1]), None], ignore_index=1)
    g.case(op, f, [torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), None])
    g.case(op, f, [torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), None], reduction="sum")
    g.case(op, f, [randn(4, 3), torch.tensor([0, 1, 3, 1]), None])
    g.case(op, f, [randn(4, 3), torch.tensor([0, 1, -1, 1]), None])
    g.case(op, f, [randn(4, 3), torch.tensor([0, 1, 1]), None])
    g.case(op, f, [randn(4, 3), torch.tensor([0, 1, 1, 1]), None], reduction="average")
f = classes(F.cross_entropy)
g.case("cross_entropy", f, [randn(5, 100) * 30, torch.randint(0, 100, (5,)), None])
g.case("cross_entropy", f, [randn(4, 7), torch.randint(0, 7, (4,)), None], dtypes=FLOATS)
g.case("cross_entropy", f, [torch.tensor([[1.0, -float("inf"), 2], [float("nan"), 0, 1]]), torch.tensor([0, 1]), None],
       reduction="none")
for dtype in (torch.float32, f64):
    for reduction in ("mean", "sum", "none"):
        for smoothing in (0.0, 0.2):
            # the weight is no input of the gradient: PyTorch has none for it
            w = torch.tensor([0.5, 2.0, 1.25], dtype=dtype)
            g.case("cross_entropy_weighted", lambda x, t, w=w, **k: F.cross_entropy(x, t, w, **k),
                   [randn(4, 3, dtype=dtype), torch.tensor([0, -100, 1, 2])], reduction=reduction,
                   label_smoothing=smoothing)
            g.case("cross_entropy", f, [randn(4, 3, dtype=dtype), torch.tensor([0, -100, 1, 2]), None],
                   reduction=reduction, label_smoothing=smoothing)
            g.case("cross_entropy", f, [randn(4, 3, dtype=dtype), randn(4, 3, dtype=dtype).softmax(1), None],
                   reduction=reduction, label_smoothing=smoothing)
        g.case("nll_loss_weighted", lambda x, t, w=w, **k: F.nll_loss(x, t, w, **k),
               [randn(4, 3, dtype=dtype), torch.tensor([0, -100, 1, 2])], reduction=reduction)

for op, f in (("mse_loss", F.mse_loss), ("l1_loss", F.l1_loss), ("smooth_l1_loss", F.smooth_l1_loss),
              ("huber_loss", F.huber_loss)):
    for reduction in ("mean", "sum", "none"):
        g.case(op, f, [randn(3, 4), randn(3, 4)], reduction=reduction)
        g.case(op, f, [randn(2, 3, dtype=f64), randn(2, 3, dtype=f64)], reduction=reduction)
    g.case(op, f, [randn(3, 4), randn(3, 4)], dtypes=FLOATS)
    g.case(op, f, [torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 4, 3])], reduction="none", smooth=False)
    g.case(op, f, [torch.zeros(0), torch.zeros(0)])
    g.case(op, f, [randn(3, 4), randn(4)])
    g.case(op, f, [randn(3), randn(4)])
    g.case(op, f, [randn(3), randn(3)], reduction="max")
g.case("smooth_l1_loss", F.smooth_l1_loss, [randn(3, 4, dtype=f64) * 2, randn(3, 4, dtype=f64)], beta=0.5)
g.case("huber_loss", F.huber_loss, [randn(3, 4, dtype=f64) * 2, randn(3, 4, dtype=f64)], delta=0.5)

for reduction in ("mean", "sum", "none", "batchmean"):
    for dtype in (torch.float32, f64):
        x, t = randn(3, 4, dtype=dtype).log_softmax(1), randn(3, 4, dtype=dtype).softmax(1)
        g.case("kl_div", F.kl_div, [x, t], reduction=reduction)
        g.case("kl_div", F.kl_div, [x, t.log()], reduction=reduction, log_target=True)
g.case("kl_div", F.kl_div, [randn(3), torch.tensor([0.0, 0.5, 0.5])], smooth=False, reduction="none")


def binary(function):
    def call(x, t, weight, pos_weight=None, **keywords):
        more = {} if pos_weight is None else {"pos_weight": pos_weight.detach()}
        return function(x, t, weight=None if weight is None else weight.detach(), **more, **keywords)
    return call


f = binary(F.binary_cross_entropy_with_logits)
for reduction in ("mean", "sum", "none"):
    for dtype in (torch.float32, f64):
        x, t = randn(3, 4, dtype=dtype), torch.rand(3, 4, dtype=dtype)
        g.case("binary_cross_entropy_with_logits", f, [x, t, None], reduction=reduction)
        g.case("binary_cross_entropy_with_logits", f, [x, t, torch.rand(4, dtype=dtype)], smooth=False,
               reduction=reduction)
        g.case("binary_cross_entropy_with_logits", f, [x, t, None, torch.rand(4, dtype=dtype) * 3], smooth=False,
               reduction=reduction)
        p = torch.rand(3, 4, dtype=dtype) * 0.8 + 0.1
        g.case("binary_cross_entropy", binary(F.binary_cross_entropy), [p, t, None], reduction=reduction)
g.case("binary_cross_entropy_with_logits", f, [torch.tensor([100.0, -100, 0, 1000, -1000]), torch.tensor([0.0, 1, 0.5, 1, 0]),
                                               None], reduction="none")
g.case("binary_cross_entropy_with_logits", f, [randn(4, 7), torch.rand(4, 7), None], dtypes=FLOATS)
g.case("binary_cross_entropy_with_logits", f, [randn(3), randn(4), None])
# logits near 1e6 and 1e8, whose log-sum would be lost in a sum with the maximum; halves; dtypes that promote
f = classes(F.cross_entropy)
for dtype in (torch.float32, f64):
    for offset in (1e6, 1e8, -1e8):
        x, t = torch.tensor([[0, 1, 2], [2, 0, 1]], dtype=dtype) + offset, torch.tensor([0, 1])
        for smoothing in (0.0, 0.2):
            g.case("cross_entropy", f, [x, t, None], reduction="none", label_smoothing=smoothing, smooth=False)
        g.case("cross_entropy_weighted", lambda x, t, **k: F.cross_entropy(x, t, torch.tensor([0.5, 2, 1.25]).to(x), **k),
               [x, t], label_smoothing=0.2, smooth=False)
HALVES = [torch.float16, torch.bfloat16]
for op, f in (("cross_entropy", classes(F.cross_entropy)), ("nll_loss", classes(F.nll_loss))):
    for reduction in ("sum", "none"):
        g.case(op, f, [randn(4, 7), torch.tensor([6, 0, -100, 3]), None], dtypes=HALVES, reduction=reduction)
    g.case(op, f, [randn(2, 3, 2), torch.randint(0, 3, (2, 2)), None], dtypes=HALVES)
    g.case(op, f, [torch.zeros(2, 0), torch.tensor([0, 0]), None])
    g.case(op, f, [torch.zeros(2, 0), torch.tensor([-100, -100]), None])
    g.case(op, f, [randn(2, 3), torch.tensor([2, 1], dtype=torch.uint8), None])
g.case("nll_loss", classes(F.nll_loss), [torch.tensor([[1, -float("inf"), 2], [float("nan"), 0, 1]]), torch.tensor([0, 1]),
                                         None], reduction="none")
g.case("cross_entropy", classes(F.cross_entropy), [randn(4, 3), randn(4, 3).softmax(1), None], dtypes=HALVES)
for x, t in ((torch.float32, torch.float16), (torch.float32, f64), (f64, torch.float32)):
    g.case("cross_entropy", classes(F.cross_entropy), [randn(4, 3, dtype=x), randn(4, 3, dtype=t).softmax(1), None],
           gradient=False)

# saturated probabilities and infinite differences: finite gradients
f = binary(F.binary_cross_entropy)
for dtype in (torch.float32, f64):
    x, t = torch.tensor([0.0, 1, 0, 1, 0.5, 1e-30], dtype=dtype), torch.tensor([0.0, 1, 1, 0, 0.5, 1], dtype=dtype)
    g.case("binary_cross_entropy", f, [x, t, None], reduction="none", smooth=False)
g.case("binary_cross_entropy", f, [torch.rand(3, 4) * 0.8 + 0.1, torch.rand(3, 4), None], dtypes=HALVES, gradient=False)
g.case("binary_cross_entropy", f, [torch.rand(3), torch.rand(3, dtype=f64), None])
for op, f in (("smooth_l1_loss", F.smooth_l1_loss), ("huber_loss", F.huber_loss)):
    x = torch.tensor([1e30, -float("inf"), float("inf"), 2, 1, -1, float("nan")])
    g.case(op, f, [x, torch.zeros(7)], reduction="none")
for op, f in (("mse_loss", F.mse_loss), ("l1_loss", F.l1_loss), ("smooth_l1_loss", F.smooth_l1_loss)):
    g.case(op, f, [torch.tensor([1, 2, 5]), randn(3)])
    g.case(op, f, [randn(3), randn(3, dtype=f64)])

# ---- no probabilities
f = binary(F.binary_cross_entropy)
for dtype in FLOATS:
    for x, t in ((1.5, 1), (-0.1, 1), (float("nan"), 1), (1, 1), (0, 0), (0, 1), (0.5, 2), (0.5, -1), (0.5, float("nan"))):
        g.case("binary_cross_entropy", f, [torch.tensor([0.5, x], dtype=dtype), torch.tensor([1, t], dtype=dtype), None],
               smooth=False, gradient=False)
g.write()
