/* Convolutions large enough for oneDNN, in float32, against the same in float64, which is a matrix product per image
   (and which the op table holds to PyTorch); and the same bits for one thread and two. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "kernels/cpu/parallel.h"

typedef struct convolution_case {
    int64_t N, C, H, W, O, KH, KW;
    wk_pair stride, padding, dilation;
    int64_t groups;
    bool bias;
} convolution_case;

/* y, dx, dweight, dbias */
static void convolve(const convolution_case *c, wk_tensor *const *given, wk_dtype dtype, wk_tensor **results)
{
    wk_tensor *x = wk_requires_grad_(wk_clone(wk_to(given[0], dtype)), true);
    wk_tensor *weight = wk_requires_grad_(wk_clone(wk_to(given[1], dtype)), true);
    wk_tensor *bias = c->bias ? wk_requires_grad_(wk_clone(wk_to(given[2], dtype)), true) : NULL;
    wk_tensor *y = wk_conv2d(x, weight, bias, c->stride, c->padding, c->dilation, c->groups);
    wk_backward(y, wk_to(wk_slice(wk_slice(given[3], 2, 0, y->shape[2], 1), 3, 0, y->shape[3], 1), dtype));
    results[0] = wk_detach(y);
    results[1] = x->grad;
    results[2] = weight->grad;
    results[3] = bias ? bias->grad : NULL;
}

static void compare(const char *what, wk_tensor *got, wk_tensor *expected)
{
    wk_tensor *difference = wk_abs(wk_sub(wk_to(got, wk_float64), expected));
    const double size = wk_item(wk_amax(wk_abs(expected))), worst = wk_item(wk_amax(difference));
    if (!(worst <= 2e-6 * size + 1e-6))
        fail_msg("%s differs by %g of %g", what, worst, size);
}

static void each_case(void **state)
{
    (void)state;
    const convolution_case cases[] = {
        {8, 32, 20, 20, 32, 3, 3, 1, 1, 1, 1, true},
        {5, 16, 30, 28, 48, 3, 3, 1, 1, 1, 1, true}, // a prime number of images
        {3, 64, 16, 16, 40, 3, 5, WK_PAIR(2, 1), WK_PAIR(1, 2), 1, 1, false},
        {4, 32, 24, 24, 32, 3, 3, 1, 2, 2, 1, true},
        {4, 64, 20, 20, 64, 3, 3, 1, 1, 1, 4, true},
        {2, 128, 30, 30, 128, 3, 3, 1, 1, 1, 128, true}, // one channel a group
        {16, 64, 20, 20, 128, 1, 1, 1, 0, 1, 1, true},
        {4, 3, 64, 64, 32, 7, 7, 2, 3, 1, 1, true}, // the gradient of x is a matrix product
        {7, 17, 19, 23, 29, 3, 3, 1, WK_SAME, 1, 1, true},
        {4, 16, 40, 40, 16, 4, 4, 1, WK_SAME, 1, 1, true},
        {128, 1, 28, 28, 96, 7, 7, 7, 0, 1, 1, true},
        {1, 64, 28, 28, 64, 3, 3, 1, 1, 1, 1, true},
    };
    const char *const names[] = {"y", "dx", "dweight", "dbias"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        wk_scope
    {
        const convolution_case *c = &cases[i];
        wk_tensor *given[4] = {wk_randn((c->N, c->C, c->H, c->W)), wk_randn((c->O, c->C / c->groups, c->KH, c->KW)),
                               wk_randn((c->O)), wk_randn((c->N, c->O, c->H + 4, c->W + 4))};
        wk_tensor *fast[4], *again[4], *exact[4];
        wk_set_num_threads(2);
        convolve(c, given, wk_float32, fast);
        convolve(c, given, wk_float64, exact);
        wk_set_num_threads(1);
        convolve(c, given, wk_float32, again);
        wk_set_num_threads(2);
        for (int r = 0; r < (c->bias ? 4 : 3); r++) {
            compare(names[r], fast[r], exact[r]);
            assert_true(wk_equal(fast[r], again[r]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
