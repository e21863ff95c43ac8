/* Memory that nobody may touch, told to whoever watches this process: the address sanitizer or valgrind. */
#ifndef WICK_FENCE_H
#define WICK_FENCE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef WICK_HAVE_MEMCHECK
#include <valgrind/memcheck.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#ifdef WICK_SANITIZED // by any of them
#define WK_FENCES_ALWAYS true
#else
#define WK_FENCES_ALWAYS false
#endif
#ifdef WICK_CHECKED // a debug build
#define WK_CHECKS_DEFAULT true
#else
#define WK_CHECKS_DEFAULT false
#endif

static inline bool wk_under_valgrind(void)
{
#ifdef WICK_HAVE_MEMCHECK
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

static inline void wk_fence(void *memory, size_t bytes)
{
    (void)memory, (void)bytes;
#ifdef __SANITIZE_ADDRESS__
    __asan_poison_memory_region(memory, bytes);
#endif
#ifdef WICK_HAVE_MEMCHECK
    VALGRIND_MAKE_MEM_NOACCESS(memory, bytes);
#endif
}

#endif
