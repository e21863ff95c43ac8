/* Blocks are kept for reuse by size class: multiples of 64 bytes up to 4 KiB in lists of each thread's own (no lock: an
   op on small tensors takes two of these), larger ones, eight classes to each doubling, in lists behind a mutex.  A
   block carries its class in the 64 bytes before it.  Blocks of 2 MiB and more ask for huge pages.

   Rejected: malloc as it is (it gives big blocks back to the system: page faults cost more than the arithmetic on
   them); one lock for all (20 ns each way, a tenth of what a small op may take).

   With WICK_NO_CACHE (sanitizer builds) every block is malloc's own, so that a use after free is seen. */
#include "alloc.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <wick/error.h>
#include <wick/memory.h>

#define HEADER 64
#define SMALL_CLASSES 64          // of 64 bytes each: up to 4 KiB
#define LARGE_CLASSES (8 * 52)    // eight to a doubling
#define HUGE_PAGE ((size_t)2 << 20)
#ifdef WICK_NO_CACHE
#define MOST_CACHED 0
#else
#define MOST_CACHED ((int64_t)32 << 20) // of small blocks, for each thread
#endif

typedef struct block {
    size_t bytes; // that the class holds, header not included
    int class;
    struct block *next;
} block;

typedef struct thread_cache {
    block *free[SMALL_CLASSES + 1];
    int64_t live_blocks, live_bytes, cached_bytes, allocations; // small ones, freed here or made here
    struct thread_cache *next, *previous;
    bool registered;
} thread_cache;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static block *large_free[LARGE_CLASSES];
static wk_memory_stats large; // and what threads that ended left
static thread_cache *threads;
static pthread_key_t thread_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local thread_cache cache;
/* of tests: off, an allocation pays one look at `watched` */
static bool watched;
static int64_t fail_after = -1;
static int poison = -1;

static void flush_thread(thread_cache *of)
{
    for (int class = 0; class <= SMALL_CLASSES; class ++)
        while (of->free[class]) {
            block *b = of->free[class];
            of->free[class] = b->next;
            of->cached_bytes -= (int64_t)b->bytes;
            free(b);
        }
}

static void thread_ends(void *value)
{
    thread_cache *of = value;
    flush_thread(of);
    pthread_mutex_lock(&mutex);
    large.live_blocks += of->live_blocks;
    large.live_bytes += of->live_bytes;
    large.allocations += of->allocations;
    if (of->previous)
        of->previous->next = of->next;
    else
        threads = of->next;
    if (of->next)
        of->next->previous = of->previous;
    pthread_mutex_unlock(&mutex);
    memset(of, 0, sizeof *of);
}

void wk_alloc_process_ends(void)
{
    if (cache.registered)
        thread_ends(&cache);
    wk_memory_empty_cache();
}

static void make_key(void) { pthread_key_create(&thread_key, thread_ends); }

static void register_thread(void)
{
    pthread_once(&once, make_key);
    pthread_setspecific(thread_key, &cache);
    pthread_mutex_lock(&mutex);
    cache.registered = true;
    cache.next = threads;
    if (threads)
        threads->previous = &cache;
    threads = &cache;
    pthread_mutex_unlock(&mutex);
}

/* class of a large block and the bytes it holds: eight steps to a doubling, so at most an eighth is slack */
static int large_class(size_t bytes, size_t *holds)
{
    int doubling = 63 - __builtin_clzll((unsigned long long)bytes);
    size_t step = (size_t)1 << (doubling - 3);
    size_t steps = (bytes - ((size_t)1 << doubling) + step - 1) / step;
    *holds = ((size_t)1 << doubling) + steps * step;
    return (doubling - 12) * 8 + (int)steps;
}

static void *from_system(size_t bytes)
{
    size_t total = bytes + HEADER;
    if (total < bytes)
        return NULL;
    size_t alignment = total >= HUGE_PAGE ? HUGE_PAGE : 64;
    total = (total + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, total);
    if (memory && alignment == HUGE_PAGE)
        madvise(memory, total, MADV_HUGEPAGE);
    return memory;
}

static bool is_watched(void) { return __builtin_expect(__atomic_load_n(&watched, __ATOMIC_RELAXED), 0); }

static bool injected_failure(void)
{
    if (!is_watched() || __atomic_load_n(&fail_after, __ATOMIC_RELAXED) < 0)
        return false;
    return __atomic_sub_fetch(&fail_after, 1, __ATOMIC_RELAXED) == -1;
}

void wk_memory_fail_after(int64_t allocations)
{
    __atomic_store_n(&fail_after, allocations, __ATOMIC_RELAXED);
    watched = allocations >= 0 || poison >= 0;
}

void wk_memory_poison(int byte)
{
    poison = byte;
    watched = poison >= 0 || fail_after >= 0;
}

int wk_memory_poisoned(void) { return poison; }

static void *alloc_large(size_t bytes)
{
    size_t holds;
    int class = large_class(bytes, &holds);
    if (class >= LARGE_CLASSES)
        return NULL;
    pthread_mutex_lock(&mutex);
    block *b = large_free[class];
    if (b) {
        large_free[class] = b->next;
        large.cached_bytes -= (int64_t)b->bytes;
    }
    pthread_mutex_unlock(&mutex);
    if (!b) {
        b = from_system(holds);
        if (!b) {
            wk_memory_empty_cache();
            b = from_system(holds);
        }
        if (!b)
            return NULL;
        b->bytes = holds;
        b->class = SMALL_CLASSES + 1 + class;
    }
    pthread_mutex_lock(&mutex);
    large.allocations++;
    large.live_blocks++;
    large.live_bytes += (int64_t)holds;
    large.peak_bytes = large.live_bytes > large.peak_bytes ? large.live_bytes : large.peak_bytes;
    pthread_mutex_unlock(&mutex);
    return (char *)b + HEADER;
}

static void *allocate(size_t bytes)
{
    if (bytes > 64 * SMALL_CLASSES)
        return alloc_large(bytes);
    if (!cache.registered)
        register_thread();
    int class = (int)((bytes + 63) / 64);
    block *b = cache.free[class];
    if (b) {
        cache.free[class] = b->next;
        cache.cached_bytes -= 64 * class;
    } else {
        b = from_system((size_t)class * 64);
        if (!b)
            return NULL;
        b->bytes = (size_t)class * 64;
        b->class = class;
    }
    cache.allocations++;
    cache.live_blocks++;
    cache.live_bytes += 64 * class;
    return (char *)b + HEADER;
}

void *wk_alloc(size_t bytes)
{
    if (injected_failure())
        return NULL;
    void *memory = allocate(bytes);
    return is_watched() && poison >= 0 && memory ? memset(memory, poison, bytes) : memory;
}

void wk_free(void *memory)
{
    if (!memory)
        return;
    block *b = (block *)((char *)memory - HEADER);
    if (b->class <= SMALL_CLASSES) {
        if (!cache.registered)
            register_thread();
        cache.live_blocks--;
        cache.live_bytes -= (int64_t)b->bytes;
        if (cache.cached_bytes >= MOST_CACHED) { // one thread makes, another lets go: as with a loader's workers
            free(b);
            return;
        }
        b->next = cache.free[b->class];
        cache.free[b->class] = b;
        cache.cached_bytes += (int64_t)b->bytes;
        return;
    }
    pthread_mutex_lock(&mutex);
    large.live_blocks--;
    large.live_bytes -= (int64_t)b->bytes;
#ifndef WICK_NO_CACHE
    b->next = large_free[b->class - SMALL_CLASSES - 1];
    large_free[b->class - SMALL_CLASSES - 1] = b;
    large.cached_bytes += (int64_t)b->bytes;
    b = NULL;
#endif
    pthread_mutex_unlock(&mutex);
    free(b);
}

bool wk_alloc_counted(int64_t bytes)
{
    if (injected_failure())
        return false;
    pthread_mutex_lock(&mutex);
    large.allocations++;
    large.live_blocks++;
    large.live_bytes += bytes;
    large.peak_bytes = large.live_bytes > large.peak_bytes ? large.live_bytes : large.peak_bytes;
    pthread_mutex_unlock(&mutex);
    return true;
}

void wk_free_counted(int64_t bytes)
{
    pthread_mutex_lock(&mutex);
    large.live_blocks--;
    large.live_bytes -= bytes;
    pthread_mutex_unlock(&mutex);
}

void *wk_alloc_zeroed(size_t bytes)
{
    void *memory = wk_alloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *wk_realloc(void *memory, size_t bytes)
{
    size_t had = memory ? ((block *)((char *)memory - HEADER))->bytes : 0;
    if (memory && bytes <= had)
        return memory;
    void *larger = wk_alloc(bytes);
    if (!larger)
        return NULL;
    if (memory)
        memcpy(larger, memory, had);
    wk_free(memory);
    return larger;
}

char *wk_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = wk_alloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void wk_memory_empty_cache(void)
{
    flush_thread(&cache);
    pthread_mutex_lock(&mutex);
    for (int class = 0; class < LARGE_CLASSES; class ++)
        while (large_free[class]) {
            block *b = large_free[class];
            large_free[class] = b->next;
            large.cached_bytes -= (int64_t)b->bytes;
            free(b);
        }
    pthread_mutex_unlock(&mutex);
}

int64_t wk_live_tensors;

wk_memory_stats wk_memory_get_stats(void)
{
    pthread_mutex_lock(&mutex);
    wk_memory_stats stats = large;
    for (thread_cache *t = threads; t; t = t->next) {
        stats.live_blocks += t->live_blocks;
        stats.live_bytes += t->live_bytes;
        stats.cached_bytes += t->cached_bytes;
        stats.allocations += t->allocations;
    }
    pthread_mutex_unlock(&mutex);
    stats.live_tensors = __atomic_load_n(&wk_live_tensors, __ATOMIC_RELAXED);
    return stats;
}

void *wk_out_of_memory(const char *op, size_t bytes)
{
    return wk_fail(op,
                   "out of memory: could not allocate %zu bytes\nhint: let tensors go earlier (wk_scope), or make the "
                   "batch smaller",
                   bytes);
}
