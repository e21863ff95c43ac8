/* Modules: making, filling and freeing them.

   A module is the user's struct; what the library keeps beside it (members by name, children, hooks) is in `inside`, so
   that the base in front of every user's struct stays two words wide to look at.  Fields of the struct show what
   members hold: a member remembers the address of its field, and a new value is put there too.

   Children are counted by their parents: a module shared by two goes with the last.  Rejected: counting for users too;
   the tree is what they own, and one wk_module_free of its root the only thing to remember. */
#include "module.h"

#include <string.h>

#include "core/alloc.h"

void *wk_module_new_with(wk_module_args args)
{
    if (args.size < sizeof(wk_module) || !args.type)
        return wk_fail("module_new", args.type ? "size: expected that of a struct that begins with wk_module_base"
                                               : "type: expected a name, got NULL");
    wk_module *module = wk_alloc_zeroed(args.size);
    struct wk_module_inside *inside = module ? wk_alloc_zeroed(sizeof *inside) : NULL;
    wk_module **children = inside ? wk_alloc_zeroed(sizeof *children) : NULL;
    if (!children) {
        wk_free(inside);
        wk_free(module);
        return wk_out_of_memory(args.type, args.size);
    }
    inside->size = args.size;
    inside->forward = args.forward;
    inside->free = args.free;
    inside->extra_repr = args.extra_repr;
    inside->children = children;
    const char *const own = "wk_nn_"; // the library's own types go by the names of their functions
    inside->of_library = strncmp(args.type, own, strlen(own)) == 0;
    *module = (wk_module){.type = args.type + (inside->of_library ? strlen(own) : 0),
                          .training = true,
                          .magic = WK_MODULE_MAGIC,
                          .inside = inside};
    return module;
}

wk_module *wk_module_check(const char *op, void *module)
{
    if (!module)
        return wk_failing() ? NULL : wk_fail(op, "module: expected a module, got NULL");
    if (!wk_is_module(module))
        return wk_fail(op, "module: expected a module, got something else, or one that has been freed\n"
                           "hint: a module is a struct that begins with wk_module_base, made by wk_module_new");
    return module;
}

bool wk_module_is_of(const wk_module *module, const char *type)
{
    return module->inside->of_library && strcmp(module->type, type) == 0;
}

wk_module *wk_module_check_type(const char *op, void *module_, const char *type)
{
    wk_module *module = wk_module_check(op, module_);
    const char *const in = strcmp(type, "kv_cache") == 0 ? "wk" : "wk_nn"; // the one of them that is not PyTorch's
    if (module && !wk_module_is_of(module, type))
        return wk_fail(op, "module: expected a %s_%s, got a %s", in, type, module->type);
    return module;
}

/* ---------------------------------------------------------------- freeing */

static void member_free(const wk_member *member)
{
    wk_free(member->name);
    wk_release(member->tensor);
}

static void members_free(wk_members *members)
{
    for (int64_t i = 0; i < members->count; i++)
        member_free(&members->items[i]);
    wk_free(members->items);
}

void wk_module_lists_free_modules(wk_module_lists *lists)
{
    for (int64_t i = 0; i < lists->modules_count; i++)
        wk_free(lists->module_names[i]);
    wk_free(lists->module_names);
    wk_free(lists->modules);
    lists->modules = NULL;
    lists->module_names = NULL;
    lists->modules_count = 0;
}

static void lists_free(wk_module_lists *lists)
{
    wk_free(lists->parameters);
    wk_free(lists->buffers);
    wk_dict_free(lists->named_parameters);
    wk_dict_free(lists->named_buffers);
    wk_module_lists_free_modules(lists);
}

static void module_destroy(wk_module *module);

static void child_release(wk_module *parent, wk_module *child)
{
    struct wk_module_inside *inside = child->inside;
    if (inside->parent == parent) {
        inside->parent = NULL;
        inside->name = NULL;
    }
    if (--inside->references == 0)
        module_destroy(child);
}

static void module_destroy(wk_module *module)
{
    struct wk_module_inside *inside = module->inside;
    if (inside->free)
        inside->free(module);
    for (int64_t i = 0; i < inside->children_count; i++)
        child_release(module, inside->children[i]);
    for (int64_t i = 0; i < inside->children_count; i++)
        wk_free(inside->child_names[i]);
    members_free(&inside->parameters);
    members_free(&inside->buffers);
    members_free(&inside->computed);
    lists_free(&inside->lists);
    wk_free(inside->children);
    wk_free(inside->child_names);
    wk_free(inside->child_places);
    wk_free(inside->pre_hooks.items);
    wk_free(inside->hooks.items);
    wk_free(inside);
    module->magic = 0;
    wk_free(module);
}

void wk_module_free(void *module)
{
    if (!module || !wk_module_check("module_free", module))
        return;
    const struct wk_module_inside *inside = ((wk_module *)module)->inside;
    if (inside->references > 0) {
        wk_fail("module_free", "module: a %s that belongs to a parent, which frees it\nhint: free the root of the tree",
                ((wk_module *)module)->type);
        return;
    }
    module_destroy(module);
}

/* ---------------------------------------------------------------- names and fields */

static bool check_name(const char *op, const char *name)
{
    if (!name || !name[0])
        return wk_fail(op, "name: expected a name, got %s", name ? "\"\"" : "NULL");
    if (strchr(name, '.'))
        return wk_fail(op, "name: \"%s\" must not contain a dot, which separates the names of a path", name);
    return true;
}

static void show(void *place, const void *value)
{
    if (place)
        memcpy(place, &value, sizeof value);
}

static int64_t find_child(const wk_module *module, const char *name)
{
    for (int64_t i = 0; i < module->inside->children_count; i++)
        if (strcmp(module->inside->child_names[i], name) == 0)
            return i;
    return -1;
}

wk_member *wk_module_find_member(wk_members *members, const char *name)
{
    for (int64_t i = 0; i < members->count; i++)
        if (strcmp(members->items[i].name, name) == 0)
            return &members->items[i];
    return NULL;
}

/* one name, one thing: what else has it already, or NULL */
static const char *taken(wk_module *module, const char *name, const void *but)
{
    if (but != &module->inside->parameters && wk_module_find_member(&module->inside->parameters, name))
        return "parameter";
    if (but != &module->inside->buffers && wk_module_find_member(&module->inside->buffers, name))
        return "buffer";
    return but && find_child(module, name) >= 0 ? "module" : NULL;
}

static bool check_free(const char *op, wk_module *module, const char *name, const void *but)
{
    const char *what = taken(module, name, but);
    return !what || wk_fail(op, "name: the %s has a %s \"%s\" already", module->type, what, name);
}

/* ---------------------------------------------------------------- children */

bool wk_module_contains(const wk_module *module, const wk_module *wanted)
{
    if (module == wanted)
        return true;
    for (int64_t i = 0; i < module->inside->children_count; i++)
        if (wk_module_contains(module->inside->children[i], wanted))
            return true;
    return false;
}

static bool append_child(wk_module *self, const char *name)
{
    struct wk_module_inside *inside = self->inside;
    const size_t count = (size_t)inside->children_count;
    wk_module **children = wk_realloc(inside->children, (count + 2) * sizeof *children);
    if (children)
        inside->children = children;
    char **names = children ? wk_realloc(inside->child_names, (count + 1) * sizeof *names) : NULL;
    if (names)
        inside->child_names = names;
    void **places = names ? wk_realloc(inside->child_places, (count + 1) * sizeof *places) : NULL;
    if (places)
        inside->child_places = places;
    char *copy = places ? wk_strdup(name) : NULL;
    if (!copy)
        return wk_out_of_memory("add_module", (count + 2) * sizeof *children);
    names[count] = copy;
    places[count] = NULL;
    children[count + 1] = NULL;
    return true;
}

static bool add_module(wk_module *self, const char *name, void *place, wk_module *child)
{
    if (!check_name("add_module", name) || !check_free("add_module", self, name, NULL))
        return false;
    if (wk_module_contains(child, self))
        return wk_fail("add_module", "child: a %s cannot be inside itself", self->type);
    struct wk_module_inside *inside = self->inside;
    int64_t i = find_child(self, name);
    wk_module *before = i >= 0 ? inside->children[i] : NULL;
    if (before == child)
        return true;
    if (i < 0) {
        if (!append_child(self, name))
            return false;
        i = inside->children_count++;
    }
    inside->children[i] = child;
    child->inside->references++;
    if (!child->inside->parent) {
        child->inside->parent = self;
        child->inside->name = inside->child_names[i];
    }
    if (place)
        inside->child_places[i] = place;
    show(inside->child_places[i], child);
    if (before)
        child_release(self, before);
    return true;
}

void *wk_module_add_at(void *self, const char *name, void *place, void *child)
{
    const bool fine = wk_module_check("add_module", self);
    if (fine)
        show(place, NULL);
    if (!child || !wk_module_check("add_module", child))
        return NULL;
    if (fine && add_module(self, name, place, child))
        return child;
    /* it has no owner then, unless it is the tree that self is in */
    if (((wk_module *)child)->inside->references == 0 && !(self && wk_module_contains(child, self)))
        module_destroy(child);
    return NULL;
}

bool wk_module_add_module(void *module, const char *name, void *child)
{
    if (!wk_module_check("add_module", child))
        return false;
    return wk_module_add_at(module, name, NULL, child) != NULL;
}

/* ---------------------------------------------------------------- parameters and buffers */

wk_tensor *wk_parameter_with(wk_parameter_args args)
{
    WK_REQUIRE("parameter", args.data);
    if (args.requires_grad && !wk_dtype_is_floating(args.data->dtype) && !wk_dtype_is_complex(args.data->dtype))
        return wk_fail("parameter", "data: expected a floating or complex dtype, got %s\n"
                                    "hint: .requires_grad = false, or wk_add_buffer", wk_dtype_name(args.data->dtype));
    wk_tensor *parameter =
        wk_tensor_alias("parameter", args.data, args.data->ndim, args.data->shape, args.data->strides, 0);
    if (parameter) {
        parameter->requires_grad = args.requires_grad;
        parameter->is_parameter = true;
    }
    return parameter;
}

static bool set_member(const char *op, wk_module *self, wk_members *members, const char *name, void *place,
                       wk_tensor *tensor, bool persistent)
{
    if (!check_name(op, name) || !check_free(op, self, name, members))
        return false;
    wk_member *member = wk_module_find_member(members, name);
    if (!member) {
        wk_member *items = wk_realloc(members->items, (size_t)(members->count + 1) * sizeof *items);
        if (items)
            members->items = items;
        char *copy = items ? wk_strdup(name) : NULL;
        if (!copy)
            return wk_out_of_memory(op, (size_t)(members->count + 1) * sizeof *items);
        member = &items[members->count++];
        *member = (wk_member){.name = copy};
    }
    wk_tensor *before = member->tensor;
    member->tensor = wk_retain(tensor);
    member->persistent = persistent;
    if (place)
        member->place = place;
    show(member->place, tensor);
    wk_release(before);
    return true;
}

bool wk_module_set_computed(wk_module *self, const char *name, void *place, wk_tensor *tensor)
{
    return set_member("register_parameter", self, &self->inside->computed, name, place, tensor, false);
}

void wk_module_remove_member(wk_members *members, const char *name)
{
    wk_member *member = wk_module_find_member(members, name);
    if (!member)
        return;
    member_free(member);
    members->count--;
    memmove(member, member + 1, (size_t)(members->items + members->count - member) * sizeof *member);
}

/* also for a NULL that follows from an error: the caller is told */
static bool set_parameter(void *self, const char *name, void *place, wk_tensor *tensor)
{
    if (!wk_module_check("register_parameter", self) || (!tensor && wk_failing()))
        return false;
    WK_OPTIONAL("register_parameter", tensor);
    if (tensor && tensor->grad_fn)
        return wk_fail("register_parameter", "%s: is the result of an op, not a leaf\nhint: wk_parameter(wk_detach(x))",
                       name);
    bool set = false;
    wk_scope
    {
        if (tensor && !tensor->is_parameter)
            tensor = wk_parameter(tensor, wk_dtype_is_floating(tensor->dtype) || wk_dtype_is_complex(tensor->dtype));
        if (tensor || !wk_failing())
            set = set_member("register_parameter", self, &((wk_module *)self)->inside->parameters, name, place, tensor,
                             true);
    }
    return set;
}

static bool set_buffer(void *self, const char *name, void *place, wk_buffer_args args)
{
    if (!wk_module_check("register_buffer", self) || (!args.tensor && wk_failing()))
        return false;
    WK_OPTIONAL("register_buffer", args.tensor);
    return set_member("register_buffer", self, &((wk_module *)self)->inside->buffers, name, place, args.tensor,
                      args.persistent);
}

wk_tensor *wk_parameter_add_at(void *self, const char *name, wk_tensor **place, wk_tensor *tensor)
{
    if (!wk_module_check("register_parameter", self))
        return NULL;
    show(place, NULL);
    if (!set_parameter(self, name, place, tensor) || !tensor)
        return NULL;
    return wk_module_find_member(&((wk_module *)self)->inside->parameters, name)->tensor;
}

wk_tensor *wk_buffer_add_at(void *self, const char *name, wk_tensor **place, wk_buffer_args args)
{
    if (!wk_module_check("register_buffer", self))
        return NULL;
    show(place, NULL);
    return set_buffer(self, name, place, args) ? args.tensor : NULL;
}

bool wk_module_register_parameter(void *module, const char *name, wk_tensor *tensor)
{
    return set_parameter(module, name, NULL, tensor);
}

bool wk_module_register_buffer_with(void *module, const char *name, wk_buffer_args args)
{
    return set_buffer(module, name, NULL, args);
}
