/* Open addressing, a slot after another, at most half full. */
#include "set.h"

#include "alloc.h"

static const void **slot_of(const wk_set *set, const void *item)
{
    const uint64_t hash = (uint64_t)(uintptr_t)item / 16 * 0x9E3779B97F4A7C15u; // the golden ratio: neighbours part
    int64_t at = (int64_t)(hash >> 32) & (set->room - 1);
    while (set->slots[at] && set->slots[at] != item)
        at = (at + 1) & (set->room - 1);
    return &set->slots[at];
}

static bool grow(const char *op, wk_set *set)
{
    wk_set larger = {.room = set->room ? 2 * set->room : 32, .count = set->count};
    const size_t bytes = (size_t)larger.room * sizeof *larger.slots;
    larger.slots = wk_alloc_zeroed(bytes);
    if (!larger.slots)
        return wk_out_of_memory(op, bytes);
    for (int64_t i = 0; i < set->room; i++)
        if (set->slots[i])
            *slot_of(&larger, set->slots[i]) = set->slots[i];
    wk_free(set->slots);
    *set = larger;
    return true;
}

wk_set_added wk_set_add(const char *op, wk_set *set, const void *item)
{
    if (2 * set->count >= set->room && !grow(op, set))
        return WK_SET_FAILED;
    const void **slot = slot_of(set, item);
    if (*slot)
        return WK_SET_THERE;
    *slot = item;
    set->count++;
    return WK_SET_NEW;
}

void wk_set_free(wk_set *set)
{
    wk_free(set->slots);
    *set = (wk_set){0};
}
