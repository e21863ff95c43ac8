/* Every mixture of parts between the brackets, read, written and added to. */
#include "op_table.h"

/* the tensors that the index string asks for, of inputs first and on */
static wk_tensor *at(golden_case *c, int first, int i) { return first + i < c->inputs ? input(c, first + i) : NULL; }

static wk_tensor *run_index(golden_case *c)
{
    return wk_index(input(c, 0), text(c, "index"), at(c, 1, 0), at(c, 1, 1), at(c, 1, 2), at(c, 1, 3));
}
OP(index, run_index)

static wk_tensor *run_index_put_(golden_case *c)
{
    wk_index_put_args args = {.x = input(c, 0), .value = operand(c, 1), .accumulate = integer_or(c, "accumulate", 0)};
    args.key = wk_index_parse(text(c, "index"), at(c, 2, 0), at(c, 2, 1), at(c, 2, 2), at(c, 2, 3));
    return wk_index_put_in_place_with(args);
}
OP(index_put_, run_index_put_)
