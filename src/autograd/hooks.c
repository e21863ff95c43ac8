/* Hooks: a user's functions that run when backward has a tensor's gradient, or has added it to a leaf's grad; and
   retain_grad.

   As in PyTorch a run is over the hooks that were there when it began: one that is removed meanwhile still has its
   turn, one that is registered meanwhile waits for the next. */
#include <pthread.h>
#include <string.h>

#include "core/alloc.h"
#include "kernels/fork.h"
#include "backward.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the lists: not held while a hook runs
__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&lock); }

static void hooks_destroy(wk_object *object)
{
    wk_hooks *hooks = (wk_hooks *)object;
    if (hooks->older)
        wk_object_release(&hooks->older->head.object);
    wk_free(hooks->items);
    wk_free(hooks);
}

/* under the lock: a list in place of `older`; NULL where there is no memory */
static wk_hooks *new_list(wk_tensor *x, wk_node *node, wk_hooks *older)
{
    wk_hooks *fresh = wk_alloc_zeroed(sizeof *fresh);
    if (!fresh)
        return NULL;
    fresh->head.object = (wk_object){.references = 1, .destroy = hooks_destroy};
    fresh->older = older;
    __atomic_store_n(&x->hooks, (void *)fresh, __ATOMIC_RELEASE); // backward looks without the lock
    if (node) {
        wk_object_retain(&fresh->head.object);
        __atomic_store_n(&node->output[x->output_nr].hooks, (void *)fresh, __ATOMIC_RELEASE);
    }
    return fresh;
}

/* x's list, for where x comes from now: of a leaf its own, else the one that its node holds, too */
static wk_hooks *hooks_of(wk_tensor *x, const char *op)
{
    wk_node *node = wk_grad_fn(x);
    if (!node && !x->requires_grad)
        return wk_fail(op, "x: does not require grad");
    pthread_mutex_lock(&lock);
    wk_hooks *hooks = x->hooks;
    if (!hooks || (node && node->output[x->output_nr].hooks != hooks))
        hooks = new_list(x, node, hooks);
    pthread_mutex_unlock(&lock);
    return hooks ? hooks : wk_out_of_memory(op, sizeof *hooks);
}

/* ---------------------------------------------------------------- registering */

static int add_hook(wk_hooks *hooks, const char *op, wk_hook hook)
{
    static int handles;
    if (!hooks)
        return 0;
    pthread_mutex_lock(&lock);
    const size_t bytes = (size_t)(hooks->count + 1) * sizeof hook;
    wk_hook *items = wk_realloc(hooks->items, bytes);
    if (items) {
        hook.handle = ++handles;
        hooks->items = items;
        items[hooks->count++] = hook;
    }
    pthread_mutex_unlock(&lock);
    if (!items)
        wk_out_of_memory(op, bytes);
    return hook.handle;
}

int wk_register_hook(wk_tensor *x, wk_tensor_hook *hook, void *context)
{
    const char *op = "register_hook";
    if (!wk_is_tensor(x) || !hook) {
        wk_not_a_tensor(op, wk_is_tensor(x) ? "hook" : "x", wk_is_tensor(x) ? NULL : x);
        return 0;
    }
    return add_hook(hooks_of(x, op), op, (wk_hook){.function = hook, .context = context});
}

int wk_register_post_accumulate_grad_hook(wk_tensor *leaf, wk_post_accumulate_grad_hook *hook, void *context)
{
    const char *op = "register_post_accumulate_grad_hook";
    if (!wk_is_tensor(leaf) || !hook) {
        wk_not_a_tensor(op, wk_is_tensor(leaf) ? "hook" : "leaf", wk_is_tensor(leaf) ? NULL : leaf);
        return 0;
    }
    if (wk_grad_fn(leaf)) {
        wk_fail(op, "leaf: is the result of %s, and only leaves accumulate a grad\n"
                    "hint: wk_register_hook sees the gradient of any tensor", leaf->grad_fn->name);
        return 0;
    }
    return add_hook(hooks_of(leaf, op), op, (wk_hook){.after = hook, .context = context});
}

static void remove_from(wk_hooks *hooks, int handle)
{
    for (; hooks; hooks = hooks->older)
        for (int i = 0; i < hooks->count; i++)
            if (hooks->items[i].handle == handle) {
                wk_hook *item = &hooks->items[i];
                memmove(item, item + 1, (size_t)(hooks->count - i - 1) * sizeof *item);
                hooks->count--;
                return;
            }
}

void wk_remove_hook(wk_tensor *x, int handle)
{
    if (x && !wk_is_tensor(x)) {
        wk_not_a_tensor("remove_hook", "x", x);
        return;
    }
    pthread_mutex_lock(&lock);
    remove_from(x ? x->hooks : NULL, handle);
    pthread_mutex_unlock(&lock);
}

/* ---------------------------------------------------------------- retain_grad */

wk_tensor *wk_retain_grad(wk_tensor *x)
{
    WK_REQUIRE("retain_grad", x);
    wk_hooks *hooks = hooks_of(x, "retain_grad");
    if (!hooks)
        return NULL;
    if (x->grad_fn)
        hooks->head.retain_grad = x;
    return x;
}

bool wk_set_grad_fn(wk_tensor *x, wk_node *node, int output_nr)
{
    wk_hooks *hooks = x->hooks;
    wk_object_retain((wk_object *)node);
    wk_object_release((wk_object *)x->grad_fn);
    x->grad_fn = node;
    x->output_nr = output_nr;
    x->requires_grad = node != NULL;
    if (!hooks || !hooks->head.retain_grad)
        return true;
    hooks->head.retain_grad = NULL;
    return !node || wk_retain_grad(x);
}

/* a copy, since it is held here: what flows on may be written into, or be the caller's.  Recorded, never in place. */
static bool add_to_retained(wk_tensor *x, wk_tensor *gradient)
{
    wk_tensor *held = wk_retain(gradient);
    const bool fine = wk_grad_accumulate(x, &held, true);
    wk_release(held);
    return fine;
}

/* ---------------------------------------------------------------- running */

/* the hooks as they are now, to be freed; NULL after an error */
static wk_hook *copy_of(const wk_hooks *hooks, int *count)
{
    pthread_mutex_lock(&lock);
    const size_t bytes = (size_t)hooks->count * sizeof(wk_hook);
    wk_hook *items = wk_alloc(bytes + 1);
    if (items && bytes)
        memcpy(items, hooks->items, bytes);
    *count = hooks->count;
    pthread_mutex_unlock(&lock);
    return items ? items : wk_out_of_memory("backward", bytes);
}

static wk_tensor *run_hook(const wk_hook *hook, wk_tensor *gradient)
{
    wk_tensor *replaced = hook->function(gradient, hook->context);
    if (wk_failing())
        return NULL;
    if (!replaced)
        return gradient;
    if (!wk_same_shape(replaced, gradient) || replaced->dtype != gradient->dtype)
        return wk_fail("register_hook", "hook: expected to replace a gradient of shape %s, %s, got %s, %s",
                       wk_shape_string(gradient), wk_dtype_name(gradient->dtype), wk_shape_string(replaced),
                       wk_dtype_name(replaced->dtype));
    return replaced;
}

wk_tensor *wk_run_hooks(wk_hooks *hooks, wk_tensor *gradient)
{
    int count;
    wk_hook *items = copy_of(hooks, &count);
    if (!items)
        return NULL;
    wk_object_retain(&hooks->head.object);
    for (int i = 0; gradient && i < count; i++)
        if (items[i].function)
            gradient = run_hook(&items[i], gradient);
    /* after the hooks, whenever it was asked for */
    if (gradient && hooks->head.retain_grad && !add_to_retained(hooks->head.retain_grad, gradient))
        gradient = NULL;
    wk_object_release(&hooks->head.object);
    wk_free(items);
    return gradient;
}

bool wk_run_post_accumulate_hooks(const wk_hooks *hooks, wk_tensor *leaf)
{
    int count;
    wk_hook *items = copy_of(hooks, &count);
    for (int i = 0; items && i < count && !wk_failing(); i++)
        if (items[i].after)
            wk_scope items[i].after(leaf, items[i].context);
    wk_free(items);
    return items && !wk_failing();
}
