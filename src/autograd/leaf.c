/* requires_grad, detach: what a user says to a tensor about gradients. */
#include "backward.h"
#include "kernels/fork.h"

wk_tensor *(wk_requires_grad_)(wk_tensor *x, bool requires_grad)
{
    WK_REQUIRE("requires_grad_", x);
    if (requires_grad && !wk_dtype_is_floating(x->dtype) && !wk_dtype_is_complex(x->dtype))
        return wk_fail("requires_grad_", "x: expected a floating or complex dtype, got %s", wk_dtype_name(x->dtype));
    if (requires_grad && x->storage->inference && !wk_inference)
        return wk_fail("requires_grad_", "x: was made inside wk_inference_mode, and cannot require grad outside\n"
                                         "hint: wk_clone it first");
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

bool wk_is_leaf(const wk_tensor *x)
{
    WK_OPTIONAL("is_leaf", x);
    return x && !x->grad_fn;
}

/* ---------------------------------------------------------------- grads, which several threads may add to */

enum { LOCKS = 16 };
static pthread_mutex_t locks[LOCKS];

__attribute__((constructor)) static void make_locks(void)
{
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    wk_fork_takes_first(locks, LOCKS);
}

static pthread_mutex_t *lock_of(const wk_tensor *leaf)
{
    return &locks[((uint64_t)(uintptr_t)leaf * 0x9E3779B97F4A7C15u >> 32) % LOCKS];
}

/* The first gradient is taken over, or copied where something else holds it too or where it is no dense array; later
   ones are added in place, but where that would be recorded. */
static bool accumulate(wk_tensor *leaf, wk_tensor **gradient, bool create_graph)
{
    if (!leaf->grad && wk_is_ours(*gradient)) {
        leaf->grad = *gradient;
        *gradient = NULL;
        return true;
    }
    if (leaf->grad && !create_graph)
        return wk_gradient_add_(leaf->grad, *gradient) != NULL;
    bool fine = false;
    wk_scope fine = wk_replace_reference(&leaf->grad, leaf->grad ? wk_gradient_add(leaf->grad, *gradient)
                                                    : wk_gradient_clone(*gradient));
    return fine;
}

bool wk_grad_accumulate(wk_tensor *leaf, wk_tensor **gradient, bool create_graph)
{
    pthread_mutex_lock(lock_of(leaf));
    const bool fine = accumulate(leaf, gradient, create_graph);
    pthread_mutex_unlock(lock_of(leaf));
    return fine;
}

void wk_grad_clear(wk_tensor *leaf)
{
    pthread_mutex_lock(lock_of(leaf));
    wk_tensor *gradient = leaf->grad;
    leaf->grad = NULL;
    pthread_mutex_unlock(lock_of(leaf));
    wk_release(gradient);
}
