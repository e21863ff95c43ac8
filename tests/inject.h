/* Failures from outside of the library: linked into a test, inject.c stands before libc's functions, for every library
   that the test uses (oneDNN, libgomp, libpng).  For builds without sanitizers, which do the same.

   Linked into the test, for memory alone, of all threads: what the pool and oneDNN take while they work.  injector.c is
   loaded before libc instead, and counts one thread's calls, files among them: each of a save's, in its order. */
#ifndef WICK_TESTS_INJECT_H
#define WICK_TESTS_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INJECT_WORKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define INJECT_WORKS 0
#endif
#endif
#ifndef INJECT_WORKS
#define INJECT_WORKS 1
#endif

/* malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign, mmap, and so operator new: after `after` calls one
   fails; or, with all, the memory is full, and there is only what is freed, until inject_memory(-1, false). */
void inject_memory(int64_t after, bool all);
int64_t inject_failed(void); // calls that failed since the last inject_memory that was not its end

#endif
