/* Looking through a tree of modules: parameters, buffers and modules by name, and what is done to all of them.

   Order is PyTorch's: a module's own members in order of registration, then its children's.  What is reached twice
   (tied weights, a shared module) is listed once, at its first path. */
#include <stdio.h>
#include <string.h>

#include <wick/autograd.h>

#include "autograd/node.h"
#include "core/alloc.h"
#include "core/set.h"
#include "module.h"

/* ---------------------------------------------------------------- the walk */

char *wk_module_join(const char *op, const char *path, const char *name)
{
    const size_t length = strlen(path) + strlen(name) + 2;
    char *joined = wk_alloc(length);
    if (!joined)
        return wk_out_of_memory(op, length);
    snprintf(joined, length, "%s%s%s", path, *path ? "." : "", name);
    return joined;
}

static bool walk(const char *op, wk_module *module, const char *path, wk_set *before, wk_module_visit *visit,
                 void *context)
{
    const wk_set_added added = before ? wk_set_add(op, before, module) : WK_SET_NEW;
    if (added != WK_SET_NEW)
        return added == WK_SET_THERE;
    bool fine = visit(module, path, context);
    for (int64_t i = 0; fine && i < module->inside->children_count; i++) {
        char *child = wk_module_join(op, path, module->inside->child_names[i]);
        fine = child && walk(op, module->inside->children[i], child, before, visit, context);
        wk_free(child);
    }
    return fine;
}

bool wk_module_walk(const char *op, wk_module *module, bool shared_once, wk_module_visit *visit, void *context)
{
    wk_set before = {0};
    const bool fine = walk(op, module, "", shared_once ? &before : NULL, visit, context);
    wk_set_free(&before);
    return fine;
}

/* ---------------------------------------------------------------- parameters, buffers */

typedef struct gather {
    const char *op;
    bool buffers;
    wk_dict *into;
    wk_set listed;
    const char *prefix; // NULL: none
} gather;

static bool gather_members(wk_module *module, const char *path, void *context)
{
    gather *wanted = context;
    const wk_members *members = wanted->buffers ? &module->inside->buffers : &module->inside->parameters;
    for (int64_t i = 0; i < members->count; i++) {
        if (!members->items[i].tensor)
            continue;
        const wk_set_added added = wk_set_add(wanted->op, &wanted->listed, members->items[i].tensor);
        if (added == WK_SET_THERE)
            continue;
        if (added == WK_SET_FAILED)
            return false;
        char *name = wk_module_join(wanted->op, path, members->items[i].name);
        if (name && wanted->prefix && *wanted->prefix) {
            char *whole = wk_module_join(wanted->op, wanted->prefix, name);
            wk_free(name);
            name = whole;
        }
        const bool set = name && wk_dict_set(wanted->into, name, members->items[i].tensor);
        wk_free(name);
        if (!set)
            return false;
    }
    return true;
}

static wk_dict *named(const char *op, wk_module *module, bool buffers, const wk_module_list_args *args)
{
    gather wanted = {.op = op, .buffers = buffers, .into = wk_dict_new(), .prefix = args->prefix};
    const bool fine = wanted.into && (args->recurse ? wk_module_walk(op, module, true, gather_members, &wanted)
                                                    : gather_members(module, "", &wanted));
    wk_set_free(&wanted.listed);
    if (!fine) {
        wk_dict_free(wanted.into);
        return NULL;
    }
    return wanted.into;
}

static const wk_dict *named_list(const char *op, bool buffers, wk_module_list_args args)
{
    wk_module *module = wk_module_check(op, args.module);
    if (!module)
        return NULL;
    module->inside->asked = true;
    wk_dict **list = buffers ? &module->inside->lists.named_buffers : &module->inside->lists.named_parameters;
    wk_dict_free(*list);
    return *list = named(op, module, buffers, &args);
}

const wk_dict *wk_module_named_parameters_with(wk_module_list_args args)
{
    return named_list("named_parameters", false, args);
}
const wk_dict *wk_module_named_buffers_with(wk_module_list_args args)
{
    return named_list("named_buffers", true, args);
}
const wk_dict *(wk_module_named_parameters)(void *module) { return wk_module_named_parameters(module); }
const wk_dict *(wk_module_named_buffers)(void *module) { return wk_module_named_buffers(module); }

static wk_tensors list(const char *op, bool buffers, wk_module_list_args args)
{
    wk_module *module = wk_module_check(op, args.module);
    wk_dict *found = module ? named(op, module, buffers, &args) : NULL;
    if (!found)
        return (wk_tensors){0};
    module->inside->asked = true;
    const int64_t count = wk_dict_count(found);
    wk_tensor ***place = buffers ? &module->inside->lists.buffers : &module->inside->lists.parameters;
    wk_tensor **items = wk_realloc(*place, (size_t)(count + 1) * sizeof *items);
    if (items) {
        *place = items;
        for (int64_t i = 0; i < count; i++)
            items[i] = wk_dict_value_at(found, i);
    } else {
        wk_out_of_memory(op, (size_t)(count + 1) * sizeof *items);
    }
    wk_dict_free(found);
    return items ? (wk_tensors){count, items} : (wk_tensors){0};
}

wk_tensors wk_module_parameters_for(const char *op, void *module) { return list(op, false, WK_MODULE_LIST(module)); }
wk_tensors wk_module_parameters_with(wk_module_list_args args) { return list("parameters", false, args); }
wk_tensors wk_module_buffers_with(wk_module_list_args args) { return list("buffers", true, args); }
wk_tensors(wk_module_parameters)(void *module) { return wk_module_parameters(module); }
wk_tensors(wk_module_buffers)(void *module) { return wk_module_buffers(module); }

int64_t wk_module_parameter_count(void *module)
{
    const wk_tensors parameters = wk_module_parameters_for("parameter_count", module);
    int64_t count = 0;
    for (int64_t i = 0; i < parameters.count; i++)
        count += parameters.items[i]->numel;
    return count;
}

/* ---------------------------------------------------------------- modules */

static bool gather_module(wk_module *module, const char *path, void *context)
{
    wk_module_lists *lists = context;
    const size_t count = (size_t)lists->modules_count;
    wk_module **modules = wk_realloc(lists->modules, (count + 1) * sizeof *modules);
    if (modules)
        lists->modules = modules;
    char **names = modules ? wk_realloc(lists->module_names, (count + 1) * sizeof *names) : NULL;
    if (names)
        lists->module_names = names;
    char *name = names ? wk_strdup(path) : NULL;
    if (!name)
        return wk_out_of_memory("modules", (count + 1) * sizeof *modules);
    modules[count] = module;
    names[count] = name;
    lists->modules_count++;
    return true;
}

wk_modules wk_module_modules(void *module_)
{
    wk_module *module = wk_module_check("modules", module_);
    if (!module)
        return (wk_modules){0};
    wk_module_lists *lists = &module->inside->lists;
    wk_module_lists_free_modules(lists);
    if (!wk_module_walk("modules", module, true, gather_module, lists)) {
        wk_module_lists_free_modules(lists);
        return (wk_modules){0};
    }
    return (wk_modules){lists->modules_count, lists->modules, (const char **)lists->module_names};
}

wk_modules wk_module_children(void *module_)
{
    wk_module *module = wk_module_check("children", module_);
    if (!module)
        return (wk_modules){0};
    return (wk_modules){module->inside->children_count, module->inside->children,
                        (const char **)module->inside->child_names};
}

wk_module *const *wk_module_first_child(void *module_)
{
    static wk_module *const none;
    wk_module *module = wk_module_check("children", module_);
    return module ? module->inside->children : &none;
}

/* ---------------------------------------------------------------- by path */

/* the child whose name begins path and ends at a dot or its end; NULL where there is none */
static wk_module *child_at(const wk_module *module, const char *path, size_t length)
{
    for (int64_t i = 0; i < module->inside->children_count; i++) {
        const char *name = module->inside->child_names[i];
        if (strlen(name) == length && strncmp(name, path, length) == 0)
            return module->inside->children[i];
    }
    return NULL;
}

static wk_module *submodule(const char *op, wk_module *module, const char *path, const char *end)
{
    for (const char *at = path; at < end;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const size_t length = (size_t)((dot ? dot : end) - at);
        wk_module *child = child_at(module, at, length);
        if (!child)
            return wk_fail(op, "path: \"%s\": %s has no module \"%.*s\"", path, module->type, (int)length, at);
        module = child;
        at = dot ? dot + 1 : end;
    }
    return module;
}

void *wk_module_get_submodule(void *module_, const char *path)
{
    wk_module *module = wk_module_check("get_submodule", module_);
    if (!module || !path)
        return module ? wk_fail("get_submodule", "path: expected a path, got NULL") : NULL;
    return submodule("get_submodule", module, path, path + strlen(path));
}

static wk_tensor *member_at(const char *op, void *module_, const char *path, bool buffers)
{
    wk_module *module = wk_module_check(op, module_);
    if (!module || !path)
        return module ? wk_fail(op, "path: expected a path, got NULL") : NULL;
    const char *dot = strrchr(path, '.');
    module = submodule(op, module, path, dot ? dot : path);
    if (!module)
        return NULL;
    const wk_members *members = buffers ? &module->inside->buffers : &module->inside->parameters;
    const char *name = dot ? dot + 1 : path;
    for (int64_t i = 0; i < members->count; i++)
        if (strcmp(members->items[i].name, name) == 0 && members->items[i].tensor)
            return members->items[i].tensor;
    return wk_fail(op, "path: \"%s\": %s has no %s \"%s\"", path, module->type, buffers ? "buffer" : "parameter", name);
}

wk_tensor *wk_module_get_parameter(void *module, const char *path)
{
    return member_at("get_parameter", module, path, false);
}

wk_tensor *wk_module_get_buffer(void *module, const char *path) { return member_at("get_buffer", module, path, true); }

/* ---------------------------------------------------------------- done to all */

static void set_training(wk_module *module, bool mode)
{
    module->training = mode;
    for (int64_t i = 0; i < module->inside->children_count; i++)
        set_training(module->inside->children[i], mode);
}

void *wk_module_train_with(wk_module_train_args args)
{
    wk_module *module = wk_module_check("train", args.module);
    if (!module)
        return NULL;
    module->inside->asked = true;
    set_training(module, args.mode);
    return module;
}

void *wk_module_eval(void *module_)
{
    wk_module *module = wk_module_check("eval", module_);
    if (!module)
        return NULL;
    module->inside->asked = true;
    set_training(module, false);
    return module;
}

static void apply(wk_module *module, void (*function)(wk_module *module, void *context), void *context)
{
    for (int64_t i = 0; i < module->inside->children_count; i++)
        apply(module->inside->children[i], function, context);
    function(module, context);
}

void *wk_module_apply(void *module_, void (*function)(wk_module *module, void *context), void *context)
{
    wk_module *module = wk_module_check("apply", module_);
    if (module && !function)
        return wk_fail("apply", "function: expected a function, got NULL");
    if (module)
        apply(module, function, context);
    return module;
}

void *(wk_module_requires_grad_)(void *module, bool requires_grad)
{
    const wk_tensors parameters = wk_module_parameters_for("requires_grad_", module);
    for (int64_t i = 0; i < parameters.count; i++)
        if (!wk_requires_grad_(parameters.items[i], requires_grad))
            return NULL;
    return parameters.items ? module : NULL;
}

void *wk_module_zero_grad(void *module)
{
    const wk_tensors parameters = wk_module_parameters_for("zero_grad", module);
    for (int64_t i = 0; i < parameters.count; i++)
        wk_grad_clear(parameters.items[i]);
    return parameters.items ? module : NULL;
}

/* ---------------------------------------------------------------- parameters by name and shape */

wk_tensors wk_module_parameters_where_with(wk_parameters_where_args args)
{
    static const char OP[] = "parameters_where";
    const wk_dict *named = wk_module_named_parameters(args.module);
    if (!named)
        return (wk_tensors){0};
    if (!args.which) {
        wk_fail(OP, "which: expected a function, got NULL");
        return (wk_tensors){0};
    }
    const int64_t count = wk_dict_count(named);
    wk_tensors chosen = {.items = wk_scope_alloc(OP, (size_t)(count + 1) * sizeof *chosen.items)};
    for (int64_t i = 0; chosen.items && i < count; i++) {
        wk_tensor *x = wk_dict_value_at(named, i);
        if (args.which(wk_dict_key_at(named, i), x, args.context) != args.except)
            chosen.items[chosen.count++] = x;
    }
    return chosen;
}
