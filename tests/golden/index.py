"""PyTorch's indexing: x[...], gather, scatter and their like."""

import torch
from golden import DTYPES, Golden, numbers, randn

g = Golden("index", seed=12)
f64 = torch.float64


def long(*values):
    return torch.tensor(values, dtype=torch.int64)


def dim_first(function):
    """f(x, dim, index, ...) with dim as a keyword"""
    return lambda x, *rest, dim, **keywords: function(x, dim, *rest, **keywords)


def key_of(index, tensors):
    tensors = list(tensors)
    while "%p" in index:
        index = index.replace("%p", f"tensors[{len(tensors) - index.count('%p')}]", 1)

    class Catch:
        def __getitem__(self, key):
            return key
    return eval("Catch()[" + index + "]", {"Catch": Catch, "tensors": tensors})


def read(x, *tensors, index):
    return x[key_of(index, tensors)]


def put(x, value, *tensors, index, accumulate=False):
    key = key_of(index, tensors)
    if accumulate:
        if tensors:
            full = torch.arange(x.numel()).view(x.shape)[key]
            x.view(-1).index_put_((full,), value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=x.dtype),
                                  accumulate=True)
        else:
            x[key] += value
    else:
        x[key] = value
    return x


x = randn(3, 4, 5)
for index in (":", "0", "-1", ":, 0", "..., 0", "1:", ":-1", "1:2, :, ::2", "None", "..., None", "None, 1, ..., None, 2",
              "0, 1, 2", "-3, -4, -5", "...", "5:", "-100:100", "2:1", ":, 3:1", "::3, ::3, 1::3", "0, ...", "0, ..., 0",
              "1:2, 0, 2:", "3", "-4", "0, 4", "0, 0, 0, 0", ":, :, :, :", "::-1", "::0",
              "0, 1, 2, ...", "..., 0, 1, 2", "None, None"):
    g.case("index", read, [x], index=index)
g.case("index", read, [randn(3, 4, dtype=f64)], index="1:, -1")
g.case("index", read, [randn(3, 4, dtype=f64)], index="::2, None, 1:3")
g.case("index", read, [randn(())], index="...")
g.case("index", read, [randn(())], index="None")
g.case("index", read, [randn(())], index="0")
g.case("index", read, [randn(0, 3)], index=":, 1")
g.case("index", read, [randn(0, 3)], index="0")
for dtype in DTYPES:
    g.case("index", read, [numbers(3, 4, dtype=dtype)], index="1:, ::2")
    g.case("index", read, [numbers(3, 4, dtype=dtype), long(2, 0, 2)], index="%p")
    g.case("index", read, [numbers(3, 4, dtype=dtype), long(2, 0, -1)], index=":, %p")

a, b = long(2, 0, 2), long(1, 3, -1)
c = torch.tensor([[0], [2]])
m3, m34 = torch.tensor([True, False, True]), randn(3, 4) > 0
for index, tensors in (("%p", [a]), (":, %p", [b]), ("..., %p", [b]), ("%p, %p", [a, b]), ("%p, :, %p", [a, b]),
                       (":, %p, %p", [b, b]), ("%p, 0, %p", [a, b]), ("0, %p, %p", [b, b]), ("0, :, %p", [b]),
                       ("%p, %p", [a, c]), (":, %p, %p", [a, c]), ("%p, ..., %p", [c, b]), ("%p, None, %p", [a, b]),
                       ("None, %p", [c]), ("%p, 1:3", [c]), ("1:, %p, ::2", [c]), ("%p", [m3]), ("%p", [m34]),
                       (":, %p", [randn(4, 5) > 0]), ("%p, :, 0", [m3]), ("%p, %p", [m3, long(1, 3)]),
                       ("%p, %p", [m34, long(1)]), ("%p", [randn(3, 4, 5) > 0]), ("..., %p", [randn(5) > 0]),
                       ("%p", [torch.tensor(1)]), ("%p, %p", [torch.tensor(1), b]), ("%p, :2, %p", [a, torch.tensor(1)]),
                       ("%p", [torch.tensor(True)]), ("%p", [torch.tensor(False)]), ("True", []), ("False", []),
                       ("..., True", []), ("True, 1", []), ("None, True", []), ("%p", [torch.zeros(0, dtype=torch.int64)]),
                       ("%p, %p", [torch.zeros(0, dtype=torch.int64), long(1)]), ("%p", [torch.tensor([False] * 3)]),
                       ("%p", [long(3)]), ("%p", [long(0, -4)]), ("%p", [torch.tensor([True, False])]),
                       ("%p, %p", [a, long(0, 1)]), ("%p", [torch.tensor([0.5])]), ("%p, %p, %p, %p", [a, a, a, a]),
                       ("%p", [torch.tensor([1, 2], dtype=torch.int32)])):
    g.case("index", read, [x, *tensors], index=index)
g.case("index", read, [randn(3, 4, dtype=f64), long(2, 0, 2)], index="%p")
g.case("index", read, [randn(3, 4, dtype=f64), long(2, 0, 2), long(1, 1, 1)], index="%p, %p")
g.case("index", read, [randn(3, 2, 2, dtype=f64), long(2, 0, 2), long(1, 1, 1)], index="%p, :, %p")
g.case("index", read, [randn(3, 4, dtype=f64), m34], index="%p")
g.case("index", read, [randn(0, 3), torch.zeros(0, dtype=torch.bool)], index="%p")
g.case("index", read, [randn(0, 3), long(0)], index="%p")

for index, tensors, value in (
        ("0", [], randn(4, 5)), (":, 1", [], randn(5)), ("..., 0", [], 7.0), ("1:, ::2", [], randn(2, 2, 5)), (":", [], 0),
        ("1:, ::2", [], randn(1, 1, 1, 5)), ("0, 0, 0", [], randn(())), ("None, 1", [], randn(1, 4, 5)),
        ("0", [], randn(3)), ("%p", [a], randn(4, 5)), ("%p", [long(2, 0)], randn(2, 4, 5)), ("%p", [m3], -1.0),
        ("%p", [m34], randn(5)), (":, %p", [long(1, 3)], randn(3, 2, 5)), ("%p, :, %p", [long(2, 0), long(1, 3)], randn(2, 4)),
        ("%p, :, %p", [long(2, 0), long(1, 3)], 3.0), ("..., %p", [randn(5) > 0], 0.0), ("%p", [randn(3, 4, 5) > 0], 1.5),
        ("%p, 1", [long(2)], randn(5)), ("1:, %p", [long(1, 3)], randn(2, 5)), ("%p", [long(3)], 1.0), ("%p", [m3], randn(3)),
        ("%p", [long(0, 1)], randn(1, 1, 4, 5)), ("%p", [torch.zeros(0, dtype=torch.int64)], 1.0)):
    g.case("index_put_", put, [x, value, *tensors], index=index)
    if not (isinstance(value, torch.Tensor) and value.dim() > 3):
        g.case("index_put_", put, [x, value, *tensors], index=index, accumulate=True)
g.case("index_put_", put, [randn(3, 4, dtype=f64), randn(2, 4, dtype=f64), long(2, 0)], index="%p")
g.case("index_put_", put, [randn(3, 4, dtype=f64), randn(3, 2, dtype=f64), long(3, 1)], index=":, %p")
g.case("index_put_", put, [randn(3, 4, dtype=f64), randn(2, dtype=f64), long(2, 0), long(1, 1)], index="%p, %p")
g.case("index_put_", put, [randn(3, 4, dtype=f64), randn(4, dtype=f64)], index="1")
g.case("index_put_", put, [randn(3, 4, dtype=f64), randn(3, 4, dtype=f64), long(2, 0, 2)], index="%p", accumulate=True)
g.case("index_put_", put, [randn(2, 3, 2, dtype=f64), randn(2, 3, dtype=f64), long(1, 0), long(1, 1)], index="%p, :, %p")
for dtype in DTYPES:
    g.case("index_put_", put, [numbers(3, 4, dtype=dtype), 1, long(0, 2)], index="%p, 1:")
    g.case("index_put_", put, [numbers(3, 4, dtype=dtype), numbers(4, dtype=dtype), long(0, 2)], index="%p")

# ---- rows along a dim
for dim in (0, 1, 2, -1, -3, 3):
    size = x.shape[dim] if dim < 3 else 1
    index = torch.randint(0, size, (6,))
    unique = torch.randperm(size)[:2]
    shape, small = list(x.shape), list(x.shape)
    if dim < 3:
        shape[dim], small[dim] = 6, min(2, size)
    g.case("index_select", dim_first(torch.index_select), [x, index], dim=dim)
    g.case("index_add", dim_first(torch.index_add), [x, index, randn(*shape)], dim=dim)
    g.case("index_add", dim_first(torch.index_add), [x, index, randn(*shape)], dim=dim, alpha=-2.5)
    g.case("index_add_", dim_first(torch.Tensor.index_add_), [x, index, randn(*shape)], dim=dim, alpha=2)
    g.case("index_copy", dim_first(torch.index_copy), [x, unique, randn(*small)], dim=dim)
    g.case("index_copy_", dim_first(torch.Tensor.index_copy_), [x, unique, randn(*small)], dim=dim)
    g.case("index_fill", dim_first(torch.index_fill), [x, unique, 3.5], dim=dim)
    g.case("index_fill_", dim_first(torch.Tensor.index_fill_), [x, unique, randn(())], dim=dim)
small, index = randn(3, 2, dtype=f64), long(2, 0, 2)
g.case("index_select", dim_first(torch.index_select), [small, index], dim=0)
g.case("index_add", dim_first(torch.index_add), [small, index, randn(3, 2, dtype=f64)], dim=0)
g.case("index_add_", dim_first(torch.Tensor.index_add_), [small, index, randn(3, 2, dtype=f64)], dim=0, alpha=3)
g.case("index_copy", dim_first(torch.index_copy), [small, long(2, 0), randn(2, 2, dtype=f64)], dim=0)
g.case("index_copy_", dim_first(torch.Tensor.index_copy_), [small, long(1), randn(3, 1, dtype=f64)], dim=1)
g.case("index_fill", dim_first(torch.index_fill), [small, long(1), randn((), dtype=f64)], dim=1)
g.case("index_fill_", dim_first(torch.Tensor.index_fill_), [small, long(1), 2.0], dim=0)
for dtype in DTYPES:
    rows = numbers(4, 3, dtype=dtype)
    g.case("index_select", dim_first(torch.index_select), [rows, index], dim=1)
    g.case("index_add", dim_first(torch.index_add), [rows, index, numbers(3, 3, dtype=dtype)], dim=0)
    g.case("index_copy", dim_first(torch.index_copy), [rows, long(2, 0), numbers(2, 3, dtype=dtype)], dim=0)
    g.case("index_fill", dim_first(torch.index_fill), [rows, long(2, 0), 1], dim=0)
for i in (long(3), long(-1), torch.tensor(1), torch.tensor([1, 2], dtype=torch.int32), torch.tensor([[1]]),
          torch.tensor([0.5]), torch.zeros(0, dtype=torch.int64)):
    g.case("index_select", dim_first(torch.index_select), [small, i], dim=0)
g.case("index_select", dim_first(torch.index_select), [randn(()), long(0)], dim=0)
g.case("index_select", dim_first(torch.index_select), [randn(2, 0), long(1)], dim=0)
g.case("index_select", dim_first(torch.index_select), [randn(2, 0), long(0)], dim=1)
g.case("index_add", dim_first(torch.index_add), [small, index, randn(3, 2)], dim=0)
g.case("index_add", dim_first(torch.index_add), [small, index, randn(2, 2, dtype=f64)], dim=0)
g.case("index_add", dim_first(torch.index_add), [small, long(3), randn(1, 2, dtype=f64)], dim=0)
g.case("index_add", dim_first(torch.index_add), [torch.zeros(5, 130), torch.randint(0, 5, (20,)), numbers(20, 130)], dim=0)

# ---- elements along a dim
for dim in (0, 1, 2, -1, -2, 3):
    size = x.shape[dim] if dim < 3 else 1
    index = torch.randint(0, size, (2, 3, 4))
    unique = torch.argsort(randn(3, 4, 5), dim if dim < 3 else 0)
    g.case("gather", dim_first(torch.gather), [x, index], dim=dim)
    g.case("scatter_add", dim_first(torch.scatter_add), [x, index, randn(3, 4, 5)], dim=dim)
    g.case("scatter_add", dim_first(torch.scatter_add), [x, index, randn(2, 3, 4)], dim=dim)
    g.case("scatter_add_", dim_first(torch.Tensor.scatter_add_), [x, index, randn(3, 4, 5)], dim=dim)
    g.case("scatter", dim_first(torch.scatter), [x, unique, randn(3, 4, 5)], dim=dim)
    g.case("scatter", dim_first(torch.scatter), [x, index, 2.5], dim=dim)
    g.case("scatter_", dim_first(torch.Tensor.scatter_), [x, unique, randn(3, 4, 5)], dim=dim)
    g.case("scatter_", dim_first(torch.Tensor.scatter_), [x, index, -1], dim=dim)
i = torch.tensor([[0, 1], [2, 1]])
g.case("gather", dim_first(torch.gather), [small, i], dim=0)
g.case("scatter_add", dim_first(torch.scatter_add), [small, i, randn(3, 2, dtype=f64)], dim=0)
g.case("scatter_add_", dim_first(torch.Tensor.scatter_add_), [small, i, randn(2, 2, dtype=f64)], dim=0)
g.case("scatter", dim_first(torch.scatter), [small, torch.tensor([[0, 1], [2, 0]]), randn(3, 2, dtype=f64)], dim=0)
g.case("scatter_", dim_first(torch.Tensor.scatter_), [small, torch.tensor([[0, 1], [2, 0]]), randn(2, 2, dtype=f64)], dim=0)
for dtype in DTYPES:
    rows = numbers(3, 2, dtype=dtype)
    g.case("gather", dim_first(torch.gather), [rows, i], dim=0)
    g.case("scatter_add", dim_first(torch.scatter_add), [rows, i, numbers(2, 2, dtype=dtype)], dim=0)
    g.case("scatter", dim_first(torch.scatter), [rows, torch.tensor([[0, 1], [2, 0]]), numbers(2, 2, dtype=dtype)], dim=0)
for i in (long(3), torch.tensor([[3, 0]]), torch.tensor([[-1, 0]]), torch.tensor([[0, 0, 0]]), torch.zeros(0, 2, dtype=torch.int64),
          torch.tensor([[1.0]])):
    g.case("gather", dim_first(torch.gather), [small, i], dim=0)
    g.case("scatter", dim_first(torch.scatter), [small, i, 1.0], dim=0)
g.case("gather", dim_first(torch.gather), [randn(()), torch.tensor(0)], dim=0)
g.case("gather", dim_first(torch.gather), [randn(3), long(2, 2, 0, 1)], dim=-1)
g.case("scatter_add", dim_first(torch.scatter_add), [randn(()), torch.tensor(0), randn(())], dim=0)
g.case("scatter_add", dim_first(torch.scatter_add), [small, torch.tensor([[0, 1]]), randn(1, 1, dtype=f64)], dim=0)


def take_along(x, index, dim):
    return torch.take_along_dim(x, index, dim)


order = torch.argsort(x, 1)
g.case("take_along_dim", take_along, [x, order], dim=1)
g.case("take_along_dim", take_along, [x, torch.tensor([[[0], [3]]])], dim=-2)
g.case("take_along_dim", take_along, [randn(1, 3, dtype=f64), torch.tensor([[0, 1], [2, 2]])], dim=1)
g.case("take_along_dim", take_along, [x, long(0)], dim=1)

# ---- masks
for dtype in DTYPES:
    g.case("masked_select", torch.masked_select, [numbers(3, 4, dtype=dtype), m34])
    g.case("nonzero", torch.nonzero, [numbers(3, 4, dtype=dtype)])
g.case("masked_select", torch.masked_select, [randn(3, 4, dtype=f64), m34])
g.case("masked_select", torch.masked_select, [randn(4, dtype=f64), m34])
g.case("masked_select", torch.masked_select, [randn(3, 1, 4), m34])
g.case("masked_select", torch.masked_select, [randn(()), m34])
g.case("masked_select", torch.masked_select, [randn(3, 4), m34.to(torch.int64)])
g.case("masked_select", torch.masked_select, [randn(3, 4), m3])
g.case("masked_select", torch.masked_select, [randn(0, 4), torch.zeros(0, 4, dtype=torch.bool)])
g.case("nonzero", torch.nonzero, [torch.tensor([float("nan"), 0.0, -0.0, float("inf")])])
g.case("nonzero", torch.nonzero, [torch.tensor(3.0)])
g.case("nonzero", torch.nonzero, [torch.tensor(0.0)])
g.case("nonzero", torch.nonzero, [torch.zeros(0, 3)])
g.case("nonzero", torch.nonzero, [randn(2, 3, 4) > 0.5])

# ---- sums that half kinds gather in float, of wide rows and narrow ones; complex ones
for dtype in (torch.float16, torch.bfloat16, torch.complex64, torch.complex128):
    if not dtype.is_complex:
        wide, more = numbers(2, 260, dtype=dtype), numbers(3, 260, dtype=dtype)
        g.case("index_add", dim_first(torch.index_add), [wide, long(1, 1, 1), more], gradient=False, dim=0)
        wide, i = numbers(70, 3, dtype=dtype), torch.randint(0, 3, (70, 3))
        g.case("scatter_add", dim_first(torch.scatter_add), [wide, i, wide], gradient=False, dim=1)
        g.case("scatter_add", dim_first(torch.scatter_add), [wide.T.contiguous(), i.T.contiguous(), wide.T.contiguous()],
               gradient=False, dim=0)
    for shape, dim, source in (((2, 5, 3), 1, (2, 3, 3)), ((5, 20), 0, (3, 20)), ((5,), 0, (3,))):
        i = long(4, 0, 4) if shape[dim] == 5 else long(2, 0, 2)
        rows, more = numbers(*shape, dtype=dtype), numbers(*source, dtype=dtype)
        g.case("index_add", dim_first(torch.index_add), [rows, i, more], dim=dim)
        g.case("index_add_", dim_first(torch.Tensor.index_add_), [rows, i, more], dim=dim, alpha=-2.0)
    for shape, dim in (((3, 5), 0), ((3, 5), 1), ((2, 3, 4), 1), ((6,), 0)):
        rows, i = numbers(*shape, dtype=dtype), torch.randint(0, 3, shape)
        g.case("scatter_add", dim_first(torch.scatter_add), [rows, i, numbers(*shape, dtype=dtype)], dim=dim)
        g.case("scatter_add_", dim_first(torch.Tensor.scatter_add_), [rows, i, numbers(*shape, dtype=dtype)], dim=dim)
for dtype in (torch.int32, torch.int64):
    g.case("index_add", dim_first(torch.index_add), [numbers(3, 4, dtype=dtype), long(2, 0, 2), numbers(3, 4, dtype=dtype)], dim=0,
           alpha=-3)

# ---- a value's gradient counts each row once
for dtype in (torch.float32, torch.float64, torch.float16):
    g.case("index_fill", dim_first(torch.index_fill), [randn(3, 2, dtype=dtype), long(1, 1, 0), randn((), dtype=dtype)], dim=0)
    g.case("index_fill_", dim_first(torch.Tensor.index_fill_), [randn(2, 3, 2, dtype=dtype), long(2, 2), randn((), dtype=dtype)], dim=1)
g.case("index_fill", dim_first(torch.index_fill), [randn((), dtype=f64), long(0), randn((), dtype=f64)], dim=0)

# ---- take_along_dim goes round
for i in (long(-1, 0, 2), long(-3, 3, -7), long(100, -100, 5)):
    g.case("take_along_dim", take_along, [randn(2, 3, dtype=f64), i[None]], dim=1)
g.case("take_along_dim", take_along, [randn(2, 0, dtype=f64), long(0)[None]], dim=1)

# ---- tensors without dims
for i in (torch.tensor(1.0), torch.tensor(1, dtype=torch.int8), torch.tensor(-1, dtype=torch.int32), torch.tensor(1 + 0j)):
    g.case("index", read, [small, i], gradient=False, index="%p")
for index in ([[-1, 0], [-3, -2]], [[-4, 0], [0, 0]], [[-1], [2]], [[3], [0]]):
    g.case("take_along_dim", take_along, [randn(2, 3, dtype=f64), torch.tensor(index)], dim=1)
# ---- scatter that adds or multiplies
def scatter_with_reduce(x, index, source, dim, reduce):
    return torch.scatter(x, dim, index, source, reduce=reduce)

i = torch.tensor([[0, 1], [2, 1], [0, 1]])
for reduce in ("add", "multiply"):
    for dtype in DTYPES:
        g.case("scatter_with_reduce", scatter_with_reduce, [numbers(3, 2, dtype=dtype), i, numbers(4, 3, dtype=dtype)], gradient=False, dim=0,
               reduce=reduce)
    for dim in (0, 1, -1):
        g.case("scatter_with_reduce", scatter_with_reduce, [randn(3, 3), i, randn(3, 3)], gradient=False, dim=dim, reduce=reduce)
    g.case("scatter_with_reduce", scatter_with_reduce, [randn(3, 2), i, 2.5], gradient=False, dim=0, reduce=reduce)
    g.case("scatter_with_reduce", scatter_with_reduce, [torch.full((3, 2), 3), i, 2], gradient=False, dim=0, reduce=reduce)
g.write()
