/* What a profile of this thread notes: kernels, modules, nodes and the user's own blocks (io/profiler.c writes it). */
#ifndef WICK_CORE_PROFILE_H
#define WICK_CORE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_profile_event {
    const char *name;   // lives as long as the profile
    bool owned;         // by the event
    int64_t start, end; // ns; end 0: it runs
    int64_t parent;     // the event that it ran in; -1: none
} wk_profile_event;

typedef struct wk_profile {
    wk_profile_event *events;
    int64_t count, room;
    int64_t open; // the innermost that runs; -1: none
    bool full;    // an event had no memory, and those after it are not noted
} wk_profile;

extern _Thread_local wk_profile *wk_profiling; // NULL: nothing is noted

void wk_profile_start(const char *name, bool copies);
void wk_profile_stop(void);
void wk_profile_clear(wk_profile *profile);

static inline void wk_profile_begin(const char *name)
{
    if (__builtin_expect(wk_profiling != 0, 0))
        wk_profile_start(name, false);
}
static inline void wk_profile_end(void)
{
    if (__builtin_expect(wk_profiling != 0, 0))
        wk_profile_stop();
}

#endif
