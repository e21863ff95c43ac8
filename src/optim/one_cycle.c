/* The one-cycle schedule (https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html). */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "scheduler.h"

#define PI 3.14159265358979323846

/* rate and momentum go from start to end until the epoch; those of a phase begin where the one before ends */
typedef struct phase {
    double end_step, lr[2], momentum[2];
} phase;

typedef struct wk_one_cycle {
    phase phases[3];
    int count;
    bool linear, cycle_momentum;
} wk_one_cycle;

static double anneal(const wk_one_cycle *cycle, const double ends[2], double part)
{
    return cycle->linear ? (ends[1] - ends[0]) * part + ends[0]
                         : ends[1] + (ends[0] - ends[1]) / 2.0 * (cos(PI * part) + 1);
}

/* where the group's momentum is, or its first beta; NULL: it has neither */
static double *momentum_of(const wk_param_group *group)
{
    return group->sgd       ? &group->sgd->momentum
           : group->adam    ? &group->adam->betas[0]
           : group->lion    ? &group->lion->betas[0]
           : group->rmsprop ? &group->rmsprop->momentum
           : group->muon    ? &group->muon->momentum
                            : NULL;
}

static double next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    const wk_one_cycle *cycle = s->cycle;
    const double step = (double)s->last_epoch;
    int i = 0;
    while (i < cycle->count - 1 && step > cycle->phases[i].end_step)
        i++;
    const double start = i ? cycle->phases[i - 1].end_step : 0;
    const double part = (step - start) / (cycle->phases[i].end_step - start);
    if (cycle->cycle_momentum)
        *momentum_of(&s->optimizer->param_groups[group]) = anneal(cycle, cycle->phases[i].momentum, part);
    return anneal(cycle, cycle->phases[i].lr, part);
}

bool wk_one_cycle_check(const wk_lr_scheduler *s)
{
    return !s->cycle || s->last_epoch < s->period ||
           wk_fail("one_cycle_lr", "step: %lld steps are done, and total_steps is %lld", (long long)s->last_epoch + 1,
                   (long long)s->period);
}

static bool check(const wk_optim_one_cycle_lr_args *args, const char *op)
{
    if (!wk_optimizer_check(op, args->optimizer))
        return false;
    if (args->total_steps <= 0)
        return wk_fail(op,
                       "total_steps: expected 1 or more, got %lld\n"
                       "hint: it is epochs times batches: one step of the schedule for each of the optimizer",
                       (long long)args->total_steps);
    if (!(args->pct_start >= 0 && args->pct_start <= 1))
        return wk_fail(op, "pct_start: expected 0 to 1, got %g", args->pct_start);
    if (!args->anneal_strategy ||
        (strcmp(args->anneal_strategy, "cos") != 0 && strcmp(args->anneal_strategy, "linear") != 0))
        return wk_fail(op, "anneal_strategy: expected \"cos\" or \"linear\", got \"%s\"",
                       args->anneal_strategy ? args->anneal_strategy : "(null)");
    for (int64_t g = 0; args->cycle_momentum && g < args->optimizer->param_group_count; g++)
        if (!momentum_of(&args->optimizer->param_groups[g]))
            return wk_fail(op, "optimizer: %s has neither a momentum nor betas\nhint: .cycle_momentum = false",
                           args->optimizer->type);
    return true;
}

wk_lr_scheduler *wk_optim_one_cycle_lr_with(wk_optim_one_cycle_lr_args args)
{
    static const char OP[] = "one_cycle_lr";
    if (!check(&args, OP))
        return NULL;
    wk_one_cycle *cycle = wk_alloc(sizeof *cycle);
    if (!cycle)
        return wk_out_of_memory(OP, sizeof *cycle);
    const double initial = args.max_lr / args.div_factor, least = initial / args.final_div_factor;
    const double base = args.base_momentum, most = args.max_momentum;
    const double rise = args.pct_start * (double)args.total_steps, last = (double)(args.total_steps - 1);
    *cycle = (wk_one_cycle){
        .phases = {{rise - 1, {initial, args.max_lr}, {most, base}}, {last, {args.max_lr, least}, {base, most}}},
        .count = 2,
        .linear = strcmp(args.anneal_strategy, "linear") == 0,
        .cycle_momentum = args.cycle_momentum};
    if (args.three_phase) {
        cycle->phases[1] =
            (phase){2 * args.pct_start * (double)args.total_steps - 2, {args.max_lr, initial}, {base, most}};
        cycle->phases[cycle->count++] = (phase){last, {initial, least}, {most, most}};
    }
    for (int64_t g = 0; g < args.optimizer->param_group_count; g++)
        args.optimizer->param_groups[g].initial_lr = initial;
    wk_lr_scheduler *s = wk_lr_scheduler_make(
        OP, args.optimizer, &(wk_lr_scheduler){.next = next, .period = args.total_steps, .cycle = cycle});
    if (!s)
        wk_free(cycle);
    return wk_lr_scheduler_begin(s);
}
