/* State dicts of optimizers: of each parameter its tensors and step, of each group its options, by PyTorch's names. */
#include "optimizer.h"

#include <stdio.h>

#include <wick/cast.h>
#include <wick/creation.h>

#include "core/alloc.h"
#include "core/text.h"

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

/* "param_groups.0.betas.1" of betas[1] */
static const char *option_key(char key[KEY], int64_t group, const char *name)
{
    char *at = key + snprintf(key, KEY, "param_groups.%lld.", (long long)group);
    for (; *name; name++)
        if (*name != ']')
            *at++ = *name == '[' ? '.' : *name;
    *at = 0;
    return key;
}

static bool put_group(const wk_optimizer *optimizer, int64_t index, wk_dict *into)
{
    char key[KEY];
    wk_param_group *group = &optimizer->param_groups[index];
    wk_option_value o;
    bool fine = wk_dict_set_number(into, option_key(key, index, "params"), (double)group->params.count);
    for (int i = 0; fine && (o = wk_optimizer_option(optimizer->class_, group, i)).option; i++)
        fine = wk_dict_set_number(into, option_key(key, index, o.option->name), wk_option_get(o));
    if (!fine || isnan(group->initial_lr))
        return fine;
    return wk_dict_set_number(into, option_key(key, index, "initial_lr"), group->initial_lr);
}

/* false after an error: a number of the state is none, or one that its option does not take */
static bool check_numbers(const wk_optimizer *optimizer, const wk_dict *from, int64_t index)
{
    char key[KEY];
    wk_option_value o;
    for (int i = 0; (o = wk_optimizer_option(optimizer->class_, &optimizer->param_groups[index], i)).option; i++) {
        const char *text = wk_dict_text(from, option_key(key, index, o.option->name));
        const double value = wk_dict_number(from, key, NAN);
        if (text &&
            !(o.option->kind == WK_OPTION_FLAG ? !isnan(value)
                                               : value >= o.option->bounds.from && value < o.option->bounds.below))
            return wk_fail("load_state_dict", "state: %s: expected a number that %s takes, got %s", key,
                           optimizer->type, wk_shown(text, (wk_shown_text){0}));
    }
    return true;
}

static void take_group(const wk_optimizer *optimizer, const wk_dict *from, int64_t index)
{
    char key[KEY];
    wk_param_group *group = &optimizer->param_groups[index];
    wk_option_value o;
    for (int i = 0; (o = wk_optimizer_option(optimizer->class_, group, i)).option; i++)
        wk_option_set(o, wk_dict_number(from, option_key(key, index, o.option->name), wk_option_get(o)));
    group->initial_lr = wk_dict_number(from, option_key(key, index, "initial_lr"), NAN);
}

wk_dict *wk_optim_state_dict(wk_optimizer *optimizer)
{
    wk_dict *state = wk_optimizer_check("state_dict", optimizer) ? wk_dict_new() : NULL;
    bool fine = state != NULL;
    int64_t index = 0;
    wk_scope
    for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
        const wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; fine && i < group->params.count; i++)
            fine = put_state(optimizer, &group->state[i], index++, state);
        fine = fine && put_group(optimizer, g, state);
    }
    if (!fine) {
        wk_dict_free(state);
        return NULL;
    }
    return state;
}

/* copies of the tensors of one parameter, in its dtype, on its device */
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
        wk_tensor *copy = wk_to_dtype(wk_to_device(value, param->device), param->dtype);
        copy = wk_contiguous(copy == value ? wk_clone(value) : copy);
        if (!copy)
            return false;
        state->tensors[i] = wk_retain(copy);
    }
    snprintf(key, sizeof key, "state.%lld.step", (long long)index);
    wk_tensor *step = wk_dict_get(from, key);
    const double count = step ? wk_item(step) // a first step is told by what it left
                              : wk_dict_number(from, key, state->tensors[0] != NULL); // PyTorch before 1.12: a number
    if (wk_failing())
        return false;
    if (!(count >= 0 && count < 1e15 && count == floor(count)))
        return wk_fail("load_state_dict", "state: %s: expected a whole number, 0 or more, got %g", key, count);
    state->step = (int64_t)count;
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
        if (own >= 0 && !check_numbers(optimizer, from, g))
            return false;
    }
    return true;
}

bool wk_optim_load_state_dict(wk_optimizer *optimizer, const wk_dict *from)
{
    if (!wk_optimizer_check("load_state_dict", optimizer) || wk_failing())
        return false;
    if (!from)
        return wk_fail("load_state_dict", "state: expected a dict, got NULL");
    if (!check_groups(optimizer, from))
        return false;
    int64_t total = 0, index = 0;
    for (int64_t g = 0; g < optimizer->param_group_count; g++)
        total += optimizer->param_groups[g].params.count;
    wk_param_state *states = wk_alloc_zeroed((size_t)total * sizeof *states);
    if (!states)
        return wk_out_of_memory("load_state_dict", (size_t)total * sizeof *states);
    bool fine = true;
    wk_no_grad wk_scope
    for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
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
        take_group(optimizer, from, g);
    }
    for (int64_t i = 0; i < total; i++)
        wk_param_state_clear(&states[i]);
    wk_free(states);
    return fine;
}
