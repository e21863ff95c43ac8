/* weight_norm: a parameter becomes a length and a direction, from which it is computed before each forward. */
#include <stdio.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/nn_normalization.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>

#include "autograd/node.h"
#include "module.h"

typedef char part_name[128];

static const char *part_of(const char *name, char part, part_name text)
{
    snprintf(text, sizeof(part_name), "%s_%c", name, part);
    return text;
}

/* the norm over all dims but one; over all, without dims, where there is none */
static wk_tensor *norm_but(wk_tensor *x, int64_t dim)
{
    if (dim == WK_NO_DIM)
        return wk_norm(x);
    wk_reduce_args args = {.x = x, .p = 2, .keepdim = true};
    for (int i = 0; i < x->ndim; i++)
        if (i != dim)
            args.dims.sizes[args.dims.ndim++] = i;
    return args.dims.ndim ? wk_norm_with(args) : wk_abs(x);
}

/* v * g / norm(v): over the dims along which g has one number */
static wk_tensor *weight_of(wk_module *module, const char *name)
{
    part_name text;
    wk_members *parameters = &module->inside->parameters;
    const wk_member *of_g = wk_module_find_member(parameters, part_of(name, 'g', text));
    const wk_member *of_v = wk_module_find_member(parameters, part_of(name, 'v', text));
    wk_tensor *g = of_g ? of_g->tensor : NULL, *v = of_v ? of_v->tensor : NULL;
    if (!g || !v)
        return wk_fail("weight_norm", "module: a %s without %s_g and %s_v", module->type, name, name);
    int64_t kept = WK_NO_DIM;
    for (int i = 0; i < g->ndim; i++)
        if (kept == WK_NO_DIM || g->shape[i] != 1)
            kept = i;
    return wk_mul(v, wk_div(g, norm_but(v, kept)));
}

static wk_tensor *before_forward(wk_module *module, wk_tensor *x, void *context)
{
    (void)x, (void)context;
    const wk_members *computed = &module->inside->computed;
    for (int64_t i = 0; i < computed->count; i++) {
        wk_tensor *weight = weight_of(module, computed->items[i].name);
        if (!weight || !wk_module_set_computed(module, computed->items[i].name, NULL, weight))
            return NULL;
    }
    return NULL;
}

static bool split(wk_module *module, const char *name, int64_t dim)
{
    static const char OP[] = "weight_norm";
    part_name text;
    const wk_member *member = wk_module_find_member(&module->inside->parameters, name);
    wk_tensor *weight = member ? member->tensor : NULL;
    if (!weight)
        return wk_fail(OP, "name: expected a parameter of the %s, got \"%s\"", module->type, name);
    if (strlen(name) + 3 > sizeof(part_name))
        return wk_fail(OP, "name: expected at most %d characters", (int)sizeof(part_name) - 3);
    if (dim != WK_NO_DIM && (dim = wk_check_dim(OP, weight->ndim, dim)) < 0)
        return false;
    wk_tensor *g = WK_WITHOUT_GRAD(norm_but(weight, dim)), *v = wk_detach(weight);
    void *const place = member->place;
    const bool first = module->inside->computed.count == 0;
    const wk_hook_handle hook = g && v && first ? wk_module_register_forward_pre_hook(module, before_forward, NULL)
                                                : (wk_hook_handle){module, 0};
    bool fine = g && v && hook.module && wk_module_register_parameter(module, part_of(name, 'g', text), g) &&
                wk_module_register_parameter(module, part_of(name, 'v', text), v);
    if (fine) {
        wk_tensor *const before = wk_retain(weight); // until the field shows another
        wk_module_remove_member(&module->inside->parameters, name);
        fine = wk_module_set_computed(module, name, place, v);
        if (!fine)
            wk_parameter_add_at(module, name, place, before);
        wk_release(before);
    }
    if (!fine) {
        wk_module_remove_member(&module->inside->parameters, part_of(name, 'g', text));
        wk_module_remove_member(&module->inside->parameters, part_of(name, 'v', text));
        wk_hook_remove(hook);
    }
    return fine;
}

wk_module *wk_nn_utils_weight_norm_with(wk_nn_weight_norm_args args)
{
    wk_module *module = wk_module_check("weight_norm", args.module);
    bool fine = false;
    if (module)
        wk_scope
    fine = split(module, args.name, args.dim);
    return fine ? module : NULL;
}

static bool join(wk_module *module, const char *name)
{
    part_name text;
    const wk_member *member = wk_module_find_member(&module->inside->computed, name);
    if (!member)
        return wk_fail("remove_weight_norm", "name: expected a weight of weight_norm, got \"%s\" of a %s", name,
                       module->type);
    void *const place = member->place;
    wk_tensor *weight = WK_WITHOUT_GRAD(weight_of(module, name));
    wk_tensor *parameter = weight ? wk_parameter(weight) : NULL;
    if (!parameter)
        return false;
    wk_module_remove_member(&module->inside->computed, name);
    wk_module_remove_member(&module->inside->parameters, part_of(name, 'g', text));
    wk_module_remove_member(&module->inside->parameters, part_of(name, 'v', text));
    if (module->inside->computed.count == 0)
        for (int i = 0; i < module->inside->pre_hooks.count; i++)
            if (module->inside->pre_hooks.items[i].function == (void *)before_forward)
                wk_hook_remove((wk_hook_handle){module, module->inside->pre_hooks.items[i].id});
    return wk_parameter_add_at(module, name, place, parameter) != NULL;
}

wk_module *wk_nn_utils_remove_weight_norm_with(wk_nn_weight_norm_args args)
{
    wk_module *module = wk_module_check("remove_weight_norm", args.module);
    bool fine = false;
    if (module)
        wk_scope
    fine = join(module, args.name);
    return fine ? module : NULL;
}
