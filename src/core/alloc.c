/* Blocks are kept for reuse by size class: multiples of 64 bytes up to 4 KiB in lists of each thread's own (no lock: an
   op on small tensors takes two of these), larger ones in lists behind a mutex (alloc_large.c).  A block carries its
   class in the 64 bytes before it.

   A thread counts for itself.  The peak is exact, but for what several threads take in small blocks at one moment:
   there within 64 KiB of each.

   Rejected: malloc as it is (it gives big blocks back to the system: page faults cost more than the arithmetic on
   them); one lock for all (20 ns each way, a tenth of what a small op may take).

   In sanitizer builds and under valgrind every block is malloc's own, so that a use after free is seen, and what a
   class holds beyond what was asked for is fenced off (fence.h). */
#include <stdlib.h>
#include <string.h>

#include <wick/error.h>
#include <wick/memory.h>

#include "alloc_internal.h"
#include "fence.h"
#include "kernels/fork.h"

#define MOST_CACHED ((int64_t)32 << 20) // of small blocks, for each thread
#define PEAK_STEP ((int64_t)64 << 10)
#define LATE 32             // headers of tensors that are let go before one is handed out again
#define LATE_CHECKED 262144 // the same with WICK_CHECK, for the process

typedef struct thread_cache {
    block *free[SMALL_CLASSES + 1];
    /* of small ones: what is held beyond live_bytes is cached.  A block may be made here and let go elsewhere. */
    int64_t allocations, frees, live_bytes, held_bytes;
    int64_t live_tensors;
    int64_t highest;   // live_bytes since the peak was last looked at
    block *late[LATE]; // headers of tensors, those let go last
    unsigned late_next;
    struct thread_cache *next, *previous;
    bool registered;
} thread_cache;

pthread_mutex_t wk_alloc_mutex = PTHREAD_MUTEX_INITIALIZER;
bool wk_alloc_fenced = WK_FENCES_ALWAYS;
static wk_memory_stats large; // and what threads that ended left
static thread_cache *threads;
static pthread_key_t thread_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local thread_cache cache;
/* looked at together, so that an allocation and a free pay one look at `watched`: fences, and what tests ask for */
static bool watched = WK_FENCES_ALWAYS;
static int64_t fail_after = -1;
static int poison = -1;

/* ---------------------------------------------------------------- counting */

/* of one thread, read by others */
static int64_t count_of(const int64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
static void add_to(int64_t *counter, int64_t what)
{
    __atomic_store_n(counter, count_of(counter) + what, __ATOMIC_RELAXED);
}

/* Under the mutex: the peak, with this thread's highest since the last look.  Returns what is live now. */
static int64_t look_at_peak(void)
{
    int64_t live = large.live_bytes;
    for (thread_cache *t = threads; t; t = t->next)
        live += count_of(&t->live_bytes);
    const int64_t highest = live + cache.highest - cache.live_bytes;
    large.peak_bytes = highest > large.peak_bytes ? highest : large.peak_bytes;
    cache.highest = cache.live_bytes;
    return live;
}

static void new_height(void)
{
    const int64_t before = cache.highest;
    cache.highest = cache.live_bytes;
    if (cache.highest / PEAK_STEP == before / PEAK_STEP)
        return;
    pthread_mutex_lock(&wk_alloc_mutex);
    look_at_peak();
    pthread_mutex_unlock(&wk_alloc_mutex);
}

/* under the mutex */
void wk_count_large(int64_t bytes)
{
    const int64_t live = look_at_peak() + bytes;
    large.allocations++;
    large.live_blocks++;
    large.live_bytes += bytes;
    large.peak_bytes = live > large.peak_bytes ? live : large.peak_bytes;
}

void wk_uncount_large(int64_t bytes)
{
    look_at_peak();
    large.live_blocks--;
    large.live_bytes -= bytes;
}

/* ---------------------------------------------------------------- threads */

static void flush_thread(thread_cache *of)
{
    for (int class = 0; class <= SMALL_CLASSES; class ++)
        while (of->free[class]) {
            block *b = of->free[class];
            of->free[class] = b->next;
            add_to(&of->held_bytes, -(int64_t)b->bytes);
            free(b);
        }
}

static void thread_ends(void *value)
{
    thread_cache *of = value;
    flush_thread(of);
    for (int i = 0; i < LATE; i++)
        free(of->late[i]);
    add_to(&of->held_bytes, of->live_bytes - of->held_bytes); // nothing is cached any more
    pthread_mutex_lock(&wk_alloc_mutex);
    look_at_peak();
    large.live_blocks += of->allocations - of->frees;
    large.live_bytes += of->live_bytes;
    large.live_tensors += of->live_tensors;
    large.allocations += of->allocations;
    if (of->previous)
        of->previous->next = of->next;
    else
        threads = of->next;
    if (of->next)
        of->next->previous = of->previous;
    pthread_mutex_unlock(&wk_alloc_mutex);
    memset(of, 0, sizeof *of);
}

/* A child has not the other threads, whose caches lie in memory that new threads will have.  What they kept is lost. */
static void after_fork(void)
{
    for (const thread_cache *of = threads; of; of = of->next)
        if (of != &cache) {
            large.live_blocks += of->allocations - of->frees;
            large.live_bytes += of->live_bytes;
            large.live_tensors += of->live_tensors;
            large.allocations += of->allocations;
        }
    threads = cache.registered ? &cache : NULL;
    cache.next = cache.previous = NULL;
}

__attribute__((constructor)) static void watch_forks(void)
{
    wk_fork_takes_last(&wk_alloc_mutex);
    wk_fork_tells(after_fork);
}

static void make_key(void) { pthread_key_create(&thread_key, thread_ends); }

static void register_thread(void)
{
    pthread_once(&once, make_key);
    pthread_setspecific(thread_key, &cache);
    pthread_mutex_lock(&wk_alloc_mutex);
    cache.registered = true;
    cache.next = threads;
    if (threads)
        threads->previous = &cache;
    threads = &cache;
    pthread_mutex_unlock(&wk_alloc_mutex);
}

/* ---------------------------------------------------------------- tests, fences */

static bool is_watched(void) { return __builtin_expect(__atomic_load_n(&watched, __ATOMIC_RELAXED), 0); }
static void watch(void) { watched = wk_alloc_fenced || poison >= 0 || fail_after >= 0; }

static bool injected_failure(void)
{
    if (!is_watched() || __atomic_load_n(&fail_after, __ATOMIC_RELAXED) < 0)
        return false;
    return __atomic_sub_fetch(&fail_after, 1, __ATOMIC_RELAXED) == -1;
}

void wk_memory_fail_after(int64_t allocations)
{
    __atomic_store_n(&fail_after, allocations, __ATOMIC_RELAXED);
    watch();
}

void wk_memory_poison(int byte)
{
    poison = byte;
    watch();
}

int wk_memory_poisoned(void) { return poison; }

static bool checks; // WICK_CHECK

__attribute__((constructor)) static void process_begins(void)
{
    const char *text = getenv("WICK_CHECK");
    wk_alloc_fenced = WK_FENCES_ALWAYS || wk_under_valgrind();
    checks = text && *text ? *text != '0' : WK_CHECKS_DEFAULT || wk_alloc_fenced;
    watch();
}

static void *watch_block(void *memory, size_t bytes)
{
    block *b = (block *)((char *)memory - HEADER);
    b->asked = bytes;
    if (poison >= 0)
        memset(memory, poison, bytes);
    if (wk_alloc_fenced)
        wk_fence((char *)memory + bytes, b->bytes - bytes);
    return memory;
}

/* ---------------------------------------------------------------- allocating */

static __attribute__((noinline)) block *new_small(int class)
{
    if (!cache.registered)
        register_thread();
    block *b = wk_block_from_system((size_t)class * 64, class);
    if (b)
        add_to(&cache.held_bytes, 64 * class);
    return b;
}

static inline __attribute__((always_inline)) void *allocate(size_t bytes)
{
    if (bytes > 64 * SMALL_CLASSES)
        return wk_alloc_large(bytes);
    int class = (int)((bytes + 63) / 64);
    block *b = cache.free[class];
    if (__builtin_expect(b != NULL, 1))
        cache.free[class] = b->next;
    else if (!(b = new_small(class)))
        return NULL;
    add_to(&cache.allocations, 1);
    add_to(&cache.live_bytes, 64 * class);
    if (__builtin_expect(cache.live_bytes > cache.highest, 0))
        new_height();
    return (char *)b + HEADER;
}

static __attribute__((noinline)) void *allocate_watched(size_t bytes)
{
    void *memory = injected_failure() ? NULL : allocate(bytes);
    return memory ? watch_block(memory, bytes) : NULL;
}

void *wk_alloc(size_t bytes) { return is_watched() ? allocate_watched(bytes) : allocate(bytes); }

/* a small one that is no longer live; one thread may make and another let go, as with a loader's workers */
static inline __attribute__((always_inline)) void keep_small(block *b)
{
    if (__builtin_expect(wk_alloc_fenced || cache.held_bytes - cache.live_bytes > MOST_CACHED, 0)) {
        add_to(&cache.held_bytes, -(int64_t)b->bytes);
        free(b);
        return;
    }
    b->next = cache.free[b->class];
    cache.free[b->class] = b;
}

static inline __attribute__((always_inline)) void uncount_small(const block *b)
{
    if (!cache.registered)
        register_thread();
    add_to(&cache.frees, 1);
    add_to(&cache.live_bytes, -(int64_t)b->bytes);
}

void wk_free(void *memory)
{
    if (!memory)
        return;
    block *b = (block *)((char *)memory - HEADER);
    if (b->class > SMALL_CLASSES) {
        wk_free_large(b);
        return;
    }
    uncount_small(b);
    keep_small(b);
}

bool wk_alloc_counted(int64_t bytes)
{
    if (injected_failure())
        return false;
    pthread_mutex_lock(&wk_alloc_mutex);
    wk_count_large(bytes);
    pthread_mutex_unlock(&wk_alloc_mutex);
    return true;
}

void wk_free_counted(int64_t bytes)
{
    pthread_mutex_lock(&wk_alloc_mutex);
    wk_uncount_large(bytes);
    pthread_mutex_unlock(&wk_alloc_mutex);
}

void *wk_alloc_zeroed(size_t bytes)
{
    void *memory = wk_alloc(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *wk_realloc(void *memory, size_t bytes)
{
    const block *b = memory ? (block *)((char *)memory - HEADER) : NULL;
    size_t had = !b ? 0 : wk_alloc_fenced ? b->asked : b->bytes;
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
    wk_alloc_trim(-1);
}

/* ---------------------------------------------------------------- headers of tensors */

static struct {
    block *first, *last;
    int64_t count;
} late_checked; // with WICK_CHECK, those let go first first; under the mutex

static void keep_checked(block *b)
{
    /* all but the word that says what it was */
    char *rest = (char *)b + HEADER + sizeof(uint32_t);
    if (wk_alloc_fenced)
        wk_fence(rest, b->bytes - sizeof(uint32_t));
    else
        memset(rest, 0xdb, b->bytes - sizeof(uint32_t));
    b->next = NULL;
    add_to(&cache.held_bytes, -(int64_t)b->bytes);
    pthread_mutex_lock(&wk_alloc_mutex);
    if (late_checked.last)
        late_checked.last->next = b;
    else
        late_checked.first = b;
    late_checked.last = b;
    large.cached_bytes += (int64_t)b->bytes;
    block *gone = late_checked.count < LATE_CHECKED ? NULL : late_checked.first;
    if (gone) {
        late_checked.first = gone->next;
        large.cached_bytes -= (int64_t)gone->bytes;
    } else {
        late_checked.count++;
    }
    pthread_mutex_unlock(&wk_alloc_mutex);
    free(gone);
}

void *wk_header_alloc(size_t bytes)
{
    void *header = is_watched() ? allocate_watched(bytes) : allocate(bytes);
    if (!header)
        return NULL;
    add_to(&cache.live_tensors, 1);
    return memset(header, 0, bytes);
}

void wk_header_free(void *header, const char *file, int line)
{
    block *b = (block *)((char *)header - HEADER);
    uncount_small(b);
    add_to(&cache.live_tensors, -1);
    b->file = file;
    b->line = line;
    if (__builtin_expect(checks, 0)) {
        keep_checked(b);
        return;
    }
    block **late = &cache.late[cache.late_next++ % LATE];
    block *before = *late;
    *late = b;
    if (before)
        keep_small(before);
}

void wk_header_place(const void *header, const char **file, int *line)
{
    const block *b = (const block *)((const char *)header - HEADER);
    *file = b->file;
    *line = b->line;
}

/* ---------------------------------------------------------------- the process */

void wk_alloc_process_ends(void)
{
    if (cache.registered)
        thread_ends(&cache);
    wk_memory_empty_cache();
    for (block *b = late_checked.first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    late_checked.first = late_checked.last = NULL;
}

wk_memory_stats wk_memory_get_stats(void)
{
    pthread_mutex_lock(&wk_alloc_mutex);
    look_at_peak();
    wk_memory_stats stats = large;
    stats.cached_bytes += wk_large_cached_bytes();
    for (thread_cache *t = threads; t; t = t->next) {
        stats.live_tensors += count_of(&t->live_tensors);
        stats.live_blocks += count_of(&t->allocations) - count_of(&t->frees);
        stats.live_bytes += count_of(&t->live_bytes);
        stats.cached_bytes += count_of(&t->held_bytes) - count_of(&t->live_bytes);
        stats.allocations += count_of(&t->allocations);
    }
    pthread_mutex_unlock(&wk_alloc_mutex);
    return stats;
}

void *wk_out_of_memory(const char *op, size_t bytes)
{
    return wk_fail(op,
                   "out of memory: could not allocate %zu bytes\nhint: let tensors go earlier (wk_scope), or make the "
                   "batch smaller",
                   bytes);
}
