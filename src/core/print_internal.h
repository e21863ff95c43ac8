/* What the floors above leave here for wk_print, since core cannot call up. */
#ifndef WICK_CORE_PRINT_INTERNAL_H
#define WICK_CORE_PRINT_INTERNAL_H

#include <stddef.h>

#include <wick/tensor.h>

/* Autograd's: writes the name that PyTorch gives x's grad_fn, "AddBackward0", into name, or "" for a leaf. */
typedef void wk_grad_fn_name_hook(const wk_tensor *x, char *name, size_t size);
void wk_print_set_grad_fn_name_hook(wk_grad_fn_name_hook *hook);

#endif
