/* The dtype of floating tensors that are made without one: of the process, as PyTorch's. */
#include <stdatomic.h>

#include <wick/creation.h>

#include "tensor.h"

static _Atomic wk_dtype default_dtype = wk_float32;

wk_dtype wk_get_default_dtype(void) { return atomic_load_explicit(&default_dtype, memory_order_relaxed); }

void wk_set_default_dtype(wk_dtype dtype)
{
    if (wk_dtype_is_floating(dtype))
        atomic_store_explicit(&default_dtype, dtype, memory_order_relaxed);
    else
        wk_fail("set_default_dtype", "dtype: expected a floating dtype, got %s", wk_dtype_name(dtype));
}
