/* A test that ends with other blocks of memory than it began with fails: TEST(name) is such a one. */
#ifndef WICK_TESTS_LEAKS_H
#define WICK_TESTS_LEAKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <wick.h>

static int64_t blocks_before;
static int remember_blocks(void **state)
{
    (void)state;
    blocks_before = wk_memory_get_stats().live_blocks;
    return 0;
}
static int nothing_leaked(void **state)
{
    (void)state;
    const int64_t now = wk_memory_get_stats().live_blocks;
    if (now != blocks_before)
        print_error("%lld blocks before, %lld after\n", (long long)blocks_before, (long long)now);
    return now != blocks_before;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_blocks, nothing_leaked)

#endif
