"""Every mixture of parts between the brackets: integers, slices, None, ellipsis, True, False, tensors of indices and masks,
read, written and added to."""

import random

import torch
from golden import Golden, randn

g = Golden("index_mixtures", seed=33)
random.seed(33)
f64 = torch.float64


def integer(size):
    value = random.randrange(-size, size) if size and random.random() < 0.98 else size
    return value, str(value), 1


def piece(_):
    ends = [random.choice([None, None, -3, -1, 0, 1, 2, 5]) for _ in range(2)]
    step = random.choice([None, None, 1, 2, 3])
    text = "%s:%s" % tuple("" if end is None else end for end in ends) + (":%d" % step if step else "")
    return slice(ends[0], ends[1], step), text, 1


def tensor(size, like):
    shape = random.choice([(), (2,), (3,), (1,), (2, 1), (2, 3), (0,)] + [like] * 4)
    if size == 0 and 0 not in shape:
        shape = (0,)
    index = torch.randint(-size, size, shape) if size else torch.zeros(shape, dtype=torch.int64)
    return index.to(random.choice([torch.int64, torch.int32])), "%p", 1


def mask(shape):
    dims = random.choice([0, 1, 1, 1, 2]) if len(shape) > 1 else random.choice([0, 1, 1])
    m = torch.rand(shape[:dims]) < 0.5
    return m, "%p", dims


def mixture():
    shape = tuple(random.choice([1, 2, 3, 3, 4] if random.random() < 0.95 else [0]) for _ in range(random.choice([1, 2, 3, 3, 4])))
    parts, at, dotted, like = [], 0, False, random.choice([(2,), (3,), (2, 2)])
    while at < len(shape) and len(parts) < 7:
        kind = random.choice(["integer", "slice", "slice", "tensor", "tensor", "mask", "None", "...", "True", "end"])
        if kind == "integer":
            parts.append(integer(shape[at]))
        elif kind == "slice":
            parts.append(piece(shape[at]))
        elif kind == "tensor":
            parts.append(tensor(shape[at], like))
        elif kind == "mask":
            parts.append(mask(shape[at:]))
        elif kind == "None":
            parts.append((None, "None", 0))
        elif kind == "True" and random.random() < 0.2:
            value = random.random() < 0.6
            parts.append((value, str(value), 0))
        elif kind == "..." and not dotted:
            dotted = True
            kept = random.randrange(0, len(shape) - at)
            parts.append((Ellipsis, "...", kept))
        elif kind == "end" and parts:
            break
        else:
            continue
        at += parts[-1][2]
    if dotted:  # what stands behind the ellipsis counts from the end: fill up, so that sizes are as meant
        parts += [piece(1) for _ in range(len(shape) - at)]
    tensors = [p[0] for p in parts if isinstance(p[0], torch.Tensor)]
    return shape, tuple(p[0] for p in parts), ", ".join(p[1] for p in parts), tensors


def filled(parts, tensors):
    rest = iter(tensors)
    return tuple(next(rest) if isinstance(p, torch.Tensor) else p for p in parts)


count = 0
while count < 150:
    shape, parts, text, tensors = mixture()
    if not parts or len(tensors) > 4 or len(text) > 80:
        continue
    x = randn(*shape, dtype=f64)
    count += 1

    def read(x, *tensors, index=None):
        return x[filled(parts, tensors)]

    def write(x, value, *tensors, index=None, accumulate=False):
        key = filled(parts, tensors)
        if accumulate:
            return x.index_put_(tuple(k.long() if k.dtype == torch.int32 else k for k in key), value, accumulate=True)
        x[key] = value
        return x

    g.case("index", read, [x] + tensors, index=text)
    try:
        y = x[parts]
    except (IndexError, RuntimeError):
        continue
    if y.dim() > 7:
        continue
    value = randn(y.shape, dtype=f64)
    if y.dim() and random.random() < 0.3:
        value = value[:1] if y.shape[0] else value
    twice = any(t.dtype != torch.bool for t in tensors)
    if not twice:  # which of equal places is written is not said
        g.case("index_put_", write, [x, value] + tensors, index=text)
    g.case("index_put_", write, [x, random.choice([2.5, 1])] + tensors, index=text)
    if tensors and all(isinstance(p, torch.Tensor) for p in parts):
        g.case("index_put_", write, [x, value] + tensors, index=text, accumulate=True)
g.write()
