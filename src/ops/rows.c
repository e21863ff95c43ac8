/* How kernels see tensors: in contiguous memory, or as rows along one dim.  Without history: the op that asks records
   its own. */
#include "core/host.h"
#include "ops.h"

wk_tensor *wk_dense(wk_tensor *x)
{
    return !x || wk_is_contiguous(x) ? x : WK_WITHOUT_GRAD(wk_clone_contiguous(x));
}

wk_dense_rows wk_rows_last(const char *op, wk_tensor *x, int64_t dim)
{
    wk_dense_rows rows = {.dim = x ? wk_check_dim(op, x->ndim, dim) : -1};
    if (rows.dim < 0)
        return rows;
    const bool last = x->ndim == 0 || rows.dim == x->ndim - 1;
    rows.x = wk_dense(last ? x : WK_WITHOUT_GRAD(wk_transpose(x, rows.dim, -1)));
    rows.n = x->ndim > 0 ? x->shape[rows.dim] : 1;
    rows.rows = rows.n > 0 ? x->numel / rows.n : 0;
    return rows;
}

wk_tensor *wk_rows_back(wk_tensor *y, int dim)
{
    if (!y || y->ndim == 0 || dim == y->ndim - 1)
        return y;
    return WK_WITHOUT_GRAD(wk_transpose(y, dim, -1));
}

bool wk_check_gradient_of(const char *op, const wk_tensor *dy, const wk_tensor *y)
{
    if (!wk_check_floating(op, y) || !wk_check_same_device(op, "dy", dy, "y", y))
        return false;
    if (dy->dtype == y->dtype && wk_same_shape(dy, y))
        return true;
    return wk_fail(op, "dy: expected y's shape and dtype, %s %s, got %s %s", wk_dtype_name(y->dtype),
                   wk_shape_string(y), wk_dtype_name(dy->dtype), wk_shape_string(dy));
}
