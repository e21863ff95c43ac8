/* Adagrad (https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html). */
#include "core/run.h"
#include "optimizer.h"

enum { SUM };

static bool has_tensor(const wk_param_group *group, int tensor)
{
    (void)group;
    return tensor == SUM;
}

static double initial(const wk_param_group *group, int tensor)
{
    (void)tensor;
    return group->adagrad->initial_accumulator_value;
}

static bool step(const wk_param_group *group, const wk_optimizer_call *call)
{
    const wk_adagrad_options *o = group->adagrad;
    return wk_run(call->op, call->like, adagrad, .list = call->list,
                  .lr = group->lr / (1 + (double)(call->step - 1) * o->lr_decay), .eps = o->eps,
                  .weight_decay = group->weight_decay, .maximize = o->maximize);
}

static const wk_option OPTIONS[] = {
    WK_OPTION(adagrad, lr_decay, 0, INFINITY),
    WK_OPTION(adagrad, initial_accumulator_value, 0, INFINITY),
    WK_OPTION(adagrad, eps, 0, INFINITY),
    WK_OPTION(adagrad, maximize),
    {0},
};
static const wk_optimizer_class ADAGRAD = {.type = "adagrad",
                                           WK_OPTIONS(adagrad, OPTIONS),
                                           .tensors = {"sum"},
                                           .counts_steps = true,
                                           .has_tensor = has_tensor,
                                           .initial = initial,
                                           .step = step};

wk_optimizer *wk_optim_adagrad_with(wk_optim_adagrad_args args)
{
    const wk_adagrad_options options = {.lr_decay = args.lr_decay,
                                        .initial_accumulator_value = args.initial_accumulator_value,
                                        .eps = args.eps,
                                        .maximize = args.maximize};
    return wk_optimizer_new(&ADAGRAD, args.params, args.lr, args.weight_decay, &options);
}
