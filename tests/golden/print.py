"""Asks PyTorch how tensors print, and writes the answers to print.txt beside this file: python tests/golden/print.py

A case is a block of lines that test_print.c reads:
    float32 2 shape 3 5 strides 1 3 offset 0     dtype, number of dims, and the view of the storage
    precision 4 threshold 1000 edgeitems 3 linewidth 80 sci_mode -1 requires_grad 0 parameter 0
    bytes of the storage in hexadecimal
    length of the text, and the text on the lines that follow
"""

import math
import pathlib
import random

import torch

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
          torch.float32, torch.float64, torch.complex64]
DEFAULTS = dict(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None)
choice = random.Random(2)
torch.manual_seed(2)


def name(dtype):
    return str(dtype).removeprefix("torch.")


def raw_bytes(storage):
    return storage.view(torch.uint8).numpy().tobytes() if storage.numel() else b""


def write(file, storage, shape, strides, offset=0, requires_grad=False, parameter=False, **options):
    options = DEFAULTS | options
    x = storage.as_strided(shape, strides, offset)
    if parameter:
        x = torch.nn.Parameter(x, requires_grad=requires_grad)
    elif requires_grad:
        x.requires_grad_()
    torch.set_printoptions(**options)
    text = repr(x)
    sci_mode = -1 if options["sci_mode"] is None else int(options["sci_mode"])
    threshold = -1 if options["threshold"] == math.inf else options["threshold"]
    sizes, steps = " ".join(map(str, shape)), " ".join(map(str, strides))
    file.write(f"{name(x.dtype)} {len(shape)} shape {sizes} strides {steps} offset {offset}\n")
    file.write(f"precision {options['precision']} threshold {threshold} edgeitems {options['edgeitems']} "
               f"linewidth {options['linewidth']} sci_mode {sci_mode} "
               f"requires_grad {int(requires_grad)} parameter {int(parameter)}\n")
    file.write((raw_bytes(storage).hex() or "-") + f"\n{len(text)}\n{text}\n")


def dense(file, x, **options):
    x = x.contiguous()
    write(file, x.detach().clone().reshape(-1), tuple(x.shape), x.stride(), **options)


def floats(count, dtype):
    kind = choice.randrange(11)
    x = torch.randn(count, dtype=torch.float64)
    if kind == 1:
        x = (x * 10).round()
    elif kind == 2:
        x = (x * 10).round() / 8
    elif kind == 3:
        x = x * 1e-6
    elif kind == 4:
        x = x * torch.exp(4 * torch.randn(count, dtype=torch.float64))
    elif kind == 5:
        x = (x * 1e10).round()
    elif kind == 6:
        x = x.abs() * 100 + 1
    elif kind == 7:
        x = torch.zeros(count, dtype=torch.float64) * x.sign()
    elif kind == 8:
        width = torch.finfo(dtype).bits // 8
        return torch.randint(0, 256, (count * width,), dtype=torch.uint8).view(dtype)
    elif kind == 9:
        x = (x * 500).round() + 0.5
    if choice.random() < 0.3 and count:
        specials = [math.nan, math.inf, -math.inf, 0.0, -0.0]
        for _ in range(choice.randrange(1, 4)):
            x[choice.randrange(count)] = choice.choice(specials)
    return x.to(dtype)


def values(count, dtype):
    if dtype == torch.bool:
        return torch.randint(0, 2, (count,)) > 0
    if dtype.is_complex:
        return torch.complex(floats(count, dtype.to_real()), floats(count, dtype.to_real()))
    if dtype.is_floating_point:
        return floats(count, dtype)
    info = torch.iinfo(dtype)
    low, high = choice.choice([(0, 10), (info.min, info.max), (max(-100, info.min), 100), (0, min(info.max, 100000))])
    return torch.randint(low, high, (count,), dtype=dtype)


def random_case(file, dtype):
    ndim = choice.choice([0, 1, 1, 2, 2, 2, 3, 3, 4, 5])
    shape = [choice.choice([1, 2, 3, 4, 5, 7]) for _ in range(ndim)]
    while math.prod(shape) > 36:
        shape[choice.randrange(ndim)] = choice.choice([1, 2, 3])
    if ndim == 1:
        shape = [choice.randrange(1, 30)]
    order = choice.sample(range(ndim), ndim)  # permuted
    step = 1
    strides = [0] * ndim
    for dim in order:
        strides[dim] = step
        step *= shape[dim]
    offset = 0
    if ndim and choice.random() < 0.2:  # sliced
        dim = choice.randrange(ndim)
        offset = strides[dim] * (shape[dim] // 2)
        shape[dim] -= shape[dim] // 2
    options = {}
    if choice.random() < 0.5:
        options = dict(precision=choice.choice([0, 1, 2, 4, 6, 10]), threshold=choice.choice([0, 5, 10, 20, 1000]),
                       edgeitems=choice.choice([1, 1, 2, 3]), linewidth=choice.choice([20, 40, 80, 120]),
                       sci_mode=choice.choice([None, None, True, False]))
    grad = (dtype.is_floating_point or dtype.is_complex) and choice.random() < 0.15
    write(file, values(step, dtype), tuple(shape), tuple(strides), offset, requires_grad=grad,
          parameter=choice.random() < 0.1, **options)


def complex_specials(file, dtype):
    nan, inf = math.nan, math.inf
    for data in [1 + 2j, [1 - 2j, nan - 1j], [complex(0, -0.0), complex(-0.0, nan)], [complex(inf, -inf), 1e10 + 1e-10j],
                 [[0.5 + 100j, -3 - 1e5j]]]:
        dense(file, torch.tensor(data, dtype=dtype))


def special_cases(file):
    nan, inf = math.nan, math.inf
    for data in [[], 0.0, -0.0, 1.5, nan, inf, -inf, [nan], [inf, 1], [-inf, 1.5], [nan, inf, -inf], [0, nan],
                 [1e8, 1], [1.1e8, 1.1e8], [1e-4], [9.99e-5], [1, 1000], [1, 1001], [0.001, 1.0], [0.001, 1.1],
                 [1e5, 2e5], [99999.5, 1], [0.00005, 0.5], [0.99999, 0.5], [1e38, -1e38], [1e-45, 1e-44], [2.5, 3.5],
                 [-1.0, 2.0, 3.0], [16777216.0, 3.0], [0.1, nan, 100.0], [1e-10, 0], [123456789.0, 1.0]]:
        for dtype in [torch.float32, torch.float64]:
            dense(file, torch.tensor(data, dtype=dtype))
        dense(file, torch.tensor(data, dtype=torch.float32), requires_grad=True)
    for dtype in DTYPES:
        for shape in [(0,), (0, 3), (2, 0, 4)]:
            dense(file, torch.zeros(shape, dtype=dtype))
        dense(file, torch.ones((), dtype=dtype))
        write(file, values(4, dtype), (30, 2, 50), (0, 1, 0))  # broadcast, and summarized
    for data in [[[True, False]], [True, True]]:
        dense(file, torch.tensor(data))
    complex_specials(file, torch.complex64)
    for edge in [0, 1, 4]:
        for threshold in [3, 1000, inf]:
            for shape in [(9,), (2, 9), (9, 2, 9)]:
                dense(file, torch.arange(math.prod(shape), dtype=torch.int16).reshape(shape), edgeitems=edge,
                      threshold=threshold)
    dense(file, torch.arange(1001))
    dense(file, torch.arange(1000, dtype=torch.int16), linewidth=200)
    dense(file, torch.arange(1100, dtype=torch.float16).reshape(11, 2, 50))
    dense(file, torch.randn(2, 3, 4, 5).transpose(1, 2)[..., :2])
    dense(file, torch.randn(1, 1, 1, 1, 1, 1, 2, 2))
    dense(file, torch.randn(3, 3), linewidth=5)
    for length in range(1, 14):  # where the suffix goes to a line of its own
        dense(file, torch.arange(length, dtype=torch.float64) / 8, requires_grad=True)
        dense(file, torch.arange(length, dtype=torch.float32) / 8, requires_grad=True)
    for shape in [(3,), (2, 2)]:
        for grad in [True, False]:
            dense(file, torch.randn(shape), parameter=True, requires_grad=grad)


with open(pathlib.Path(__file__).with_name("print.txt"), "w") as output:
    special_cases(output)
    for i in range(330):
        random_case(output, DTYPES[i % len(DTYPES)])
    complex_specials(output, torch.complex128)
    for _ in range(20):
        random_case(output, torch.complex128)
