/* The inside of modules. */
#ifndef WICK_NN_MODULE_H
#define WICK_NN_MODULE_H

#include <stdatomic.h>

#include <wick/module.h>

#include "core/tensor.h"

#define WK_MODULE_MAGIC 0x776b6d64u

/* a parameter or buffer; place is the field that shows it, or NULL */
typedef struct wk_member {
    char *name;
    wk_tensor *tensor; // retained; NULL: the name is reserved
    void *place;
    bool persistent;
} wk_member;

typedef struct wk_members {
    wk_member *items;
    int64_t count;
} wk_members;

typedef struct wk_module_hook {
    int id;
    void *function; // of type wk_forward_hook or wk_forward_pre_hook, kept as address
    void *context;
} wk_module_hook;

typedef struct wk_module_hooks {
    wk_module_hook *items;
    int64_t count;
} wk_module_hooks;

/* what wk_module_parameters etc. gave out last */
typedef struct wk_module_lists {
    wk_tensor **parameters, **buffers;
    wk_dict *named_parameters, *named_buffers;
    wk_module **modules;
    char **module_names;
    int64_t modules_count;
} wk_module_lists;

struct wk_module_inside {
    size_t size; // of the user's struct
    wk_module_forward *forward;
    void (*free)(void *module);
    void (*extra_repr)(void *module, char *text, size_t size);
    bool checkpointed, preserve_rng_state; // by wk_checkpoint_wrapper
    bool of_library;    // its type is a layer of ours
    atomic_bool placed; // where it belongs is known (call.c)
    bool asked;         // for its parameters, state or mode: the root of a tree of its own
    int references;     // of parents
    wk_module *parent;  // the first to add it, while that lives; its name there is `name`
    const char *name;
    wk_members parameters, buffers;
    wk_members computed; // from parameters, before each forward: fields show them, no list has them
    wk_module **children; // children[count] is NULL
    char **child_names;
    void **child_places;
    int64_t children_count;
    wk_module_hooks pre_hooks, hooks;
    int last_hook;
    wk_module_lists lists;
};

static inline bool wk_is_module(const void *x) { return x && ((const wk_module *)x)->magic == WK_MODULE_MAGIC; }
/* module, or NULL after an error: it is NULL or no module */
wk_module *wk_module_check(const char *op, void *module);
wk_module *wk_module_check_type(const char *op, void *module, const char *type); // or no layer of ours of that type
bool wk_module_is_of(const wk_module *module, const char *type);                 // a layer of ours of that type
wk_member *wk_module_find_member(wk_members *members, const char *name);         // NULL: none
void wk_module_remove_member(wk_members *members, const char *name);
bool wk_module_set_computed(wk_module *self, const char *name, void *place, wk_tensor *tensor);
bool wk_module_contains(const wk_module *module, const wk_module *wanted);       // itself among what it contains
void wk_module_lists_free_modules(wk_module_lists *lists); // of the lists, those of modules

/* The tree in order, the module itself first, each module at its first path; visit returns false to stop.  False where
   it was stopped or memory ran out. */
typedef bool wk_module_visit(wk_module *module, const char *path, void *context);
bool wk_module_walk(const char *op, wk_module *module, bool shared_once, wk_module_visit *visit, void *context);

wk_tensors wk_module_parameters_for(const char *op, void *module); // wk_module_parameters, for op's errors

/* "path.name", or "name" where path is ""; wk_free it; NULL after an error */
char *wk_module_join(const char *op, const char *path, const char *name);

/* For wk_summary: told of each call in this thread, before and after (y is NULL before). */
typedef void wk_call_observer(wk_module *module, wk_tensor *y, bool before, void *context);
void wk_call_observe(wk_call_observer *observer, void *context); // NULL: nobody

#endif
