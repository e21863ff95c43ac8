/* Stochastic gradient descent, with momentum (https://pytorch.org/docs/stable/generated/torch.optim.SGD.html). */
#include "core/run.h"
#include "optimizer.h"

/* The first buffer is the gradient itself: `step` tells the first from the others, and is not in the state dict, where
   a buffer that is there has had its first. */
enum { MOMENTUM_BUFFER };

static bool has_tensor(const wk_param_group *group, int tensor)
{
    return tensor == MOMENTUM_BUFFER && group->sgd->momentum != 0;
}

static bool step(const wk_param_group *group, const wk_optimizer_call *call)
{
    const wk_sgd_options *o = group->sgd;
    return wk_run("sgd", call->like, sgd, .list = call->list, .lr = group->lr, .momentum = o->momentum,
                  .dampening = o->dampening, .weight_decay = group->weight_decay, .nesterov = o->nesterov,
                  .maximize = o->maximize, .first = call->step == 1);
}

static bool check(const char *op, const wk_param_group *group)
{
    const wk_sgd_options *o = group->sgd;
    return !o->nesterov || (o->momentum > 0 && o->dampening == 0) ||
           wk_fail(op, "nesterov: expected a momentum, and no dampening, got momentum %g, dampening %g", o->momentum,
                   o->dampening);
}

static const wk_option OPTIONS[] = {
    WK_OPTION(sgd, momentum, 0, INFINITY),
    WK_OPTION(sgd, dampening, -INFINITY, INFINITY),
    WK_OPTION(sgd, nesterov),
    WK_OPTION(sgd, maximize),
    {0},
};
static const wk_optimizer_class SGD = {.type = "sgd",
                                       WK_OPTIONS(sgd, OPTIONS),
                                       .tensors = {"momentum_buffer"},
                                       .has_tensor = has_tensor,
                                       .check = check,
                                       .step = step};

wk_optimizer *wk_optim_sgd_with(wk_optim_sgd_args args)
{
    const wk_sgd_options options = {
        .momentum = args.momentum, .dampening = args.dampening, .nesterov = args.nesterov, .maximize = args.maximize};
    return wk_optimizer_new(&SGD, args.params, args.lr, args.weight_decay, &options);
}
