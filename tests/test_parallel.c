/* Work split among threads: each item is done once, by several threads where there is enough to do, also within other
   work, and in a child process as in its parent. */
#include "child.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/cpu/parallel.h"

typedef struct marks {
    unsigned char *of_item;
    int64_t count;
} marks;

static void mark(const void *work, int64_t begin, int64_t end)
{
    const marks *m = work;
    assert_true(begin >= 0 && begin < end && end <= m->count);
    assert_true(wk_parallel_thread() >= 0 && wk_parallel_thread() < wk_parallel_threads());
    for (int64_t i = begin; i < end; i++)
        m->of_item[i]++;
}

static void check_marks(int64_t count, int64_t cost)
{
    const marks m = {calloc((size_t)count + 1, 1), count};
    wk_parallel(mark, &m, count, cost);
    for (int64_t i = 0; i < count; i++)
        assert_int_equal(m.of_item[i], 1);
    assert_int_equal(m.of_item[count], 0);
    free(m.of_item);
}

static void each_item_once(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, 1, 2, 7, 64, 1000, WK_RANGE_COST, WK_RANGE_COST + 1, 10 * WK_RANGE_COST - 1};
    static const int64_t costs[] = {0, 1, 3, WK_RANGE_COST - 1, WK_RANGE_COST, 1LL << 40};
    for (int threads = 1; threads <= 5; threads++) {
        wk_set_num_threads(threads);
        for (int i = 0; i < 9; i++)
            for (int j = 0; j < 6; j++)
                check_marks(counts[i], costs[j]);
    }
}

static void nested(const void *work, int64_t begin, int64_t end)
{
    (void)work;
    for (int64_t i = begin; i < end; i++)
        check_marks(300, WK_RANGE_COST);
}

static void work_within_work(void **state)
{
    (void)state;
    wk_set_num_threads(3);
    wk_parallel(nested, NULL, 50, WK_RANGE_COST);
}

/* ranges end when two threads have been seen, or after five seconds */
static int seen;
static int met(void) { return __builtin_popcount((unsigned)__atomic_load_n(&seen, __ATOMIC_SEQ_CST)); }
static void meet(const void *work, int64_t begin, int64_t end)
{
    (void)work, (void)begin, (void)end;
    __atomic_fetch_or(&seen, 1 << wk_parallel_thread(), __ATOMIC_SEQ_CST);
    for (int turns = 0; turns < 5000 && met() < 2; turns++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int threads_that_meet(int threads)
{
    wk_set_num_threads(threads);
    seen = 0;
    wk_parallel(meet, NULL, 2, WK_RANGE_COST);
    return met();
}

__attribute__((unused)) static void child(void) { _exit(threads_that_meet(2)); }

static void several_threads(void **state)
{
    (void)state;
    assert_int_equal(threads_that_meet(2), 2);
#ifndef WICK_SANITIZED // as in child.h
    assert_int_equal(run(child), 2); // whose parent's threads are not there
#endif
    assert_int_equal(threads_that_meet(4), 2);
    wk_set_num_threads(3);
    assert_int_equal(wk_get_num_threads(), 3);
    wk_set_num_threads(0);
    assert_int_equal(wk_get_num_threads(), 1);
}

int main(void)
{
    /* the child first: its parent's threads are to be new */
    const struct CMUnitTest tests[] = {cmocka_unit_test(several_threads), cmocka_unit_test(each_item_once),
                                       cmocka_unit_test(work_within_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
