/* Clipping gradients, in place (https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html). */
#include <math.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/join.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>

#include "core/alloc.h"
#include "optimizer.h"

/* the norm of the norms, on the first's device; with no gradient at all, 0 */
static wk_tensor *total_norm(wk_tensors params, double p)
{
    wk_tensor **norms = wk_alloc((size_t)params.count * sizeof *norms);
    if (!norms)
        return wk_out_of_memory("clip_grad_norm_", (size_t)params.count * sizeof *norms);
    int64_t count = 0;
    bool fine = true;
    for (int64_t i = 0; fine && i < params.count; i++) {
        if (!params.items[i] || !params.items[i]->grad)
            continue;
        wk_tensor *norm = wk_norm(params.items[i]->grad, p);
        norm = norm && count ? wk_to_device(norm, norms[0]->device) : norm;
        fine = norm != NULL;
        norms[count++] = norm;
    }
    wk_tensor *total = NULL;
    if (fine)
        total = count ? wk_norm(wk_stack_with((wk_join_args){.tensors = {count, norms}}), p) : wk_zeros(());
    wk_free(norms);
    return total;
}

/* a NULL among them has no gradient either */
static bool check_params(const char *op, wk_tensors params)
{
    for (int64_t i = 0; i < params.count; i++)
        if (params.items[i] && !wk_is_tensor(params.items[i]))
            return wk_not_a_tensor(op, "params", params.items[i]);
    return true;
}

static wk_tensor *clip(const wk_clip_grad_norm_args *args)
{
    wk_tensor *norm = total_norm(args->params, args->norm_type);
    if (norm && args->error_if_nonfinite && !isfinite(wk_item(norm)))
        return wk_fail("clip_grad_norm_",
                       "the norm of the gradients is %g\n"
                       "hint: without .error_if_nonfinite they are scaled all the same",
                       wk_item(norm));
    wk_tensor *factor = wk_clamp(wk_div(args->max_norm, wk_add(norm, 1e-6)), wk_none, 1.0); // NaN stays
    for (int64_t i = 0; factor && i < args->params.count; i++) {
        wk_tensor *param = args->params.items[i];
        if (param && param->grad && !wk_mul_(param->grad, wk_to_device(factor, param->grad->device)))
            return NULL;
    }
    return factor ? norm : NULL;
}

wk_tensor *wk_nn_utils_clip_grad_norm_with(wk_clip_grad_norm_args args)
{
    if (!args.params.items)
        return wk_null_input("clip_grad_norm_", "params");
    if (!check_params("clip_grad_norm_", args.params))
        return NULL;
    if (isnan(args.norm_type))
        return wk_fail("clip_grad_norm_", "norm_type: expected a number, got NaN");
    wk_tensor *norm = NULL;
    wk_no_grad wk_scope norm = wk_keep(clip(&args));
    return norm;
}

bool wk_nn_utils_clip_grad_value_(wk_tensors params, double clip_value)
{
    if (!params.items)
        return wk_null_input("clip_grad_value_", "params") != NULL;
    bool fine = check_params("clip_grad_value_", params);
    wk_no_grad wk_scope for (int64_t i = 0; fine && i < params.count; i++)
    {
        wk_tensor *param = params.items[i];
        if (param && param->grad)
            fine = wk_clamp_(param->grad, -clip_value, clip_value) != NULL;
    }
    return fine;
}
