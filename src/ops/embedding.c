/* embedding: index_select of a table's rows; its gradient adds repeated indices up in order. */
#include <wick/embedding.h>

#include <wick/sorting.h>

#include "index.h"

/* rows of weight that indices name and whose norm is too large get the largest allowed: in place, without history */
static bool limit_rows(const wk_embedding_args *args, wk_tensor *indices)
{
    bool fine = false;
    wk_no_grad wk_scope
    {
        wk_tensor *chosen = wk_unique(indices), *rows = wk_index_select(args->weight, 0, chosen);
        wk_tensor *norm = wk_norm(rows, args->norm_type, (1), .keepdim = true);
        wk_tensor *scale = wk_where(wk_gt(norm, args->max_norm), wk_div(args->max_norm, wk_add(norm, 1e-7)), 1);
        fine = wk_index_copy_(args->weight, 0, chosen, wk_type_as(wk_mul(rows, scale), args->weight));
    }
    return fine;
}

wk_tensor *wk_embedding_with(wk_embedding_args args)
{
    WK_NAMES_ERRORS("embedding");
    wk_tensor *indices = args.indices, *weight = args.weight;
    WK_REQUIRE("embedding", indices);
    WK_REQUIRE("embedding", weight);
    if (weight->ndim != 2)
        return wk_fail("embedding", "weight: expected (V, D), got %s", wk_shape_string(weight));
    if (indices->dtype != wk_int64 && indices->dtype != wk_int32)
        return wk_fail("embedding",
                       "indices: expected int64 or int32, got %s\nhint: %s", wk_dtype_name(indices->dtype),
                       wk_dtype_is_integral(weight->dtype) ? "the indices come first, then the table"
                                                           : "wk_to(indices, wk_int64)");
    const int64_t rows = weight->shape[0];
    int64_t padding = args.padding_idx;
    if (padding != WK_NO_PADDING && (padding < -rows || padding >= rows))
        return wk_fail("embedding", "padding_idx: expected -%lld to %lld, got %lld", (long long)rows,
                       (long long)rows - 1, (long long)padding);
    if (indices->ndim == WK_MAX_DIMS)
        return wk_fail("embedding", "indices: expected at most %d dims, got %s", WK_MAX_DIMS - 1,
                       wk_shape_string(indices));

    wk_tensor *flat = wk_reshape(indices, (-1)); // (N,)
    if (args.max_norm > 0 && flat && !limit_rows(&args, flat))
        return NULL;
    wk_tensor *y = wk_select_rows("embedding", weight, 0, flat); // (N, D)
    if (y && padding != WK_NO_PADDING && wk_needs_grad(weight)) // what is detached gets no gradient
        y = wk_where(wk_unsqueeze(wk_eq(flat, padding < 0 ? padding + rows : padding), -1), wk_detach(y), y);
    wk_shape shape = wk_shape_of(indices->ndim, indices->shape);
    shape.sizes[shape.ndim++] = weight->shape[1];
    return wk_reshape_with(y, shape); // (*, D)
}
