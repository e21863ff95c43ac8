/* Counted references for what tensors and graph nodes hold, let go without recursion: a graph of any depth is freed in
   a loop. */
#ifndef WICK_OBJECT_H
#define WICK_OBJECT_H

typedef struct wk_object {
    int references; // atomic
    void (*destroy)(struct wk_object *object);
    struct wk_object *next; // among those about to be destroyed
} wk_object;

static inline void wk_object_retain(wk_object *object)
{
    if (object)
        __atomic_add_fetch(&object->references, 1, __ATOMIC_RELAXED);
}
void wk_object_release(wk_object *object);

/* what a tensor's hooks start with: the tensor as long as it lives, not counted */
typedef struct wk_hooks_head {
    wk_object object;
    struct wk_tensor *retain_grad; // whose grad is to be kept, a non-leaf; NULL: nobody's
} wk_hooks_head;

#endif
