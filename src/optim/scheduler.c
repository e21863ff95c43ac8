/* Schedules of learning rates (https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate).

   As in PyTorch most of them change the rate that stands in the group by a factor of the last, so that one may set
   group->lr in between; the closed form serves sequential_lr, which starts a schedule anew at a milestone.  Each kind
   is two functions: the rate of a group at last_epoch from the one before, and from the initial one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "scheduler.h"

/* ---------------------------------------------------------------- the kinds */

static double lambda_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    return s->base_lrs[group] * s->lambda(s->last_epoch, s->context);
}

static double step_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)group;
    return s->last_epoch == 0 || s->last_epoch % s->period != 0 ? lr : lr * s->gamma;
}

static double step_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    return s->base_lrs[group] * pow(s->gamma, (double)(s->last_epoch / s->period));
}

static double multi_step_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)group;
    int times = 0;
    for (int i = 0; i < s->milestones.count; i++)
        times += s->milestones.epochs[i] == s->last_epoch;
    return times ? lr * pow(s->gamma, times) : lr;
}

static double multi_step_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    int times = 0;
    for (int i = 0; i < s->milestones.count; i++)
        times += s->milestones.epochs[i] <= s->last_epoch;
    return s->base_lrs[group] * pow(s->gamma, times);
}

static double exponential_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)group;
    return s->initial ? lr : lr * s->gamma;
}

static double exponential_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    return s->base_lrs[group] * pow(s->gamma, (double)s->last_epoch);
}

static double linear_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)group;
    if (s->last_epoch == 0)
        return lr * s->start;
    if (s->initial || s->last_epoch > s->period)
        return lr;
    const double rise = s->end - s->start;
    return lr * (1.0 + rise / ((double)s->period * s->start + (double)(s->last_epoch - 1) * rise));
}

static double linear_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    const int64_t epoch = s->last_epoch < s->period ? s->last_epoch : s->period;
    return s->base_lrs[group] * (s->start + (s->end - s->start) * (double)epoch / (double)s->period);
}

static double constant_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)group;
    if (s->last_epoch == 0)
        return lr * s->gamma;
    return s->last_epoch != s->period ? lr : lr * (1.0 / s->gamma);
}

static double constant_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    return s->base_lrs[group] * (s->gamma + (s->last_epoch >= s->period) * (1 - s->gamma));
}

/* Python's %: of the divisor's sign */
static int64_t modulo(int64_t a, int64_t b) { return (a % b + b) % b; }

static double cosine_next(const wk_lr_scheduler *s, int64_t group, double lr)
{
    const double base = s->base_lrs[group], eta_min = s->end, T_max = (double)s->period, epoch = (double)s->last_epoch;
    if (s->initial)
        return lr;
    if (s->step_count == 1 && s->last_epoch > 0)
        return eta_min + (base - eta_min) * (1 + cos(epoch * M_PI / T_max)) / 2;
    if (modulo(s->last_epoch - 1 - s->period, 2 * s->period) == 0)
        return lr + (base - eta_min) * (1 - cos(M_PI / T_max)) / 2;
    return (1 + cos(M_PI * epoch / T_max)) / (1 + cos(M_PI * (epoch - 1) / T_max)) * (lr - eta_min) + eta_min;
}

static double cosine_closed(const wk_lr_scheduler *s, int64_t group, double lr)
{
    (void)lr;
    return s->end + (s->base_lrs[group] - s->end) * (1 + cos(M_PI * (double)s->last_epoch / (double)s->period)) / 2;
}

/* ---------------------------------------------------------------- steps */

static void set_rates(wk_lr_scheduler *s, wk_next_lr *rate)
{
    for (int64_t g = 0; g < s->groups; g++)
        s->last_lr[g] = s->optimizer->param_groups[g].lr = rate(s, g, s->optimizer->param_groups[g].lr);
}

static void step(wk_lr_scheduler *s);

/* the part of sequential_lr that has the epoch */
static int64_t part_at(const wk_lr_scheduler *s, int64_t epoch)
{
    int64_t part = 0;
    while (part < s->milestones.count && s->milestones.epochs[part] <= epoch)
        part++;
    return part;
}

static void restart(wk_lr_scheduler *s)
{
    s->last_epoch = 0;
    if (s->parts.count > 0)
        restart(s->parts.items[0]);
    else
        set_rates(s, s->closed ? s->closed : s->next);
}

static void sequential_step(wk_lr_scheduler *s)
{
    s->last_epoch++;
    const int64_t index = part_at(s, s->last_epoch);
    wk_lr_scheduler *part = s->parts.items[index];
    if (index > 0 && s->milestones.epochs[index - 1] == s->last_epoch)
        restart(part);
    else
        step(part);
    memcpy(s->last_lr, part->last_lr, (size_t)s->groups * sizeof *s->last_lr);
}

static void step(wk_lr_scheduler *s)
{
    if (s->parts.count > 0) {
        sequential_step(s);
        return;
    }
    s->step_count++;
    s->last_epoch++;
    set_rates(s, s->next);
}

static void first_step(wk_lr_scheduler *s)
{
    s->step_count = 0;
    s->initial = true;
    step(s);
    s->initial = false;
}

static bool check(const char *op, const wk_lr_scheduler *s)
{
    if (!s)
        return wk_failing() ? false : wk_fail(op, "scheduler: expected a schedule, got NULL") != NULL;
    return s->groups == s->optimizer->param_group_count ||
           wk_fail(op, "scheduler: was made for %lld groups, and the optimizer has %lld now\n"
                       "hint: add parameter groups before making the schedule",
                   (long long)s->groups, (long long)s->optimizer->param_group_count);
}

/* the bits, since NaN may be what was measured */
static bool is_given(double metrics)
{
    const double none = WK_NO_METRICS;
    return memcmp(&metrics, &none, sizeof none) != 0;
}

/* whether all that would step can */
static bool check_step(const wk_lr_scheduler *s)
{
    bool fine = wk_one_cycle_check(s);
    if (fine && s->parts.count > 0)
        fine = check_step(s->parts.items[part_at(s, s->last_epoch + 1)]);
    return fine;
}

bool wk_lr_scheduler_step_with(wk_lr_scheduler_step_args args)
{
    static const char OP[] = "lr_scheduler_step";
    wk_lr_scheduler *s = args.scheduler;
    if (!check(OP, s) || wk_failing())
        return false;
    if (is_given(args.metrics) != (s->plateau != NULL))
        return wk_fail(OP, s->plateau ? "metrics: expected what is to get better, as a validation loss, got nothing\n"
                                        "hint: wk_lr_scheduler_step(schedule, loss)"
                                      : "metrics: only reduce_lr_on_plateau takes them");
    if (s->plateau)
        wk_plateau_step(s, args.metrics);
    else if (!check_step(s))
        return false;
    else
        step(s);
    return true;
}

const double *wk_lr_scheduler_get_last_lr(const wk_lr_scheduler *scheduler)
{
    return check("get_last_lr", scheduler) ? scheduler->last_lr : NULL;
}

int64_t wk_lr_scheduler_last_epoch(const wk_lr_scheduler *scheduler) { return scheduler ? scheduler->last_epoch : 0; }

/* ---------------------------------------------------------------- making them */

void wk_lr_scheduler_free(wk_lr_scheduler *s)
{
    if (!s)
        return;
    for (int64_t i = 0; i < s->parts.count; i++)
        wk_lr_scheduler_free(s->parts.items[i]);
    wk_free(s->parts.items);
    wk_free(s->cycle);
    wk_free(s->plateau);
    wk_free(s->base_lrs);
    wk_free(s);
}

wk_lr_scheduler *wk_lr_scheduler_make(const char *op, wk_optimizer *optimizer, const wk_lr_scheduler *like)
{
    if (!wk_optimizer_check(op, optimizer))
        return NULL;
    const int64_t groups = optimizer->param_group_count;
    for (int64_t g = 0; like->last_epoch > 0 && g < groups; g++)
        if (isnan(optimizer->param_groups[g].initial_lr))
            return wk_fail(op, "last_epoch: expected -1: no initial lr is there, as a loaded optimizer would have it");
    wk_lr_scheduler *s = wk_alloc(sizeof *s);
    double *rates = s ? wk_alloc_zeroed((size_t)(2 * groups) * sizeof *rates) : NULL;
    if (!rates) {
        wk_free(s);
        return wk_out_of_memory(op, (size_t)(2 * groups) * sizeof *rates);
    }
    *s = *like;
    s->optimizer = optimizer;
    s->groups = groups;
    s->base_lrs = rates;
    s->last_lr = rates + groups;
    s->last_epoch = like->last_epoch - 1;
    for (int64_t g = 0; g < groups; g++) {
        wk_param_group *group = &optimizer->param_groups[g];
        if (isnan(group->initial_lr))
            group->initial_lr = group->lr;
        s->base_lrs[g] = group->initial_lr;
    }
    return s;
}

wk_lr_scheduler *wk_lr_scheduler_begin(wk_lr_scheduler *s)
{
    if (s)
        first_step(s);
    return s;
}

wk_lr_scheduler *wk_optim_lambda_lr_with(wk_optim_lambda_lr_args args)
{
    if (!args.lr_lambda)
        return wk_fail("lambda_lr", "lr_lambda: expected a function, got NULL");
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("lambda_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = lambda_next, .lambda = args.lr_lambda, .context = args.context}));
}

wk_lr_scheduler *wk_optim_step_lr_with(wk_optim_step_lr_args args)
{
    if (args.step_size <= 0)
        return wk_fail("step_lr", "step_size: expected 1 or more, got %lld", (long long)args.step_size);
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("step_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = step_next, .closed = step_closed, .period = args.step_size,
                                         .gamma = args.gamma}));
}

static bool check_milestones(const char *op, const wk_milestones *milestones)
{
    return milestones->count <= WK_MAX_MILESTONES ||
           wk_fail(op, "milestones: expected at most %d, got %d", WK_MAX_MILESTONES, milestones->count);
}

wk_lr_scheduler *wk_optim_multi_step_lr_with(wk_optim_multi_step_lr_args args)
{
    if (!check_milestones("multi_step_lr", &args.milestones))
        return NULL;
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("multi_step_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = multi_step_next, .closed = multi_step_closed,
                                         .milestones = args.milestones, .gamma = args.gamma}));
}

wk_lr_scheduler *wk_optim_exponential_lr_with(wk_optim_exponential_lr_args args)
{
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("exponential_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = exponential_next, .closed = exponential_closed,
                                         .gamma = args.gamma, .last_epoch = args.last_epoch + 1}));
}

wk_lr_scheduler *wk_optim_linear_lr_with(wk_optim_linear_lr_args args)
{
    if (!(args.start_factor > 0 && args.start_factor <= 1 && args.end_factor >= 0 && args.end_factor <= 1))
        return wk_fail("linear_lr", "expected start_factor in (0, 1] and end_factor in [0, 1], got %g and %g",
                       args.start_factor, args.end_factor);
    if (args.total_iters <= 0)
        return wk_fail("linear_lr", "total_iters: expected 1 or more, got %lld", (long long)args.total_iters);
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("linear_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = linear_next,
                                         .closed = linear_closed,
                                         .start = args.start_factor,
                                         .end = args.end_factor,
                                         .period = args.total_iters}));
}

wk_lr_scheduler *wk_optim_constant_lr_with(wk_optim_constant_lr_args args)
{
    if (!(args.factor >= 0 && args.factor <= 1))
        return wk_fail("constant_lr", "factor: expected 0 to 1, got %g", args.factor);
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("constant_lr", args.optimizer,
                      &(wk_lr_scheduler){.next = constant_next,
                                         .closed = constant_closed,
                                         .gamma = args.factor,
                                         .period = args.total_iters}));
}

wk_lr_scheduler *wk_optim_cosine_annealing_lr_with(wk_optim_cosine_annealing_lr_args args)
{
    if (args.T_max <= 0)
        return wk_fail("cosine_annealing_lr", "T_max: expected 1 or more, got %lld", (long long)args.T_max);
    return wk_lr_scheduler_begin(wk_lr_scheduler_make("cosine_annealing_lr", args.optimizer,
                      &(wk_lr_scheduler){
                          .next = cosine_next, .closed = cosine_closed, .period = args.T_max, .end = args.eta_min}));
}

/* takes back the step that each part has made as if it were alone */
static void undo(wk_lr_scheduler *s)
{
    for (int64_t i = 0; i < s->parts.count; i++)
        undo(s->parts.items[i]);
    s->last_epoch -= s->parts.count == 0;
}

static bool check_parts(wk_optimizer *optimizer, wk_lr_schedulers parts, const wk_milestones *milestones)
{
    const char *const op = "sequential_lr";
    if (!wk_optimizer_check(op, optimizer) || !check_milestones(op, milestones))
        return false;
    if (parts.count < 1 || milestones->count != parts.count - 1)
        return wk_fail(op, "milestones: expected one fewer than schedulers, got %d for %lld", milestones->count,
                       (long long)parts.count);
    for (int64_t i = 0; i < parts.count; i++)
        if (parts.items[i] && parts.items[i]->plateau)
            return wk_fail(op, "schedulers[%lld]: reduce_lr_on_plateau asks for metrics: step it on its own",
                           (long long)i);
    for (int64_t i = 0; i < parts.count; i++)
        if (!check(op, parts.items[i]) || parts.items[i]->optimizer != optimizer)
            return wk_failing() ? false
                                : wk_fail(op, "schedulers[%lld]: belongs to another optimizer", (long long)i) != NULL;
    return true;
}

wk_lr_scheduler *wk_optim_sequential_lr_with(wk_optimizer *optimizer, wk_lr_schedulers parts, wk_milestones milestones)
{
    wk_lr_scheduler *s = NULL;
    const size_t bytes = (size_t)parts.count * sizeof *parts.items;
    wk_lr_scheduler **items = check_parts(optimizer, parts, &milestones) ? wk_alloc(bytes) : NULL;
    if (items)
        s = wk_lr_scheduler_make("sequential_lr", optimizer, &(wk_lr_scheduler){.milestones = milestones});
    else if (!wk_failing())
        wk_out_of_memory("sequential_lr", bytes);
    if (!s) {
        wk_free(items);
        for (int64_t i = 0; i < parts.count; i++)
            wk_lr_scheduler_free(parts.items[i]);
        return NULL;
    }
    s->parts = (wk_lr_schedulers){parts.count, memcpy(items, parts.items, bytes)};
    s->last_epoch = 0;
    for (int64_t g = 0; g < s->groups; g++)
        optimizer->param_groups[g].lr = optimizer->param_groups[g].initial_lr;
    undo(s);
    wk_lr_scheduler *first = s->parts.items[part_at(s, 0)];
    first_step(first);
    memcpy(s->last_lr, first->last_lr, (size_t)s->groups * sizeof *s->last_lr);
    return s;
}

/* ---------------------------------------------------------------- state dict: epochs and rates; what a schedule is
   made of is given again when it is made again */

#define KEY 160

static bool put(const wk_lr_scheduler *s, const char *prefix, wk_dict *into)
{
    char key[KEY];
    snprintf(key, sizeof key, "%slast_epoch", prefix);
    bool fine = wk_dict_set_number(into, key, (double)s->last_epoch);
    snprintf(key, sizeof key, "%sstep_count", prefix);
    fine = fine && wk_dict_set_number(into, key, (double)s->step_count);
    for (int64_t g = 0; fine && g < s->groups; g++) {
        snprintf(key, sizeof key, "%sbase_lrs.%lld", prefix, (long long)g);
        fine = wk_dict_set_number(into, key, s->base_lrs[g]);
        snprintf(key, sizeof key, "%slast_lr.%lld", prefix, (long long)g);
        fine = fine && wk_dict_set_number(into, key, s->last_lr[g]);
    }
    for (int i = 0; fine && s->plateau && i < WK_PLATEAU_STATES; i++) {
        snprintf(key, sizeof key, "%s%s", prefix, wk_plateau_names[i]);
        fine = wk_dict_set_number(into, key, s->plateau->states[i]);
    }
    for (int64_t i = 0; fine && i < s->parts.count; i++) {
        snprintf(key, sizeof key, "%sschedulers.%lld.", prefix, (long long)i);
        fine = put(s->parts.items[i], key, into);
    }
    return fine;
}

wk_dict *wk_lr_scheduler_state_dict(const wk_lr_scheduler *scheduler)
{
    wk_dict *state = check("state_dict", scheduler) ? wk_dict_new() : NULL;
    if (state && !put(scheduler, "", state)) {
        wk_dict_free(state);
        return NULL;
    }
    return state;
}

/* false: the state has no such number */
static bool number(const wk_dict *from, const char *prefix, const char *name, double *value)
{
    char key[KEY];
    snprintf(key, sizeof key, "%s%s", prefix, name);
    *value = wk_dict_number(from, key, NAN);
    return !isnan(*value);
}

/* whether the state has all numbers of the schedule; takes them where `take` */
static bool get(wk_lr_scheduler *s, const char *prefix, const wk_dict *from, bool take)
{
    char name[KEY];
    double last_epoch, step_count, base_lr, last_lr;
    if (!number(from, prefix, "last_epoch", &last_epoch) || !number(from, prefix, "step_count", &step_count) ||
        !(fabs(last_epoch) < 1e15 && fabs(step_count) < 1e15)) // whole numbers of a double's
        return false;
    for (int64_t g = 0; g < s->groups; g++) {
        snprintf(name, sizeof name, "base_lrs.%lld", (long long)g);
        bool fine = number(from, prefix, name, &base_lr);
        snprintf(name, sizeof name, "last_lr.%lld", (long long)g);
        fine = fine && number(from, prefix, name, &last_lr);
        if (!fine)
            return false;
        if (take) {
            s->base_lrs[g] = base_lr;
            s->last_lr[g] = last_lr;
        }
    }
    for (int i = 0; s->plateau && i < WK_PLATEAU_STATES; i++) {
        double value;
        if (!number(from, prefix, wk_plateau_names[i], &value))
            return false;
        if (take)
            s->plateau->states[i] = value;
    }
    if (take) {
        s->last_epoch = (int64_t)last_epoch;
        s->step_count = (int64_t)step_count;
    }
    bool fine = true;
    for (int64_t i = 0; fine && i < s->parts.count; i++) {
        snprintf(name, sizeof name, "%sschedulers.%lld.", prefix, (long long)i);
        fine = get(s->parts.items[i], name, from, take);
    }
    return fine;
}

bool wk_lr_scheduler_load_state_dict(wk_lr_scheduler *scheduler, const wk_dict *state)
{
    if (!check("load_state_dict", scheduler) || wk_failing())
        return false;
    if (!state || !get(scheduler, "", state, false))
        return wk_fail("load_state_dict", "state: is not that of such a schedule");
    return get(scheduler, "", state, true);
}
