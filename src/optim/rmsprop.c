/* RMSprop (https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html). */
#include "core/run.h"
#include "optimizer.h"

enum { SQUARE_AVG, MOMENTUM_BUFFER, GRAD_AVG };

static bool has_tensor(const wk_param_group *group, int tensor)
{
    return tensor == MOMENTUM_BUFFER ? group->rmsprop->momentum > 0
           : tensor == GRAD_AVG      ? group->rmsprop->centered
                                     : tensor == SQUARE_AVG;
}

static bool step(const wk_param_group *group, const wk_optimizer_call *call)
{
    const wk_rmsprop_options *o = group->rmsprop;
    return wk_run(call->op, call->like, rmsprop, .list = call->list, .lr = group->lr, .alpha = o->alpha, .eps = o->eps,
                  .weight_decay = group->weight_decay, .momentum = o->momentum, .maximize = o->maximize);
}

static const wk_option OPTIONS[] = {
    WK_OPTION(rmsprop, alpha, 0, INFINITY),
    WK_OPTION(rmsprop, eps, 0, INFINITY),
    WK_OPTION(rmsprop, momentum, 0, INFINITY),
    WK_OPTION(rmsprop, centered),
    WK_OPTION(rmsprop, maximize),
    {0},
};
static const wk_optimizer_class RMSPROP = {.type = "rmsprop",
                                           WK_OPTIONS(rmsprop, OPTIONS),
                                           .tensors = {"square_avg", "momentum_buffer", "grad_avg"},
                                           .counts_steps = true,
                                           .has_tensor = has_tensor,
                                           .step = step};

wk_optimizer *wk_optim_rmsprop_with(wk_optim_rmsprop_args args)
{
    const wk_rmsprop_options options = {.alpha = args.alpha,
                                        .eps = args.eps,
                                        .momentum = args.momentum,
                                        .centered = args.centered,
                                        .maximize = args.maximize};
    return wk_optimizer_new(&RMSPROP, args.params, args.lr, args.weight_decay, &options);
}
