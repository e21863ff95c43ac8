/* What tests of autograd share: numbers compared, errors looked at, and each test in a scope of its own that must leave
   no tensor behind nor grad mode changed.  Include cmocka.h first. */
#ifndef WICK_TESTS_CHECK_H
#define WICK_TESTS_CHECK_H

#include <math.h>
#include <string.h>

#include <wick.h>

static inline bool close_to(double got, double expected)
{
    return fabs(got - expected) <= 1e-9 + 1e-9 * fabs(expected);
}
#define assert_close(got, expected) assert_true(close_to(got, expected))
#define assert_message(error, part)                                                                                    \
    do {                                                                                                               \
        assert_true((error).set);                                                                                      \
        if (!strstr((error).message, part))                                                                            \
            fail_msg("expected \"%s\" in \"%s\"", part, (error).message);                                              \
    } while (0)

static inline wk_tensor *leaf(double value) { return wk_full((), value, .dtype = wk_float64, .requires_grad = true); }

/* each test in a scope, and nothing left after it */
static wk_memory_stats before;
static inline int open_test(void **state)
{
    (void)state;
    before = wk_memory_get_stats();
    return 0;
}
static inline int close_test(void **state)
{
    (void)state;
    const wk_memory_stats after = wk_memory_get_stats();
    if (after.live_tensors != before.live_tensors)
        print_error("left over: %lld tensors\n", (long long)(after.live_tensors - before.live_tensors));
    return after.live_tensors != before.live_tensors || !wk_is_grad_enabled();
}
#define TEST(name)                                                                                                     \
    static void name##_body(void);                                                                                     \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        wk_scope name##_body();                                                                                        \
    }                                                                                                                  \
    static void name##_body(void)
#define UNIT(name) cmocka_unit_test_setup_teardown(name, open_test, close_test)

#endif
