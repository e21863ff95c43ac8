/* requires_grad, detach, hooks: what a user says to a tensor about gradients. */
#include <string.h>

#include "core/alloc.h"
#include "node.h"

wk_tensor *wk_requires_grad_(wk_tensor *x, bool requires_grad)
{
    WK_REQUIRE("requires_grad_", x);
    if (requires_grad && !wk_dtype_is_floating(x->dtype) && !wk_dtype_is_complex(x->dtype))
        return wk_fail("requires_grad_", "x: expected a floating or complex dtype, got %s", wk_dtype_name(x->dtype));
    if (!requires_grad && wk_grad_fn(x))
        return wk_fail("requires_grad_", "x: only a leaf can stop requiring grad, and this is the result of %s\n"
                                         "hint: use wk_detach", x->grad_fn->name);
    x->requires_grad = requires_grad;
    return x;
}

wk_tensor *wk_detach(wk_tensor *x)
{
    WK_REQUIRE("detach", x);
    return wk_tensor_alias("detach", x, x->ndim, x->shape, x->strides, 0);
}

wk_tensor *wk_detach_(wk_tensor *x)
{
    WK_REQUIRE("detach_", x);
    if (x->view)
        return wk_fail("detach_", "x: is a view, which cannot be detached in place\nhint: use wk_detach");
    wk_object_release((wk_object *)x->grad_fn);
    x->grad_fn = NULL;
    x->requires_grad = false;
    return x;
}

bool wk_is_leaf(const wk_tensor *x) { return x && !x->grad_fn; }

static void hooks_destroy(wk_object *object)
{
    wk_free(((wk_hooks *)object)->items);
    wk_free(object);
}

static wk_hooks *hooks_of(wk_tensor *x, const char *op)
{
    if (!wk_grad_fn(x) && !x->requires_grad)
        return wk_fail(op, "x: does not require grad");
    wk_hooks *hooks = x->hooks;
    if (!hooks) {
        hooks = wk_alloc_zeroed(sizeof *hooks);
        if (!hooks)
            return wk_out_of_memory(op, sizeof *hooks);
        hooks->head.object = (wk_object){.references = 1, .destroy = hooks_destroy};
        x->hooks = hooks;
    }
    wk_node *node = wk_grad_fn(x);
    if (node && node->output[x->output_nr].hooks != hooks) {
        wk_object_release(node->output[x->output_nr].hooks);
        wk_object_retain(&hooks->head.object);
        node->output[x->output_nr].hooks = hooks;
    }
    return hooks;
}

int wk_register_hook(wk_tensor *x, wk_tensor_hook *hook, void *context)
{
    if (!x || !hook) {
        wk_null_input("register_hook", x ? "hook" : "x");
        return 0;
    }
    wk_hooks *hooks = hooks_of(x, "register_hook");
    wk_hook *items = hooks ? wk_realloc(hooks->items, (size_t)(hooks->count + 1) * sizeof *items) : NULL;
    if (!items) {
        if (hooks)
            wk_out_of_memory("register_hook", sizeof *items);
        return 0;
    }
    const int handle = hooks->count ? items[hooks->count - 1].handle + 1 : 1;
    hooks->items = items;
    items[hooks->count++] = (wk_hook){handle, hook, context};
    return handle;
}

void wk_remove_hook(wk_tensor *x, int handle)
{
    wk_hooks *hooks = x ? x->hooks : NULL;
    for (int i = 0; hooks && i < hooks->count; i++)
        if (hooks->items[i].handle == handle) {
            memmove(hooks->items + i, hooks->items + i + 1, (size_t)(hooks->count - i - 1) * sizeof *hooks->items);
            hooks->count--;
            return;
        }
}

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
