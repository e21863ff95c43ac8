/* What every test asserts of an error; include cmocka.h first. */
#ifndef WICK_TESTS_FAILS_H
#define WICK_TESTS_FAILS_H

#include <string.h>

#include <wick.h>

/* NULL or false, and an error with these words */
#define assert_fails(expression, words)                                                                                \
    do {                                                                                                               \
        wk_error err;                                                                                                  \
        wk_try (&err) assert_true(!(expression));                                                                      \
        if (!err.set || !strstr(err.message, words))                                                                   \
            fail_msg("expected an error with \"%s\", got \"%s\"", words, err.set ? err.message : "none");              \
    } while (0)

#endif
