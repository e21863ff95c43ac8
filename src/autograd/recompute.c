/* Saved tensors that are computed again (recompute.h). */
#include "recompute.h"

#include <string.h>

#include "core/alloc.h"

static const char OP[] = "checkpoint";

_Thread_local wk_recorder wk_recording;

static bool append(wk_recomputation *r, wk_node *node)
{
    if (r->count == r->room) {
        const int room = r->room ? 2 * r->room : 16;
        wk_node **more = wk_realloc(r->nodes, (size_t)room * sizeof *more);
        if (!more)
            return wk_out_of_memory(OP, (size_t)room * sizeof *more);
        r->nodes = more;
        r->room = room;
    }
    wk_object_retain(&node->object);
    r->nodes[r->count++] = node;
    return true;
}

bool wk_recomputation_add(wk_node *node)
{
    wk_recomputation *r = wk_recording.recomputation;
    if (wk_recording.again)
        return append(r, node);
    for (int i = 0; i < node->saves; i++) {
        wk_tensor *x = node->saved[i].tensor;
        if (x && (x->grad_fn || !x->requires_grad)) // a leaf is there anyway, and is saved as itself
            wk_tensor_set_memory(x, NULL);
    }
    wk_object_retain(&r->object);
    node->recomputation = &r->object;
    node->place = r->recorded++;
    return true;
}

static bool run_again(wk_recomputation *r)
{
    const wk_recorder before = wk_recording;
    wk_recording = (wk_recorder){r, true};
    const bool fine = r->again(r);
    wk_recording = before;
    if (!fine)
        return false;
    return r->count == r->recorded ||
           wk_fail(OP,
                   "function: recorded %d ops that save tensors, and %d when it ran again\n"
                   "hint: it must compute the same from the same inputs; numbers that it draws from a generator of "
                   "its own, or counts that it keeps, differ",
                   r->recorded, r->count);
}

static bool hand_over(wk_node *from, wk_node *to)
{
    bool fine = from && strcmp(from->name, to->name) == 0 && from->saves == to->saves;
    for (int i = 0; fine && i < to->saves; i++) {
        wk_saved_tensor *saved = &to->saved[i];
        const wk_tensor *x = from->saved[i].tensor;
        if (!saved->tensor || saved->tensor->storage)
            continue;
        fine = x && wk_same_shape(x, saved->tensor) && x->dtype == saved->tensor->dtype;
        if (fine) {
            wk_tensor_set_memory(saved->tensor, x);
            saved->version = from->saved[i].version;
        }
    }
    return fine || wk_fail(OP,
                           "function: %s saved tensors of a shape or dtype that they have not when it runs again\n"
                           "hint: it must compute the same from the same inputs",
                           to->name);
}

bool wk_recompute(wk_node *node)
{
    wk_recomputation *r = (wk_recomputation *)node->recomputation;
    wk_object_retain(&r->object); // the nodes of the second run may be the last to hold it
    bool fine = r->count > 0 || run_again(r);
    if (fine) {
        fine = hand_over(r->nodes[node->place], node);
        wk_object_release((wk_object *)r->nodes[node->place]);
        r->nodes[node->place] = NULL;
        wk_object_release(node->recomputation);
        node->recomputation = NULL;
    } else {
        wk_recomputation_clear(r);
    }
    wk_object_release(&r->object);
    return fine;
}

void wk_recomputation_clear(wk_recomputation *r)
{
    for (int i = 0; i < r->count; i++)
        wk_object_release((wk_object *)r->nodes[i]);
    wk_free(r->nodes);
    r->nodes = NULL;
    r->count = r->room = 0;
}
