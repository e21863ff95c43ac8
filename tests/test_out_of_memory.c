/* Memory ends anywhere, in oneDNN and libgomp too: the result is right or an error, and the next one is right.  Each
   point is a child process, in which oneDNN has never run (cold), or has done the same before (warm).  oneDNN
   takes some 30,000 blocks when it first multiplies: of many points, ever fewer; with --every, all. */
#include <stdlib.h>

#include <wick.h>

#include "child.h"
#include "inject.h"

/* Of small whole numbers, so that any kernel's sums are exact: what float64's, which are wick's own, say is right. */
static wk_tensor *whole(wk_tensor *like, wk_dtype dtype) { return wk_to(wk_remainder(like, 5), dtype); }
static wk_tensor *count(int64_t a, int64_t b) { return wk_sub(wk_reshape(wk_arange(a * b), (a, b)), 2); }

static wk_tensor *matmul(wk_dtype dtype) { return wk_matmul(whole(count(40, 48), dtype), whole(count(48, 56), dtype)); }

static wk_tensor *transposed(wk_dtype dtype)
{
    return wk_matmul(wk_t(whole(count(600, 40), dtype)), wk_t(whole(count(56, 600), dtype)));
}

static wk_tensor *linear(wk_dtype dtype)
{
    wk_tensor *x = wk_requires_grad_(whole(count(32, 64), dtype), true);
    wk_tensor *weight = wk_requires_grad_(whole(count(48, 64), dtype), true);
    wk_tensor *y = wk_linear(x, weight, whole(wk_arange(48), dtype));
    if (!wk_backward(wk_sum(wk_mul(y, whole(count(32, 48), dtype)))))
        return NULL;
    return wk_cat((wk_flatten(y), wk_flatten(x->grad), wk_flatten(weight->grad)));
}

static wk_tensor *conv2d(wk_dtype dtype)
{
    wk_tensor *x = wk_reshape(whole(count(4 * 16, 16 * 16), dtype), (4, 16, 16, 16));
    wk_tensor *weight = wk_reshape(wk_remainder(whole(count(32 * 16, 9), dtype), 2), (32, 16, 3, 3));
    wk_requires_grad_(x, true);
    wk_requires_grad_(weight, true);
    wk_tensor *y = wk_conv2d(x, weight, .padding = (1));
    if (!wk_backward(wk_sum(wk_mul(y, wk_remainder(wk_detach(y), 2)))))
        return NULL;
    return wk_cat((wk_flatten(y), wk_flatten(x->grad), wk_flatten(weight->grad)));
}

static wk_tensor *attention(wk_dtype dtype)
{
    wk_tensor *x = wk_div(wk_reshape(whole(count(2 * 4 * 64, 32), dtype), (2, 4, 64, 32)), 4);
    wk_requires_grad_(x, true);
    wk_tensor *y = wk_scaled_dot_product_attention(x, x, x, .is_causal = true);
    return wk_backward(wk_sum(y)) ? wk_cat((wk_flatten(y), wk_flatten(x->grad))) : NULL;
}

static const struct work {
    const char *name;
    wk_tensor *(*run)(wk_dtype dtype);
    wk_dtype dtype;
    double atol;
} WORKS[] = {{"matmul", matmul, wk_float32, 0},          {"transposed", transposed, wk_float32, 0},
             {"linear", linear, wk_float32, 0},          {"conv2d", conv2d, wk_float32, 0},
             {"attention", attention, wk_float32, 1e-3}, {"bfloat16 matmul", matmul, wk_bfloat16, 2},
             {"bfloat16 conv2d", conv2d, wk_bfloat16, 2}};
enum { WORK_COUNT = sizeof WORKS / sizeof *WORKS };

enum { NEVER_FAILED = 10, IS_ERROR, IS_RIGHT, IS_WRONG, NEXT_IS_WRONG };
static const struct work *work;
static bool warm, all, every;
static int64_t point;

static bool is_right(const wk_tensor *y, wk_tensor *expected)
{
    return wk_allclose(wk_to((wk_tensor *)y, wk_float64), expected, .rtol = work->atol ? 1e-2 : 0, .atol = work->atol);
}

static void run_to_the_point(void)
{
    wk_tensor *expected = work->run(wk_float64);
    if (warm && !is_right(work->run(work->dtype), expected))
        _exit(NEXT_IS_WRONG);
    wk_error error;
    wk_tensor *y = NULL;
    inject_memory(point, all);
    wk_try(&error) y = work->run(work->dtype);
    inject_memory(-1, false);
    if (!error.set && (!y || !is_right(y, expected)))
        _exit(IS_WRONG);
    if (!is_right(work->run(work->dtype), expected))
        _exit(NEXT_IS_WRONG);
    _exit(!inject_failed() ? NEVER_FAILED : error.set ? IS_ERROR : IS_RIGHT);
}

static void walk(bool is_warm, bool all_fail)
{
    warm = is_warm;
    all = all_fail;
    for (work = WORKS; work < WORKS + WORK_COUNT; work++) {
        /* with no byte left to clear up with, oneDNN ends the program at 1 of 100 points of compiling a convolution */
        if (all && !warm && work->run == conv2d)
            continue;
        int errors = 0, right = 0, status = 0;
        for (point = 0; status != NEVER_FAILED; point += every ? 1 : 1 + point / 5) {
            status = run(run_to_the_point);
            errors += status == IS_ERROR;
            right += status == IS_RIGHT;
            /* what libgomp needs for a thread's first setting is asked for before, and can still be refused */
            if (status == 1 && strstr(output, "libgomp: Out of memory"))
                continue;
            if (status != NEVER_FAILED && status != IS_ERROR && status != IS_RIGHT)
                fail_msg("%s, %s, %s call %lld: %s (%d)\n%s", work->name, warm ? "warm" : "cold", all ? "from" : "at",
                         (long long)point,
                         status == IS_WRONG        ? "a wrong result"
                         : status == NEXT_IS_WRONG ? "the next result is wrong"
                                                   : "the program ended",
                         status, output);
        }
        print_message("%s, %s, %s: %d errors, %d right\n", work->name, warm ? "warm" : "cold",
                      all ? "all fail" : "one fails", errors, right);
    }
}

static void one_call_cold(void **state) { (void)state, walk(false, false); }
static void one_call_warm(void **state) { (void)state, walk(true, false); }
static void all_calls_cold(void **state) { (void)state, walk(false, true); }
static void all_calls_warm(void **state) { (void)state, walk(true, true); }

int main(int argc, char **argv)
{
    every = argc > 1 && strcmp(argv[1], "--every") == 0;
    if (!INJECT_WORKS) {
        print_message("SKIPPED: a sanitizer has malloc\n");
        return 0;
    }
    setenv("WICK_TRACEBACK", "off", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_cold),
        cmocka_unit_test(one_call_warm),
        cmocka_unit_test(all_calls_cold),
        cmocka_unit_test(all_calls_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
