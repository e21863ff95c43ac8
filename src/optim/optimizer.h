/* The inside of optimizers: what each class fills in. */
#ifndef WICK_OPTIMIZER_H
#define WICK_OPTIMIZER_H

#include <math.h>
#include <stddef.h>

#include <wick/autograd.h>
#include <wick/optim.h>

#include "core/host.h"
#include "kernels/optimizers.h"

/* of one parameter; tensors are NULL until its first step, and as its own: shape, dtype, device, in dense memory */
typedef struct wk_param_state {
    int64_t step;
    wk_tensor *tensors[WK_OPTIMIZER_TENSORS]; // retained
    wk_tensor *values, *grad;                 // during a step: the parameter and its gradient, or dense copies
} wk_param_state;

/* A row of a class's table of options, which is where its checks, its groups and the keys of its state dict come from:
       WK_OPTION(sgd, momentum, 0, INFINITY)   a double of group->sgd, 0 or more; as a keyword of add_param_group,
                                               momentum; in a state dict, "momentum"
       WK_OPTION(adam, betas[1], 0, 1)         0 or more and less than 1; in a state dict, "betas.1"
       WK_OPTION(sgd, nesterov)                a bool */
typedef struct wk_option {
    const char *name; // NULL ends the table
    enum { WK_OPTION_NUMBER, WK_OPTION_FLAG } kind;
    size_t place; // in the struct of the class's options
    size_t given; // in wk_param_group_args
    struct {
        double from, below;
    } bounds; // of a number
} wk_option;
#define WK_OPTION(class_, name, ...) WK_OPTION_OF(__typeof__(*((wk_param_group *)0)->class_), name, __VA_ARGS__)
#define WK_OPTION_OF(type, name, ...)                                                                                  \
    {#name,                                                                                                            \
     _Generic(((type *)0)->name, double: WK_OPTION_NUMBER, bool: WK_OPTION_FLAG),                                      \
     offsetof(type, name),                                                                                             \
     offsetof(wk_param_group_args, name),                                                                              \
     {__VA_ARGS__}}

/* One call of a kernel: parameters of one group, dtype and device whose steps so far are as many. */
typedef struct wk_optimizer_call {
    const char *op;
    const wk_tensor *like;
    int64_t step; // the first is 1; 0 where nothing is kept
    wk_optimizer_list list;
} wk_optimizer_call;

typedef struct wk_optimizer_class {
    const char *type;
    const wk_option *options;
    size_t options_place, options_bytes;       // of the pointer in a group, and of what it points to
    const char *tensors[WK_OPTIMIZER_TENSORS]; // names in the state dict, in the kernel's order; NULL: none
    bool counts_steps;                         // "step" stands in the state dict
    bool (*has_tensor)(const wk_param_group *group, int tensor);              // whether these options need it
    double (*initial)(const wk_param_group *group, int tensor);               // what fills a new one; NULL: 0
    bool (*check)(const char *op, const wk_param_group *group);               // what bounds cannot say; NULL: nothing
    bool (*check_param)(const char *op, const wk_tensor *param);              // NULL: all that float
    bool (*step)(const wk_param_group *group, const wk_optimizer_call *call); // runs the kernel; false after an error
    bool (*update)(const wk_param_group *group, wk_param_state *state);       // in its place: by ops, of one parameter
} wk_optimizer_class;
/* the three fields of options, of the member of wk_param_group */
#define WK_OPTIONS(class_, table)                                                                                      \
    .options = table, .options_place = offsetof(wk_param_group, class_),                                               \
    .options_bytes = sizeof *((wk_param_group *)0)->class_

/* the i-th option of a group, the common ones first: its row and its place; option NULL after the last */
typedef struct wk_option_value {
    const wk_option *option;
    void *value;
} wk_option_value;
wk_option_value wk_optimizer_option(const wk_optimizer_class *class_, wk_param_group *group, int i);
double wk_option_get(wk_option_value o);
void wk_option_set(wk_option_value o, double value);

void wk_param_state_clear(wk_param_state *state);

/* an optimizer with one group, of these options (of the class's struct); NULL after an error */
wk_optimizer *wk_optimizer_new(const wk_optimizer_class *class_, wk_tensors params, double lr, double weight_decay,
                               const void *options);

/* schedules count on it: a schedule for as many groups as there are */
bool wk_optimizer_check(const char *op, const wk_optimizer *optimizer);

#endif
