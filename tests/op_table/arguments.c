/* Arguments that few give: a vector for a matrix, no batch, sizes that are known, places for columns. */
#include "core/error_internal.h"
#include "op_table.h"

static wk_tensor *run_linear_vector(golden_case *c)
{
    c->optional[2] = true;
    return wk_linear(input(c, 0), input(c, 1), optional(c, 2));
}
OP(linear_vector, run_linear_vector)
BAD(linear, wk_linear(wk_zeros((4)), wk_zeros((4)), wk_zeros((1))), "linear: bias: expected shape () for a weight of 1")
BAD(linear, wk_linear(wk_zeros((4)), wk_zeros((2, 2, 4))), "weight: expected shape (out, in) or (in), got (2, 2, 4)")

static wk_tensor *run_repeat_interleave_sized(golden_case *c)
{
    return wk_repeat_interleave_with((wk_repeat_interleave_args){.x = input(c, 0),
                                                                 .repeats = operand(c, 1),
                                                                 .dim = integer(c, "dim"),
                                                                 .output_size = integer(c, "output_size")});
}
OP(repeat_interleave_sized, run_repeat_interleave_sized)
BAD(repeat_interleave, wk_repeat_interleave(wk_zeros((2)), 2, 0, .output_size = 5), "output_size: expected 4, what")
BAD(repeat_interleave, wk_repeat_interleave(wk_zeros((2)), wk_full((2), 1), 0, .output_size = 5),
    "output_size: expected 2, what repeats add up to, got 5")

static wk_tensor *run_nonzero_columns(golden_case *c)
{
    wk_tensor *rows = NULL, *columns = NULL;
    wk_nonzero(input(c, 0), (&rows, &columns));
    return results(c, rows, columns);
}
OP(nonzero_columns, run_nonzero_columns, .gradient = NONE)
BAD(nonzero, wk_nonzero(wk_ones((2, 2)), (NULL)), "nonzero: places: there are 2 results, and 1 places for them")

#define DROPOUT(name)                                                                                                  \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_##name(input(c, 0), real(c, "p"), .training = integer(c, "training"));                               \
    }                                                                                                                  \
    OP(name, run_##name)
DROPOUT(dropout1d)
DROPOUT(dropout2d)
DROPOUT(dropout3d)
