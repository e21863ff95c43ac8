/* Convolutions large enough for oneDNN, in float32 and halves, against the same in float64, which is a matrix product
   per image (and which the op table holds to PyTorch); and the same bits for one thread and two. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

typedef struct convolution_case {
    bool transposed;
    wk_shape x, weight;
    wk_per_dim stride, padding, dilation, output_padding;
    int64_t groups;
    bool bias;
} convolution_case;
#define CASE(x_, weight_, ...)                                                                                         \
    {                                                                                                                  \
        .stride = 1, .dilation = 1, .groups = 1, .bias = true, .x = WK_SHAPE x_, .weight = WK_SHAPE weight_,           \
        __VA_ARGS__                                                                                                    \
    }

typedef wk_tensor *convolution_function(wk_convolution_args args);
typedef wk_tensor *transposed_function(wk_conv_transpose_args args);
static convolution_function *const CONVOLUTIONS[] = {wk_conv1d_with, wk_conv2d_with, wk_conv3d_with};
static transposed_function *const TRANSPOSED[] = {wk_conv_transpose1d_with, wk_conv_transpose2d_with,
                                                  wk_conv_transpose3d_with};

static wk_tensor *call(const convolution_case *c, wk_tensor *x, wk_tensor *weight, wk_tensor *bias)
{
    const int dims = c->x.ndim - 2;
    if (c->transposed)
        return TRANSPOSED[dims - 1]((wk_conv_transpose_args){x, weight, bias, c->stride, c->padding, c->output_padding,
                                                             c->groups, c->dilation});
    return CONVOLUTIONS[dims - 1](
        (wk_convolution_args){x, weight, bias, c->stride, c->padding, c->dilation, c->groups});
}

static wk_tensor *leaf(wk_tensor *x, wk_dtype dtype) { return wk_requires_grad_(wk_clone(wk_to(x, dtype)), true); }

/* y, dx, dweight, dbias, of x, weight, bias, dy */
static void convolve(const convolution_case *c, wk_tensor *const *given, wk_dtype dtype, wk_tensor **results)
{
    wk_tensor *x = leaf(given[0], dtype), *weight = leaf(given[1], dtype);
    wk_tensor *bias = c->bias ? leaf(given[2], dtype) : NULL;
    wk_tensor *y = call(c, x, weight, bias);
    wk_backward(y, wk_to(given[3], dtype));
    results[0] = wk_detach(y);
    results[1] = x->grad;
    results[2] = weight->grad;
    results[3] = bias ? bias->grad : NULL;
}

static void compare(int number, const char *what, wk_tensor *got, wk_tensor *expected, double tolerance)
{
    wk_tensor *difference = wk_abs(wk_sub(wk_to(got, wk_float64), expected));
    const double size = wk_item(wk_amax(wk_abs(expected))), worst = wk_item(wk_amax(difference));
    if (!(worst <= tolerance * size + tolerance / 2))
        fail_msg("case %d: %s of %s differs by %g of %g", number, what, wk_dtype_name(got->dtype), worst, size);
}

static const char *const NAMES[] = {"y", "dx", "dweight", "dbias"};

/* numbers that a half holds */
static wk_tensor *halves(wk_tensor *x) { return wk_to(wk_to(x, wk_bfloat16), wk_float32); }

static void check_case(int number, const convolution_case *c)
{
    const int64_t outputs = c->transposed ? c->weight.sizes[1] * c->groups : c->weight.sizes[0];
    wk_tensor *given[4] = {halves(wk_randn_with((wk_rand_args){.size = c->x})),
                           halves(wk_randn_with((wk_rand_args){.size = c->weight})), halves(wk_randn((outputs)))};
    wk_no_grad given[3] = halves(wk_randn_like(call(c, given[0], given[1], NULL)));
    wk_tensor *fast[4], *again[4], *exact[4];
    convolve(c, given, wk_float64, exact);
    const wk_dtype dtypes[] = {wk_float32, wk_bfloat16, wk_float16};
    const double tolerances[] = {2e-6, 0x1p-8, 0x1p-11}; // of the largest
    for (int i = 0; i < 3; i++) {
        wk_set_num_threads(2);
        convolve(c, given, dtypes[i], fast);
        wk_set_num_threads(1);
        convolve(c, given, dtypes[i], again);
        wk_set_num_threads(2);
        for (int r = 0; r < (c->bias ? 4 : 3); r++) {
            compare(number, NAMES[r], fast[r], exact[r], tolerances[i]);
            assert_true(wk_equal(fast[r], again[r]));
        }
    }
}

static void each_case(void **state)
{
    (void)state;
    const convolution_case cases[] = {
        CASE((8, 32, 20, 20), (32, 32, 3, 3), .padding = 1),
        CASE((5, 16, 30, 28), (48, 16, 3, 3), .padding = 1), // a prime number of images
        CASE((3, 64, 16, 16), (40, 64, 3, 5), .stride = wk_per_dim(2, 1), .padding = wk_per_dim(1, 2), .bias = false),
        CASE((4, 32, 24, 24), (32, 32, 3, 3), .padding = 2, .dilation = 2),
        CASE((4, 64, 20, 20), (64, 16, 3, 3), .padding = 1, .groups = 4),
        CASE((2, 128, 30, 30), (128, 1, 3, 3), .padding = 1, .groups = 128), // one channel a group
        CASE((16, 64, 20, 20), (128, 64, 1, 1)),
        CASE((4, 3, 64, 64), (32, 3, 7, 7), .stride = 2, .padding = 3), // the gradient of x is a matrix product
        CASE((7, 17, 19, 23), (29, 17, 3, 3), .padding = WK_SAME),
        CASE((4, 16, 40, 40), (16, 16, 4, 4), .padding = WK_SAME),
        CASE((128, 1, 28, 28), (96, 1, 7, 7), .stride = 7),
        CASE((1, 64, 28, 28), (64, 64, 3, 3), .padding = 1), // channels in parts
        CASE((2, 96, 24, 24), (64, 96, 3, 3), .padding = 1),
        CASE((3, 32, 32, 32), (128, 32, 3, 3), .stride = 2),
        CASE((4, 48, 500), (64, 48, 5), .stride = 2, .padding = 2),
        CASE((2, 16, 8, 12, 12), (32, 16, 3, 3, 3), .padding = 1),
        CASE((1, 64, 6, 10, 10), (64, 32, 3, 1, 3), .stride = wk_per_dim(1, 2, 1), .groups = 2),
        CASE((1, 128, 10, 16, 16), (3, 128, 3, 3, 3), .padding = 1), // columns in bands
        CASE((4, 64, 14, 14), (64, 32, 4, 4), .transposed = true, .stride = 2, .padding = 1),
        CASE((1, 64, 14, 14), (64, 64, 3, 3), .transposed = true, .stride = 2, .output_padding = wk_per_dim(1, 0)),
        CASE((2, 64, 14, 14), (64, 16, 3, 3), .transposed = true, .dilation = 2, .output_padding = 1, .groups = 2),
        CASE((2, 64, 300), (64, 32, 8), .transposed = true, .stride = 4, .padding = 2, .bias = false),
        CASE((2, 32, 4, 10, 10), (32, 16, 2, 3, 3), .transposed = true, .stride = wk_per_dim(1, 2, 2)),
    };
    wk_manual_seed(0);
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++)
        wk_scope
    check_case(i, &cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
