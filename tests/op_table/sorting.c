/* sort, argsort, topk. */
#include "op_table.h"

static wk_tensor *run_sort(golden_case *c)
{
    wk_tensor *values = NULL, *indices = NULL;
    wk_sort(input(c, 0), (&values, &indices), .dim = integer(c, "dim"), .descending = integer_or(c, "descending", 0));
    return results(c, values, indices);
}
OP(sort, run_sort)
BAD(sort, wk_sort(wk_zeros((2, 3)), (NULL, NULL), .dim = 2), "dim: expected -2 to 1")
BAD(sort, wk_sort(wk_zeros((2), .dtype = wk_complex64), (NULL, NULL)), "complex numbers have no order")

static wk_tensor *run_argsort(golden_case *c)
{
    return wk_argsort(input(c, 0), integer(c, "dim"), .descending = integer_or(c, "descending", 0));
}
OP(argsort, run_argsort)
BAD(argsort, wk_argsort(wk_zeros((2, 3)), 2), "dim: expected -2 to 1")

static wk_tensor *run_topk(golden_case *c)
{
    wk_tensor *values = NULL, *indices = NULL;
    wk_topk(input(c, 0), integer(c, "k"), (&values, &indices), .dim = integer(c, "dim"),
            .largest = integer_or(c, "largest", 1));
    return results(c, values, indices);
}
OP(topk, run_topk)
BAD(topk, wk_topk(wk_zeros((2, 3)), 4, (NULL, NULL)), "k: expected 0 to 3, the size of dim 1 of (2, 3), got 4")
