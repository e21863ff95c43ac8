/* The inside of optimizers: what each kind fills in. */
#ifndef WICK_OPTIMIZER_H
#define WICK_OPTIMIZER_H

#include <wick/autograd.h>
#include <wick/optim.h>

#include "core/tensor.h"

enum { WK_OPTIMIZER_TENSORS = 3 };

/* of one parameter; tensors are NULL until its first step */
typedef struct wk_param_state {
    int64_t step;
    wk_tensor *tensors[WK_OPTIMIZER_TENSORS]; // retained
} wk_param_state;

/* A kind of optimizer.  Its update runs for each parameter with a gradient, once all states are there: by a kernel
   where dtype and layout allow, else by ops. */
typedef struct wk_optimizer_class {
    const char *type;
    const char *tensors[WK_OPTIMIZER_TENSORS]; // names in the state dict; NULL: none
    bool counts_steps;                         // "step" stands in the state dict
    bool (*has_tensor)(const wk_param_group *group, int tensor); // whether these options need it
    bool (*update)(const wk_param_group *group, wk_param_state *state, wk_tensor *param, wk_tensor *grad);
} wk_optimizer_class;

/* an optimizer with one group, of the options in defaults; NULL after an error */
wk_optimizer *wk_optimizer_new(const wk_optimizer_class *class_, wk_tensors params, wk_param_group defaults);

/* a kernel takes these: float32 or float64, contiguous, all of one dtype */
bool wk_optimizer_flat(const wk_tensor *param, const wk_tensor *grad, const wk_param_state *state);
static inline void *wk_data_or_null(const wk_tensor *x) { return x ? wk_data(x) : NULL; }

/* schedules count on it: a schedule for as many groups as there are */
bool wk_optimizer_check(const char *op, const wk_optimizer *optimizer);

#endif
