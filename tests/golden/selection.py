"""Order, counting, distances: what is made of sorting and selecting."""

import math

import torch
from golden import DTYPES, FLOATS, INTEGERS, Golden, numbers, randn

g = Golden("selection", seed=32)
f64, i64 = torch.float64, torch.int64
inf, nan = math.inf, math.nan

# ---- unique
def unique(x, dim=None):
    return torch.unique(x, sorted=True, return_inverse=True, return_counts=True, dim=dim)

for dtype in [torch.bool] + INTEGERS + FLOATS:
    g.case("unique", unique, [numbers(3, 5, dtype=dtype)], gradient=False)
for x in (torch.tensor([inf, nan, -inf, nan, 0.0, -0.0, inf]), torch.zeros(0), torch.zeros(0, 2), torch.tensor(2.0), torch.tensor([[1.0]])):
    g.case("unique", unique, [x], gradient=False)
few = torch.randint(0, 2, (6, 2, 3))
for dim in (0, 1, 2, -1):
    g.case("unique", unique, [few], dim=dim)
    g.case("unique", unique, [few.float()], gradient=False, dim=dim)
g.case("unique", unique, [torch.randint(-1, 2, (40, 3))], dim=0)
g.case("unique", unique, [torch.randint(0, 2, (9,))], dim=0)
g.case("unique", unique, [torch.zeros(0, 3)], gradient=False, dim=0)

# ---- bincount
for dtype in INTEGERS:
    g.case("bincount", torch.bincount, [numbers(20, dtype=dtype).abs()])
    g.case("bincount", torch.bincount, [numbers(20, dtype=dtype).abs()], minlength=12)
for weights in DTYPES[1:-2]:
    g.case("bincount", torch.bincount, [torch.randint(0, 5, (9,)), numbers(9, dtype=weights)], gradient=False)
g.case("bincount", torch.bincount, [torch.zeros(0, dtype=i64)])
g.case("bincount", torch.bincount, [torch.zeros(0, dtype=i64)], minlength=3)
g.case("bincount", torch.bincount, [torch.tensor([1, -1])])
g.case("bincount", torch.bincount, [torch.tensor([[1, 1]])])

# ---- searchsorted
def searchsorted(sequence, values, sorter=None, **keywords):
    return torch.searchsorted(sequence, values, sorter=sorter, **keywords)

for dtype in INTEGERS + FLOATS:
    row = numbers(7, dtype=dtype).sort().values
    for right in (False, True):
        g.case("searchsorted", searchsorted, [row, numbers(2, 5, dtype=dtype)], gradient=False, right=right)
rows = randn(2, 3, 6).sort().values
g.case("searchsorted", searchsorted, [rows, randn(2, 3, 4)], gradient=False)
g.case("searchsorted", searchsorted, [rows, randn(2, 3, 4)], gradient=False, side="right")
g.case("searchsorted", searchsorted, [rows, randn(2, 3, 4)], gradient=False, out_int32=True)
mixed = randn(2, 6)
g.case("searchsorted", searchsorted, [mixed, randn(2, 4), mixed.argsort()], gradient=False)
edges = torch.tensor([-inf, -1.0, 1.0, 1.0, inf, nan])
for right in (False, True):
    g.case("searchsorted", searchsorted, [edges, torch.tensor([nan, inf, -inf, 1.0, 0.0])], gradient=False, right=right)
g.case("searchsorted", searchsorted, [edges[:5], 1.0], gradient=False)
g.case("searchsorted", searchsorted, [torch.tensor([1, 3, 5]), 3], gradient=False, right=True)
g.case("searchsorted", searchsorted, [torch.zeros(0), randn(3)], gradient=False)
g.case("searchsorted", searchsorted, [randn(3), torch.zeros(0, 2)], gradient=False)
g.case("searchsorted", searchsorted, [randn(3).sort().values, torch.tensor(0.5)], gradient=False)

# ---- median
def median(x, dim=None, keepdim=False):
    return torch.median(x) if dim is None else tuple(torch.median(x, dim, keepdim))

spread = torch.randperm(30).view(2, 3, 5).to(f64) / 4
for dim in (None, 0, 1, 2, -1):
    for dtype in (f64, torch.float32, i64):
        g.case("median", median, [spread.to(dtype)], dim=dim)
    g.case("median", median, [spread[:, :, :4]], dim=dim, **({} if dim is None else {"keepdim": True}))
for dtype in INTEGERS + FLOATS:
    g.case("median", median, [torch.randperm(12).view(3, 4).to(dtype)])
    g.case("median", median, [torch.randperm(12).view(3, 4).to(dtype)], dim=1)
g.case("median", median, [torch.tensor([1.0, 2, 2, 2, 3])])
holes = torch.tensor([[1.0, nan, 3, nan], [inf, -inf, 2, 1]])
g.case("median", median, [holes])
g.case("median", median, [holes], dim=1)
g.case("median", median, [torch.tensor(3.0)])
g.case("median", median, [torch.tensor(3.0)], dim=0)
g.case("median", median, [torch.zeros(0)], gradient=False)
g.case("median", median, [torch.zeros(2, 0)], dim=0)

# ---- quantile
def quantile(x, q, dim=None, keepdim=False):
    return torch.quantile(x, q, dim=dim, keepdim=keepdim)

for q in (0.0, 0.25, 0.5, 0.999, 1.0):
    for dim in (None, 0, -1):
        g.case("quantile", quantile, [randn(3, 5), q], dim=dim)
for dtype in (torch.float32, f64):
    for dim in (None, 0, 1, 2):
        for keepdim in (False, True):
            g.case("quantile", quantile, [randn(2, 3, 5, dtype=dtype), torch.tensor([0.1, 0.7], dtype=dtype)], dim=dim, keepdim=keepdim)
            g.case("quantile", quantile, [randn(2, 3, 5, dtype=dtype), torch.tensor(0.3, dtype=dtype)], dim=dim, keepdim=keepdim)
g.case("quantile", quantile, [holes, 0.5], dim=1, gradient=False)
g.case("quantile", quantile, [torch.tensor(2.0), 0.5])
g.case("quantile", quantile, [torch.tensor([1.0, 2.0]), 1.5])

# ---- cdist
def cdist(a, b, p=2.0):
    return torch.cdist(a, b, p=p)

for p in (2.0, 1.0, 0.0, 3.0, 1.5, inf):
    for dtype in (torch.float32, f64):
        g.case("cdist", cdist, [randn(3, 4, dtype=dtype), randn(5, 4, dtype=dtype)], p=p)
        g.case("cdist", cdist, [randn(2, 3, 4, dtype=dtype), randn(1, 2, 4, dtype=dtype)], p=p)
    same = randn(3, 2)
    g.case("cdist", cdist, [same, same.clone()], p=p)
    g.case("cdist", cdist, [torch.zeros(2, 0), torch.zeros(3, 0)], p=p)
    g.case("cdist", cdist, [torch.zeros(0, 2), torch.zeros(3, 2)], p=p)
g.case("cdist", cdist, [randn(30, 4), randn(27, 4)])
g.case("cdist", cdist, [randn(2, 27, 3, dtype=f64), randn(2, 2, 3, dtype=f64)])

# ---- logaddexp, nan_to_num
for dtype in FLOATS:
    g.case("logaddexp", torch.logaddexp, [randn(4, 8, dtype=dtype), randn(8, dtype=dtype)])
    g.case("nan_to_num", torch.nan_to_num, [torch.tensor([1.0, nan, inf, -inf, -0.0, 2.5]).to(dtype)])
    g.case("nan_to_num", torch.nan_to_num, [torch.tensor([1.0, nan, inf, -inf]).to(dtype)], nan=1.5, posinf=3.0, neginf=-4.0)
    g.case("nan_to_num_", torch.Tensor.nan_to_num_, [torch.tensor([[1.0, nan], [inf, -inf]]).to(dtype)])
g.case("logaddexp", torch.logaddexp, [randn(2, 3, dtype=f64), randn(3, dtype=f64)])
g.case("logaddexp", torch.logaddexp, [torch.tensor([inf, -inf, inf, nan, 1000.0, -1000.0]), torch.tensor([inf, -inf, -inf, 1, 1000.0, 0.0])],
       gradient=False)
g.case("logaddexp", torch.logaddexp, [torch.tensor([1000.0, -1000.0, 3.0]), torch.tensor([1000.0, 0.0, -inf])])
g.case("nan_to_num", torch.nan_to_num, [torch.tensor([nan, inf])], nan=-1.0, posinf=inf)
g.case("nan_to_num", torch.nan_to_num, [randn(2, 3, dtype=f64)])
for dtype in [torch.bool] + INTEGERS:
    g.case("nan_to_num", torch.nan_to_num, [numbers(3, dtype=dtype)])

# ---- rounding
for decimals in (1, 3, -1, -2, 0):
    for dtype in (torch.float32, f64):
        g.case("round_decimals", torch.round, [randn(3, 4, dtype=dtype) * 30], decimals=decimals)
        g.case("round_decimals_", torch.Tensor.round_, [randn(3, dtype=dtype) * 30], decimals=decimals)
for mode in ("trunc", "floor"):
    for dtype in (torch.float32, torch.int32, torch.bfloat16, f64):
        g.case("div_rounding_", torch.Tensor.div_, [numbers(2, 3, dtype=dtype), numbers(3, dtype=dtype).abs() + 1], smooth=False, rounding_mode=mode)
    g.case("div_rounding_", torch.Tensor.div_, [numbers(2, 3), 2], rounding_mode=mode)
    g.case("div_rounding_", torch.Tensor.div_, [numbers(2, 3, dtype=torch.int32), 2.5], rounding_mode=mode)

# ---- nanmean, norms
def nanmean(x, dims=None, keepdim=False, dtype=None):
    return torch.nanmean(x, dims, keepdim, dtype=dtype)

gaps = torch.tensor([[1.0, nan, 3], [nan, nan, nan], [4, 5, 6]])
g.case("nanmean", nanmean, [gaps])
for dims in ((0,), (1,), (0, 1)):
    for dtype in FLOATS:
        g.case("nanmean", nanmean, [gaps.to(dtype)], dims=dims, gradient=dims != (1,) and dtype not in FLOATS[:2])
    g.case("nanmean", nanmean, [gaps], dims=dims, keepdim=True, gradient=dims != (1,))
g.case("nanmean", nanmean, [randn(3, 4, dtype=f64)], dims=(1,))
g.case("nanmean", nanmean, [gaps], dims=(0,), dtype=f64)
g.case("nanmean", nanmean, [torch.zeros(0)])

def linalg_norm(x, ord=None, dims=None, keepdim=False, dtype=None):
    return torch.linalg.norm(x, ord, dims, keepdim, dtype=dtype)

for dtype in (torch.float32, f64):
    g.case("linalg_norm", linalg_norm, [randn(2, 3, 4, dtype=dtype)])
    g.case("linalg_norm", linalg_norm, [randn(5, dtype=dtype)], ord=3.0)
    g.case("linalg_norm", linalg_norm, [randn(2, 3, dtype=dtype)])
    for ord in (1.0, -1.0, inf, -inf):
        g.case("linalg_norm", linalg_norm, [randn(3, 4, dtype=dtype)], ord=ord)
        g.case("linalg_norm", linalg_norm, [randn(2, 3, 4, dtype=dtype)], ord=ord, dims=(0, 2))
        g.case("linalg_norm", linalg_norm, [randn(2, 3, 4, dtype=dtype)], ord=ord, dims=(2, 1), keepdim=True)
    for ord in (None, 0.0, 1.0, 2.0, 2.5, inf, -inf):
        g.case("linalg_norm", linalg_norm, [randn(2, 3, 4, dtype=dtype)], ord=ord, dims=(1,))
    g.case("linalg_norm", linalg_norm, [randn(2, 3, 4, dtype=dtype)], dims=(0, 1), keepdim=True)
g.case("linalg_norm", linalg_norm, [torch.zeros(3)], dims=(0,))
g.case("linalg_norm", linalg_norm, [randn(3)], dims=(0,), dtype=f64)
for ord in (None, 1.0, inf, 3.0):
    g.case("linalg_norm", linalg_norm, [randn(3, 2, dtype=torch.complex64)], ord=ord, dims=(1,), gradient="complex")
g.case("linalg_norm", linalg_norm, [randn(3, 2, dtype=torch.complex128)], ord=1.0, gradient="complex")

# ---- in place
for dtype in INTEGERS + FLOATS[2:] + [torch.complex64]:
    g.case("cumsum_", torch.Tensor.cumsum_, [numbers(3, 4, dtype=dtype)], dim=1)
g.case("cumsum_", torch.Tensor.cumsum_, [numbers(3, 4, dtype=f64)], dim=-2)
for dtype in (torch.float32, f64, torch.bfloat16):
    g.case("addmm_", torch.Tensor.addmm_, [numbers(2, 3, dtype=dtype), numbers(2, 4, dtype=dtype), numbers(4, 3, dtype=dtype)])
    g.case("addmm_", torch.Tensor.addmm_, [numbers(2, 3, dtype=dtype), numbers(2, 4, dtype=dtype), numbers(4, 3, dtype=dtype)], beta=0.5,
           alpha=2.0)
g.case("addmm_", torch.Tensor.addmm_, [torch.full((2, 3), nan), randn(2, 4), randn(4, 3)], beta=0.0, gradient=False)

# ---- turns and diagonals
for k in (-1, 0, 1, 2, 3, 4, 5):
    g.case("rot90", torch.rot90, [randn(2, 3)], k=k)
    g.case("rot90", torch.rot90, [randn(2, 3, 4, dtype=f64)], k=k, dims=(2, 0))
g.case("rot90", torch.rot90, [numbers(2, 3, dtype=i64)], k=1)
g.case("rot90", torch.rot90, [randn(3)], k=1)

def fill_diagonal_(x, value, wrap=False):
    return x.fill_diagonal_(value, wrap)

for shape in ((3, 3), (2, 4), (4, 2), (3, 3, 3), (7, 2), (8, 2), (0, 2), (6, 1), (9, 3)):
    g.case("fill_diagonal_", fill_diagonal_, [randn(*shape), 2.5])
    g.case("fill_diagonal_", fill_diagonal_, [randn(*shape, dtype=f64), 3], wrap=True)
for dtype in DTYPES:
    g.case("fill_diagonal_", fill_diagonal_, [numbers(3, 2, dtype=dtype), 1])
g.case("fill_diagonal_", fill_diagonal_, [randn(2, 3, 2), 1])

# ---- new tensors
for start, end, steps in ((0.0, 2.0, 5), (-1.0, 1.0, 4), (1.0, 1.0, 1), (0.0, 1.0, 0), (3.0, 0.0, 4)):
    g.case("logspace", torch.logspace, [], start=start, end=end, steps=steps)
    g.case("logspace", torch.logspace, [], start=start, end=end, steps=steps, base=2.0, dtype=f64)
    g.case("logspace", torch.logspace, [], start=start, end=end, steps=steps, base=2.0, dtype=torch.int32)

def hann_window(n, periodic, dtype=None):
    return torch.hann_window(n, periodic=periodic, dtype=dtype)

for n in (0, 1, 2, 3, 8, 25):
    for periodic in (True, False):
        g.case("hann_window", hann_window, [], n=n, periodic=periodic)
        g.case("hann_window", hann_window, [], n=n, periodic=periodic, dtype=f64)

# ---- lists as one
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

for dtype in (torch.float32, f64, i64):
    a, b = numbers(2, 3, dtype=dtype), numbers(4, dtype=dtype)
    g.case("flatten_dense_tensors", lambda a, b: _flatten_dense_tensors((a, b)), [a, b])
    g.case("unflatten_dense_tensors", lambda flat, a, b: tuple(_unflatten_dense_tensors(flat, (a, b))), [numbers(10, dtype=dtype), a, b],
           gradient=False)

# ---- several dims
for dims in ((0,), (0, 2), (1,), (0, 1, 2), (-1, 0), (0, -4)):
    g.case("squeeze_dims", lambda x, dims: torch.squeeze(x, dims), [randn(1, 3, 1, 2)], dims=dims)
for source, destination in (((0, 1), (1, 0)), ((0, 2), (-1, 0)), ((1,), (3,)), ((3, 0, 1), (0, 1, 2)), ((0, 0), (1, 2)), ((0,), (1, 2))):
    g.case("movedims", lambda x, source, destination: torch.movedim(x, source, destination), [randn(2, 3, 4, 5)], source=source,
           destination=destination)

# ---- norms by singular values
def linalg_norm_svd(x, ord=None, dims=None, keepdim=False, dtype=None, name=None):
    return torch.linalg.norm(x, name or ord, dims, keepdim, dtype=dtype)

for keywords in (dict(ord=2.0), dict(ord=-2.0), dict(name="nuc"), dict(name="fro")):
    for dtype in (torch.float32, f64):
        g.case("linalg_norm_svd", linalg_norm_svd, [randn(3, 4, dtype=dtype)], **keywords)
        g.case("linalg_norm_svd", linalg_norm_svd, [randn(2, 3, 4, dtype=dtype)], dims=(0, 2), **keywords)
        g.case("linalg_norm_svd", linalg_norm_svd, [randn(4, 2, 3, dtype=dtype)], dims=(2, 0), keepdim=True, **keywords)
        g.case("linalg_norm_svd", linalg_norm_svd, [randn(3, 3, dtype=dtype)], dims=(0, 1), keepdim=True, **keywords)
    g.case("linalg_norm_svd", linalg_norm_svd, [randn(3, dtype=f64)], dims=(0, 0), **keywords)
    g.case("linalg_norm_svd", linalg_norm_svd, [torch.ones(2, 2, dtype=torch.int64)], **keywords)
    g.case("linalg_norm_svd", linalg_norm_svd, [randn(2, 2)], dtype=f64, **keywords)
    g.case("linalg_norm_svd", linalg_norm_svd, [randn(2, 3, 0)], dims=(1, 2), **keywords)
g.case("linalg_norm_svd", linalg_norm_svd, [randn(3)], name="nuc")
g.case("linalg_norm_svd", linalg_norm_svd, [randn(3)], name="fro")
g.write()
