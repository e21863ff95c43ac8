/* Adam and AdamW (https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html).

   exp_avg and exp_avg_sq are running means of the gradient and of its square; both start at 0, which dividing by
   1 - beta^step corrects. */
#include "core/run.h"
#include "optimizer.h"

enum { EXP_AVG, EXP_AVG_SQ, MAX_EXP_AVG_SQ };

static bool has_tensor(const wk_param_group *group, int tensor)
{
    return tensor != MAX_EXP_AVG_SQ || group->adam->amsgrad;
}

static bool step(const wk_param_group *group, const wk_optimizer_call *call, bool decoupled)
{
    const wk_adam_options *o = group->adam;
    const double step = (double)call->step;
    return wk_run(call->op, call->like, adam, .list = call->list,
                  .shrink = decoupled ? 1 - group->lr * group->weight_decay : 1,
                  .weight_decay = decoupled ? 0 : group->weight_decay, .beta1 = o->betas[0], .beta2 = o->betas[1],
                  .eps = o->eps, .step_size = group->lr / (1 - pow(o->betas[0], step)),
                  .correction = sqrt(1 - pow(o->betas[1], step)), .maximize = o->maximize);
}

static bool step_adam(const wk_param_group *group, const wk_optimizer_call *call) { return step(group, call, false); }
static bool step_adamw(const wk_param_group *group, const wk_optimizer_call *call) { return step(group, call, true); }

static const wk_option OPTIONS[] = {
    WK_OPTION(adam, betas[0], 0, 1),
    WK_OPTION(adam, betas[1], 0, 1),
    WK_OPTION(adam, eps, 0, INFINITY),
    WK_OPTION(adam, amsgrad),
    WK_OPTION(adam, maximize),
    {0},
};
static const wk_optimizer_class ADAM = {.type = "adam",
                                        WK_OPTIONS(adam, OPTIONS),
                                        .tensors = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
                                        .counts_steps = true,
                                        .has_tensor = has_tensor,
                                        .step = step_adam};
static const wk_optimizer_class ADAMW = {.type = "adamw",
                                         WK_OPTIONS(adam, OPTIONS),
                                         .tensors = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
                                         .counts_steps = true,
                                         .has_tensor = has_tensor,
                                         .step = step_adamw};

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
