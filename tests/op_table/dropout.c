/* dropout where nothing is drawn. */
#include "op_table.h"

#define DROPOUT(name)                                                                                                  \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_##name(input(c, 0), real(c, "p"), .training = integer(c, "training"));                               \
    }                                                                                                                  \
    OP(name, run_##name)
DROPOUT(dropout)
DROPOUT(dropout1d)
DROPOUT(dropout2d)
DROPOUT(dropout3d)
BAD(dropout, wk_dropout(wk_zeros((2)), 1.5), "expected a probability from 0 to 1")
BAD(dropout2d, wk_dropout2d(wk_zeros((2, 3))), "expected 4 dims")
