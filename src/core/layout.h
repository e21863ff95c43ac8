/* In which order of its dims a new tensor lies in memory: as in PyTorch, it follows what it is made of. */
#ifndef WICK_CORE_LAYOUT_H
#define WICK_CORE_LAYOUT_H

#include "tensor.h"

/* The dims by stride, the outermost first, as PyTorch's TensorIterator sorts them: the first of the operands that steps
   along both of two dims (its strides are not 0, nor alike) decides; where none does they stay. */
void wk_order_dims(int ndim, const int64_t *shape, int operands, const int64_t *const *strides, int *order);

/* false after an error: format is not for this many dims, or wk_preserve_format */
bool wk_check_format(const char *op, int ndim, const int64_t *shape, wk_memory_format format);
/* a new tensor that lies in this format, which was checked; wk_preserve_format is wk_contiguous_format */
wk_tensor *wk_tensor_new_format(const char *op, int ndim, const int64_t *shape, wk_memory_format format, wk_dtype dtype,
                                wk_device device);
/* the format that x's strides tell: one that is channels last or, where the strides are those of both, contiguous */
wk_memory_format wk_format_of(const wk_tensor *x);

/* A new tensor like x, as PyTorch's preserve_format has it: with x's strides where x is dense, else dense in the order
   of x's strides.  Its numel elements start at wk_data.  NULL after an error. */
wk_tensor *wk_tensor_new_like(const char *op, const wk_tensor *x, wk_dtype dtype, wk_device device);

#endif
