"""Views: values, strides, shared memory, gradients.  permute=(...) lets the op see a view of another order of dims."""

import torch
from golden import DTYPES, Golden, numbers, randn

g = Golden("view", seed=6)
f64 = torch.float64


def both(op, function, shape, **keywords):
    """float64, by finite differences too; the shape's own numbers in another dtype."""
    g.case(op, function, [randn(shape, dtype=f64)], **keywords)
    g.case(op, function, [torch.arange(torch.Size(shape).numel()).reshape(shape)], **keywords)


def after(method):
    def call(x, permute=None, **keywords):
        return method(x if permute is None else x.permute(permute), **keywords)
    return call


for op in ("reshape", "view"):
    method = after(lambda x, size, op=op: getattr(x, op)(size))
    for shape, size in (((2, 3), (3, 2)), ((2, 3), (6,)), ((2, 3), (-1,)), ((2, 3, 4), (6, -1)), ((2, 3, 4), (2, -1, 2)), ((1,), ()),
                        ((), (1, 1)), ((), (-1,)), ((2, 3), (2, 1, 3, 1)), ((0, 3), (3, 0)), ((0, 3), (0,)), ((0, 3), (-1, 3)),
                        ((2, 0), (0, 5)), ((2, 3), (4, 2)), ((2, 3), (-1, -1)), ((2, 3), (4, -1)), ((0, 3), (-1, 0)),
                        ((2, 3), (-2, 3)), ((8,), (2, 2, 2)), ((2, 3), (2, 3))):
        both(op, method, shape, size=size)
    for shape, permute, size in (((2, 3), (1, 0), (6,)), ((2, 3), (1, 0), (3, 1, 2)), ((2, 3, 4), (2, 0, 1), (4, 6)),
                                 ((2, 3, 4), (2, 0, 1), (8, 3)), ((2, 3, 4), (2, 0, 1), (2, 2, 6)), ((2, 3, 4), (1, 0, 2), (6, 4)),
                                 ((2, 3, 4), (1, 0, 2), (3, 8)), ((2, 3, 4), (1, 0, 2), (3, 2, 2, 2)), ((4, 1, 3), (1, 2, 0), (3, 4)),
                                 ((4, 1, 3), (1, 2, 0), (3, 2, 2)), ((2, 2, 2, 2), (1, 0, 2, 3), (2, 2, 4))):
        both(op, method, shape, permute=permute, size=size)

for shape, keywords in (((2, 3, 4), {}), ((2, 3, 4), {"start_dim": 1}), ((2, 3, 4), {"end_dim": 1}), ((2, 3, 4), {"start_dim": -2}),
                        ((2, 3, 4), {"start_dim": 1, "end_dim": 1}), ((), {}), ((5,), {}), ((0, 3), {}), ((2, 3), {"start_dim": 2}),
                        ((2, 3), {"start_dim": 1, "end_dim": 0}), ((2, 3, 4), {"permute": (2, 0, 1)}),
                        ((2, 3, 4), {"permute": (0, 2, 1), "start_dim": 1}), ((2, 3, 4), {"permute": (2, 0, 1), "start_dim": 1})):
    both("flatten", after(torch.flatten), shape, **keywords)
for shape, keywords in (((6, 4), {"dim": 0, "sizes": (2, 3)}), ((6, 4), {"dim": 0, "sizes": (2, -1)}), ((6, 4), {"dim": -1, "sizes": (2, 2, 1)}),
                        ((6,), {"dim": 0, "sizes": (-1,)}), ((6, 4), {"dim": 0, "sizes": (4, -1)}), ((6, 4), {"dim": 0, "sizes": (2, 2)}),
                        ((6, 4), {"dim": 2, "sizes": (2, 3)}), ((0, 4), {"dim": 0, "sizes": (0, 3)}), ((0, 4), {"dim": 0, "sizes": (-1, 3)}),
                        ((6, 4), {"dim": 0, "sizes": (2, 3), "permute": (1, 0)}), ((6, 4), {"dim": 0, "sizes": (-1, -1)})):
    both("unflatten", after(lambda x, dim, sizes: x.unflatten(dim, sizes)), shape, **keywords)

for shape, a, b in (((2, 3), 0, 1), ((2, 3), -1, -2), ((2, 3, 4), 0, 2), ((2, 3, 4), 1, 1), ((), 0, -1), ((5,), 0, 0), ((0, 3), 0, 1),
                    ((2, 3), 0, 2), ((2, 3), -3, 0)):
    both("transpose", torch.transpose, shape, dim0=a, dim1=b)
for shape in ((2, 3), (3,), (), (2, 3, 4)):
    both("t", torch.t, shape)
for shape, dims in (((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (0, 1, 2)), ((2, 3, 4), (-1, 0, -2)), ((3,), (0,)), ((), ()), ((0, 2), (1, 0)),
                    ((2, 3), (0, 0)), ((2, 3), (0,)), ((2, 3), (0, 2)), ((2, 3, 4, 5), (3, 1, 2, 0))):
    both("permute", torch.permute, shape, dims=dims)
for shape, source, destination in (((2, 3, 4), 0, 2), ((2, 3, 4), 2, 0), ((2, 3, 4), -1, 1), ((2, 3, 4), 1, 1), ((2, 3), 2, 0), ((4,), 0, 0)):
    both("movedim", torch.movedim, shape, source=source, destination=destination)

for shape, size in (((2, 1), (2, 3)), ((3,), (2, 3)), ((1, 3), (4, -1)), ((), (2, 3)), ((1,), (0,)), ((2, 3), (2, 3)), ((1, 1), (3, 2)),
                    ((2, 1), (-1, -1)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((3,), (-1, 3)), ((0, 1), (0, 4)), ((3, 1), (2, 3, 4))):
    both("expand", lambda x, size: x.expand(size), shape, size=size)
for shape, like in (((2, 1), (2, 3)), ((3,), (2, 3)), ((2, 3), (2, 3)), ((2,), (3,))):
    g.case("expand_as", torch.Tensor.expand_as, [randn(shape, dtype=f64), torch.zeros(like, dtype=torch.int32)])
for shape, like in (((2, 3), (3, 2)), ((2, 3), (6,)), ((2, 3), (4,))):
    g.case("reshape_as", torch.Tensor.reshape_as, [randn(shape, dtype=f64), torch.zeros(like, dtype=torch.int32)])
    g.case("view_as", torch.Tensor.view_as, [randn(shape, dtype=f64), torch.zeros(like, dtype=torch.int32)])

for shape, dim in (((2, 3), 0), ((2, 3), 1), ((2, 3), 2), ((2, 3), -1), ((2, 3), -3), ((), 0), ((), -1), ((0,), 1), ((2, 3), 3), ((2, 3), -4)):
    both("unsqueeze", torch.unsqueeze, shape, dim=dim)
for shape in ((1, 2, 1, 3), (2, 3), (1,), (1, 1), (), (0, 1)):
    both("squeeze_all", torch.squeeze, shape)
    for dim in (0, -1, 1):
        both("squeeze_dim", torch.squeeze, shape, dim=dim)

for shape, dim, index in (((3, 4), 0, 1), ((3, 4), 1, -1), ((3, 4), -1, 0), ((3, 4), 0, 3), ((3, 4), 0, -4), ((3,), 0, 2), ((), 0, 0),
                          ((2, 3, 4), 1, 1), ((0, 2), 1, 1), ((0, 2), 0, 0)):
    both("select", torch.select, shape, dim=dim, index=index)
for shape, dim, start, length in (((3, 4), 0, 1, 2), ((3, 4), 1, 0, 4), ((3, 4), 1, 2, 0), ((3, 4), 0, 3, 0), ((3, 4), 0, 2, 2),
                                  ((3, 4), -1, -2, 2), ((3, 4), 0, 0, -1), ((), 0, 0, 0), ((3, 4), 0, 4, 0)):
    both("narrow", torch.narrow, shape, dim=dim, start=start, length=length)


def slice_of(x, dim, start, end, step):
    if x.dim() == 0:
        raise IndexError
    return x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)]


for shape, dim, start, end, step in (((5, 4), 0, 1, 4, 1), ((5, 4), 0, 0, 5, 2), ((5, 4), 1, 1, 100, 2), ((5, 4), 0, -3, -1, 1),
                                     ((5, 4), 0, 4, 2, 1), ((5, 4), -1, -100, 2, 1), ((5, 4), 0, 7, 9, 1), ((5, 4), 0, 0, 5, 0),
                                     ((5, 4), 0, 0, 5, -1), ((7,), 0, 1, 7, 3), ((0,), 0, 0, 2, 1), ((), 0, 0, 1, 1), ((5, 4), 0, 1, 2, 9)):
    both("slice", slice_of, shape, dim=dim, start=start, end=end, step=step)
for shape, size, stride, offset in (((3, 4), (2, 2), (4, 1), 0), ((3, 4), (2, 2), (1, 4), 1), ((3, 4), (5,), (2,), 3), ((3, 4), (3, 3), (1, 1), 0),
                                    ((3, 4), (2, 3), (0, 1), 2), ((6,), (), (), 4), ((6,), (0, 3), (3, 1), 0), ((6,), (4, 3), (1, 1), 0),
                                    ((6,), (5, 3), (1, 1), 0), ((6,), (2,), (-1,), 3), ((6,), (2,), (1, 1), 0), ((), (3,), (0,), 0),
                                    ((2, 3), (2, 1, 3), (3, 7, 1), 0)):
    both("as_strided", lambda x, size, stride, offset: x.as_strided(size, stride, offset), shape, size=size, stride=stride, offset=offset)
for dtype in DTYPES:
    g.case("reshape", after(lambda x, size: x.reshape(size)), [numbers(2, 3, dtype=dtype)], gradient=False, permute=(1, 0), size=(6,))
    g.case("slice", slice_of, [numbers(5, dtype=dtype)], gradient=False, dim=0, start=1, end=5, step=2)
for op in ("reshape", "view"):
    method = after(lambda x, size, op=op: getattr(x, op)(size))
    both(op, method, (0,), size=(2**40, 2**40, 0))
    both(op, method, (4,), size=(2**62, 4))
both("unflatten", after(lambda x, dim, sizes: x.unflatten(dim, sizes)), (4,), dim=0, sizes=(-2, -2))
both("unflatten", after(lambda x, dim, sizes: x.unflatten(dim, sizes)), (4,), dim=0, sizes=(2**62, 4))
both("expand", lambda x, size: x.expand(size), (1,), size=(2**40, 2**40))
g.case("expand", lambda x, size: x.expand(size), [torch.zeros(0, 1, 1, dtype=torch.int64)], size=(0, 2**40, 2**40))
g.write()
