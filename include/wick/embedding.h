/* Rows of a table by index.  PyTorch: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html */
#ifndef WICK_EMBEDDING_H
#define WICK_EMBEDDING_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* embedding(indices, weight, padding_idx): (*) int64 or int32, (V, D) -> (*, D); the row padding_idx (from the end
   where negative) gets no gradient.  An index out of range is an error.  .max_norm: rows that are asked for and whose
   .norm_type norm is larger are first scaled down to it, in the weight itself. */
typedef struct wk_embedding_args {
    wk_tensor *indices, *weight;
    int64_t padding_idx; // WK_NO_PADDING: none
    double max_norm, norm_type; // 0: no limit; of the p-norm of a row, p = 2
} wk_embedding_args;
#define WK_NO_PADDING INT64_MIN
#define wk_embedding(indices_, ...)                                                                                    \
    wk_embedding_with(                                                                                                 \
        (wk_embedding_args){.padding_idx = WK_NO_PADDING, .norm_type = 2, .indices = indices_, .weight = __VA_ARGS__})
wk_tensor *wk_embedding_with(wk_embedding_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
