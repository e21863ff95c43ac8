/* Large blocks of the allocator (alloc.c): beyond 4 KiB, eight classes to each doubling, kept for reuse in lists behind
   a mutex.  Those of 2 MiB and more are mapped by themselves, and ask for huge pages.  What a training step uses each
   time stays; a block that nobody has asked for in seconds goes back to the system, when others are let go.

   Rejected: a thread that trims (a library has no business with a thread that only waits); malloc for all (of what it
   is given back, blocks under 32 MiB stay in its heap). */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <wick/memory.h>

#include "alloc_internal.h"

#define LARGE_CLASSES (8 * 52) // eight to a doubling
#define HUGE_PAGE ((size_t)2 << 20)
#define TRIM_SECONDS 10

static block *large_free[LARGE_CLASSES];
static int64_t cached_bytes;
static int64_t next_trim; // in milliseconds

/* class of a large block and the bytes it holds: eight steps to a doubling, so at most an eighth is slack */
static int large_class(size_t bytes, size_t *holds)
{
    int doubling = 63 - __builtin_clzll((unsigned long long)bytes);
    size_t step = (size_t)1 << (doubling - 3);
    size_t steps = (bytes - ((size_t)1 << doubling) + step - 1) / step;
    *holds = ((size_t)1 << doubling) + steps * step;
    return (doubling - 12) * 8 + (int)steps;
}

/* at a multiple of 2 MiB, by cutting off what is around it */
static block *map(size_t total)
{
    char *memory = mmap(NULL, total + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    char *start = (char *)(((uintptr_t)memory + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    const size_t before = (size_t)(start - memory); // less than a huge page
    if (before)
        munmap(memory, before);
    munmap(start + total, HUGE_PAGE - before);
    madvise(start, total, MADV_HUGEPAGE);
    ((block *)(void *)start)->mapped = total;
    return (block *)(void *)start;
}

block *wk_block_from_system(size_t bytes, int class)
{
    size_t total = bytes + HEADER;
    if (total < bytes)
        return NULL;
    const bool maps = total >= HUGE_PAGE && !wk_alloc_fenced;
    const size_t alignment = maps ? HUGE_PAGE : 64;
    total = (total + alignment - 1) / alignment * alignment;
    block *b = maps ? map(total) : aligned_alloc(alignment, total);
    if (b) {
        b->bytes = bytes;
        b->class = class;
        b->mapped = maps ? total : 0;
    }
    return b;
}

void wk_block_to_system(block *b)
{
    if (b->mapped)
        munmap(b, b->mapped);
    else
        free(b);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Under the mutex: takes those out of the lists that were put there before `when`.  A list's youngest stand first, so
   it is cut once. */
static block *take_older(int64_t when)
{
    block *gone = NULL;
    for (int class = 0; class < LARGE_CLASSES; class ++) {
        block **at = &large_free[class];
        while (*at && (*at)->freed_at > when)
            at = &(*at)->next;
        for (block *b = *at, *next; b; b = next) {
            next = b->next;
            cached_bytes -= (int64_t)b->bytes;
            b->next = gone;
            gone = b;
        }
        *at = NULL;
    }
    return gone;
}

static void all_to_system(block *gone)
{
    for (block *next; gone; gone = next) {
        next = gone->next;
        wk_block_to_system(gone);
    }
}

void wk_alloc_trim(double seconds)
{
    const int64_t time = now();
    pthread_mutex_lock(&wk_alloc_mutex);
    block *gone = take_older(time - (int64_t)(seconds * 1000));
    pthread_mutex_unlock(&wk_alloc_mutex);
    all_to_system(gone);
}

static void trim_sometimes(int64_t time)
{
    if (time < __atomic_load_n(&next_trim, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&next_trim, time + 1000, __ATOMIC_RELAXED);
    wk_alloc_trim(TRIM_SECONDS);
}

void *wk_alloc_large(size_t bytes)
{
    size_t holds;
    int class = large_class(bytes, &holds);
    if (class >= LARGE_CLASSES)
        return NULL;
    pthread_mutex_lock(&wk_alloc_mutex);
    block *b = large_free[class];
    if (b) {
        large_free[class] = b->next;
        cached_bytes -= (int64_t)b->bytes;
        wk_count_large((int64_t)holds);
    }
    pthread_mutex_unlock(&wk_alloc_mutex);
    if (b)
        return (char *)b + HEADER;
    b = wk_block_from_system(holds, SMALL_CLASSES + 1 + class);
    if (!b) {
        wk_memory_empty_cache();
        b = wk_block_from_system(holds, SMALL_CLASSES + 1 + class);
    }
    if (!b)
        return NULL;
    pthread_mutex_lock(&wk_alloc_mutex);
    wk_count_large((int64_t)holds);
    pthread_mutex_unlock(&wk_alloc_mutex);
    return (char *)b + HEADER;
}

void wk_free_large(block *b)
{
    const int64_t time = now();
    pthread_mutex_lock(&wk_alloc_mutex);
    wk_uncount_large((int64_t)b->bytes);
    if (!wk_alloc_fenced) {
        b->freed_at = time;
        b->next = large_free[b->class - SMALL_CLASSES - 1];
        large_free[b->class - SMALL_CLASSES - 1] = b;
        cached_bytes += (int64_t)b->bytes;
        b = NULL;
    }
    pthread_mutex_unlock(&wk_alloc_mutex);
    free(b);
    trim_sometimes(time);
}

int64_t wk_large_cached_bytes(void) { return cached_bytes; }
