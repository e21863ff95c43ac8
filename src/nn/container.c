/* Modules made of modules: sequential, module_list, module_dict; and parameter_list.

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

/* what a list would have owned, but for an error */
static void *let_go(void *child)
{
    if (wk_is_module(child) && ((wk_module *)child)->inside->references == 0)
        wk_module_free(child);
    return NULL;
}

static wk_module *append(const char *op, void *list_, void *child)
{
    wk_module *list = wk_module_check(op, list_);
    if (!list)
        return let_go(child);
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)list->inside->children_count);
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

wk_module *wk_nn_module_list_extend_with(void *list, wk_module_tuple modules)
{
    bool fine = wk_module_check("module_list_extend", list) != NULL;
    for (int64_t i = 0; i < modules.count; i++)
        if (fine)
            fine = append("module_list_extend", list, modules.items[i]) != NULL;
        else if (!earlier(modules, i))
            let_go(modules.items[i]);
    return fine ? list : NULL;
}

wk_module *wk_nn_module_list_insert(void *list_, int64_t index, void *module)
{
    const char *const op = "module_list_insert";
    wk_module *list = wk_module_check(op, list_);
    if (!list)
        return let_go(module);
    struct wk_module_inside *inside = list->inside;
    const int64_t count = inside->children_count, at = index < 0 ? index + count : index;
    if (at < 0 || at > count) {
        let_go(module);
        return wk_fail(op, "index: %lld is out of range of %lld modules", (long long)index, (long long)count);
    }
    if (!append(op, list, module))
        return NULL;
    memmove(inside->children + at + 1, inside->children + at, (size_t)(count - at) * sizeof *inside->children);
    inside->children[at] = module;
    for (int64_t i = at; i <= count; i++) // the numbers stay where they are
        if (inside->children[i]->inside->parent == list)
            inside->children[i]->inside->name = inside->child_names[i];
    return list;
}

wk_module *wk_nn_sequential_slice_with(wk_nn_sequential_slice_args args)
{
    const wk_module *list = wk_module_check_type("sequential_slice", args.list, "sequential");
    wk_module *slice = list ? wk_nn_sequential_with((wk_module_tuple){0}) : NULL;
    if (!slice)
        return NULL;
    const int64_t count = list->inside->children_count;
    const int64_t start = args.start < 0 ? args.start + count : args.start;
    const int64_t stop = args.stop < 0 ? args.stop + count : args.stop < count ? args.stop : count;
    bool fine = true;
    for (int64_t i = start < 0 ? 0 : start; fine && i < stop; i++)
        fine = wk_module_add_module(slice, list->inside->child_names[i], list->inside->children[i]);
    slice->training = list->training;
    return wk_layer_ready(slice, fine);
}

/* ---------------------------------------------------------------- parameters */

typedef struct wk_nn_parameter_list {
    wk_module_base base;
} wk_nn_parameter_list;

wk_module *wk_nn_parameter_list_append(void *list_, wk_tensor *tensor)
{
    const char *const op = "parameter_list_append";
    wk_module *list = wk_module_check_type(op, list_, "parameter_list");
    if (!list)
        return NULL;
    WK_REQUIRE(op, tensor);
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)list->inside->parameters.count);
    return wk_module_register_parameter(list, name, tensor) ? list : NULL;
}

wk_module *wk_nn_parameter_list_with(wk_tensors tensors)
{
    wk_module *list = (wk_module *)wk_module_new(wk_nn_parameter_list, NULL);
    bool fine = list != NULL;
    for (int64_t i = 0; fine && i < tensors.count; i++)
        fine = wk_nn_parameter_list_append(list, tensors.items[i]) != NULL;
    return wk_layer_ready(list, fine);
}

wk_tensor *wk_nn_parameter_list_index(void *list_, int64_t index)
{
    const wk_module *list = wk_module_check_type("parameter_list_index", list_, "parameter_list");
    if (!list)
        return NULL;
    const wk_members *own = &list->inside->parameters;
    const int64_t at = index < 0 ? index + own->count : index;
    if (at < 0 || at >= own->count)
        return wk_fail("parameter_list_index", "index: %lld is out of range of %lld parameters", (long long)index,
                       (long long)own->count);
    return own->items[at].tensor;
}

/* ---------------------------------------------------------------- by number */

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

bool wk_nn_module_dict_contains(void *dict, const char *name)
{
    wk_module *module = wk_module_check("module_dict_contains", dict);
    if (!module || !name)
        return module ? wk_fail("module_dict_contains", "name: expected a name, got NULL") : false;
    for (int64_t i = 0; i < module->inside->children_count; i++)
        if (strcmp(module->inside->child_names[i], name) == 0)
            return true;
    return false;
}

wk_module *wk_nn_module_dict(void)
{
    return wk_module_new_with((wk_module_args){.size = sizeof(wk_module), .type = "module_dict"});
}
