/* What packed sequences and recurrent layers share. */
#ifndef WICK_NN_PACKED_SEQUENCE_H
#define WICK_NN_PACKED_SEQUENCE_H

#include <wick/nn_recurrent.h>

/* batch_sizes, once all parts fit together, for the innermost scope; NULL after an error */
const int64_t *wk_packed_sizes(const char *op, const wk_nn_packed_sequence *packed);

#endif
