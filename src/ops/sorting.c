/* sort, argsort, topk along a dim. */
#include <wick/sorting.h>

#include <wick/index.h>

#include "ops.h"
#include "core/run.h"

/* dx: zeros, with dy added where the values came from */
static void sort_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *zeros = dy ? wk_gradient_zeros(node->shape.ndim, node->shape.sizes, dy->dtype, dy->device) : NULL;
    wk_accumulate(node, 0, wk_scatter_add(zeros, node->dim, wk_saved(node, 0), dy));
}

/* puts results in the places; returns values */
static wk_tensor *place(const wk_places *places, wk_tensor *values, wk_tensor *indices)
{
    if (places->count > 0 && places->items[0])
        *places->items[0] = values;
    if (places->count > 1 && places->items[1])
        *places->items[1] = values ? indices : NULL;
    return values;
}

/* rows of n in float32 where x is of half the size, else of x's dtype */
static wk_tensor *rows_of(wk_tensor *x, int dim)
{
    wk_dense_rows rows;
    wk_no_grad rows = wk_rows_last("sort", wk_is_half(x->dtype) ? wk_to(x, wk_float32) : x, dim);
    return rows.x;
}

/* the first k of each sorted row, and their indices: (..., k); false after an error */
static bool sorted_rows(const char *op, wk_tensor *rows, int64_t k, bool descending, wk_tensor **values,
                        wk_tensor **indices)
{
    const int64_t n = rows->ndim > 0 ? rows->shape[rows->ndim - 1] : 1;
    *values = wk_empty_like(rows);
    *indices = *values ? wk_tensor_new(op, rows->ndim, rows->shape, wk_int64, rows->device) : NULL;
    wk_tensor *scratch_values = *indices ? wk_empty_like(*values) : NULL;
    wk_tensor *scratch_indices = scratch_values ? wk_empty_like(*indices) : NULL;
    if (!scratch_indices)
        return false;
    if (rows->numel > 0)
        wk_run_range(rows, sort, rows->numel / n, 16 * n, .x = wk_data(rows), .values = wk_data(*values),
               .indices = wk_data(*indices), .scratch_values = wk_data(scratch_values),
               .scratch_indices = wk_data(scratch_indices), .n = n, .descending = descending);
    if (rows->ndim > 0 && k < n)
        wk_no_grad
        {
            *values = wk_contiguous(wk_narrow(*values, -1, 0, k));
            *indices = wk_contiguous(wk_narrow(*indices, -1, 0, k));
        }
    return *values && *indices;
}

/* by insertion while k is small, else by sorting */
static bool top_rows(wk_tensor *rows, int64_t k, bool largest, wk_tensor **values, wk_tensor **indices)
{
    const int64_t n = rows->ndim > 0 ? rows->shape[rows->ndim - 1] : 1;
    if (k > 64 && k > n / 64)
        return sorted_rows("topk", rows, k, largest, values, indices);
    wk_shape shape = wk_shape_of(rows->ndim, rows->shape);
    if (shape.ndim > 0)
        shape.sizes[shape.ndim - 1] = k;
    *values = wk_tensor_new("topk", shape.ndim, shape.sizes, rows->dtype, rows->device);
    *indices = *values ? wk_tensor_new("topk", shape.ndim, shape.sizes, wk_int64, rows->device) : NULL;
    if (*indices && (*values)->numel > 0)
        wk_run_range(rows, topk, rows->numel / n, 2 * n, .x = wk_data(rows), .values = wk_data(*values),
               .indices = wk_data(*indices), .n = n, .k = k, .largest = largest);
    return *indices != NULL;
}

/* values and indices in x's order of dims and dtype, with the gradient of the values */
static wk_tensor *finish(wk_tensor *x, int dim, wk_tensor *values, wk_tensor *indices, const char *name,
                         const wk_places *places)
{
    values = wk_dense(wk_rows_back(values, dim));
    indices = wk_dense(wk_rows_back(indices, dim));
    wk_no_grad values = values ? wk_to(values, x->dtype) : NULL;
    if (!values || !indices)
        return place(places, NULL, NULL);
    values = wk_record_one(values, &(wk_record_args){.name = name,
                                                     .backward = sort_backward,
                                                     WK_INPUTS(x),
                                                     WK_SAVED(indices),
                                                     .dim = dim,
                                                     .shape = wk_shape_of(x->ndim, x->shape)});
    return place(places, values, indices);
}

/* the checks of both; -1 after an error, when the places are NULL */
static int check(const char *op, const wk_sort_args *args)
{
    place(&args->places, NULL, NULL);
    if (!args->x) {
        wk_null_input(op, "x");
        return -1;
    }
    if (wk_dtype_is_complex(args->x->dtype)) {
        wk_fail(op, "x: complex numbers have no order");
        return -1;
    }
    if (args->places.count > 2) {
        wk_fail(op, "places: expected (&values, &indices), got %lld", (long long)args->places.count);
        return -1;
    }
    return wk_check_dim(op, args->x->ndim, args->dim);
}

wk_tensor *wk_sort_with(wk_sort_args args)
{
    const int dim = check("sort", &args);
    wk_tensor *rows = dim >= 0 ? rows_of(args.x, dim) : NULL, *values, *indices;
    if (!rows || !sorted_rows("sort", rows, INT64_MAX, args.descending, &values, &indices))
        return NULL;
    return finish(args.x, dim, values, indices, "sort_backward", &args.places);
}

wk_tensor *wk_argsort_with(wk_argsort_args args)
{
    wk_tensor *indices = NULL;
    wk_no_grad wk_sort(args.x, (NULL, &indices), .dim = args.dim, .descending = args.descending);
    return indices;
}

wk_tensor *wk_topk_with(wk_sort_args args)
{
    const int dim = check("topk", &args);
    if (dim < 0)
        return NULL;
    const int64_t n = args.x->ndim > 0 ? args.x->shape[dim] : 1;
    if (args.k < 0 || args.k > n)
        return wk_fail("topk", "k: expected 0 to %lld, the size of dim %d of %s, got %lld", (long long)n, dim,
                       wk_shape_string(args.x), (long long)args.k);
    wk_tensor *rows = rows_of(args.x, dim), *values, *indices;
    if (!rows || !top_rows(rows, args.x->ndim > 0 ? args.k : 1, args.largest, &values, &indices))
        return NULL;
    return finish(args.x, dim, values, indices, "topk_backward", &args.places);
}
