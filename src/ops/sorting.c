/* sort, argsort, topk along a dim. */
#include <wick/sorting.h>

#include <wick/index.h>

#include "core/run.h"
#include "kernels/sort.h"
#include "ops.h"

typedef struct sort_kept {
    wk_shape shape; // x's
    int dim;
} sort_kept;

/* dx: zeros, with dy added where the values came from */
static void sort_backward(wk_node *node, wk_tensor *dy)
{
    const sort_kept *kept = node->kept;
    wk_tensor *zeros = dy ? wk_gradient_zeros(kept->shape.ndim, kept->shape.sizes, dy->dtype, dy->device) : NULL;
    wk_accumulate(node, 0, wk_scatter_add(zeros, kept->dim, wk_saved(node, 0), dy));
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

/* the k first of each row, and their indices: (rows, k), kernels' layout; false after an error */
static bool first_of_rows(const char *op, const wk_dense_rows *rows, const wk_sort_args *args, bool top, int64_t k,
                          wk_tensor **values, wk_tensor **indices)
{
    wk_tensor *x = rows->x;
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    if (shape.ndim > 0)
        shape.sizes[shape.ndim - 1] = k;
    *values = wk_tensor_new(op, shape.ndim, shape.sizes, x->dtype, x->device);
    *indices = wk_tensor_new(op, shape.ndim, shape.sizes, wk_int64, x->device);
    if (!*values || !*indices)
        return false;
    if (top)
        return wk_run(op, x, topk, .x = wk_data(x), .values = wk_data(*values), .indices = wk_data(*indices),
                      .rows = rows->rows, .n = rows->n, .k = k, .largest = args->largest);
    return wk_run(op, x, sort, .x = wk_data(x), .values = wk_data(*values), .indices = wk_data(*indices),
                  .rows = rows->rows, .n = rows->n, .descending = args->descending);
}

static wk_tensor *ordered(const char *op, const char *backward_name, bool top, const wk_sort_args *args)
{
    place(&args->places, NULL, NULL);
    wk_tensor *x = args->x, *values, *indices;
    WK_REQUIRE(op, x);
    if (wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "x: complex numbers have no order");
    if (args->places.count > 2)
        return wk_fail(op, "places: expected (&values, &indices), got %lld", (long long)args->places.count);
    const wk_dense_rows rows = wk_rows_last(op, x, args->dim);
    if (!rows.x)
        return NULL;
    const int64_t k = top ? args->k : rows.n;
    if (k < 0 || k > rows.n)
        return wk_fail(op, "k: expected 0 to %lld, the size of dim %d of %s, got %lld", (long long)rows.n, rows.dim,
                       wk_shape_string(x), (long long)k);
    if (!first_of_rows(op, &rows, args, top, x->ndim > 0 ? k : 1, &values, &indices))
        return NULL;
    values = wk_dense(wk_rows_back(values, rows.dim));
    indices = wk_dense(wk_rows_back(indices, rows.dim));
    if (!values || !indices)
        return NULL;
    values = wk_record(values, sort_backward, .name = backward_name, WK_INPUTS(x), WK_SAVED(indices),
                       WK_KEPT(sort_kept, wk_shape_of(x->ndim, x->shape), rows.dim));
    return place(&args->places, values, indices);
}

wk_tensor *wk_sort_with(wk_sort_args args) { return ordered("sort", "sort_backward", false, &args); }
wk_tensor *wk_topk_with(wk_sort_args args) { return ordered("topk", "topk_backward", true, &args); }

wk_tensor *wk_argsort_with(wk_argsort_args args)
{
    wk_tensor *indices = NULL;
    const wk_sort_args sort = {
        .x = args.x, .places = WK_PLACES(NULL, &indices), .dim = args.dim, .descending = args.descending};
    wk_no_grad ordered("argsort", NULL, false, &sort);
    return indices;
}
