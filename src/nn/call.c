/* Calling modules: the scope around a forward, the modules that run (for tracebacks and wk_summary), and hooks. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <wick/autograd.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/profile.h"
#include "module.h"

/* The modules that run in this thread, outermost first.  Deeper ones are counted, not kept: only the innermost that is
   kept names itself in errors. */
enum { KEPT = 256 };
static const char FORWARD[] = "a module's forward";
static _Thread_local wk_module *running[KEPT];
static _Thread_local int depth;

static _Thread_local wk_call_observer *observer;
static _Thread_local void *observer_context;

void wk_call_observe(wk_call_observer *function, void *context)
{
    observer = function;
    observer_context = context;
}

/* ---------------------------------------------------------------- who runs */

/* "blocks.0.attn" of a module, from the root of its tree */
static void write_path(const wk_module *module, char *text, size_t size)
{
    const wk_module *chain[64];
    int count = 0;
    for (; module->inside->parent && count < 64; module = module->inside->parent)
        chain[count++] = module;
    size_t used = 0;
    text[0] = '\0';
    while (count-- > 0 && used < size)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "." : "", chain[count]->inside->name);
}

static void write_running(char *text, size_t size)
{
    if (depth == 0)
        return;
    const wk_module *module = running[depth <= KEPT ? depth - 1 : KEPT - 1];
    write_path(module, text, size);
    const size_t used = strlen(text);
    snprintf(text + used, size - used, used ? " (%s)" : "%s", module->type);
}

static void install_path(void) { wk_error_set_module_path_hook(write_running); }

static const wk_module *root_of(const wk_module *module)
{
    while (module->inside->parent)
        module = module->inside->parent;
    return module;
}

static bool trains(const wk_module *module)
{
    for (int64_t i = 0; i < module->inside->parameters.count; i++)
        if (module->inside->parameters.items[i].tensor && module->inside->parameters.items[i].tensor->requires_grad)
            return true;
    for (int64_t i = 0; i < module->inside->children_count; i++)
        if (trains(module->inside->children[i]))
            return true;
    return false;
}

/* A module that runs in another's forward, would train, is in no tree of those that run, and was never treated as a
   root itself (a teacher or a discriminator is: asked for its parameters, loaded, or set to a mode): most likely it was
   put into a field without wk_add_module, which Python does by assignment. */
static void find_place(wk_module *module, const wk_module *caller)
{
    const wk_module *root = root_of(module);
    const bool placed = root->inside->asked || root->inside->references > 0 ||
                        wk_module_contains(root_of(running[0]), module) || !trains(module);
    if (!placed && !wk_is_grad_enabled())
        return;
    module->inside->placed = true;
    if (placed)
        return;
    WK_WARN_ONCE("forward",
                 "module: a %s runs inside a %s, but belongs to no module: it has no place in parameters() and "
                 "state_dict(), and does not train\n"
                 "hint: wk_add_module(self, field, child) in place of self->field = child",
                 module->type, caller->type);
}

static int enter(wk_module *module)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; // before a module runs that an error could name
    if (depth == 0)
        pthread_once(&once, install_path);
    else if (!module->inside->placed)
        find_place(module, running[depth <= KEPT ? depth - 1 : KEPT - 1]);
    if (depth < KEPT)
        running[depth] = module;
    if (observer)
        observer(module, NULL, true, observer_context);
    wk_profile_begin(module->type);
    return depth++;
}

static void leave(wk_module *module, wk_tensor *y, int before)
{
    depth = before;
    wk_profile_end();
    if (observer)
        observer(module, y, false, observer_context);
}

/* ---------------------------------------------------------------- hooks */

static wk_hook_handle register_hook(const char *op, void *module_, bool pre, void *function, void *context)
{
    wk_module *module = wk_module_check(op, module_);
    if (!module || !function) {
        if (module)
            wk_fail(op, "hook: expected a function, got NULL");
        return (wk_hook_handle){0};
    }
    wk_module_hooks *hooks = pre ? &module->inside->pre_hooks : &module->inside->hooks;
    wk_module_hook *items = wk_realloc(hooks->items, (size_t)(hooks->count + 1) * sizeof *items);
    if (!items) {
        wk_out_of_memory(op, (size_t)(hooks->count + 1) * sizeof *items);
        return (wk_hook_handle){0};
    }
    const int id = ++module->inside->last_hook;
    hooks->items = items;
    items[hooks->count++] = (wk_module_hook){id, function, context};
    return (wk_hook_handle){module, id};
}

wk_hook_handle wk_module_register_forward_pre_hook(void *module, wk_forward_pre_hook *hook, void *context)
{
    return register_hook("register_forward_pre_hook", module, true, (void *)hook, context);
}

wk_hook_handle wk_module_register_forward_hook(void *module, wk_forward_hook *hook, void *context)
{
    return register_hook("register_forward_hook", module, false, (void *)hook, context);
}

static void remove_from(wk_module_hooks *hooks, int id)
{
    for (int64_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].id == id) {
            hooks->count--;
            memmove(hooks->items + i, hooks->items + i + 1, (size_t)(hooks->count - i) * sizeof *hooks->items);
            return;
        }
}

void wk_hook_remove(wk_hook_handle handle)
{
    if (!handle.module || !wk_module_check("hook_remove", handle.module))
        return;
    remove_from(&handle.module->inside->pre_hooks, handle.id);
    remove_from(&handle.module->inside->hooks, handle.id);
}

/* A hook may remove itself: then the one that follows has moved to its place. */
static wk_tensor *run_pre_hooks(wk_module *module, wk_tensor *x)
{
    const wk_module_hooks *hooks = &module->inside->pre_hooks;
    for (int64_t i = 0; x && i < hooks->count;) {
        const wk_module_hook hook = hooks->items[i];
        wk_tensor *replaced = ((wk_forward_pre_hook *)hook.function)(module, x, hook.context);
        x = replaced ? replaced : wk_failing() ? NULL : x;
        i += i < hooks->count && hooks->items[i].id == hook.id;
    }
    return x;
}

static wk_tensor *run_hooks(wk_module *module, wk_tensor *x, wk_tensor *y)
{
    const wk_module_hooks *hooks = &module->inside->hooks;
    for (int64_t i = 0; y && i < hooks->count;) {
        const wk_module_hook hook = hooks->items[i];
        wk_tensor *replaced = ((wk_forward_hook *)hook.function)(module, x, y, hook.context);
        y = replaced ? replaced : wk_failing() ? NULL : y;
        i += i < hooks->count && hooks->items[i].id == hook.id;
    }
    return y;
}

/* ---------------------------------------------------------------- forward, call */

void *wk_checkpoint_wrapper_with(wk_checkpoint_wrapper_args args)
{
    wk_module *module = wk_module_check("checkpoint_wrapper", args.module);
    if (module) {
        module->inside->checkpointed = true;
        module->inside->preserve_rng_state = args.preserve_rng_state;
    }
    return module;
}

/* the forward alone, in whatever runs it: the module is among those that run also when it runs again */
static wk_tensor *forward_again(void *module_, wk_tensor *x)
{
    wk_module *module = module_;
    const int before = enter(module);
    wk_tensor *y = module->inside->forward(module, x);
    leave(module, y, before);
    return y;
}

static wk_tensor *checkpointed(wk_module *module, wk_tensor *x)
{
    return wk_checkpoint(forward_again, module, (x), .preserve_rng_state = module->inside->preserve_rng_state);
}

wk_tensor *wk_forward(void *module_, wk_tensor *x)
{
    wk_module *module = wk_module_check("forward", module_);
    if (!module)
        return NULL;
    WK_REQUIRE("forward", x);
    if (!module->inside->forward)
        return wk_fail("forward", "a %s has no forward of one input\nhint: wk_call(function, module, x, ...)",
                       module->type);
    const int before = enter(module);
    wk_scope_guard scope = wk_scope_open(FORWARD, 0);
    x = run_pre_hooks(module, x);
    wk_tensor *y = !x                              ? NULL
                   : !module->inside->checkpointed ? module->inside->forward(module, x)
                                                   : checkpointed(module, x);
    y = y ? run_hooks(module, x, y) : NULL;
    wk_scope_hand_out(y);
    wk_scope_close(&scope);
    leave(module, y, before);
    return y;
}

wk_call_guard wk_call_open(void *module_, bool scope)
{
    wk_module *module = wk_module_check("call", module_);
    wk_call_guard guard = {.module = module, .depth = -1};
    if (!module)
        return guard;
    guard.depth = enter(module);
    guard.scoped = scope;
    if (scope)
        guard.scope = wk_scope_open(FORWARD, 0);
    return guard;
}

void wk_call_keep(wk_call_guard *guard, void *result)
{
    wk_tensor *y;
    memcpy(&y, result, sizeof y);
    if (guard->module) {
        y = run_hooks(guard->module, NULL, y);
        wk_scope_hand_out(y);
        memcpy(result, &y, sizeof y);
        if (observer)
            observer(guard->module, y, false, observer_context);
    }
}

void wk_call_no_keep(wk_call_guard *guard, void *result)
{
    (void)result;
    if (guard->module && observer)
        observer(guard->module, NULL, false, observer_context);
}

void wk_call_close(wk_call_guard *guard)
{
    if (guard->scoped)
        wk_scope_close(&guard->scope);
    if (guard->depth >= 0) {
        depth = guard->depth;
        wk_profile_end();
    }
}
