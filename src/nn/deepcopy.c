/* deepcopy: a tree of modules once more, with memory of its own.

   A user's struct is copied as bytes, and each word of it that is the address of a module or tensor of the tree becomes
   the address of its copy: fields that nobody registered (a block that is kept twice, an array of layers) point into
   the copied tree, as Python's references do.  Members are then registered again, under their names. */
#include <stdlib.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>

#include "autograd/node.h"
#include "core/alloc.h"
#include "module.h"

static const char OP[] = "deepcopy";

typedef struct pair {
    void *from, *to;
} pair;

typedef struct copies {
    pair *pairs;
    int64_t count;
} copies;

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const pair *)a)->from, y = (uintptr_t)((const pair *)b)->from;
    return (x > y) - (x < y);
}

/* what stands for x in the copy: its copy, or, outside of the tree, x */
static void *copy_of(const copies *in, void *x)
{
    const pair wanted = {.from = x};
    const pair *found = x ? bsearch(&wanted, in->pairs, (size_t)in->count, sizeof *in->pairs, by_address) : NULL;
    return found ? found->to : x;
}

/* ---------------------------------------------------------------- making the pieces */

static wk_tensor *copy_tensor(wk_tensor *x)
{
    wk_tensor *y = wk_clone(wk_detach(x));
    if (!y)
        return NULL;
    y->is_parameter = x->is_parameter;
    y->requires_grad = x->requires_grad && !x->grad_fn;
    if (!x->grad)
        return y;
    wk_tensor *grad = wk_clone(wk_detach(x->grad));
    y->grad = wk_retain(grad);
    return grad ? y : NULL;
}

static bool copy_tensors(copies *to, wk_tensors of)
{
    for (int64_t i = 0; i < of.count; i++) {
        wk_tensor *y = copy_tensor(of.items[i]);
        if (!y)
            return false;
        to->pairs[to->count++] = (pair){of.items[i], y};
    }
    return true;
}

/* of the user's struct what is not its base is copied later, when all pieces are there */
static wk_module *copy_alone(const wk_module *of)
{
    const struct wk_module_inside *inside = of->inside;
    if (inside->free)
        return wk_fail(OP, "module: a %s has a .free of its own, and two copies would free the same", of->type);
    wk_module *copy = wk_module_new_with((wk_module_args){
        .size = inside->size, .type = of->type, .forward = inside->forward, .extra_repr = inside->extra_repr});
    if (!copy)
        return NULL;
    copy->inside->of_library = inside->of_library;
    copy->inside->references = 1; // until all are linked, so that nothing goes with a parent that failed
    copy->training = of->training;
    return copy;
}

static bool copy_modules(copies *to, wk_modules of)
{
    for (int64_t i = 0; i < of.count; i++) {
        wk_module *copy = copy_alone(of.items[i]);
        if (!copy)
            return false;
        to->pairs[to->count++] = (pair){of.items[i], copy};
    }
    return true;
}

/* ---------------------------------------------------------------- putting them together */

/* the place in the copy where a place is in what it is a copy of */
static void *place_in(wk_module *copy, const wk_module *of, const void *place)
{
    const uintptr_t offset = (uintptr_t)place - (uintptr_t)of;
    return place && offset < of->inside->size ? (char *)copy + offset : NULL;
}

static bool link_members(const copies *in, wk_module *copy, const wk_module *of)
{
    const wk_members *parameters = &of->inside->parameters, *buffers = &of->inside->buffers;
    for (int64_t i = 0; i < parameters->count; i++) {
        const wk_member *at = &parameters->items[i];
        wk_tensor *x = copy_of(in, at->tensor);
        if (wk_parameter_add_at(copy, at->name, place_in(copy, of, at->place), x) != x || (!x && wk_failing()))
            return false;
    }
    for (int64_t i = 0; i < buffers->count; i++) {
        const wk_member *at = &buffers->items[i];
        wk_tensor *x = copy_of(in, at->tensor);
        if (wk_buffer_add_at(copy, at->name, place_in(copy, of, at->place),
                             (wk_buffer_args){.tensor = x, .persistent = at->persistent}) != x ||
            (!x && wk_failing()))
            return false;
    }
    const wk_members *computed = &of->inside->computed; // the first forward makes the copy's own
    for (int64_t i = 0; i < computed->count; i++)
        if (!wk_module_set_computed(copy, computed->items[i].name, place_in(copy, of, computed->items[i].place),
                                    computed->items[i].tensor))
            return false;
    return true;
}

static bool link_children(const copies *in, wk_module *copy, const wk_module *of)
{
    const struct wk_module_inside *inside = of->inside;
    for (int64_t i = 0; i < inside->children_count; i++)
        if (!wk_module_add_at(copy, inside->child_names[i], place_in(copy, of, inside->child_places[i]),
                              copy_of(in, inside->children[i])))
            return false;
    return true;
}

static bool copy_hooks(wk_module_hooks *to, const wk_module_hooks *of)
{
    const size_t bytes = (size_t)of->count * sizeof *of->items;
    if (of->count == 0)
        return true;
    if (!(to->items = wk_alloc(bytes)))
        return wk_out_of_memory(OP, bytes);
    memcpy(to->items, of->items, bytes);
    to->count = of->count;
    return true;
}

static bool link_one(const copies *in, wk_module *copy, const wk_module *of)
{
    void **const words = (void **)copy;
    memcpy((char *)copy + sizeof *copy, (const char *)of + sizeof *of, of->inside->size - sizeof *of);
    for (size_t i = sizeof *copy / sizeof *words; i < of->inside->size / sizeof *words; i++)
        words[i] = copy_of(in, words[i]);
    copy->inside->last_hook = of->inside->last_hook;
    return copy_hooks(&copy->inside->hooks, &of->inside->hooks) &&
           copy_hooks(&copy->inside->pre_hooks, &of->inside->pre_hooks) && link_members(in, copy, of) &&
           link_children(in, copy, of);
}

/* The copies belong to their parents alone; where not all is well, those without go, with what belongs to them. */
static void hand_over(copies *made, bool fine)
{
    for (int64_t i = 0; i < made->count; i++)
        if (wk_is_module(made->pairs[i].from))
            ((wk_module *)made->pairs[i].to)->inside->references--;
        else
            made->pairs[i].to = NULL;
    for (int64_t i = 0; i < made->count && !fine; i++)
        if (made->pairs[i].to && ((wk_module *)made->pairs[i].to)->inside->references > 0)
            made->pairs[i].to = NULL;
    for (int64_t i = 0; i < made->count && !fine; i++)
        wk_module_free(made->pairs[i].to);
}

void *wk_module_deepcopy(void *module_)
{
    wk_module *module = wk_module_check(OP, module_);
    if (!module)
        return NULL;
    const wk_modules modules = wk_module_modules(module);
    const wk_tensors parameters = modules.items ? wk_module_parameters_for(OP, module) : (wk_tensors){0};
    const wk_tensors buffers = parameters.items ? wk_module_buffers(module) : (wk_tensors){0};
    if (!buffers.items)
        return NULL;
    const size_t bytes = (size_t)(modules.count + parameters.count + buffers.count) * sizeof(pair);
    copies all = {.pairs = wk_alloc(bytes)};
    if (!all.pairs)
        return wk_out_of_memory(OP, bytes);
    void *copy = NULL;
    wk_no_grad wk_scope
    {
        bool fine = copy_modules(&all, modules) && copy_tensors(&all, parameters) && copy_tensors(&all, buffers);
        if (fine) {
            qsort(all.pairs, (size_t)all.count, sizeof *all.pairs, by_address);
            copy = copy_of(&all, module);
        }
        for (int64_t i = 0; fine && i < modules.count; i++)
            fine = link_one(&all, copy_of(&all, modules.items[i]), modules.items[i]);
        hand_over(&all, fine);
        copy = fine ? copy : NULL;
    }
    wk_free(all.pairs);
    return copy;
}
