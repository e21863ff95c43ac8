/* Where values belong among sorted ones. */
#include "kernels/search_sorted.h"

#include <string.h>

#include <wick/index.h>
#include <wick/sorting.h>

#include "core/run.h"
#include "ops.h"

wk_tensor *wk_searchsorted_with(wk_searchsorted_args args)
{
    static const char OP[] = "searchsorted";
    WK_NAMES_ERRORS(OP);
    wk_tensor *sequence = args.sorted_sequence, *const sorter = args.sorter;
    WK_REQUIRE(OP, sequence);
    WK_REQUIRE_OPERAND(OP, args.values);
    WK_OPTIONAL(OP, sorter);
    wk_tensor *values = args.values.tensor;
    if (values && values->dtype != sequence->dtype)
        return wk_fail(OP, "values: expected sorted_sequence's dtype %s, got %s", wk_dtype_name(sequence->dtype),
                       wk_dtype_name(values->dtype));
    if (args.side && strcmp(args.side, "left") != 0 && strcmp(args.side, "right") != 0)
        return wk_fail(OP, "side: expected \"left\" or \"right\", got \"%s\"", args.side);
    if (args.side && args.right && strcmp(args.side, "left") == 0)
        return wk_fail(OP, "side: is \"left\", and right is true");
    if (!values) { // a number, which promotes
        const wk_dtype dtype = wk_result_type((wk_operand[]){WK_OPERAND(sequence), args.values}, 2);
        values =
            wk_full_with((wk_factory_args){.fill = args.values.number, .dtype = dtype, .device = sequence->device});
        sequence = wk_to(sequence, dtype);
        if (!values || !sequence)
            return NULL;
    }
    if (!wk_check_same_device(OP, "sorted_sequence", sequence, "values", values))
        return NULL;
    bool fits = sequence->ndim > 0 && (sequence->ndim == 1 || sequence->ndim == values->ndim);
    for (int dim = 0; fits && dim < sequence->ndim - 1; dim++)
        fits = sequence->shape[dim] == values->shape[dim];
    if (!fits)
        return wk_fail(OP, "sorted_sequence: expected 1 dim, or those of values %s but for the last, got %s",
                       wk_shape_string(values), wk_shape_string(sequence));
    if (sorter) {
        if (sorter->dtype != wk_int64 || !wk_same_shape(sorter, sequence))
            return wk_fail(OP, "sorter: expected int64 of sorted_sequence's shape %s, got %s of %s",
                           wk_shape_string(sequence), wk_dtype_name(sorter->dtype), wk_shape_string(sorter));
        sequence = WK_WITHOUT_GRAD(wk_gather(sequence, -1, sorter));
    }
    wk_tensor *from = wk_dense(sequence), *of = wk_dense(values);
    wk_tensor *y = from && of ? wk_tensor_new(OP, values->ndim, values->shape, wk_int64, values->device) : NULL;
    if (!y)
        return NULL;
    const bool one = sequence->ndim == 1;
    const int64_t m = one ? values->numel : values->shape[values->ndim - 1];
    if (y->numel > 0 && !wk_run(OP, from, search_sorted, .sequence = wk_data(from), .values = wk_data(of),
                                .y = wk_data(y), .rows = values->numel / m, .n = sequence->shape[sequence->ndim - 1],
                                .m = m, .right = args.right || (args.side && strcmp(args.side, "right") == 0)))
        return NULL;
    return args.out_int32 ? wk_to(y, wk_int32) : y;
}
