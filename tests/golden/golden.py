"""What a family's script needs to write PyTorch's answers down.  golden/softmax.py, whole:

    from golden import Golden, randn
    g = Golden("softmax", seed=1)
    for dim in (0, 1, -1):
        g.case("softmax", torch.softmax, [randn(3, 4, 5)], dim=dim)
    g.write()

case(op, function, inputs, **keywords) calls function(*inputs, **keywords).  inputs are tensors, numbers (where PyTorch
takes a tensor or a number) or None (an optional tensor left out); keywords are what the adapter of op_table asks for by
name.  Written down: the inputs, the keywords, the results, or that the call failed; where results are floating, the
gradients of the floating inputs for a random gradient of the results; and whether finite differences may be asked
(`smooth`: float64 inputs, all finite, unless the caller knows better).

The container <family>.golden is a sequence of lines; a line that announces a tensor is followed by its bytes
(row-major, little-endian) and a newline:
    wick golden 1
    case softmax                                     begins a case; the op
    smooth                                           finite differences hold here
    int dim -1 | float alpha 0x1.8p+0 | text mode trunc | ints size 3 2 3 4      keywords
    number 1 float 0x1p+1                            input 1 is a number: bool, int or float
    input 0 float32 3 3 4 5                          input 0: dtype, number of dims, sizes; bytes follow
    result 0 float32 3 3 4 5 shares -1 strides 20 5 1     and whose storage it shares; bytes follow
    dy 0 float32 3 3 4 5                             the gradient given for result 0; bytes follow
    gradient 0 float32 3 3 4 5                       the gradient that input 0 gets; bytes follow
    gradient 1 none                                  input 1 is floating, and PyTorch gives it none
    fails                                            PyTorch refuses this call
"""

import pathlib

import torch

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
DTYPES = [torch.bool] + INTEGERS + FLOATS + [torch.complex64, torch.complex128]

torch.set_num_threads(1)


def randn(*shape, dtype=torch.float32):
    """randn(2, 3) or randn((2, 3)); randn(()) is one number."""
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, torch.Size)) else shape
    return torch.randn(shape, dtype=torch.complex128 if dtype.is_complex else torch.float64).to(dtype)


def name(dtype):
    return str(dtype).removeprefix("torch.")


def numbers(*shape, dtype=torch.float32):
    """Values that every dtype holds: small integers, both signs where there are signs, halves where there are halves."""
    x = torch.randint(-6, 7, shape)
    if dtype == torch.bool:
        return x > 0
    if dtype == torch.uint8:
        return x.abs().to(dtype)
    if dtype.is_complex:
        return torch.complex(x / 2.0, torch.randint(-6, 7, shape) / 2.0).to(dtype)
    return (x / 2.0).to(dtype) if dtype.is_floating_point else x.to(dtype)


def raw_bytes(x):
    x = x.detach().contiguous().clone(memory_format=torch.contiguous_format)  # of one element too
    return x.view(-1).view(torch.uint8).numpy().tobytes() if x.numel() else b""


def shape_text(x):
    return " ".join(map(str, [name(x.dtype), x.dim(), *x.shape]))


def as_tensors(y):
    if isinstance(y, torch.Tensor):
        return [y]
    if isinstance(y, (tuple, list)):
        return [t for each in y for t in as_tensors(each)]
    if y is None:
        return []
    return [torch.tensor(y)]


class Golden:
    def __init__(self, family, seed):
        torch.manual_seed(seed)
        self.path = pathlib.Path(__file__).parent / (family + ".golden")
        self.chunks = [b"wick golden 1\n"]
        self.cases = 0

    def line(self, *words):
        self.chunks.append((" ".join(map(str, words)) + "\n").encode())

    def tensor(self, what, x, more=""):
        self.line(what, shape_text(x) + more)
        self.chunks += [raw_bytes(x), b"\n"]

    def number(self, what, value):
        if isinstance(value, bool):
            self.line(what, "bool", int(value))
        elif isinstance(value, int):
            self.line(what, "int", value)
        else:
            self.line(what, "float", float(value).hex())

    def keyword(self, key, value):
        if isinstance(value, bool):
            self.line("int", key, int(value))
        elif isinstance(value, int):
            self.line("int", key, value)
        elif isinstance(value, float):
            self.line("float", key, value.hex())
        elif isinstance(value, torch.dtype):
            self.line("text", key, name(value))
        elif isinstance(value, (tuple, list, torch.Size)):
            self.line("ints", key, len(value), *value)
        elif value is not None:
            self.line("text", key, value)

    def case(self, op, function, inputs, smooth=None, gradient=True, dtypes=None, **keywords):
        """gradient=False: none is asked for; "complex": of complex inputs too.  dtypes: the case once for each, its floating inputs converted."""
        if dtypes:
            for dtype in dtypes:
                converted = [x.to(dtype) if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs]
                self.case(op, function, converted, smooth, gradient, **keywords)
            return
        self.cases += 1
        start = len(self.chunks)
        self.line("case", op)
        for key, value in keywords.items():
            self.keyword(key, value)
        given, wanted = [], []
        for i, x in enumerate(inputs):
            if isinstance(x, torch.Tensor):
                self.tensor(f"input {i}", x)
                x = x.detach().clone()
                if gradient and (x.is_floating_point() or gradient == "complex" and x.is_complex()):
                    x.requires_grad_()
                    wanted.append(i)
            elif x is not None:
                self.number(f"number {i}", x)
            given.append(x)
        try:
            # in place: PyTorch writes into a copy that is no leaf
            copies = [x.clone() if op.endswith("_") and isinstance(x, torch.Tensor) and x.requires_grad else x
                      for x in given]
            results = as_tensors(function(*copies, **keywords))
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError, OverflowError) as error:
            if "not implemented for" in str(error):  # PyTorch has no kernel; it is no error of the caller's
                del self.chunks[start:]
                self.cases -= 1
            else:
                self.line("fails")
            return
        if any(y.dtype not in DTYPES for y in results):  # complex32: not in wick
            del self.chunks[start:]
            self.cases -= 1
            return
        for i, y in enumerate(results):
            shares = [k for k, x in enumerate(copies) if isinstance(x, torch.Tensor) and y.numel()
                      and x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()]
            strides = " ".join(map(str, y.stride()))
            self.tensor(f"result {i}", y, f" shares {shares[0] if shares else -1} strides {strides}".rstrip())
        outputs = [(i, y) for i, y in enumerate(results) if y.requires_grad]
        if not outputs or not wanted:
            return
        dys = [randn(y.shape, dtype=y.dtype) for _, y in outputs]
        try:
            gradients = torch.autograd.grad([y for _, y in outputs], [given[i] for i in wanted], dys, allow_unused=True)
        except (RuntimeError, NotImplementedError):
            return
        for (i, _), dy in zip(outputs, dys):
            self.tensor(f"dy {i}", dy)
        for i, dx in zip(wanted, gradients):
            if dx is None:
                self.line(f"gradient {i} none")
            else:
                self.tensor(f"gradient {i}", dx)
        if smooth is None:
            smooth = all(given[i].dtype == torch.float64 and bool(torch.isfinite(given[i]).all()) for i in wanted) and \
                all(y.dtype == torch.float64 and bool(torch.isfinite(y).all()) for _, y in outputs)
        if smooth:
            self.line("smooth")

    def write(self):
        self.path.write_bytes(b"".join(self.chunks))
        print(f"{self.path.name}: {self.cases} cases, {self.path.stat().st_size} bytes")
