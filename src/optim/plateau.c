/* Reducing rates where a measure stops getting better
   (https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html). */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "scheduler.h"

enum { BEST, BAD_EPOCHS, COOLDOWN };
const char *const wk_plateau_names[WK_PLATEAU_STATES] = {"best", "num_bad_epochs", "cooldown_counter"};

static bool is_max(const wk_plateau *p) { return strcmp(p->args.mode, "max") == 0; }

/* NaN is never better */
static bool is_better(const wk_plateau *p, double metrics)
{
    const double best = p->states[BEST], threshold = p->args.threshold;
    const bool relative = strcmp(p->args.threshold_mode, "rel") == 0;
    if (is_max(p))
        return metrics > (relative ? best * (threshold + 1.0) : best + threshold);
    return metrics < (relative ? best * (1.0 - threshold) : best - threshold);
}

static void reduce(wk_lr_scheduler *s)
{
    const wk_plateau *p = s->plateau;
    for (int64_t g = 0; g < s->groups; g++) {
        double *lr = &s->optimizer->param_groups[g].lr;
        const double reduced = fmax(*lr * p->args.factor, p->args.min_lr);
        if (*lr - reduced > p->args.eps)
            *lr = reduced;
    }
}

static void note_rates(wk_lr_scheduler *s)
{
    for (int64_t g = 0; g < s->groups; g++)
        s->last_lr[g] = s->optimizer->param_groups[g].lr;
}

void wk_plateau_step(wk_lr_scheduler *s, double metrics)
{
    double *states = s->plateau->states;
    s->last_epoch++;
    if (is_better(s->plateau, metrics)) {
        states[BEST] = metrics;
        states[BAD_EPOCHS] = 0;
    } else {
        states[BAD_EPOCHS]++;
    }
    if (states[COOLDOWN] > 0) {
        states[COOLDOWN]--;
        states[BAD_EPOCHS] = 0;
    }
    if (states[BAD_EPOCHS] > (double)s->plateau->args.patience) {
        reduce(s);
        states[COOLDOWN] = (double)s->plateau->args.cooldown;
        states[BAD_EPOCHS] = 0;
    }
    note_rates(s);
}

static bool check_name(const char *op, const char *argument, const char *got, const char *a, const char *b)
{
    return (got && (strcmp(got, a) == 0 || strcmp(got, b) == 0)) ||
           wk_fail(op, "%s: expected \"%s\" or \"%s\", got \"%s\"", argument, a, b, got ? got : "(null)");
}

wk_lr_scheduler *wk_optim_reduce_lr_on_plateau_with(wk_optim_reduce_lr_on_plateau_args args)
{
    static const char OP[] = "reduce_lr_on_plateau";
    if (!wk_optimizer_check(OP, args.optimizer) || !check_name(OP, "mode", args.mode, "min", "max") ||
        !check_name(OP, "threshold_mode", args.threshold_mode, "rel", "abs"))
        return NULL;
    if (!(args.factor < 1))
        return wk_fail(OP, "factor: expected less than 1, got %g", args.factor);
    wk_plateau *plateau = wk_alloc_zeroed(sizeof *plateau);
    if (!plateau)
        return wk_out_of_memory(OP, sizeof *plateau);
    plateau->args = args;
    plateau->states[BEST] = is_max(plateau) ? -INFINITY : INFINITY;
    wk_lr_scheduler *s = wk_lr_scheduler_make(OP, args.optimizer, &(wk_lr_scheduler){.plateau = plateau});
    if (!s) {
        wk_free(plateau);
        return NULL;
    }
    s->last_epoch = 0;
    note_rates(s);
    return s;
}
