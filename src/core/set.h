/* A set of addresses: what was already met on a walk. */
#ifndef WICK_CORE_SET_H
#define WICK_CORE_SET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_set { // zeros: empty
    const void **slots;
    int64_t room, count; // room: a power of two, or 0
} wk_set;

typedef enum wk_set_added { WK_SET_NEW, WK_SET_THERE, WK_SET_FAILED } wk_set_added;

wk_set_added wk_set_add(const char *op, wk_set *set, const void *item); // FAILED: an error that names op
void wk_set_free(wk_set *set);

#endif
