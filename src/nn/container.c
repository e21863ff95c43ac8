/* Modules made of modules: sequential, module_list, module_dict.

   sequential lets each intermediate result go as soon as the next is there: without gradients, two layers' activations
   are alive, not the whole chain's. */
#include <stdio.h>
#include <string.h>

#include "layer.h"

typedef struct wk_nn_sequential {
    wk_module_base base;
} wk_nn_sequential;
typedef wk_nn_sequential wk_nn_module_list;

static wk_tensor *sequential_forward(void *module, wk_tensor *input)
{
    wk_tensor *x = input;
    wk_for_each_module (child, module) {
        wk_tensor *y = wk_forward(child, x);
        if (x != input && x != y)
            wk_scope_release(x);
        x = y;
    }
    return x;
}

static wk_module *append(const char *op, void *list_, void *child)
{
    wk_module *list = wk_module_check(op, list_);
    char name[24];
    if (list)
        snprintf(name, sizeof name, "%lld", (long long)list->inside->children_count);
    if (!list) {
        if (wk_is_module(child) && ((wk_module *)child)->inside->references == 0)
            wk_module_free(child);
        return NULL;
    }
    return wk_module_add_module(list, name, child) ? list : NULL;
}

static bool earlier(wk_module_tuple modules, int64_t index)
{
    for (int64_t i = 0; i < index; i++)
        if (modules.items[i] == modules.items[index])
            return true;
    return false;
}

/* list takes all, or is freed with them */
static wk_module *fill(const char *op, wk_module *list, wk_module_tuple modules)
{
    bool fine = list != NULL;
    for (int64_t i = 0; fine && i < modules.count; i++)
        fine = wk_module_check(op, modules.items[i]);
    for (int64_t i = 0; i < modules.count; i++)
        if (fine)
            fine = append(op, list, modules.items[i]) != NULL;
        else if (!earlier(modules, i) && wk_is_module(modules.items[i]) && // an earlier one may be gone
                 ((wk_module *)modules.items[i])->inside->references == 0)
            wk_module_free(modules.items[i]);
    return wk_layer_ready(list, fine);
}

wk_module *wk_nn_sequential_with(wk_module_tuple modules)
{
    return fill("nn_sequential", (wk_module *)wk_module_new(wk_nn_sequential, sequential_forward), modules);
}

wk_module *wk_nn_module_list_with(wk_module_tuple modules)
{
    return fill("nn_module_list", (wk_module *)wk_module_new(wk_nn_module_list, NULL), modules);
}

wk_module *wk_nn_sequential_append(void *list, void *module) { return append("sequential_append", list, module); }
wk_module *wk_nn_module_list_append(void *list, void *module) { return append("module_list_append", list, module); }

static wk_module *child_at(const char *op, void *list_, int64_t index)
{
    wk_module *list = wk_module_check(op, list_);
    if (!list)
        return NULL;
    const int64_t count = list->inside->children_count, from_start = index < 0 ? index + count : index;
    if (from_start < 0 || from_start >= count)
        return wk_fail(op, "index: %lld is out of range of %lld modules", (long long)index, (long long)count);
    return list->inside->children[from_start];
}

wk_module *wk_nn_sequential_index(void *list, int64_t index) { return child_at("sequential_index", list, index); }
wk_module *wk_nn_module_list_index(void *list, int64_t index) { return child_at("module_list_index", list, index); }

wk_module *wk_nn_module_dict(void)
{
    return wk_module_new_with((wk_module_args){.size = sizeof(wk_module), .type = "module_dict"});
}
