/* Lion (https://arxiv.org/abs/2302.06675): the sign of a mean of gradients, and one tensor kept. */
#include "core/run.h"
#include "optimizer.h"

static bool has_tensor(const wk_param_group *group, int tensor)
{
    (void)group;
    return tensor == 0;
}

static bool step(const wk_param_group *group, const wk_optimizer_call *call)
{
    return wk_run(call->op, call->like, lion, .list = call->list, .shrink = 1 - group->lr * group->weight_decay,
                  .lr = group->lr, .beta1 = group->lion->betas[0], .beta2 = group->lion->betas[1]);
}

static const wk_option OPTIONS[] = {WK_OPTION(lion, betas[0], 0, 1), WK_OPTION(lion, betas[1], 0, 1), {0}};
static const wk_optimizer_class LION = {
    .type = "lion", WK_OPTIONS(lion, OPTIONS), .tensors = {"exp_avg"}, .has_tensor = has_tensor, .step = step};

wk_optimizer *wk_optim_lion_with(wk_optim_lion_args args)
{
    const wk_lion_options options = {.betas = {args.betas[0], args.betas[1]}};
    return wk_optimizer_new(&LION, args.params, args.lr, args.weight_decay, &options);
}
