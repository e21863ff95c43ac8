/* The gate that every call of oneDNN goes through.

   It throws std::bad_alloc where it has no memory, which no frame of C can catch.  What it has set up (compiled code, a
   cache of primitives) lives in C++ statics that exit destroys, though other threads may be multiplying: so the gate
   closes for good before they go, when whoever is inside has come out.  And in a child process a lock that another
   thread held at the fork stays locked: so a fork waits until nobody is inside.

   exit runs its handlers in the reverse order of registration, and oneDNN registers the end of a static when it first
   needs it: so ours is registered again after the first call of each kind.  In the middle of a first call nothing is
   registered yet: what the first thread's exit does before all handlers (catching.cpp), and an error that ends the
   program, close the gate too.

   Who is inside is counted in places that few threads share: two atomic additions a call, some 10 ns of the 250 that
   the smallest product takes. */
#include "onednn.h"

#ifdef WICK_HAVE_ONEDNN

#include <execinfo.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "../cpu/pool.h"

enum { PLACES = 64 };
enum { OPEN, FORKING, ENDED };

static struct {
    int inside __attribute__((aligned(64))); // atomic
} places[PLACES];
static int gate;                    // atomic
static uint64_t known;              // atomic: a bit for each kind that was called
static _Thread_local int own_place; // 1 + the thread's
static _Thread_local int own_depth; // calls that this thread is in

static int *place(void)
{
    static int given;
    if (!own_place)
        own_place = 1 + __atomic_fetch_add(&given, 1, __ATOMIC_RELAXED) % PLACES;
    return &places[own_place - 1].inside;
}

static bool enter(void)
{
    int *inside = place();
    for (;;) {
        __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST);
        const int state = __atomic_load_n(&gate, __ATOMIC_SEQ_CST);
        if (state == OPEN)
            break;
        __atomic_sub_fetch(inside, 1, __ATOMIC_RELEASE);
        if (state == ENDED)
            return false;
        sched_yield();
    }
    own_depth++;
    return true;
}

static void leave(void)
{
    own_depth--;
    __atomic_sub_fetch(place(), 1, __ATOMIC_RELEASE);
}

/* until nobody is inside but this thread itself: a signal's handler may exit or fork */
static void close_gate(int state)
{
    __atomic_store_n(&gate, state, __ATOMIC_SEQ_CST);
    for (int inside = own_depth + 1; inside > own_depth;) {
        inside = 0;
        for (int i = 0; i < PLACES; i++)
            inside += __atomic_load_n(&places[i].inside, __ATOMIC_SEQ_CST);
        if (inside > own_depth)
            sched_yield();
    }
}

void wk_onednn_ends(void) { close_gate(ENDED); }

static void before_fork(void)
{
    int open = OPEN;
    while (!__atomic_compare_exchange_n(&gate, &open, FORKING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        if (open == ENDED)
            return;
        open = OPEN; // two threads fork
        sched_yield();
    }
    close_gate(FORKING);
}

static void after_fork(void)
{
    int forking = FORKING;
    __atomic_compare_exchange_n(&gate, &forking, OPEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* A thread that waited at the gate counts itself for a moment at each look, and is not in the child to take it back. */
static void in_child(void)
{
    for (int i = 0; i < PLACES; i++)
        __atomic_store_n(&places[i].inside, 0, __ATOMIC_RELAXED);
    __atomic_store_n(place(), own_depth, __ATOMIC_RELAXED);
    after_fork();
}

/* libc loads what unwinds its own frames when it is first needed, and without memory ends the program then */
static bool can_unwind(void)
{
    static bool can; // atomic
    void *frame;
    if (!__atomic_load_n(&can, __ATOMIC_RELAXED))
        __atomic_store_n(&can, backtrace(&frame, 1) > 0, __ATOMIC_RELAXED);
    return __atomic_load_n(&can, __ATOMIC_RELAXED);
}

static void begin(void)
{
    pthread_atfork(before_fork, after_fork, in_child);
    wk_onednn_throws();
}

static void *reserve; // atomic

static bool has_reserve(void)
{
    if (__builtin_expect(__atomic_load_n(&reserve, __ATOMIC_RELAXED) != NULL, 1))
        return true;
    void *more = malloc(65536), *none = NULL;
    if (more && !__atomic_compare_exchange_n(&reserve, &none, more, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        free(more);
    return more;
}

bool wk_onednn_out_of_memory(void)
{
    if (own_depth == 0)
        return false;
    free(__atomic_exchange_n(&reserve, NULL, __ATOMIC_RELAXED));
    return true;
}

bool wk_onednn_call(int kind, bool (*function)(void *arguments), void *arguments)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint64_t bit = (uint64_t)1 << kind;
    const bool first = !(__atomic_load_n(&known, __ATOMIC_RELAXED) & bit);
    if (__builtin_expect(first, 0)) {
        pthread_once(&once, begin);
        if (!can_unwind())
            return false;
    }
    /* outside of an OpenMP region oneDNN would start threads, and cut the work by their number */
    const int threads = omp_get_max_threads();
    if (!has_reserve() || (threads > 1 && !wk_set_own_threads(1)))
        return false;
    bool done = enter();
    if (done) {
        done = wk_catching(function, arguments);
        if (__builtin_expect(first, 0)) {
            __atomic_fetch_or(&known, bit, __ATOMIC_RELAXED);
            atexit(wk_onednn_ends);
        }
        leave();
    }
    if (threads > 1)
        wk_set_own_threads(threads);
    return done;
}
#else
void wk_onednn_ends(void) {}
#endif
