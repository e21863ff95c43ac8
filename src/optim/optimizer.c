/* Optimizers: parameter groups, states, a step over all parameters, and state dicts.

   A step makes every missing state first and moves parameters after, so that one without memory leaves all where they
   were. */
#include "optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/creation.h>

#include "autograd/node.h"
#include "core/alloc.h"

/* ---------------------------------------------------------------- groups */

bool wk_optimizer_check(const char *op, const wk_optimizer *optimizer)
{
    if (optimizer)
        return true;
    if (!wk_failing())
        wk_fail(op, "optimizer: expected an optimizer, got NULL");
    return false;
}

static bool check_options(const char *op, const wk_param_group *group)
{
    const struct {
        const char *name;
        double value;
        double below; // values lie in 0 .. below
    } options[] = {{"lr", group->lr, INFINITY},
                   {"betas[0]", group->betas[0], 1},
                   {"betas[1]", group->betas[1], 1},
                   {"eps", group->eps, INFINITY},
                   {"momentum", group->momentum, INFINITY},
                   {"weight_decay", group->weight_decay, INFINITY}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!(options[i].value >= 0 && options[i].value < options[i].below))
            return wk_fail(op, "%s: expected 0 or more%s, got %g", options[i].name,
                           options[i].below == 1 ? ", and less than 1" : "", options[i].value);
    if (group->nesterov && (group->momentum <= 0 || group->dampening != 0))
        return wk_fail(op, "nesterov: expected a momentum, and no dampening, got momentum %g, dampening %g",
                       group->momentum, group->dampening);
    return true;
}

static bool has_param(const wk_param_group *group, int64_t count, const wk_tensor *x)
{
    for (int64_t i = 0; i < count; i++)
        if (group->params.items[i] == x)
            return true;
    return false;
}

static bool check_params(const char *op, const wk_optimizer *optimizer, wk_tensors params)
{
    if (!params.items || params.count <= 0)
        return wk_failing() ? false : wk_fail(op, "params: expected parameters, got an empty list") != NULL;
    for (int64_t i = 0; i < params.count; i++) {
        wk_tensor *x = params.items[i];
        if (!x)
            return wk_null_input(op, "params") != NULL;
        if (!wk_is_floating_point(x))
            return wk_fail(op, "params[%lld]: expected a floating dtype, got %s", (long long)i,
                           wk_dtype_name(x->dtype));
        if (x->grad_fn)
            return wk_fail(op, "params[%lld]: of shape %s is the result of an op: only leaves can be optimized",
                           (long long)i, wk_shape_string(x));
        bool twice = has_param(&(wk_param_group){.params = params}, i, x);
        for (int64_t group = 0; group < optimizer->param_group_count; group++)
            twice |= has_param(&optimizer->param_groups[group], optimizer->param_groups[group].params.count, x);
        if (twice)
            return wk_fail(op, "params[%lld]: of shape %s is in the optimizer already", (long long)i,
                           wk_shape_string(x));
    }
    return true;
}

static bool add_group(const char *op, wk_optimizer *optimizer, wk_tensors params, wk_param_group group)
{
    if (!check_options(op, &group) || !check_params(op, optimizer, params))
        return false;
    const size_t count = (size_t)params.count, groups = (size_t)optimizer->param_group_count;
    wk_param_group *all = wk_realloc(optimizer->param_groups, (groups + 1) * sizeof *all);
    if (all)
        optimizer->param_groups = all;
    wk_tensor **items = all ? wk_alloc(count * sizeof *items) : NULL;
    wk_param_state *state = items ? wk_alloc_zeroed(count * sizeof *state) : NULL;
    if (!state) {
        wk_free(items);
        return wk_out_of_memory(op, count * sizeof *state);
    }
    for (size_t i = 0; i < count; i++)
        items[i] = wk_retain(params.items[i]);
    group.params = (wk_tensors){params.count, items};
    group.state = state;
    group.initial_lr = NAN;
    all[optimizer->param_group_count++] = group;
    return true;
}

wk_optimizer *wk_optimizer_new(const wk_optimizer_class *class_, wk_tensors params, wk_param_group defaults)
{
    wk_optimizer *optimizer = wk_alloc_zeroed(sizeof *optimizer);
    if (!optimizer)
        return wk_out_of_memory(class_->type, sizeof *optimizer);
    *optimizer = (wk_optimizer){.type = class_->type, .class_ = class_, .defaults = defaults};
    if (!add_group(class_->type, optimizer, params, defaults)) {
        wk_optim_free(optimizer);
        return NULL;
    }
    return optimizer;
}

bool wk_optim_add_param_group_with(wk_optimizer *optimizer, wk_param_group_args args)
{
    if (!wk_optimizer_check("add_param_group", optimizer))
        return false;
    wk_param_group group = optimizer->defaults;
    group.lr = isnan(args.lr) ? group.lr : args.lr;
    group.weight_decay = isnan(args.weight_decay) ? group.weight_decay : args.weight_decay;
    return add_group("add_param_group", optimizer, args.params, group);
}

static void state_clear(wk_param_state *state)
{
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++)
        wk_release(state->tensors[i]);
    *state = (wk_param_state){0};
}

void wk_optim_free(wk_optimizer *optimizer)
{
    for (int64_t g = 0; optimizer && g < optimizer->param_group_count; g++) {
        wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++) {
            wk_release(group->params.items[i]);
            state_clear(&group->state[i]);
        }
        wk_free(group->params.items);
        wk_free(group->state);
    }
    if (optimizer)
        wk_free(optimizer->param_groups);
    wk_free(optimizer);
}

/* ---------------------------------------------------------------- step */

bool wk_optimizer_flat(const wk_tensor *param, const wk_tensor *grad, const wk_param_state *state)
{
    bool flat = (param->dtype == wk_float32 || param->dtype == wk_float64) && wk_is_contiguous(param);
    flat &= grad->dtype == param->dtype && wk_is_contiguous(grad);
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++)
        flat &= !state->tensors[i] || (state->tensors[i]->dtype == param->dtype && wk_is_contiguous(state->tensors[i]));
    return flat;
}

static bool check_grad(const wk_optimizer *optimizer, const wk_tensor *param)
{
    if (wk_same_shape(param, param->grad) && param->grad->dtype == param->dtype)
        return true;
    wk_fail(optimizer->type, "grad: expected %s of shape %s, as the parameter, got %s of shape %s",
            wk_dtype_name(param->dtype), wk_shape_string(param), wk_dtype_name(param->grad->dtype),
            wk_shape_string(param->grad));
    return false;
}

/* the state tensors that these options ask for, zeros where they are new */
static bool prepare(const wk_optimizer *optimizer, const wk_param_group *group, wk_param_state *state, wk_tensor *param)
{
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++) {
        if (!optimizer->class_->tensors[i] || state->tensors[i] || !optimizer->class_->has_tensor(group, i))
            continue;
        wk_tensor *zeros = wk_zeros_like(param);
        if (!zeros)
            return false;
        state->tensors[i] = wk_retain(zeros);
    }
    return true;
}

bool wk_optim_step(wk_optimizer *optimizer)
{
    if (!wk_optimizer_check("step", optimizer) || wk_failing())
        return false;
    bool fine = true;
    wk_no_grad for (int moving = 0; fine && moving < 2; moving++)
    {
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
            const wk_param_group *group = &optimizer->param_groups[g];
            for (int64_t i = 0; fine && i < group->params.count; i++) {
                wk_tensor *param = group->params.items[i];
                if (!param->grad)
                    continue;
                wk_scope
                {
                    if (moving)
                        fine = optimizer->class_->update(group, &group->state[i], param, param->grad);
                    else
                        fine = check_grad(optimizer, param) && prepare(optimizer, group, &group->state[i], param);
                }
            }
        }
    }
    return fine;
}

void wk_optim_zero_grad_with(wk_optim_zero_grad_args args)
{
    if (!wk_optimizer_check("zero_grad", args.optimizer))
        return;
    for (int64_t g = 0; g < args.optimizer->param_group_count; g++) {
        const wk_param_group *group = &args.optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++) {
            wk_tensor *param = group->params.items[i];
            if (!param->grad)
                continue;
            if (args.set_to_none) {
                wk_release(param->grad);
                param->grad = NULL;
            } else {
                wk_no_grad
                {
                    if (param->grad->grad_fn)
                        wk_detach_(param->grad);
                    wk_zero_(param->grad);
                }
            }
        }
    }
}

/* ---------------------------------------------------------------- state dict */

/* the numbers of a group by name */
typedef struct option {
    const char *name;
    double *number;
    bool *flag;
} option;

enum { OPTIONS = 11 };

static void options_of(wk_param_group *group, option options[OPTIONS])
{
    const option all[OPTIONS] = {{"lr", &group->lr, NULL},
                                 {"betas.0", &group->betas[0], NULL},
                                 {"betas.1", &group->betas[1], NULL},
                                 {"eps", &group->eps, NULL},
                                 {"momentum", &group->momentum, NULL},
                                 {"dampening", &group->dampening, NULL},
                                 {"weight_decay", &group->weight_decay, NULL},
                                 {"nesterov", NULL, &group->nesterov},
                                 {"amsgrad", NULL, &group->amsgrad},
                                 {"maximize", NULL, &group->maximize},
                                 {"initial_lr", &group->initial_lr, NULL}};
    memcpy(options, all, sizeof all);
}

#define KEY 96 // longest key of a state dict

static bool put_state(const wk_optimizer *optimizer, const wk_param_state *state, int64_t index, wk_dict *into)
{
    char key[KEY];
    bool fine = true;
    for (int i = 0; fine && i < WK_OPTIMIZER_TENSORS; i++)
        if (state->tensors[i]) {
            snprintf(key, sizeof key, "state.%lld.%s", (long long)index, optimizer->class_->tensors[i]);
            fine = wk_dict_set(into, key, state->tensors[i]);
        }
    if (!fine || !optimizer->class_->counts_steps || state->step == 0)
        return fine;
    snprintf(key, sizeof key, "state.%lld.step", (long long)index);
    return wk_dict_set(into, key, wk_tensor((), &(float){(float)state->step}));
}

static bool put_group(wk_param_group *group, int64_t index, wk_dict *into)
{
    char key[KEY];
    option options[OPTIONS];
    options_of(group, options);
    bool fine = true;
    for (int i = 0; fine && i < OPTIONS; i++) {
        snprintf(key, sizeof key, "param_groups.%lld.%s", (long long)index, options[i].name);
        fine = wk_dict_set_number(into, key, options[i].number ? *options[i].number : *options[i].flag);
    }
    snprintf(key, sizeof key, "param_groups.%lld.params", (long long)index);
    return fine && wk_dict_set_number(into, key, (double)group->params.count);
}

wk_dict *wk_optim_state_dict(wk_optimizer *optimizer)
{
    wk_dict *state = wk_optimizer_check("state_dict", optimizer) ? wk_dict_new() : NULL;
    bool fine = state != NULL;
    int64_t index = 0;
    wk_scope for (int64_t g = 0; fine && g < optimizer->param_group_count; g++)
    {
        wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; fine && i < group->params.count; i++)
            fine = put_state(optimizer, &group->state[i], index++, state);
        fine = fine && put_group(group, g, state);
    }
    if (!fine) {
        wk_dict_free(state);
        return NULL;
    }
    return state;
}

/* copies of the tensors of one parameter, in its dtype */
static bool take_state(const wk_optimizer *optimizer, const wk_dict *from, int64_t index, const wk_tensor *param,
                       wk_param_state *state)
{
    char key[KEY];
    for (int i = 0; i < WK_OPTIMIZER_TENSORS && optimizer->class_->tensors[i]; i++) {
        snprintf(key, sizeof key, "state.%lld.%s", (long long)index, optimizer->class_->tensors[i]);
        wk_tensor *value = wk_dict_get(from, key);
        if (!value)
            continue;
        if (!wk_same_shape(value, param))
            return wk_fail("load_state_dict", "state: %s has shape %s, its parameter %s", key, wk_shape_string(value),
                           wk_shape_string(param));
        wk_tensor *copy = wk_to(value, param->dtype);
        copy = copy == value ? wk_clone(value) : copy;
        copy = copy ? wk_contiguous(copy) : NULL;
        if (!copy)
            return false;
        state->tensors[i] = wk_retain(copy);
    }
    snprintf(key, sizeof key, "state.%lld.step", (long long)index);
    wk_tensor *step = wk_dict_get(from, key);
    state->step = step ? wk_item_int64(step) : state->tensors[0] != NULL; // a first step is told by what it left
    return true;
}

/* false after an error: the state is of other groups */
static bool check_groups(const wk_optimizer *optimizer, const wk_dict *from)
{
    char key[KEY];
    for (int64_t g = 0; g <= optimizer->param_group_count; g++) {
        snprintf(key, sizeof key, "param_groups.%lld.params", (long long)g);
        const double count = wk_dict_number(from, key, -1);
        const int64_t own = g < optimizer->param_group_count ? optimizer->param_groups[g].params.count : -1;
        if (count != (double)own)
            return wk_fail("load_state_dict",
                           "state: group %lld has %lld parameters in the state, %lld in the optimizer "
                           "(-1: there is no such group)",
                           (long long)g, (long long)count, (long long)own);
    }
    return true;
}

bool wk_optim_load_state_dict(wk_optimizer *optimizer, const wk_dict *from)
{
    if (!wk_optimizer_check("load_state_dict", optimizer))
        return false;
    if (!from)
        return wk_failing() ? false : wk_fail("load_state_dict", "state: expected a dict, got NULL") != NULL;
    if (!check_groups(optimizer, from))
        return false;
    int64_t total = 0, index = 0;
    for (int64_t g = 0; g < optimizer->param_group_count; g++)
        total += optimizer->param_groups[g].params.count;
    wk_param_state *states = wk_alloc_zeroed((size_t)total * sizeof *states);
    if (!states)
        return wk_out_of_memory("load_state_dict", (size_t)total * sizeof *states);
    bool fine = true;
    wk_no_grad wk_scope for (int64_t g = 0; fine && g < optimizer->param_group_count; g++)
    {
        const wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; fine && i < group->params.count; i++, index++)
            fine = take_state(optimizer, from, index, group->params.items[i], &states[index]);
    }
    index = 0;
    for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
        wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++, index++) {
            const wk_param_state before = group->state[i];
            group->state[i] = states[index];
            states[index] = before;
        }
        option options[OPTIONS];
        options_of(group, options);
        for (int i = 0; i < OPTIONS; i++) {
            char key[KEY];
            snprintf(key, sizeof key, "param_groups.%lld.%s", (long long)g, options[i].name);
            if (options[i].number)
                *options[i].number = wk_dict_number(from, key, *options[i].number);
            else
                *options[i].flag = wk_dict_number(from, key, *options[i].flag) != 0;
        }
    }
    for (int64_t i = 0; i < total; i++)
        state_clear(&states[i]);
    wk_free(states);
    return fine;
}
