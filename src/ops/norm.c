/* What layer_norm, group_norm and rms_norm share: the checks of weights and biases, and how kernels get them. */
#include "norm.h"

#include <string.h>

#include "core/host.h"
#include "ops.h"

bool wk_check_norm_parameter(const char *op, const wk_tensor *x, const char *name, const wk_tensor *parameter,
                             const wk_shape *shape, const char *of)
{
    WK_OPTIONAL(op, parameter);
    if (!parameter)
        return true;
    if (parameter->ndim != shape->ndim ||
        memcmp(parameter->shape, shape->sizes, (size_t)shape->ndim * sizeof *shape->sizes) != 0)
        return wk_fail(op, "%s: expected shape %s (%s), got %s", name,
                       wk_shape_text(shape->ndim, shape->sizes, (char[WK_SHAPE_TEXT]){0}), of,
                       wk_shape_string(parameter));
    return wk_check_same_device(op, "x", x, name, parameter);
}

bool wk_check_norm_dtypes(const char *op, const wk_tensor *x, const wk_tensor *weight, const wk_tensor *bias)
{
    const wk_tensor *given[2] = {weight, bias};
    for (int i = 0; i < 2; i++)
        if (given[i] && given[i]->dtype != x->dtype && given[i]->dtype != wk_real_dtype(x->dtype))
            return wk_fail(op, "%s: expected x's dtype %s%s, got %s", i == 0 ? "weight" : "bias",
                           wk_dtype_name(x->dtype), wk_is_half(x->dtype) ? " or float32" : "",
                           wk_dtype_name(given[i]->dtype));
    if (weight && bias && weight->dtype != bias->dtype)
        return wk_fail(op, "bias: expected weight's dtype %s, got %s", wk_dtype_name(weight->dtype),
                       wk_dtype_name(bias->dtype));
    return true;
}

bool wk_norm_parameter(wk_tensor *parameter, wk_dtype dtype, wk_tensor **dense)
{
    *dense = parameter ? wk_dense(WK_WITHOUT_GRAD(wk_to(parameter, dtype))) : NULL;
    return *dense || !parameter;
}

wk_tensor *wk_mean_of_last(wk_tensor *x, int dims)
{
    wk_reduce_args args = {.x = x, .keepdim = true, .dims = {.ndim = dims}};
    for (int i = 0; i < dims; i++)
        args.dims.sizes[i] = i - dims;
    return wk_mean_with(args);
}
