#include "object.h"

#include <stdbool.h>
#include <stddef.h>

/* Destroying an object releases others: those wait here for the loop that is already running. */
static _Thread_local wk_object *dying;
static _Thread_local bool draining;

void wk_object_release(wk_object *object)
{
    if (!object || __atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    object->next = dying;
    dying = object;
    if (draining)
        return;
    draining = true;
    while (dying) {
        wk_object *first = dying;
        dying = first->next;
        first->destroy(first);
    }
    draining = false;
}
