/* What the files of autograd share and ops do not need: the walk back, and hooks. */
#ifndef WICK_AUTOGRAD_BACKWARD_H
#define WICK_AUTOGRAD_BACKWARD_H

#include "node.h"

/* One walk from roots back.  Without captured, gradients are added into the leaves' grad; with it, captured[i] becomes
   the gradient of wanted.items[i] (retained; NULL where none came) and no grad is touched.  False after an error: what
   was accumulated or captured until then stays. */
typedef struct wk_walk_back_args {
    const char *op;
    wk_tensors roots;
    wk_tensors gradients; // of the roots; fewer, or NULL: ones
    bool keep_graph, create_graph;
    wk_tensors wanted;
    wk_tensor **captured;
} wk_walk_back_args;
bool wk_walk_back(const wk_walk_back_args *args);

void wk_node_release_saved(wk_node *node);

/* ---------------------------------------------------------------- hooks (hooks.c) */

/* one of the two functions */
typedef struct wk_hook {
    int handle;
    wk_tensor_hook *function;
    wk_post_accumulate_grad_hook *after;
    void *context;
} wk_hook;

/* The hooks of a tensor, held by it, and by the node that it came from: they run for the gradient that this node gets,
   also after the tensor is gone or was written in place (then the tensor gets a list of its own for its new node, and
   keeps this one as older, for wk_remove_hook). */
typedef struct wk_hooks {
    wk_hooks_head head;
    int count;
    wk_hook *items;
    struct wk_hooks *older;
} wk_hooks;

/* gradient after the tensor's hooks; NULL after an error */
wk_tensor *wk_run_hooks(wk_hooks *hooks, wk_tensor *gradient);
/* the leaf's hooks after its grad has grown; false after an error */
bool wk_run_post_accumulate_hooks(const wk_hooks *hooks, wk_tensor *leaf);

/* dense memory that nobody else holds */
static inline bool wk_is_ours(const wk_tensor *x)
{
    return __atomic_load_n(&x->references, __ATOMIC_ACQUIRE) == 1 &&
           __atomic_load_n(&x->storage->references, __ATOMIC_ACQUIRE) == 1 && wk_is_contiguous(x);
}

static inline bool wk_replace_reference(wk_tensor **place, wk_tensor *with) // false where with is NULL
{
    if (!with)
        return false;
    wk_retain(with);
    wk_release(*place);
    *place = with;
    return true;
}

/* leaf.c: adds a gradient to the leaf's grad, which may take it over; false after an error */
bool wk_grad_accumulate(wk_tensor *leaf, wk_tensor **gradient, bool create_graph);

#endif
