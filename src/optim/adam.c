/* Adam and AdamW (https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html).

   exp_avg and exp_avg_sq are running means of the gradient and of its square; both start at 0, which dividing by
   1 - beta^step corrects. */
#include <wick/cast.h>
#include <wick/pointwise.h>

#include "kernels/kernels.h"
#include "kernels/cpu/parallel.h"
#include "core/run.h"
#include "optimizer.h"

enum { EXP_AVG, EXP_AVG_SQ, MAX_EXP_AVG_SQ };

static bool has_tensor(const wk_param_group *group, int tensor)
{
    return tensor != MAX_EXP_AVG_SQ || group->adam->amsgrad;
}

/* the same, an op at a time */
static bool update_by_ops(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad,
                          bool decoupled)
{
    const wk_adam_options *o = group->adam;
    wk_tensor *average = state->tensors[EXP_AVG], *square = state->tensors[EXP_AVG_SQ];
    if (o->maximize)
        grad = wk_neg(grad);
    if (group->weight_decay != 0 && decoupled)
        wk_mul_(param, 1 - group->lr * group->weight_decay);
    else if (group->weight_decay != 0)
        grad = wk_add(grad, param, .alpha = group->weight_decay);
    wk_lerp_(average, grad, 1 - o->betas[0]);
    wk_addcmul_(wk_mul_(square, o->betas[1]), grad, grad, .value = 1 - o->betas[1]);
    if (o->amsgrad)
        square = wk_copy_(state->tensors[MAX_EXP_AVG_SQ], wk_maximum(state->tensors[MAX_EXP_AVG_SQ], square));
    const double step_size = group->lr / (1 - pow(o->betas[0], (double)state->step));
    const double correction = sqrt(1 - pow(o->betas[1], (double)state->step));
    wk_tensor *divisor = wk_add(wk_div(wk_sqrt(square), correction), o->eps);
    return wk_addcdiv_(param, average, divisor, .value = -step_size) != NULL;
}

static bool update(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad,
                   bool decoupled)
{
    state->step++;
    if (!wk_optimizer_flat(param, grad, state))
        return update_by_ops(group, state, param, grad, decoupled);
    const wk_adam_options *o = group->adam;
    wk_tensor *largest = o->amsgrad ? state->tensors[MAX_EXP_AVG_SQ] : NULL;
    wk_run_range(param, adam, param->numel, 8, .param = wk_data(param), .grad = wk_data(grad),
           .exp_avg = wk_data(state->tensors[EXP_AVG]), .exp_avg_sq = wk_data(state->tensors[EXP_AVG_SQ]),
           .max_exp_avg_sq = wk_data_or_null(largest), .step = state->step, .lr = group->lr, .beta1 = o->betas[0],
           .beta2 = o->betas[1], .eps = o->eps, .weight_decay = group->weight_decay, .decoupled = decoupled,
           .maximize = o->maximize);
    param->storage->version++;
    return true;
}

static bool update_adam(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad)
{
    return update(group, state, param, grad, false);
}

static bool update_adamw(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad)
{
    return update(group, state, param, grad, true);
}

static const wk_option OPTIONS[] = {WK_OPTION(adam, betas[0], 0, 1),   WK_OPTION(adam, betas[1], 0, 1),
                                    WK_OPTION(adam, eps, 0, INFINITY), WK_OPTION(adam, amsgrad),
                                    WK_OPTION(adam, maximize),         {0}};
static const wk_optimizer_class ADAM = {.type = "adam",
                                        WK_OPTIONS(adam, OPTIONS),
                                        .tensors = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
                                        .counts_steps = true,
                                        .has_tensor = has_tensor,
                                        .update = update_adam};
static const wk_optimizer_class ADAMW = {.type = "adamw",
                                         WK_OPTIONS(adam, OPTIONS),
                                         .tensors = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
                                         .counts_steps = true,
                                         .has_tensor = has_tensor,
                                         .update = update_adamw};

static wk_optimizer *new_adam(const wk_optimizer_class *class_, const wk_optim_adam_args *args)
{
    const wk_adam_options options = {.betas = {args->betas[0], args->betas[1]},
                                     .eps = args->eps,
                                     .amsgrad = args->amsgrad,
                                     .maximize = args->maximize};
    return wk_optimizer_new(class_, args->params, args->lr, args->weight_decay, &options);
}

wk_optimizer *wk_optim_adam_with(wk_optim_adam_args args) { return new_adam(&ADAM, &args); }
wk_optimizer *wk_optim_adamw_with(wk_optim_adam_args args) { return new_adam(&ADAMW, &args); }
