/* The inside of schedules. */
#ifndef WICK_SCHEDULER_H
#define WICK_SCHEDULER_H

#include "optimizer.h"

/* the rate of a group at last_epoch, from the one before (next) or from the initial one (closed) */
typedef double wk_next_lr(const wk_lr_scheduler *scheduler, int64_t group, double lr);

struct wk_lr_scheduler {
    wk_optimizer *optimizer;
    wk_next_lr *next, *closed;
    int64_t groups, last_epoch, step_count;
    double *base_lrs, *last_lr;
    bool initial; // making its first rate

    /* what the kinds are made of */
    int64_t period; // step_size, T_max, total_iters, total_steps
    double gamma, start, end;
    wk_lr_lambda *lambda;
    void *context;
    wk_milestones milestones;
    wk_lr_schedulers parts;     // of sequential_lr
    struct wk_one_cycle *cycle; // of one_cycle_lr
    struct wk_plateau *plateau; // of reduce_lr_on_plateau
};

/* of the kind in `like`, which goes on at its last_epoch (0: from the start), its first rate not yet set; then the same
   with it */
wk_lr_scheduler *wk_lr_scheduler_make(const char *op, wk_optimizer *optimizer, const wk_lr_scheduler *like);
wk_lr_scheduler *wk_lr_scheduler_begin(wk_lr_scheduler *scheduler);

bool wk_one_cycle_check(const wk_lr_scheduler *scheduler); // whether a step is left; false after an error

/* a step by what was measured; the state that is no epoch and no rate, each with its name in the state dict */
enum { WK_PLATEAU_STATES = 3 };
typedef struct wk_plateau {
    double states[WK_PLATEAU_STATES]; // best, num_bad_epochs, cooldown_counter
    wk_optim_reduce_lr_on_plateau_args args;
} wk_plateau;
extern const char *const wk_plateau_names[WK_PLATEAU_STATES];
void wk_plateau_step(wk_lr_scheduler *scheduler, double metrics);

#endif
