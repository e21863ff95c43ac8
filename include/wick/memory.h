/* Who owns tensors, and what memory they take.

   What an op returns belongs to the innermost open wk_scope of its thread, which lets it go at its end (also on return,
   break and goto out of it).  A thread has a root scope that lasts as long as the thread. */
#ifndef WICK_MEMORY_H
#define WICK_MEMORY_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_scope_guard {
    int depth;
    bool open;
} wk_scope_guard;

/* wk_scope { ... }: everything made inside is let go at the end, but for what wk_keep hands out.  A tensor used later
   is an error that names this line, as long as its memory is not another tensor's; with WICK_CHECK=1 in the
   environment, and in debug and sanitizer builds, it never becomes one (docs/memory.md).

   A block is a loop of one round: `break` and `continue` leave the block, so in for (...) wk_scope { ... break; } the
   loop goes on.  A loop with a scope in each turn is wk_for_each_step. */
#define wk_scope                                                                                                       \
    for (wk_scope_guard wk_scope_here __attribute__((cleanup(wk_scope_close))) = wk_scope_open(__FILE__, __LINE__);    \
         wk_scope_here.open; wk_scope_here.open = false)
wk_scope_guard wk_scope_open(const char *file, int line); // line 0: file says what opens it, "a module's forward"
void wk_scope_close(wk_scope_guard *guard);

/* wk_for_each_step (step, 0, steps) { ... }: for (int64_t step = 0; step < steps; step++), with a scope in each turn.
   break leaves the loop.  An error that waits in a wk_try, or in host mode, ends it. */
#define wk_for_each_step(step, from, to)                                                                               \
    for (int64_t step = (from), WK_GLUE(wk_stop_of_, step) = (to),                                                     \
                 WK_GLUE(wk_scope_of_, step) __attribute__((cleanup(wk_step_close))) = 0;                              \
         step < WK_GLUE(wk_stop_of_, step) && wk_step_open(&WK_GLUE(wk_scope_of_, step), __FILE__, __LINE__); step++)
bool wk_step_open(int64_t *scope, const char *file, int line); // closes the turn before; false: an error waits
void wk_step_close(int64_t *scope);

/* Hands x to the scope outside the innermost; each further call one scope further out: return wk_keep(wk_keep(x))
   leaves two.  Of what belongs to a scope outside already, nothing changes.  Returns x. */
wk_tensor *wk_keep(wk_tensor *x);
void wk_replace(wk_tensor **place, wk_tensor *with); // with takes the owner of *place, which is let go

/* Shared ownership, for structures that outlive scopes: one wk_release for each wk_retain. */
wk_tensor *wk_retain(wk_tensor *x);
void wk_release(wk_tensor *x);
wk_tensor *wk_adopt(wk_tensor *x); // gives a retained reference to the innermost scope; returns x

typedef struct wk_memory_stats {
    int64_t live_tensors;   // tensor headers
    int64_t live_blocks;    // blocks handed out and not given back, of every kind
    int64_t live_bytes;     // in those blocks
    int64_t peak_bytes;     // highest live_bytes so far
    int64_t cached_bytes;   // held for reuse
    int64_t allocations;    // since the start
} wk_memory_stats;
wk_memory_stats wk_memory_get_stats(void);
void wk_memory_empty_cache(void);
void wk_memory_fail_after(int64_t allocations); // fault injection: the n-th allocation from now fails once; -1: none

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
