/* How oneDNN is called: in the calling thread alone, with what it throws caught, and never while the process forks or
   after it began to end. */
#ifndef WICK_ONEDNN_H
#define WICK_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call may make oneDNN set up, once in a process: a number below 64 for each. */
enum { WK_ONEDNN_GEMM, WK_ONEDNN_GEMM_BFLOAT16, WK_ONEDNN_RUN, WK_ONEDNN_MAKE /* + 0 to 8, by direction and dtype */ };

/* What function(arguments) answers; false where oneDNN throws (it has no memory), or must not be called: whoever calls
   has a way of its own.  Files that hold such functions are compiled with -fexceptions: what is to be undone has a
   cleanup attribute. */
bool wk_onednn_call(int kind, bool (*function)(void *arguments), void *arguments);

void wk_onednn_ends(void); // the gate closes for good, once whoever is inside has come out; no oneDNN: nothing

/* catching.cpp: false where it throws; and functions that throw where the calling thread is in such a call */
bool wk_catching(bool (*function)(void *arguments), void *arguments);
void *wk_throwing_malloc(size_t bytes);
int wk_throwing_memalign(void **memory, size_t alignment, size_t bytes);
void *wk_throwing_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);

/* Memory is at its end in a call of oneDNN: whether the calling thread is in one.  What is kept for this is let go:
   while an exception passes, oneDNN's destructors may not throw, and take memory. */
bool wk_onednn_out_of_memory(void);
void wk_onednn_throws(void); // onednn_memory.c: makes it, once

#ifdef __cplusplus
}
#endif

#endif
