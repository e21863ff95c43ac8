/* The allocator from inside: what its statistics count, in one thread and in many, what it keeps for reuse, and what it
   gives back to the system. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "core/alloc.h"

enum { MEGABYTE = 1 << 20 };

static void assert_same(const wk_memory_stats *a, const wk_memory_stats *b)
{
    assert_int_equal(a->live_tensors, b->live_tensors);
    assert_int_equal(a->live_blocks, b->live_blocks);
    assert_int_equal(a->live_bytes, b->live_bytes);
}

/* small blocks alone, then large ones: exact in one thread */
static void peak(void **state)
{
    (void)state;
    static void *small[2000];
    const wk_memory_stats before = wk_memory_get_stats();
    for (int i = 0; i < 2000; i++)
        assert_non_null(small[i] = wk_alloc(4000)); // 4032 bytes each
    for (int i = 0; i < 1000; i++)
        wk_free(small[i]);
    wk_memory_stats now = wk_memory_get_stats();
    const int64_t highest = before.live_bytes + 2000 * 4032;
    assert_int_equal(now.live_bytes, highest - 1000 * 4032);
    assert_int_equal(now.live_blocks, before.live_blocks + 1000);
    assert_int_equal(now.allocations, before.allocations + 2000);
    assert_int_equal(now.peak_bytes, highest);
    /* what small ones took before is no part of a large one's moment */
    void *large = wk_alloc(MEGABYTE);
    assert_int_equal(wk_memory_get_stats().peak_bytes, highest);
    void *larger = wk_alloc(16 * MEGABYTE);
    assert_int_equal(wk_memory_get_stats().peak_bytes, highest - 1000 * 4032 + 17 * MEGABYTE);
    wk_free(large);
    wk_free(larger);
    for (int i = 1000; i < 2000; i++)
        wk_free(small[i]);
    now = wk_memory_get_stats();
    assert_same(&now, &before);
    assert_int_equal(now.peak_bytes, highest - 1000 * 4032 + 17 * MEGABYTE);
}

/* ---------------------------------------------------------------- threads that free what others made */

enum { THREADS = 6, BLOCKS = 300, ROUNDS = 40 };
static void *held[THREADS][BLOCKS];
static pthread_barrier_t barrier;

static size_t size_of(int thread, int i) { return i % 50 == 0 ? 64 * 1024 : 64 * (size_t)(1 + (7 * i + thread) % 64); }

static void *makes_and_frees(void *argument)
{
    const int self = (int)(intptr_t)argument, next = (self + 1) % THREADS;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++)
            held[self][i] = wk_alloc(size_of(self, i));
        pthread_barrier_wait(&barrier);
        if (round == 0)
            pthread_barrier_wait(&barrier); // the main thread looks
        for (int i = 0; i < BLOCKS; i++)
            wk_free(held[next][i]);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void *looks(void *stop)
{
    while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE))
        wk_memory_get_stats();
    return NULL;
}

static void counts_of_threads(void **state)
{
    (void)state;
    const wk_memory_stats before = wk_memory_get_stats();
    int64_t bytes = 0;
    for (int thread = 0; thread < THREADS; thread++)
        for (int i = 0; i < BLOCKS; i++)
            bytes += (int64_t)size_of(thread, i);
    pthread_t thread[THREADS], looking;
    bool stop = false;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    assert_int_equal(pthread_create(&looking, NULL, looks, &stop), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, makes_and_frees, (void *)(intptr_t)i), 0);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        if (round == 0) {
            const wk_memory_stats now = wk_memory_get_stats();
            assert_int_equal(now.live_bytes, before.live_bytes + bytes);
            assert_int_equal(now.live_blocks, before.live_blocks + THREADS * BLOCKS);
            assert_true(now.peak_bytes >= now.live_bytes);
            pthread_barrier_wait(&barrier);
        }
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(looking, NULL);
    const wk_memory_stats now = wk_memory_get_stats();
    assert_same(&now, &before);
    assert_int_equal(now.allocations, before.allocations + (int64_t)THREADS * BLOCKS * ROUNDS);
    assert_true(now.cached_bytes >= 0);
    pthread_barrier_destroy(&barrier);
}

static void *holds_large(void *argument)
{
    void *block = wk_alloc(32 * MEGABYTE);
    pthread_barrier_wait(argument);
    wk_free(block);
    return NULL;
}

/* large blocks of several threads at once: exact */
static void peak_of_threads(void **state)
{
    (void)state;
    const wk_memory_stats before = wk_memory_get_stats();
    pthread_t thread[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, holds_large, &barrier), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    const wk_memory_stats now = wk_memory_get_stats();
    assert_same(&now, &before);
    assert_int_equal(now.peak_bytes, before.live_bytes + THREADS * 32 * MEGABYTE);
    pthread_barrier_destroy(&barrier);
}

/* ---------------------------------------------------------------- back to the system */

static int64_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void goes_back(void **state)
{
    (void)state;
    wk_memory_empty_cache();
    const int64_t cached = wk_memory_get_stats().cached_bytes;
    void *block = wk_alloc(64 * MEGABYTE);
    memset(block, 1, 64 * MEGABYTE);
    const int64_t resident = resident_bytes();
    wk_free(block);
    if (wk_memory_get_stats().cached_bytes == cached)
        return; // nothing is kept in this build
    assert_int_equal(wk_memory_get_stats().cached_bytes, cached + 64 * MEGABYTE);
    wk_alloc_trim(3600); // an hour has not passed
    assert_int_equal(wk_memory_get_stats().cached_bytes, cached + 64 * MEGABYTE);
    void *again = wk_alloc(64 * MEGABYTE);
    assert_ptr_equal(again, block);
    wk_free(again);
    wk_alloc_trim(0);
    assert_int_equal(wk_memory_get_stats().cached_bytes, cached);
    assert_true(resident_bytes() < resident - 60 * MEGABYTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peak), cmocka_unit_test(counts_of_threads), cmocka_unit_test(peak_of_threads),
        cmocka_unit_test(goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
