/* Making optimizers and their groups: options and what they may be, parameters that are each there once. */
#include "optimizer.h"

#include <stdio.h>
#include <string.h>

#include <wick/cast.h>

#include "core/alloc.h"
#include "core/set.h"
#include "core/text.h"

bool wk_optimizer_check(const char *op, const wk_optimizer *optimizer)
{
    if (optimizer)
        return true;
    if (!wk_failing())
        wk_fail(op, "optimizer: expected an optimizer, got NULL");
    return false;
}

/* ---------------------------------------------------------------- options */

static const wk_option COMMON[] = {WK_OPTION_OF(wk_param_group, lr, 0, INFINITY),
                                   WK_OPTION_OF(wk_param_group, weight_decay, 0, INFINITY)};
enum { COMMON_OPTIONS = sizeof COMMON / sizeof *COMMON };

wk_option_value wk_optimizer_option(const wk_optimizer_class *class_, wk_param_group *group, int i)
{
    const wk_option *option = i < COMMON_OPTIONS ? &COMMON[i] : &class_->options[i - COMMON_OPTIONS];
    char *const options = i < COMMON_OPTIONS ? (char *)group : group->options;
    return (wk_option_value){option->name ? option : NULL, options + option->place};
}

double wk_option_get(wk_option_value o)
{
    return o.option->kind == WK_OPTION_FLAG ? *(const bool *)o.value : *(const double *)o.value;
}

void wk_option_set(wk_option_value o, double value)
{
    if (o.option->kind == WK_OPTION_FLAG)
        *(bool *)o.value = value != 0;
    else
        *(double *)o.value = value;
}

static bool check_option(const char *op, wk_option_value o)
{
    const double value = wk_option_get(o), from = o.option->bounds.from, below = o.option->bounds.below;
    if (o.option->kind == WK_OPTION_FLAG || (value >= from && value < below))
        return true;
    WK_PLAIN_NUMBERS;
    char expected[80] = "a number";
    if (from > -INFINITY)
        snprintf(expected, sizeof expected, "%g or more", from);
    if (below < INFINITY)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ", and less than %g", below);
    return wk_fail(op, "%s: expected %s, got %g", o.option->name, expected, value);
}

static bool check_options(const char *op, const wk_optimizer_class *class_, wk_param_group *group)
{
    for (int i = 0; wk_optimizer_option(class_, group, i).option; i++)
        if (!check_option(op, wk_optimizer_option(class_, group, i)))
            return false;
    return !class_->check || class_->check(op, group);
}

/* false after an error: the class has not what is given */
static bool take_given(const char *op, const wk_optimizer_class *class_, const wk_param_group_args *args,
                       wk_param_group *group)
{
    wk_param_group_args left = *args;
    wk_option_value o;
    for (int i = 0; (o = wk_optimizer_option(class_, group, i)).option; i++) {
        double *given = (double *)((char *)&left + o.option->given);
        if (!isnan(*given))
            wk_option_set(o, *given);
        *given = NAN;
    }
    char has[200] = "";
    for (size_t place = offsetof(wk_param_group_args, lr); place < sizeof left; place += sizeof(double)) {
        if (isnan(*(const double *)((const char *)&left + place)))
            continue;
        for (int i = 0; (o = wk_optimizer_option(class_, group, i)).option; i++)
            snprintf(has + strlen(has), sizeof has - strlen(has), "%s%s", i ? ", " : "", o.option->name);
        return wk_fail(op, "an option is given that %s does not have\nhint: it has %s", class_->type, has);
    }
    return true;
}

/* ---------------------------------------------------------------- parameters */

static bool check_param(const char *op, const wk_optimizer_class *class_, wk_set *all, wk_tensor *x, int64_t i)
{
    if (!wk_is_tensor(x))
        return wk_not_a_tensor(op, "params", x);
    if (!wk_is_floating_point(x))
        return wk_fail(op, "params[%lld]: expected a floating dtype, got %s", (long long)i, wk_dtype_name(x->dtype));
    if (x->grad_fn)
        return wk_fail(op, "params[%lld]: of shape %s is the result of an op: only leaves can be optimized",
                       (long long)i, wk_shape_string(x));
    if (class_->check_param && !class_->check_param(op, x))
        return false;
    const wk_set_added added = wk_set_add(op, all, x);
    if (added == WK_SET_THERE)
        wk_fail(op, "params[%lld]: of shape %s is in the optimizer already", (long long)i, wk_shape_string(x));
    return added == WK_SET_NEW;
}

static bool check_params(const char *op, const wk_optimizer *optimizer, wk_tensors params)
{
    if (!params.items || params.count <= 0)
        return wk_failing() ? false : wk_fail(op, "params: expected parameters, got an empty list\n"
                                                      "hint: wk_module_parameters(model) has those of children that "
                                                      "wk_add_module was told") != NULL;
    wk_set all = {0};
    bool fine = true;
    for (int64_t g = 0; fine && g < optimizer->param_group_count; g++)
        for (int64_t i = 0; fine && i < optimizer->param_groups[g].params.count; i++)
            fine = wk_set_add(op, &all, optimizer->param_groups[g].params.items[i]) != WK_SET_FAILED;
    for (int64_t i = 0; fine && i < params.count; i++)
        fine = check_param(op, optimizer->class_, &all, params.items[i], i);
    wk_set_free(&all);
    return fine;
}

/* ---------------------------------------------------------------- groups */

/* a copy of the options, which the group owns and shows as its class's */
static bool own_options(const char *op, const wk_optimizer_class *class_, wk_param_group *group, const void *options)
{
    group->options = wk_alloc(class_->options_bytes);
    if (!group->options)
        return wk_out_of_memory(op, class_->options_bytes);
    memcpy(group->options, options, class_->options_bytes);
    memcpy((char *)group + class_->options_place, &group->options, sizeof group->options);
    return true;
}

/* a group whose options are checked; takes them over, also after an error */
static bool add_group(const char *op, wk_optimizer *optimizer, wk_tensors params, wk_param_group group)
{
    const size_t count = (size_t)params.count, groups = (size_t)optimizer->param_group_count;
    wk_param_group *all = NULL;
    wk_tensor **items = NULL;
    wk_param_state *state = NULL;
    if (check_options(op, optimizer->class_, &group) && check_params(op, optimizer, params)) {
        all = wk_realloc(optimizer->param_groups, (groups + 1) * sizeof *all);
        optimizer->param_groups = all ? all : optimizer->param_groups;
        items = all ? wk_alloc(count * sizeof *items) : NULL;
        state = items ? wk_alloc_zeroed(count * sizeof *state) : NULL;
        if (!state)
            wk_out_of_memory(op, count * sizeof *state);
    }
    if (group.lr == 0)
        WK_WARN_ONCE(op, "lr: is 0, with which no step changes a parameter\n"
                         "hint: 1 / 1000 is 0 in C: write 1e-3, or 1.0 / 1000; a schedule warms up from a group's lr");
    if (!state) {
        wk_free(items);
        wk_free(group.options);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = wk_retain(params.items[i]);
    group.params = (wk_tensors){params.count, items};
    group.state = state;
    all[optimizer->param_group_count++] = group;
    return true;
}

wk_optimizer *wk_optimizer_new(const wk_optimizer_class *class_, wk_tensors params, double lr, double weight_decay,
                               const void *options)
{
    wk_optimizer *optimizer = wk_alloc_zeroed(sizeof *optimizer);
    if (!optimizer)
        return wk_out_of_memory(class_->type, sizeof *optimizer);
    *optimizer = (wk_optimizer){.type = class_->type, .class_ = class_};
    optimizer->defaults = (wk_param_group){.lr = lr, .weight_decay = weight_decay, .initial_lr = NAN};
    wk_param_group group = optimizer->defaults;
    if (!own_options(class_->type, class_, &optimizer->defaults, options) ||
        !own_options(class_->type, class_, &group, options) || !add_group(class_->type, optimizer, params, group)) {
        wk_optim_free(optimizer);
        return NULL;
    }
    return optimizer;
}

bool wk_optim_add_param_group_with(wk_optimizer *optimizer, wk_param_group_args args)
{
    const char *const op = "add_param_group";
    if (!wk_optimizer_check(op, optimizer))
        return false;
    wk_param_group group = optimizer->defaults;
    if (!own_options(op, optimizer->class_, &group, optimizer->defaults.options))
        return false;
    if (!take_given(op, optimizer->class_, &args, &group)) {
        wk_free(group.options);
        return false;
    }
    return add_group(op, optimizer, args.params, group);
}

void wk_param_state_clear(wk_param_state *state)
{
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++)
        wk_release(state->tensors[i]);
    *state = (wk_param_state){0};
}

void wk_optim_free(wk_optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (int64_t g = 0; g < optimizer->param_group_count; g++) {
        wk_param_group *group = &optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++) {
            wk_release(group->params.items[i]);
            wk_param_state_clear(&group->state[i]);
        }
        wk_free(group->params.items);
        wk_free(group->state);
        wk_free(group->options);
    }
    wk_free(optimizer->param_groups);
    wk_free(optimizer->defaults.options);
    wk_free(optimizer);
}
