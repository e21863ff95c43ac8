/* Averages of a model's weights over its steps. */
#include <string.h>

#include <wick/cast.h>
#include <wick/module.h>
#include <wick/pointwise.h>

#include "core/alloc.h"
#include "optimizer.h"

typedef struct averaged {
    char *name;
    wk_tensor *of, *average, *before; // retained; before: of's values, inside a wk_ema_scope
    bool buffer;
} averaged;

struct wk_ema {
    averaged *items;
    int64_t count;
    double decay;
    bool warm_up;
    int64_t updates;
    bool shown; // a wk_ema_scope is open
};

static bool check(const char *op, const wk_ema *ema)
{
    return ema || (wk_failing() ? false : wk_fail(op, "ema: expected averages, got NULL") != NULL);
}

void wk_ema_free(wk_ema *ema)
{
    if (!ema)
        return;
    for (int64_t i = 0; i < ema->count; i++) {
        wk_release(ema->items[i].of);
        wk_release(ema->items[i].average);
        wk_release(ema->items[i].before);
        wk_free(ema->items[i].name);
    }
    wk_free(ema->items);
    wk_free(ema);
}

/* halves are averaged in float32: a thousandth of a step is nothing to them */
static wk_tensor *first_average(wk_tensor *x)
{
    return wk_is_half(x->dtype) ? wk_to(x, wk_float32) : wk_clone(x);
}

static bool add(const char *op, wk_ema *ema, const wk_dict *named, bool buffers)
{
    bool fine = true;
    for (int64_t i = 0; fine && i < wk_dict_count(named); i++) {
        averaged *item = &ema->items[ema->count++];
        const char *name = wk_dict_key_at(named, i);
        item->of = wk_retain(wk_dict_value_at(named, i));
        item->buffer = buffers;
        item->name = wk_alloc(strlen(name) + 1);
        if (item->name)
            strcpy(item->name, name);
        else
            wk_out_of_memory(op, strlen(name) + 1);
        wk_no_grad wk_scope item->average = wk_retain(first_average(item->of));
        fine = item->name && item->average;
    }
    return fine;
}

wk_ema *wk_ema_with(wk_ema_args args)
{
    static const char OP[] = "ema";
    if (!(args.decay >= 0 && args.decay <= 1))
        return wk_fail(OP, "decay: expected 0 to 1, got %g", args.decay);
    if (!args.module)
        return wk_fail(OP, "module: expected a module, got NULL");
    const wk_dict *parameters = wk_module_named_parameters(args.module);
    const wk_dict *buffers = parameters ? wk_module_named_buffers(args.module) : NULL;
    if (!buffers)
        return NULL;
    const int64_t count = wk_dict_count(parameters) + wk_dict_count(buffers);
    wk_ema *ema = wk_alloc_zeroed(sizeof *ema);
    if (ema)
        ema->items = wk_alloc_zeroed((size_t)(count + 1) * sizeof *ema->items);
    if (!ema || !ema->items) {
        wk_free(ema);
        return wk_out_of_memory(OP, (size_t)(count + 1) * sizeof *ema->items);
    }
    ema->decay = args.decay;
    ema->warm_up = args.warm_up;
    if (add(OP, ema, parameters, false) && add(OP, ema, buffers, true))
        return ema;
    wk_ema_free(ema);
    return NULL;
}

bool wk_ema_update(wk_ema *ema)
{
    static const char OP[] = "ema_update";
    if (!check(OP, ema) || wk_failing())
        return false;
    if (ema->shown)
        return wk_fail(OP, "ema: the model shows the averages, inside wk_ema_scope");
    const double n = (double)++ema->updates, warm = (1 + n) / (10 + n);
    const double decay = ema->warm_up && warm < ema->decay ? warm : ema->decay;
    bool fine = true;
    wk_no_grad for (int64_t i = 0; fine && i < ema->count; i++)
        wk_scope
        {
            averaged *item = &ema->items[i];
            wk_tensor *x = wk_to(item->of, item->average->device);
            fine = item->buffer || !wk_is_floating_point(x)
                       ? wk_copy_(item->average, x) != NULL
                       : wk_lerp_(item->average, wk_to(x, item->average->dtype), 1 - decay) != NULL;
        }
    return fine;
}

/* ---------------------------------------------------------------- wk_ema_scope */

static void restore(wk_ema *ema)
{
    wk_no_grad for (int64_t i = 0; i < ema->count; i++) {
        averaged *item = &ema->items[i];
        if (item->before)
            wk_scope wk_copy_(item->of, item->before);
        wk_release(item->before);
        item->before = NULL;
    }
    ema->shown = false;
}

wk_ema_guard wk_ema_scope_open(wk_ema *ema)
{
    static const char OP[] = "ema_scope";
    if (!check(OP, ema) || wk_failing())
        return (wk_ema_guard){0};
    if (ema->shown) {
        wk_fail(OP, "ema: the model shows the averages already");
        return (wk_ema_guard){0};
    }
    ema->shown = true;
    bool fine = true;
    wk_no_grad for (int64_t i = 0; fine && i < ema->count; i++)
        wk_scope
        {
            averaged *item = &ema->items[i];
            item->before = wk_retain(wk_clone(item->of));
            fine = item->before && wk_copy_(item->of, item->average);
        }
    if (fine)
        return (wk_ema_guard){ema, true};
    restore(ema);
    return (wk_ema_guard){0};
}

void wk_ema_scope_close(wk_ema_guard *guard)
{
    if (guard->ema)
        restore(guard->ema);
}

/* ---------------------------------------------------------------- state dict */

static const char UPDATES[] = "num_updates";

wk_dict *wk_ema_state_dict(wk_ema *ema)
{
    wk_dict *state = check("ema_state_dict", ema) ? wk_dict_new() : NULL;
    bool fine = state && wk_dict_set_number(state, UPDATES, (double)ema->updates);
    for (int64_t i = 0; fine && i < ema->count; i++)
        fine = wk_dict_set(state, ema->items[i].name, ema->items[i].average);
    if (fine)
        return state;
    wk_dict_free(state);
    return NULL;
}

bool wk_ema_load_state_dict(wk_ema *ema, const wk_dict *state)
{
    static const char OP[] = "ema_load_state_dict";
    if (!check(OP, ema) || wk_failing())
        return false;
    const double updates = state ? wk_dict_number(state, UPDATES, -1) : -1;
    if (!(updates >= 0 && updates < 1e15))
        return wk_fail(OP, "state: is not that of averages");
    for (int64_t i = 0; i < ema->count; i++) {
        const wk_tensor *x = wk_dict_get(state, ema->items[i].name), *average = ema->items[i].average;
        if (!x || !wk_same_shape(x, average))
            return wk_fail(OP, "%s: expected shape %s, got %s", ema->items[i].name, wk_shape_string(average),
                           x ? wk_shape_string(x) : "nothing");
    }
    bool fine = true;
    wk_no_grad for (int64_t i = 0; fine && i < ema->count; i++)
        wk_scope fine = wk_copy_(ema->items[i].average, wk_dict_get(state, ema->items[i].name)) != NULL;
    ema->updates = (int64_t)updates;
    return fine;
}
