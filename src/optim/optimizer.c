/* A step over all parameters, and their grads to nothing.

   A step makes every missing state first and moves parameters after, so that one without memory leaves all where they
   were. */
#include "optimizer.h"

#include <wick/cast.h>
#include <wick/creation.h>

#include "autograd/node.h"

bool wk_optimizer_flat(const wk_tensor *param, const wk_tensor *grad, const wk_param_state *state)
{
    bool flat = (param->dtype == wk_float32 || param->dtype == wk_float64) && wk_is_contiguous(param);
    flat &= grad->dtype == param->dtype && wk_is_contiguous(grad);
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++)
        flat &= !state->tensors[i] || (state->tensors[i]->dtype == param->dtype && wk_is_contiguous(state->tensors[i]));
    return flat;
}

static bool check_grad(const wk_optimizer *optimizer, const wk_tensor *param)
{
    if (wk_same_shape(param, param->grad) && param->grad->dtype == param->dtype)
        return true;
    wk_fail(optimizer->type, "grad: expected %s of shape %s, as the parameter, got %s of shape %s",
            wk_dtype_name(param->dtype), wk_shape_string(param), wk_dtype_name(param->grad->dtype),
            wk_shape_string(param->grad));
    return false;
}

/* the state tensors that these options ask for, zeros where they are new */
static bool prepare(const wk_optimizer *optimizer, const wk_param_group *group, wk_param_state *state, wk_tensor *param)
{
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++) {
        if (!optimizer->class_->tensors[i] || state->tensors[i] || !optimizer->class_->has_tensor(group, i))
            continue;
        wk_tensor *zeros = wk_zeros_like(param);
        if (!zeros)
            return false;
        state->tensors[i] = wk_retain(zeros);
    }
    return true;
}

bool wk_optim_step(wk_optimizer *optimizer)
{
    if (!wk_optimizer_check("step", optimizer) || wk_failing())
        return false;
    bool fine = true;
    wk_no_grad for (int moving = 0; fine && moving < 2; moving++)
    {
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
            const wk_param_group *group = &optimizer->param_groups[g];
            for (int64_t i = 0; fine && i < group->params.count; i++) {
                wk_tensor *param = group->params.items[i];
                if (!param->grad)
                    continue;
                wk_scope
                {
                    if (moving)
                        fine = optimizer->class_->update(group, &group->state[i], param, param->grad);
                    else
                        fine = check_grad(optimizer, param) && prepare(optimizer, group, &group->state[i], param);
                }
            }
        }
    }
    return fine;
}

void wk_optim_zero_grad_with(wk_optim_zero_grad_args args)
{
    if (!wk_optimizer_check("zero_grad", args.optimizer))
        return;
    for (int64_t g = 0; g < args.optimizer->param_group_count; g++) {
        const wk_param_group *group = &args.optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++) {
            wk_tensor *param = group->params.items[i];
            if (!param->grad)
                continue;
            if (args.set_to_none) {
                wk_release(param->grad);
                param->grad = NULL;
            } else {
                wk_no_grad
                {
                    if (param->grad->grad_fn)
                        wk_detach_(param->grad);
                    wk_zero_(param->grad);
                }
            }
        }
    }
}
