/* What autograd asks of ops (autograd/from_ops.h says why). */
#include <stdio.h>
#include <string.h>

#include "ops.h"

wk_tensor *wk_gradient_add(wk_tensor *a, wk_tensor *b) { return wk_add(a, b); }
wk_tensor *wk_gradient_add_(wk_tensor *a, wk_tensor *b) { return wk_add_(a, b); }
wk_tensor *wk_gradient_ones_like(wk_tensor *x) { return wk_ones_like(x); }
wk_tensor *wk_gradient_clone(wk_tensor *x) { return wk_clone_contiguous(x); }

wk_tensor *wk_gradient_zeros(int ndim, const int64_t *shape, wk_dtype dtype, wk_device device)
{
    return wk_full_with((wk_factory_args){.size = wk_shape_of(ndim, shape), .fill = WK_NUMBER(0.0), .dtype = dtype,
                                          .device = device});
}

wk_tensor *wk_gradient_fit(wk_tensor *gradient, int ndim, const int64_t *shape, wk_dtype dtype, wk_device device)
{
    if (gradient->ndim != ndim || memcmp(gradient->shape, shape, (size_t)ndim * sizeof *shape) != 0) {
        bool fits = gradient->ndim >= ndim;
        for (int dim = 0; fits && dim < ndim; dim++)
            fits = shape[dim] == 1 || shape[dim] == gradient->shape[dim + gradient->ndim - ndim];
        if (!fits) // of a user's function
            return wk_fail("backward", "gradient: expected the input's shape %s, got %s",
                           wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}), wk_shape_string(gradient));
        gradient = wk_sum_to_size(gradient, wk_shape_of(ndim, shape));
    }
    if (gradient && !wk_device_equal(gradient->device, device)) {
        if (ndim > 0) {
            char expected[32];
            snprintf(expected, sizeof expected, "%s", wk_device_name(device));
            return wk_fail("backward", "gradient: expected one on %s, got one on %s\nhint: wk_to(gradient, device)",
                           expected, wk_device_name(gradient->device));
        }
        gradient = wk_to_device(gradient, device); // of a 0-d tensor, which ops of all devices take as a number
    }
    return gradient && gradient->dtype != dtype ? wk_to_dtype(gradient, dtype) : gradient;
}
