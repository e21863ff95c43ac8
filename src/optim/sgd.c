/* Stochastic gradient descent, with momentum (https://pytorch.org/docs/stable/generated/torch.optim.SGD.html). */
#include <wick/cast.h>
#include <wick/pointwise.h>

#include "kernels/kernels.h"
#include "kernels/cpu/parallel.h"
#include "core/run.h"
#include "optimizer.h"

enum { MOMENTUM_BUFFER };

/* The first buffer is the gradient itself: `step` tells the first from the others, and is not in the state dict, where
   a buffer that is there has had its first. */
static bool has_tensor(const wk_param_group *group, int tensor)
{
    return tensor == MOMENTUM_BUFFER && group->sgd->momentum != 0;
}

/* the same, an op at a time */
static bool update_by_ops(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad,
                          bool first)
{
    wk_tensor *buffer = state->tensors[MOMENTUM_BUFFER];
    if (group->sgd->maximize)
        grad = wk_neg(grad);
    if (group->weight_decay != 0)
        grad = wk_add(grad, param, .alpha = group->weight_decay);
    if (group->sgd->momentum != 0) {
        if (first)
            wk_copy_(buffer, grad);
        else
            wk_add_(wk_mul_(buffer, group->sgd->momentum), grad, .alpha = 1 - group->sgd->dampening);
        grad = group->sgd->nesterov ? wk_add(grad, buffer, .alpha = group->sgd->momentum) : buffer;
    }
    return wk_add_(param, grad, .alpha = -group->lr) != NULL;
}

static bool update(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad)
{
    const bool momentum = group->sgd->momentum != 0, first = state->step == 0;
    state->step += momentum;
    if (!wk_optimizer_flat(param, grad, state))
        return update_by_ops(group, state, param, grad, first);
    wk_tensor *buffer = momentum ? state->tensors[MOMENTUM_BUFFER] : NULL;
    wk_run_range(param, sgd, param->numel, 2, .param = wk_data(param), .grad = wk_data(grad),
           .buffer = wk_data_or_null(buffer), .lr = group->lr, .momentum = group->sgd->momentum,
           .dampening = group->sgd->dampening, .weight_decay = group->weight_decay, .nesterov = group->sgd->nesterov,
           .maximize = group->sgd->maximize, .first = first);
    param->storage->version++;
    return true;
}

static bool check(const char *op, const wk_param_group *group)
{
    return !group->sgd->nesterov || (group->sgd->momentum > 0 && group->sgd->dampening == 0) ||
           wk_fail(op, "nesterov: expected a momentum, and no dampening, got momentum %g, dampening %g",
                   group->sgd->momentum, group->sgd->dampening);
}

static const wk_option OPTIONS[] = {WK_OPTION(sgd, momentum, 0, INFINITY),
                                    WK_OPTION(sgd, dampening, -INFINITY, INFINITY),
                                    WK_OPTION(sgd, nesterov),
                                    WK_OPTION(sgd, maximize),
                                    {0}};
static const wk_optimizer_class SGD = {.type = "sgd",
                                       WK_OPTIONS(sgd, OPTIONS),
                                       .tensors = {"momentum_buffer"},
                                       .check = check,
                                       .has_tensor = has_tensor,
                                       .update = update};

wk_optimizer *wk_optim_sgd_with(wk_optim_sgd_args args)
{
    const wk_sgd_options options = {
        .momentum = args.momentum, .dampening = args.dampening, .nesterov = args.nesterov, .maximize = args.maximize};
    return wk_optimizer_new(&SGD, args.params, args.lr, args.weight_decay, &options);
}
