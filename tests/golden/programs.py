"""Random small programs of views, in-place writes and arithmetic, run by PyTorch: what each leaf's gradient is in the end, or
where PyTorch refuses.  Written to programs.txt, which test_inplace.c runs again.

Left out is what wick allows and PyTorch refuses: x.mul_(x) of an x that requires grad, and writes of a tensor into one whose
memory it shares.  wick's softmax and matmul are always contiguous; PyTorch's are made so here.

A program is lines of numbers and words; registers are counted up as results appear (an in-place op makes none):
    program 7
    leaf 2 3 4 0.5 ...           a float64 leaf that requires grad: dims, sizes, values
    constant 2 3 4 ...           the same without grad
    exp 0 | transpose 0 0 1 | reshape 0 2 6 2 | select 0 1 2 | ...     an op, its registers, its numbers
    fails                        the line before it, which PyTorch refuses
    loss 0 3 5                   the sum of sin of these registers, backward from it; and from the sum of the squares of the
                                 leaves' gradients of it, whose own gradients follow as `second`
    value 3
    gradient 0 1 ...        of the leaf in register 0; "none"
"""

import pathlib
import random

import torch

choice = random.Random(9)
torch.manual_seed(9)
torch.set_num_threads(1)
lines = []


def numbers(x):
    return " ".join(("%.17g" % v) for v in x.detach().contiguous().view(-1).tolist())


def apply(name, x, y, n):
    """x, y: registers; n: numbers."""
    return {
        "exp": lambda: x.mul(0.3).exp(), "sin": lambda: x.sin(), "tanh": lambda: x.tanh(),
        "clone": lambda: x.clone(), "relu": lambda: x.relu(),
        "add": lambda: x + y, "mul": lambda: x * y, "sub": lambda: x - y,
        "transpose": lambda: x.transpose(n[0], n[1]), "select": lambda: x.select(n[0], n[1]),
        "narrow": lambda: x.narrow(n[0], n[1], n[2]), "reshape": lambda: x.reshape(n[1:]), "view": lambda: x.view(n[1:]),
        "unsqueeze": lambda: x.unsqueeze(n[0]), "expand": lambda: x.expand(n[1:]), "detach": lambda: x.detach(),
        "sum": lambda: x.sum(n[0]), "softmax": lambda: x.contiguous().softmax(n[0]), "cat": lambda: torch.cat([x, y], n[0]),
        "matmul": lambda: (x @ y).contiguous(), "where": lambda: torch.where(x > 0.1, x, y),
        "clamp": lambda: x.clamp(-0.7, 0.8), "masked_fill_": lambda: x.masked_fill_(x > 0.2, 0.3),
        "exp_": lambda: x.mul_(0.2).exp_(), "div_": lambda: x.div_(y * y + 1.5), "clamp_": lambda: x.clamp_(-0.6, 0.9),
        "slice": lambda: x[(slice(None),) * n[0] + (slice(n[1], None, n[2]),)],
        "add_": lambda: x.add_(y), "mul_": lambda: x.mul_(y), "copy_": lambda: x.copy_(y), "sub_": lambda: x.sub_(y),
        "sin_": lambda: x.sin_(), "tanh_": lambda: x.tanh_(), "relu_": lambda: x.relu_(), "zero_": lambda: x.zero_(),
        "double_": lambda: x.mul_(2), "fill_": lambda: x.fill_(0.5),
    }[name]()


VIEWS = ("transpose", "select", "narrow", "reshape", "view", "unsqueeze", "expand", "slice", "detach")
ALONG = ("sum", "softmax")
JOINS = ("cat", "matmul")
TWO = ("where", "add", "mul", "sub", "add_", "mul_", "copy_", "sub_", "div_")
ALONE = ("clamp", "masked_fill_", "exp_", "clamp_", "exp", "sin", "tanh", "clone", "relu", "sin_", "tanh_", "relu_", "zero_", "double_", "fill_")


def factors(count):
    first = choice.choice([d for d in range(1, count + 1) if count % d == 0])
    return [first, count // first]


def numbers_for(name, x):
    if name == "detach":
        return []
    if name in ("reshape", "view"):
        size = choice.choice([[x.numel()], factors(x.numel()), [1] + factors(x.numel())])
        return [len(size)] + size
    if name == "expand":
        size = [choice.choice([2, 3])] * choice.choice([0, 1]) + [s if s > 1 else choice.choice([1, 3]) for s in x.shape]
        return [len(size)] + size
    if name == "unsqueeze":
        return [choice.randrange(x.dim() + 1)]
    if x.dim() == 0:
        return None
    dim = choice.randrange(x.dim())
    if name == "transpose":
        return [dim, choice.randrange(x.dim())]
    if name == "select":
        return [dim, choice.randrange(x.shape[dim])]
    if name == "slice":
        return [dim, choice.randrange(x.shape[dim]), choice.choice([1, 2])]
    start = choice.randrange(x.shape[dim])
    return [dim, start, choice.randrange(1, x.shape[dim] - start + 1)]


def joins(registers, x, name):
    """A register that x can be joined to, and the dim."""
    fits = []
    for i, y in enumerate(registers):
        if name == "matmul" and x.dim() == y.dim() == 2 and x.shape[1] == y.shape[0]:
            fits.append((i, None))
        if name == "cat" and x.dim() == y.dim() > 0:
            fits += [(i, d) for d in range(x.dim()) if all(x.shape[k] == y.shape[k] for k in range(x.dim()) if k != d)]
    return choice.choice(fits) if fits else (None, None)


def partner(registers, x, in_place):
    fits = []
    for i, y in enumerate(registers):
        try:
            shape = torch.broadcast_shapes(x.shape, y.shape)
        except RuntimeError:
            continue
        shared = x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()
        if not in_place or (shape == x.shape and not shared):
            fits.append(i)
    return choice.choice(fits) if fits else None


def program(number):
    lines.append(f"program {number}")
    registers = []
    for kind in ("leaf", "leaf", "constant"):
        shape = choice.choice([(2, 3), (4,), (2, 3, 2), (3, 2), (1, 4), ()])
        x = torch.randn(shape, dtype=torch.float64)
        lines.append(" ".join(map(str, [kind, x.dim(), *x.shape])) + " " + numbers(x))
        registers.append(x.requires_grad_(kind == "leaf"))
    leaves = [0, 1]
    for _ in range(choice.randrange(4, 14)):
        name = choice.choice(choice.choice([VIEWS, TWO, ALONE, ALONG + JOINS, ("add_", "mul_", "copy_", "sin_", "double_", "clone")]))
        a = choice.choice(range(len(registers))) if choice.random() < 0.5 else len(registers) - 1
        in_place = name.endswith("_")
        x, y, n = registers[a], None, []
        if name == "masked_fill_" and any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape)):
            continue  # deprecated in PyTorch, refused by wick
        if in_place and (x.requires_grad and x.is_leaf) and choice.random() < 0.9:
            continue
        words = [name, a]
        if name in TWO:
            b = partner(registers, x, in_place)
            if b is None:
                continue
            y = registers[b]
            words.append(b)
        elif name in JOINS:
            b, dim = joins(registers, x, name)
            if b is None:
                continue
            y = registers[b]
            n = [] if dim is None else [dim]
            words += [b] + n
        elif name in ALONG:
            if x.dim() == 0:
                continue
            n = [choice.randrange(x.dim())]
            words += n
        elif name in VIEWS:
            n = numbers_for(name, x)
            if n is None:
                continue
            words += n
        lines.append(" ".join(map(str, words)))
        try:
            result = apply(name, x, y, n)
        except RuntimeError:
            lines.append("fails")
            return
        if not in_place:
            registers.append(result)
    with_grad = [i for i, x in enumerate(registers) if x.requires_grad]
    used = sorted({registers.index(registers[-1])} | set(choice.sample(with_grad, min(len(with_grad), 3)))) if with_grad else []
    used = [i for i in used if registers[i].requires_grad]
    if not used:
        return
    lines.append("loss " + " ".join(map(str, used)))
    try:
        loss = sum(registers[i].sin().sum() for i in used)
        first = torch.autograd.grad(loss, [registers[i] for i in leaves], create_graph=True, allow_unused=True)
        squares = [(g * g).sum() for g in first if g is not None and g.requires_grad]
        second = torch.autograd.grad(sum(squares), [registers[i] for i in leaves], retain_graph=True, allow_unused=True) \
            if squares else []
        loss.backward()
    except RuntimeError:
        lines.append("fails")
        return
    lines.append("value %.17g" % float(loss))
    for i in leaves:
        grad = registers[i].grad
        lines.append(f"gradient {i} " + ("none" if grad is None else numbers(grad)))
    for i, grad in zip(leaves, second):
        if grad is not None:
            lines.append(f"second {i} " + numbers(grad))


torch.Tensor.__eq__ = lambda a, b: a is b  # list.index by identity
for number in range(600):
    program(number)
path = pathlib.Path(__file__).parent / "programs.txt"
path.write_text("\n".join(lines) + "\nend\n")
print(f"{path.name}: {number + 1} programs, {lines.count('fails')} refused, {path.stat().st_size} bytes")
