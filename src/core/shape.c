/* Shapes: counting, broadcasting, text. */
#include <stdio.h>

#include "tensor.h"

int64_t wk_shape_numel(int ndim, const int64_t *shape)
{
    int64_t numel = 1;
    for (int dim = 0; dim < ndim; dim++)
        numel *= shape[dim];
    return numel;
}

bool wk_check_numel(const char *op, int ndim, const int64_t *shape, int64_t *numel)
{
    *numel = 1;
    for (int dim = 0; dim < ndim; dim++)
        if (shape[dim] < 0)
            return wk_fail(op, "sizes must not be negative: got %s",
                           wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}));
        else if (__builtin_mul_overflow(*numel, shape[dim], numel))
            return wk_fail(op, "%s has more elements than can be counted",
                           wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}));
    return true;
}

bool wk_same_shape(const wk_tensor *a, const wk_tensor *b)
{
    if (a->ndim != b->ndim)
        return false;
    for (int dim = 0; dim < a->ndim; dim++)
        if (a->shape[dim] != b->shape[dim])
            return false;
    return true;
}

void wk_contiguous_strides(int ndim, const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int dim = ndim - 1; dim >= 0; dim--) {
        strides[dim] = stride;
        stride *= shape[dim] > 1 ? shape[dim] : 1;
    }
}

/* channels last: along the dims in this order, from memory's last on */
static bool lies_channels_last(const wk_tensor *x)
{
    int64_t stride = 1;
    for (int i = 0; i < x->ndim; i++) {
        const int dim = i == 0 ? 1 : i == x->ndim - 1 ? 0 : x->ndim - i;
        if (x->shape[dim] != 1 && x->strides[dim] != stride)
            return false;
        stride *= x->shape[dim];
    }
    return true;
}

bool wk_is_contiguous_with(wk_is_contiguous_args args)
{
    const wk_tensor *x = args.x;
    if (!wk_is_tensor(x))
        return x ? wk_not_a_tensor("is_contiguous", "x", x) : NULL;
    if (args.memory_format >= wk_channels_last)
        return x->ndim == (args.memory_format == wk_channels_last ? 4 : 5) && (x->numel == 0 || lies_channels_last(x));
    int64_t stride = 1;
    for (int dim = x->ndim - 1; dim >= 0; dim--) {
        if (x->shape[dim] == 0)
            return true;
        if (x->shape[dim] != 1 && x->strides[dim] != stride)
            return x->numel == 0;
        stride *= x->shape[dim];
    }
    return true;
}

char *wk_shape_text(int ndim, const int64_t *shape, char text[WK_SHAPE_TEXT])
{
    int used = snprintf(text, WK_SHAPE_TEXT, "(");
    for (int dim = 0; dim < ndim && dim < WK_MAX_DIMS && used < WK_SHAPE_TEXT - 24; dim++)
        used += snprintf(text + used, (size_t)(WK_SHAPE_TEXT - used), dim ? ", %lld" : "%lld", (long long)shape[dim]);
    snprintf(text + used, (size_t)(WK_SHAPE_TEXT - used), ndim == 1 ? ",)" : ")");
    return text;
}

bool wk_broadcast_shapes(const char *op, int a_ndim, const int64_t *a, int b_ndim, const int64_t *b, int *ndim,
                         int64_t *shape)
{
    *ndim = a_ndim > b_ndim ? a_ndim : b_ndim;
    for (int back = 1; back <= *ndim; back++) {
        const int64_t m = back <= a_ndim ? a[a_ndim - back] : 1, n = back <= b_ndim ? b[b_ndim - back] : 1;
        if (m != n && m != 1 && n != 1)
            return wk_fail(op,
                           "shapes %s and %s do not broadcast: dim -%d is %lld in the first and %lld in the second\n"
                           "hint: sizes are compared from the last dim; each pair must be equal, or one of them 1",
                           wk_shape_text(a_ndim, a, (char[WK_SHAPE_TEXT]){0}),
                           wk_shape_text(b_ndim, b, (char[WK_SHAPE_TEXT]){0}), back, (long long)m, (long long)n);
        shape[*ndim - back] = m == 1 ? n : m;
    }
    return true;
}

int wk_check_dim(const char *op, int ndim, int64_t dim)
{
    const int dims = ndim > 0 ? ndim : 1;
    if (dim == WK_NO_DIM) {
        wk_fail(op, "dim: is missing; expected -%d to %d for a tensor of %d dims", dims, dims - 1, ndim);
        return -1;
    }
    if (dim < -dims || dim >= dims) {
        wk_fail(op, "dim: expected -%d to %d for a tensor of %d dims, got %lld", dims, dims - 1, ndim, (long long)dim);
        return -1;
    }
    return (int)(dim < 0 ? dim + dims : dim);
}

void wk_count_sizes(wk_shape *shape)
{
    if (shape->ndim == WK_PLAIN_LAST) {
        *shape = (wk_shape){1, {shape->sizes[WK_MAX_DIMS - 1]}};
        return;
    }
    for (shape->ndim = 0; shape->ndim < WK_MAX_DIMS && shape->sizes[shape->ndim] != WK_NO_DIM;)
        shape->ndim++;
}

wk_number wk_number_unsigned(uint64_t x)
{
    if (x > INT64_MAX)
        wk_fail("number", "expected at most %lld, which is what int64 holds, got %llu", (long long)INT64_MAX,
                (unsigned long long)x);
    return wk_number_int((int64_t)x);
}

void wk_unpack_sizes(const wk_tensor *x, int count, int64_t **sizes)
{
    for (int dim = 0; dim < count; dim++)
        *sizes[dim] = 1;
    if (!wk_is_tensor(x)) {
        wk_not_a_tensor("unpack", "x", x);
        return;
    }
    if (x->ndim != count) {
        wk_fail("unpack", "expected a tensor of %d dims, got %s", count, wk_shape_string(x));
        return;
    }
    for (int dim = 0; dim < count; dim++)
        *sizes[dim] = x->shape[dim];
}

bool wk_is_dense(const wk_tensor *x)
{
    bool used[WK_MAX_DIMS] = {0};
    int64_t stride = 1;
    for (int placed = 0; placed < x->ndim; placed++) {
        int next = -1; // the dim that steps as far as those placed reach
        for (int dim = 0; dim < x->ndim; dim++)
            if (!used[dim] && (x->shape[dim] <= 1 || (next < 0 && x->strides[dim] == stride)))
                next = dim;
        if (next < 0)
            return x->numel == 0;
        used[next] = true;
        stride *= x->shape[next] > 1 ? x->shape[next] : 1;
    }
    return true;
}
