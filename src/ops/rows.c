/* How kernels see tensors: in contiguous memory, or as rows along one dim.  Without history: the op that asks records
   its own. */
#include "copy.h"
#include "ops.h"

wk_tensor *wk_dense(wk_tensor *x)
{
    if (!x || wk_is_contiguous(x))
        return x;
    wk_tensor *y = wk_tensor_new("contiguous", x->ndim, x->shape, x->dtype, x->device);
    return y && wk_copy_values(x, y) ? y : NULL;
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
