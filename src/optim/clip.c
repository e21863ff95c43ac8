/* Clipping gradients, in place (https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html). */
#include <math.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>

#include "optimizer.h"

/* sum |g|^p, computed in float32 at least; of p = inf, max |g| */
static wk_tensor *power_sum(wk_tensor *g, double p)
{
    if (wk_is_half(g->dtype))
        g = wk_to(g, wk_float32);
    if (isinf(p))
        return g && g->numel == 0 ? wk_new_zeros(g, ()) : wk_amax(wk_abs(g));
    return wk_sum(p == 2 ? wk_square(g) : wk_pow(wk_abs(g), p));
}

static wk_tensor *total_norm(wk_tensors params, double p)
{
    wk_tensor *total = NULL;
    wk_dtype dtype = wk_dtype_default;
    for (int64_t i = 0; i < params.count; i++) {
        wk_tensor *g = params.items[i] ? params.items[i]->grad : NULL;
        if (!g)
            continue;
        dtype = dtype ? wk_promote_types(dtype, g->dtype) : g->dtype;
        wk_tensor *sum = power_sum(g, p);
        total = !total ? sum : isinf(p) ? wk_maximum(total, sum) : wk_add(total, sum);
        if (!total)
            return NULL;
    }
    if (!total)
        return wk_zeros(());
    if (!isinf(p))
        total = p == 2 ? wk_sqrt(total) : wk_pow(total, 1 / p);
    return total ? wk_to(total, dtype) : NULL;
}

static wk_tensor *clip(const wk_clip_grad_norm_args *args)
{
    wk_tensor *norm = total_norm(args->params, args->norm_type);
    if (norm && args->error_if_nonfinite && !isfinite(wk_item(norm)))
        return wk_fail("clip_grad_norm_", "the norm of the gradients is %g\n"
                                          "hint: without .error_if_nonfinite they are scaled all the same", wk_item(norm));
    wk_tensor *factor = norm ? wk_div(args->max_norm, wk_add(norm, 1e-6)) : NULL;
    factor = factor ? wk_minimum(factor, wk_ones_like(factor)) : NULL; // NaN stays
    for (int64_t i = 0; factor && i < args->params.count; i++) {
        wk_tensor *param = args->params.items[i];
        if (param && param->grad && !wk_mul_(param->grad, factor))
            return NULL;
    }
    return factor ? norm : NULL;
}

wk_tensor *wk_nn_utils_clip_grad_norm_with(wk_clip_grad_norm_args args)
{
    if (!args.params.items)
        return wk_null_input("clip_grad_norm_", "params");
    if (!(args.norm_type > 0))
        return wk_fail("clip_grad_norm_", "norm_type: expected more than 0, got %g", args.norm_type);
    wk_tensor *norm = NULL;
    wk_no_grad wk_scope norm = wk_keep(clip(&args));
    return norm;
}

bool wk_nn_utils_clip_grad_value_(wk_tensors params, double clip_value)
{
    if (!params.items)
        return wk_null_input("clip_grad_value_", "params") != NULL;
    bool fine = true;
    wk_no_grad wk_scope for (int64_t i = 0; fine && i < params.count; i++)
    {
        wk_tensor *param = params.items[i];
        if (param && param->grad)
            fine = wk_clamp_(param->grad, -clip_value, clip_value) != NULL;
    }
    return fine;
}
