/* Noting what runs, and when. */
#include "profile.h"

#include <string.h>
#include <time.h>

#include "alloc.h"

_Thread_local wk_profile *wk_profiling;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool make_room(wk_profile *p)
{
    if (p->count < p->room)
        return true;
    const int64_t room = p->room ? 2 * p->room : 256;
    wk_profile_event *more = wk_realloc(p->events, (size_t)room * sizeof *more);
    if (more) {
        p->events = more;
        p->room = room;
    }
    return more;
}

void wk_profile_start(const char *name, bool copies)
{
    wk_profile *p = wk_profiling;
    char *copy = NULL;
    p->full = p->full || !make_room(p);
    if (!p->full && copies) {
        copy = wk_alloc(strlen(name) + 1);
        p->full = !copy;
    }
    if (p->full)
        return;
    p->events[p->count] =
        (wk_profile_event){.name = copy ? strcpy(copy, name) : name, .owned = copy, .start = now(), .parent = p->open};
    p->open = p->count++;
}

void wk_profile_stop(void)
{
    wk_profile *p = wk_profiling;
    if (p->full || p->open < 0) // what began before the profile did
        return;
    p->events[p->open].end = now();
    p->open = p->events[p->open].parent;
}

void wk_profile_clear(wk_profile *p)
{
    for (int64_t i = 0; i < p->count; i++)
        if (p->events[i].owned)
            wk_free((void *)(uintptr_t)p->events[i].name);
    wk_free(p->events);
    wk_free(p);
}
