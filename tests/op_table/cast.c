/* dtypes, copies, writes of whole tensors, values read out. */
#include "op_table.h"

static wk_tensor *run_to(golden_case *c) { return wk_to(input(c, 0), dtype(c, "dtype")); }
static wk_tensor *run_type_as(golden_case *c) { return wk_type_as(input(c, 0), input(c, 1)); }
static wk_tensor *run_clone(golden_case *c) { return wk_clone(input(c, 0)); }
static wk_tensor *run_contiguous(golden_case *c) { return wk_contiguous(input(c, 0)); }
OP(to, run_to)
OP(type_as, run_type_as)
OP(clone, run_clone)
OP(contiguous, run_contiguous)

static wk_tensor *run_copy_(golden_case *c) { return wk_copy_(input(c, 0), input(c, 1)); }
static wk_tensor *run_fill_(golden_case *c) { return wk_fill_in_place_with(input(c, 0), operand(c, 1)); }
static wk_tensor *run_zero_(golden_case *c) { return wk_zero_(input(c, 0)); }
OP(copy_, run_copy_)
OP(fill_, run_fill_)
OP(zero_, run_zero_)

static wk_tensor *run_item(golden_case *c)
{
    const double value = wk_item(input(c, 0));
    return wk_failing() ? NULL : wk_full((), value, .dtype = wk_float64);
}
static wk_tensor *run_item_int64(golden_case *c)
{
    const int64_t value = wk_item_int64(input(c, 0));
    return wk_failing() ? NULL : wk_full((), value);
}
static wk_tensor *run_tolist(golden_case *c)
{
    double values[6];
    return wk_tolist(input(c, 0), values) ? wk_tensor((2, 3), values) : NULL;
}
OP(item, run_item, .gradient = NONE)
OP(item_int64, run_item_int64, .gradient = NONE)
OP(tolist, run_tolist, .gradient = NONE)

BAD(copy_, wk_copy_(wk_zeros((2)), wk_zeros((3))), "do not broadcast")
BAD(fill_, wk_fill_(wk_zeros((2), .dtype = wk_uint8), 300), "value: expected a number that uint8 has room for, got 300")
BAD(fill_, wk_fill_(wk_zeros((2), .dtype = wk_float16), 1e6), "that float16 has room for, got 1e+06")
static wk_tensor *item_of(wk_tensor *x)
{
    wk_item(x);
    return NULL;
}
BAD(item, item_of(wk_ones((1), .dtype = wk_complex64)), "x: expected real numbers, got complex64")
BAD(copy_, wk_copy_(wk_expand(wk_zeros((1)), (3)), wk_zeros((3))), "share memory")
